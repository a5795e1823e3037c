"""
The executors of a kernel: what each is, how it is, and which of them a call may go to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from warpbeam.contracts import Executor, ExecutorInfo, Health, RunningExecutor
from warpbeam.errors import ExecutorDead, InvalidResourcesError, UnknownExecutorError


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from warpbeam.contracts import Resources
    from warpbeam.dataflow.task import AppSpec


@attrs.define(eq=False)
class Slot:
    """
    One executor of a kernel.

    Attributes:
        description: what the user configured.
        running: the running object, once started.
        health: how it is.
        reason: why, in words.
        error: the exception behind that, if any.
        outstanding: tries that it has and that have not ended.
        is_removed: it takes no more calls.
    """

    description: Executor
    label: str
    capabilities: frozenset[str]
    running: RunningExecutor = None  # type: ignore[assignment]  # filled before anybody sees the slot
    health: Health = Health.WORKING
    reason: str = ""
    error: BaseException | None = None
    outstanding: int = 0
    is_removed: bool = False

    @property
    def info(self) -> ExecutorInfo:
        """
        The executor as hooks see it.
        """
        return ExecutorInfo(label=self.label, type_name=type(self.description).__name__, capabilities=self.capabilities)

    def death(self) -> ExecutorDead:
        """
        Return the error that its tasks fail with.
        """
        error = ExecutorDead(f"executor {self.label!r} cannot run tasks any more: {self.reason}", label=self.label)
        error.__cause__ = self.error
        return error

    def refusal(self, resources: Resources | None, walltime: float | None) -> str | None:
        """
        Return why a call can never run here, or None.
        """
        if resources is None:
            return None
        honoured = {name.removeprefix("resources:") for name in self.capabilities}
        unknown = sorted(set(resources.asked()) - honoured)
        if unknown:
            return f"{self.label!r} does not know {', '.join(unknown)}"
        return self.description.refuse(resources, walltime)


class Router:
    """
    Decides which executors a call may go to, and which of them gets it.
    """

    def __init__(self) -> None:
        self.slots: dict[str, Slot] = {}
        self.routes: dict[AppSpec, tuple[Slot, ...]] = {}  # what has been decided, for calls with the app's own resources

    def add(self, slot: Slot) -> None:
        """
        Add an executor.
        """
        self.slots[slot.label] = slot
        self.forget()

    def forget(self) -> None:
        """
        Decide anew, since executors have changed.
        """
        self.routes = {}

    def allowed(self, spec: AppSpec, resources: Resources | None, walltime: float | None) -> tuple[Slot, ...]:
        """
        Return the executors that may run a call.

        Raises:
            UnknownExecutorError: the app names an executor that there is not.
            InvalidResourcesError: no executor that the app may use can honour what the call asks for.
        """
        if resources is spec.resources:
            known = self.routes.get(spec)
            if known is None:
                if len(self.routes) > 10_000:
                    self.routes.clear()  # apps made in a loop
                known = self.routes[spec] = self._decide(spec, resources, walltime)
            return known
        return self._decide(spec, resources, walltime)

    def _decide(self, spec: AppSpec, resources: Resources | None, walltime: float | None) -> tuple[Slot, ...]:
        candidates = self._named(spec)
        refusals = {slot.label: _refusal(slot, spec, resources, walltime) for slot in candidates}
        able = tuple(slot for slot in candidates if refusals[slot.label] is None)
        if not able:
            raise _nobody(spec, resources, refusals, self.slots.values())
        return able

    def _named(self, spec: AppSpec) -> Sequence[Slot]:
        if spec.executors is None:
            candidates = list(self.slots.values())
        else:
            unknown = [label for label in spec.executors if label not in self.slots]
            if unknown:
                there = ", ".join(map(repr, self.slots)) or "none"
                message = f"app {spec.name!r} requested invalid executor {unknown[0]!r}; the kernel's executors are {there}"
                raise UnknownExecutorError(message)
            candidates = [self.slots[label] for label in spec.executors]
        if not candidates:
            raise UnknownExecutorError(f"app {spec.name!r} cannot run: the kernel has no executor; add one")
        return candidates


def _needs_own_process(spec: AppSpec) -> bool:
    return spec.kind == "python" and spec.workdir != "shared"


def _refusal(slot: Slot, spec: AppSpec, resources: Resources | None, walltime: float | None) -> str | None:
    if _needs_own_process(spec) and "local" in slot.capabilities:
        return f"{slot.label!r} runs python apps in this process, which has one directory for all its threads"
    return slot.refusal(resources, walltime)


def _nobody(
    spec: AppSpec, resources: Resources | None, refusals: dict[str, str | None], slots: Iterable[Slot]
) -> InvalidResourcesError:
    asked = dict(resources.asked()) if resources is not None else {}
    known = {key for slot in slots for key in slot.capabilities}
    invalid = frozenset(key for key in asked if f"resources:{key}" not in known and key not in known)
    asked |= {"workdir": spec.workdir} if _needs_own_process(spec) else {}
    able = sorted(slot.label for slot in slots if _refusal(slot, spec, resources, spec.walltime) is None)
    hint = f"; {', '.join(able)} could, but the app may not use it" if able else "; no executor of this kernel can"
    reasons = "; ".join(reason for reason in refusals.values() if reason)
    message = f"app {spec.name!r} asks for {asked}, which no executor that it may use can honour: {reasons}{hint}"
    return InvalidResourcesError(message, invalid_keys=invalid)


def choose(slots: Sequence[Slot]) -> Slot:
    """
    Return the living executor with the shortest expected wait.

    Raises:
        ExecutorDead: all are dead.
    """
    if len(slots) == 1 and slots[0].health is not Health.DEAD:
        return slots[0]
    alive = [slot for slot in slots if slot.health is not Health.DEAD]
    if not alive:
        raise slots[0].death()
    return min(alive, key=_expected_wait)


def _expected_wait(slot: Slot) -> tuple[bool, float]:
    capacity = slot.running.load().capacity
    return slot.health is Health.WAITING, (slot.outstanding + 1) / max(capacity, 0.5)


def describe(value: Any) -> str:
    """
    Return a description for an error message, shortened.
    """
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:197]}..."

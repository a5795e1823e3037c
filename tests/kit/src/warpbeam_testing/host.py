"""
The kernel's side of an executor, as a recorder.
"""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
from warpbeam import registry
from warpbeam.contracts import Health, Outcome, OutcomeKind, RunInfo


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from warpbeam.contracts import TaskId, TaskWrapper, TryId

_WITHOUT_ERROR = (OutcomeKind.RETURNED, OutcomeKind.CANCELLED)


@attrs.define(eq=False)
class RecordingHost:
    """
    An `warpbeam.contracts.ExecutorHost` that remembers everything, and what an executor must not do as ``violations``.

    Args:
        directory: the run's directory.
        wrapper: what to run round each task.

    Attributes:
        run: a run of its own in the directory.
        outcomes: the first outcome of each try.
        begun: tries in the order in which they were said to start.
        refused: tries that ``started`` will refuse, as the kernel does with cancelled ones.
        states: what was said of the executor's health: state, reason and error, in order.
        events: kind, data and task of what was emitted.
        violations: what breaks the contract, in words.
        on_completed: called with each batch, outside all locks.
    """

    directory: Path
    wrapper: TaskWrapper | None = None
    run: RunInfo = attrs.field(init=False)
    outcomes: dict[TryId, Outcome] = attrs.field(factory=dict)
    begun: list[TryId] = attrs.field(factory=list)
    refused: set[TryId] = attrs.field(factory=set)
    states: list[tuple[Health, str, BaseException | None]] = attrs.field(factory=list)
    events: list[tuple[str, Mapping[str, Any], TaskId | None]] = attrs.field(factory=list)
    violations: list[str] = attrs.field(factory=list)
    on_completed: Callable[[Sequence[Outcome]], None] | None = None
    _known: set[TryId] = attrs.field(factory=set)
    _shared: dict[str, Any] = attrs.field(factory=dict)
    _changed: threading.Condition = attrs.field(factory=lambda: threading.Condition(threading.RLock()))

    def __attrs_post_init__(self) -> None:
        self.run = RunInfo(run_id=str(uuid.uuid4()), directory=self.directory, name="contract")

    # -- what executors call ----------------------------------------------------------------------------------------------

    def completed(self, outcomes: Sequence[Outcome]) -> None:
        """
        Take outcomes.
        """
        with self._changed:
            for outcome in outcomes:
                self._take(outcome)
            self._changed.notify_all()
        if self.on_completed is not None:
            self.on_completed(outcomes)

    def _take(self, outcome: Outcome) -> None:
        if outcome.try_id not in self._known:
            self.violations.append(f"an outcome of {outcome.try_id}, which was never submitted: {outcome}")
        elif outcome.try_id in self.outcomes:
            self.violations.append(f"a second outcome of {outcome.try_id}: {outcome}; the first: {self.outcomes[outcome.try_id]}")
        else:
            self.violations += _faults(outcome)
            self.outcomes[outcome.try_id] = outcome

    def started(self, tries: Sequence[TryId]) -> Collection[TryId]:
        """
        Take note of starts; return the refused ones.
        """
        with self._changed:
            for try_id in tries:
                if try_id in self.begun:
                    self.violations.append(f"{try_id} was said to start twice")
                self.begun.append(try_id)
            self._changed.notify_all()
            return tuple(try_id for try_id in tries if try_id in self.refused)

    def emit(self, kind: str, data: Mapping[str, Any], *, task: TaskId | None = None) -> None:
        """
        Take an event.
        """
        with self._changed:
            self.events.append((kind, data, task))
            self._changed.notify_all()

    def health(self, state: Health, reason: str = "", error: BaseException | None = None) -> None:
        """
        Take a state of health.
        """
        with self._changed:
            self.states.append((state, reason, error))
            self._changed.notify_all()

    def resolve(self, kind: str, name: object) -> Any:
        """
        Return objects as they are; names are looked up as the kernel does.
        """
        if not isinstance(name, str):
            return name
        return registry.find(kind, name)

    def shared(self, name: str, factory: Callable[[], Any]) -> Any:
        """
        Return the object of that name, made at the first call.
        """
        with self._changed:
            if name not in self._shared:
                self._shared[name] = factory()
            return self._shared[name]

    @contextmanager
    def working(self, give_up: Callable[[bool], None]) -> Iterator[None]:
        """
        Mark nothing: tasks of the contract wait for no futures.
        """
        del give_up
        yield

    # -- what tests ask ---------------------------------------------------------------------------------------------------

    def expect(self, tries: Collection[TryId]) -> None:
        """
        Say that these tries are being submitted.
        """
        with self._changed:
            self._known |= set(tries)

    def forget(self, tries: Collection[TryId]) -> None:
        """
        Say that these tries were not taken.
        """
        with self._changed:
            self._known -= set(tries)
            self.violations += [
                f"{try_id} was refused by submit, and has an outcome" for try_id in tries if try_id in self.outcomes
            ]

    def missing(self) -> list[TryId]:
        """
        Return the submitted tries that have no outcome.
        """
        return sorted(self._known - set(self.outcomes))

    def wait_for(self, condition: Callable[[], Any], timeout_s: float) -> bool:
        """
        Wait until the condition holds, which is asked whenever something arrives, and a few times a second.
        """
        end = time.monotonic() + timeout_s
        with self._changed:
            while not condition():
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, 0.02))
        return True

    def close(self) -> None:
        """
        Close the shared objects, as a kernel does at the end of a run.
        """
        for shared in self._shared.values():
            close = getattr(shared, "close", None)
            if close is not None:
                close()


def _faults(outcome: Outcome) -> Iterator[str]:
    if outcome.kind in _WITHOUT_ERROR and outcome.error is not None:
        yield f"{outcome.kind.name} with an error: {outcome}"
    if outcome.kind not in _WITHOUT_ERROR and not isinstance(outcome.error, BaseException):
        yield f"{outcome.kind.name} without an exception: {outcome}"
    if (outcome.cause is not None) != (outcome.kind is OutcomeKind.LOST):
        yield f"{outcome.kind.name} with the cause {outcome.cause}: {outcome}"

"""
From a configuration to running parts: names become objects, hooks are asked, executors get their slots.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from warpbeam.config import resolve_executors
from warpbeam.dataflow import traverse
from warpbeam.dataflow.task import AppSpec
from warpbeam.engine import arguments as arguments  # noqa: PLC0414  (the kernel reads it here)
from warpbeam.engine.host import Host
from warpbeam.engine.memo_desk import MemoDesk
from warpbeam.engine.slots import Slot
from warpbeam.errors import ConfigurationError, UnknownExecutorError
from warpbeam.plugins import registry
from warpbeam.plugins.manager import HookManager


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from warpbeam.config import Config
    from warpbeam.contracts import DependencyResolver, Executor, RetryPolicy, RunInfo, RunningMemo, RunSummary
    from warpbeam.kernel import Kernel

LIFTED = {
    operator.getitem: AppSpec(function=operator.getitem, name="item", kind="lifted"),
    getattr: AppSpec(function=getattr, name="attribute", kind="lifted"),
}
"""The apps behind ``future[key]`` and ``future.name``."""


def resolve(kind: str, name: object) -> Any:
    """
    Return the plugin object of that kind and name; an object that is no string is returned as it is.
    """
    return registry.find(kind, name) if isinstance(name, str) else name


def resolver(config: Config) -> DependencyResolver:
    """
    Return the dependency resolver that a configuration names.
    """
    known: dict[Any, DependencyResolver] = {"deep": traverse.DEEP, "shallow": traverse.SHALLOW}
    chosen = config.dependency_resolver
    return known[chosen] if isinstance(chosen, str) else chosen


class Hooks:
    """
    The hooks of one kernel, in the order of its life.
    """

    def __init__(self, config: Config | None) -> None:
        self._manager = HookManager(config.plugins if config is not None else ())

    def monitor(self, called: Callable[[str], None]) -> Callable[[], None]:
        """
        Have ``called(hook)`` called before each call of an implementation, for tests and debugging; return what ends that.
        """
        return self._manager.monitor(called)

    def amended(self, config: Config) -> Config:
        """
        Return the configuration after site policy.

        Raises:
            ConfigurationError: a plugin finds an error in it.
        """
        return self._manager.amend_config(config)

    def retry_policy(self, run: RunInfo) -> RetryPolicy | None:
        """
        Return the policy that the configuration names, or else that a named plugin makes, or None.
        """
        config: Config = run.config
        if config.retry_policy is not None:
            return config.retry_policy  # type: ignore[no-any-return]
        return self._manager.make_retry_policy(run)

    def run_starting(self, run: RunInfo) -> None:
        """
        Tell observers.
        """
        self._manager.run_starting(run)

    def run_finished(self, run: RunInfo, summary: RunSummary) -> None:
        """
        Tell observers.
        """
        self._manager.run_finished(run, summary)

    def executor_stopped(self, run: RunInfo, slot: Slot, error: BaseException | None) -> None:
        """
        Tell observers.
        """
        self._manager.executor_stopped(run, slot.info, error)

    def host(self, kernel: Kernel, slot: Slot) -> Host:
        """
        Tell observers of an executor, and return its host with the task wrappers of named plugins.
        """
        self._manager.executor_starting(kernel.run, slot.info)
        return Host(kernel, slot, self._manager.wrap_task(kernel.run, slot.info))


def host(kernel: Kernel, slot: Slot) -> Host:
    """
    Return an executor's view of the kernel.
    """
    return kernel.hooks.host(kernel, slot)


def executors(config: Config) -> Sequence[str | Executor]:
    """
    Return the executors that a configuration names, or the default one.
    """
    if config.executors is not None:
        return config.executors
    for name in registry.default_executor_names():
        if name in registry.names("executor"):
            return (name,)
    names = ", ".join(registry.default_executor_names())
    raise ConfigurationError(
        f"no executor is configured, and none of the usual ones ({names}) is installed; pip install warpbeam-threads"
    )


def slots(kernel: Kernel, named: Sequence[str | Executor]) -> list[Slot]:
    """
    Return slots for executors, not yet started.

    Raises:
        ConfigurationError: a label is taken, or something is no executor.
    """
    made = []
    taken = set(kernel.executors)
    for description in resolve_executors(named, resolve):
        if description.label in taken:
            message = f"executor label {description.label!r} is used twice; give one of them another label="
            raise ConfigurationError(message)
        taken.add(description.label)
        made.append(Slot(description, description.label, frozenset(description.capabilities)))
    return made


def remove(kernel: Kernel, label: str, deadline: float | None) -> None:
    """
    Stop one executor of a kernel.
    """
    slot = kernel._router.slots.pop(label, None)
    if slot is None:
        there = ", ".join(kernel._router.slots) or "none"
        raise UnknownExecutorError(f"there is no executor {label!r} to remove; there is {there}")
    kernel._router.forget()
    slot.is_removed = True
    slot.running.stop(deadline=deadline)
    kernel.hooks.executor_stopped(kernel.run, slot, None)


class _MemoHost:
    def __init__(self, run: RunInfo) -> None:
        self.run = run


def memo_desk(kernel: Kernel) -> MemoDesk:
    """
    Return the desk that asks the configured memo store; the store is opened at its first use.
    """

    def open_store() -> RunningMemo:
        found = resolve("memo", kernel.config.memo)
        description = found() if isinstance(found, type) else found
        running: RunningMemo = description.start(_MemoHost(kernel.run))
        return running

    def arguments_of(task: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args, kwargs = kernel.arguments_of(task)
        return args, dict(kwargs)

    return MemoDesk(open_store, kernel._memo_answered, kernel._memo_remembered, arguments_of)

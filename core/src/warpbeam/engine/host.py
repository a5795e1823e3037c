"""
What a running executor sees of its kernel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warpbeam.dataflow.frames import Working, enter


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from contextlib import AbstractContextManager

    from warpbeam.contracts import Health, Outcome, TaskId, TaskWrapper, TryId
    from warpbeam.engine.slots import Slot
    from warpbeam.kernel import Kernel


class Host:
    """
    The kernel's side of one executor; see `warpbeam.contracts.ExecutorHost`.
    """

    def __init__(self, kernel: Kernel, slot: Slot, wrapper: TaskWrapper | None) -> None:
        self._kernel = kernel
        self._slot = slot
        self.run = kernel.run
        self.wrapper = wrapper
        self.started: Callable[[Sequence[TryId]], Collection[TryId]] = kernel._started
        self._settle = kernel._settle

    def completed(self, outcomes: Sequence[Outcome]) -> None:
        """
        Hand in outcomes.
        """
        enter(self._settle, outcomes)

    def emit(self, kind: str, data: Mapping[str, Any], *, task: TaskId | None = None) -> None:
        """
        Add an event.
        """
        self._kernel.bus.emit(kind, data, task=task)

    def health(self, state: Health, reason: str = "", error: BaseException | None = None) -> None:
        """
        Say how the executor is.
        """
        enter(self._kernel._health_changed, (self._slot, state, reason, error))

    def resolve(self, kind: str, name: object) -> Any:
        """
        Return the plugin object of that kind and name.
        """
        return self._kernel.resolve(kind, name)

    def shared(self, name: str, factory: Callable[[], Any]) -> Any:
        """
        Return the object that all executors of the run share.
        """
        return self._kernel._share(name, factory)

    def working(self, give_up: Callable[[bool], None]) -> AbstractContextManager[None]:
        """
        Mark the calling thread as one that runs tasks.
        """
        return Working(give_up, self._kernel._nested)

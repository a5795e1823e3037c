"""
What a task can learn of itself on the worker.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable


class TaskContext:
    """
    The task that this thread runs.

    Attributes:
        task: its id.
        attempt: number of the try, from 0.
        name: name of the app.
        worker: name of the worker; where the executor names none, that of the thread that asks.
        executor: label of the executor.
        block_end: when the worker's block ends, in seconds since the epoch, or None.
        events: what was emitted, as pairs of kind and data, if the executor gave no ``emit`` that sends it at once.
    """

    __slots__ = ("_emit", "_worker", "attempt", "block_end", "events", "executor", "name", "task")

    def __init__(
        self,
        task: int,
        attempt: int,
        name: str = "",
        worker: str = "",
        executor: str = "",
        block_end: float | None = None,
        emit: Callable[[str, dict[str, Any]], None] | None = None,
    ) -> None:
        self.task = task
        self.attempt = attempt
        self.name = name
        self._worker = worker
        self.executor = executor
        self.block_end = block_end
        self.events: tuple[tuple[str, dict[str, Any]], ...] = ()
        self._emit = emit

    @property
    def worker(self) -> str:  # the name of a thread is not asked for at each task
        return self._worker or threading.current_thread().name

    def emit(self, kind: str, **data: Any) -> None:
        """
        Add an event to the run's stream.
        """
        if self._emit is not None:
            self._emit(kind, data)
        else:
            self.events = (*self.events, (kind, data))


class _Current(threading.local):
    context: TaskContext | None = None


_current = _Current()


def context() -> TaskContext:
    """
    Return the context of the task that this thread runs.

    Raises:
        RuntimeError: it runs none.
    """
    if _current.context is None:
        raise RuntimeError("warpbeam.remote.context() was called outside a task")
    return _current.context


class running:  # noqa: N801  (used as a statement)
    """
    Context manager in which `context` gives a task's context; for executors.
    """

    __slots__ = ("_before", "_context")

    def __init__(self, context: TaskContext) -> None:
        self._context = context

    def __enter__(self) -> None:
        self._before = _current.context
        _current.context = self._context

    def __exit__(self, *_: object) -> None:
        _current.context = self._before

"""
The states of a task and the transitions between them, as data.

The names and numbers up to ``running_ended`` are those that readers of Parsl's logs and databases know.
"""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Mapping


class TaskState(IntEnum):
    """
    Where a task is in its life.
    """

    pending = 0
    """Waits for dependencies, for the memo store, or for its turn to be tried again."""
    running = 2
    """A worker has begun the try."""
    exec_done = 3
    """Ended well."""
    failed = 4
    """Ended with an exception."""
    dep_fail = 5
    """Never started, because something it depends on failed."""
    launched = 7
    """Handed to an executor."""
    fail_retryable = 8
    """A try failed and another one is due."""
    memo_done = 9
    """Ended with a stored result."""
    joining = 10
    """The body of a join app has returned; waits for the futures that it returned."""
    running_ended = 11
    """The try has ended; what follows from it is being decided, or its result is being remembered."""
    cancelled = 12
    """Cancelled by the user or by the end of the run."""

    def __str__(self) -> str:
        return f"TaskState.{self.name}"


_S = TaskState

TRANSITIONS: Mapping[TaskState, frozenset[TaskState]] = MappingProxyType(
    {
        _S.pending: frozenset({_S.launched, _S.dep_fail, _S.memo_done, _S.failed, _S.cancelled}),
        _S.launched: frozenset(
            {_S.running, _S.running_ended, _S.exec_done, _S.failed, _S.fail_retryable, _S.joining, _S.cancelled}
        ),
        _S.running: frozenset({_S.running_ended, _S.exec_done, _S.failed, _S.fail_retryable, _S.joining, _S.cancelled}),
        _S.running_ended: frozenset({_S.exec_done, _S.failed, _S.fail_retryable, _S.joining, _S.cancelled}),
        _S.fail_retryable: frozenset({_S.pending, _S.failed, _S.cancelled}),
        _S.joining: frozenset({_S.exec_done, _S.failed, _S.cancelled}),
        _S.exec_done: frozenset(),
        _S.failed: frozenset(),
        _S.dep_fail: frozenset(),
        _S.memo_done: frozenset(),
        _S.cancelled: frozenset(),
    }
)
"""Every legal transition; the diagram in the documentation is drawn from it."""

FINAL_STATES = frozenset(state for state, following in TRANSITIONS.items() if not following)
"""States that nothing follows; every task ends in one of them."""

FINAL_FAILURE_STATES = frozenset({_S.failed, _S.dep_fail, _S.cancelled})
"""Final states in which the future holds no result."""

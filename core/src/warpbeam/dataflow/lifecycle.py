"""
The life of one task: a pure machine, event in, effect out.

It changes the task's record and says what is to be done; the kernel does it.  No thread, clock, socket or file.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from warpbeam.contracts import TRANSITIONS, OutcomeKind, TaskState
from warpbeam.dataflow import policies
from warpbeam.dataflow.task import Trouble
from warpbeam.errors import InternalError


if TYPE_CHECKING:
    from warpbeam.contracts import Outcome
    from warpbeam.dataflow.task import Task

_pending, _launched, _running = TaskState.pending, TaskState.launched, TaskState.running
_WITH_EXECUTOR = frozenset({_launched, _running})
_BEFORE_START = frozenset({_pending, _launched, TaskState.fail_retryable})


class Effect(Enum):
    """
    What is to be done next for a task.
    """

    NOTHING = auto()
    ASK_MEMO = auto()
    """Ask the memo store, then say `miss` or `hit`."""
    LAUNCH = auto()
    """Hand it to an executor."""
    REMEMBER = auto()
    """Put its result into the memo store, then say `conclude`."""
    JOIN = auto()
    """Wait for the futures that its body returned."""
    JUDGE = auto()
    """Ask the policy about the failure, then say `retry` or `give_up`."""
    RESOLVE = auto()
    """Its outcome is final: tell dependents and the user."""


def move(task: Task, state: TaskState) -> None:
    """
    Change a task's state.

    Raises:
        InternalError: the transition is not in the table.
    """
    if state not in TRANSITIONS[task.state]:
        story = "; ".join(task.trouble.history) if task.trouble else "no failure so far"
        message = f"task {task.id} ({task.spec.name}) cannot go from {task.state} to {state} in try {task.attempt}; {story}"
        raise InternalError(message)
    task.state = state


def ready(task: Task, *, is_memoized: bool) -> Effect:
    """
    Nothing is missing any more.
    """
    return Effect.ASK_MEMO if is_memoized and not task.is_asked else Effect.LAUNCH


def launch(task: Task, slot: Any) -> None:
    """
    It is being handed to an executor.
    """
    task.slot = slot  # first, so that an interrupt in between leaves the task as it was
    move(task, _launched)


def start(task: Task) -> bool:
    """
    A worker begins; return whether it may.
    """
    if task.state is _launched:
        task.state = _running
    return task.state is _running


def is_current(task: Task, outcome: Outcome) -> bool:
    """
    Return whether an outcome is of the try that the task is at.
    """
    return task.attempt == outcome.try_id.attempt and task.state in _WITH_EXECUTOR


def settle(task: Task, outcome: Outcome, *, is_memoized: bool) -> Effect:
    """
    A try has ended; `is_current` holds.
    """
    if outcome.kind is not OutcomeKind.RETURNED:
        task.state = TaskState.running_ended
        return Effect.JUDGE
    if task.spec.kind == "join":
        task.state = TaskState.joining
        return Effect.JOIN
    if is_memoized:
        task.state = TaskState.running_ended
        return Effect.REMEMBER
    return Effect.RESOLVE


def account(task: Task, outcome: Outcome, cost: float) -> policies.Charge:
    """
    Enter a failed try into the task's account.
    """
    charge = policies.charge_of(outcome)
    if task.trouble is None:
        task.trouble = Trouble()
    policies.record(task.trouble, outcome, charge, cost)
    return charge


def retry(task: Task) -> None:
    """
    Another try is due; it waits for its turn.
    """
    move(task, TaskState.fail_retryable)


def again(task: Task) -> None:
    """
    Its turn has come.
    """
    move(task, _pending)
    task.attempt += 1
    task.slot = None
    task.waits = None


def can_cancel(task: Task) -> bool:
    """
    Return whether it can be cancelled without killing anything.
    """
    return task.state in _BEFORE_START

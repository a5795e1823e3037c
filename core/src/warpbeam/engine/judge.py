"""
What becomes of a failed try.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from warpbeam.contracts import Fail, Failure, OutcomeKind, Retry
from warpbeam.dataflow import lifecycle, policies
from warpbeam.dataflow.policies import Charge
from warpbeam.errors import CallError, InternalError


if TYPE_CHECKING:
    from warpbeam.contracts import Outcome, RetryPolicy
    from warpbeam.dataflow.task import Task
    from warpbeam.kernel import Kernel


@attrs.frozen
class Verdict:
    """
    Try again (``retry``), or fail with ``error``.
    """

    error: BaseException
    retry: Retry | None = None


def judge(kernel: Kernel, task: Task, outcome: Outcome) -> Verdict:
    """
    Enter a failure into the task's account and decide.  Asks the retry handler and policy, so holds no lock.
    """
    error = outcome.error if outcome.error is not None else _missing_error(outcome)
    config, spec = kernel.config, task.spec
    cost = 1.0
    if config.retry_handler is not None and policies.charge_of(outcome) is Charge.RETRIES:
        try:
            cost = config.retry_handler(error, kernel.task_info(task.future))
        except BaseException as own:  # the handler's exception becomes the task's
            return Verdict(own)
    charge = lifecycle.account(task, outcome, cost)
    assert task.trouble is not None
    retries = config.retries if spec.retries is None else spec.retries
    lost_retries = config.lost_retries if spec.lost_retries is None else spec.lost_retries
    would_retry = policies.may_retry(task.trouble, charge, retries=retries, lost_retries=lost_retries)
    _name_suspect(task, error)
    if kernel.is_ending():
        return Verdict(error)
    if kernel.retry_policy is not None and charge is not Charge.NEVER:
        return _ask(kernel.retry_policy, kernel, task, outcome, error, would_retry=would_retry)
    return Verdict(error, Retry() if would_retry else None)


def _ask(
    policy: RetryPolicy, kernel: Kernel, task: Task, outcome: Outcome, error: BaseException, *, would_retry: bool
) -> Verdict:
    failure = Failure(
        task=kernel.task_info(task.future), kind=outcome.kind, cause=outcome.cause, error=error, would_retry=would_retry
    )
    try:
        decision = policy.decide(failure)
    except BaseException as own:
        return Verdict(own)
    if isinstance(decision, Retry):
        return Verdict(error, decision)
    if isinstance(decision, Fail):
        return Verdict(decision.error if decision.error is not None else error)
    if decision is not None:
        message = f"retry policy {policy!r} answered {decision!r}; it must return Retry, Fail or None"
        return Verdict(InternalError(message))
    return Verdict(error, Retry() if would_retry else None)


def _missing_error(outcome: Outcome) -> BaseException:
    if outcome.kind is OutcomeKind.REFUSED:
        return CallError("the executor refused the call and gave no reason")
    return InternalError(f"the executor reported {outcome.kind.name} without an error")


def _name_suspect(task: Task, error: BaseException) -> None:
    if policies.is_suspect(task.trouble) and task.trouble is not None and task.trouble.deaths > 1:
        note = f"task {task.id} ({task.spec.name}) is suspect: its worker has died {task.trouble.deaths} times"
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)

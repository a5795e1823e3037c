"""
A try on its way through the pool: how it is packed, and what its answer means.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import attrs
from warpbeam.contracts import AppExited, AppTimeout, LossCause, Outcome, OutcomeKind, Where, WorkerDied
from warpbeam.remote import TaskContext, running
from warpbeam_serializers import dumps, loads, loads_error

from warpbeam_futures.worker import RETURNED, Answer, Plain, plain


if TYPE_CHECKING:
    from collections.abc import Hashable
    from concurrent.futures import Future

    from warpbeam.contracts import ExecutorHost, TaskCall, TaskWrapper

MOST_FUNCTION_BYTES = 1 << 16
"""A larger function travels only to workers that ask for it."""

_NO_ARGUMENTS = plain(dumps(((), {})))


@attrs.define(eq=False)
class Job:
    """
    One try.

    Attributes:
        call: what was asked.
        key: what identifies its function: the digest of its content, or itself.
        function: the function as bytes; None for threads.
        arguments: the arguments as bytes; None for threads, and before they are packed.
        sends_function: the function goes along with the call.
        is_begun: it has been said to start.
        is_long: it was not known to be short when it was given to the pool.
        deadline: when its walltime is over, by the monotonic clock.
        future: the pool's future, once it is in the pool.
    """

    call: TaskCall
    key: Hashable
    function: Plain | None = None
    arguments: Plain | None = None
    sends_function: bool = True
    is_begun: bool = False
    is_long: bool = True
    deadline: float | None = None
    future: Future[Any] | None = None

    @property
    def packed_bytes(self) -> int:
        """
        Memory that the packed arguments take, in bytes.
        """
        return sum(map(len, self.arguments[1])) if self.arguments is not None else 0

    def pack(self) -> None:
        """
        Pack the arguments.

        Raises:
            SerializationError: one of them cannot travel.
        """
        if self.arguments is None:
            call = self.call
            self.arguments = _packed_arguments(call) if call.args or call.kwargs else _NO_ARGUMENTS

    def order(self, label: str, wrapper: Plain | None) -> tuple[Any, ...]:
        """
        Return the call as a worker takes it, see `warpbeam_futures.worker.Order`.
        """
        task, attempt = self.call.try_id
        function = self.function if self.sends_function else None
        return task, attempt, self.call.name, label, self.key, function, self.arguments, wrapper


def is_large(function: Plain) -> bool:
    """
    Return whether a function should travel only to those who lack it.
    """
    return sum(map(len, function[1])) > MOST_FUNCTION_BYTES


def _packed_arguments(call: TaskCall) -> Plain:
    try:
        return plain(dumps((call.args, dict(call.kwargs)), name=call.name))
    except Exception:
        for index, value in enumerate(call.args):
            dumps(value, name=call.name, what=f"args[{index}]")
        for name, value in call.kwargs.items():
            dumps(value, name=call.name, what=f"kwargs[{name!r}]")
        raise


# -- outcomes ---------------------------------------------------------------------------------------------------------------


def answered(job: Job, answer: Answer, where: Where) -> Outcome:
    """
    Return what a worker's answer means.
    """
    try_id = job.call.try_id
    outcome = Outcome(try_id, OutcomeKind.RETURNED, where=where, duration_s=answer.duration_s)
    try:
        if answer.events is not None:
            outcome.events = loads(answer.events)
        if answer.kind == RETURNED:
            outcome.value = loads(answer.value)
            return outcome
        error = loads_error(answer.value[1])
    except Exception as own:
        error = own
    error.add_note(f"raised in task {try_id.task}, try {try_id.attempt}, on {where}")
    outcome.kind, outcome.error = OutcomeKind.RAISED, error
    return outcome


def failed_in_pool(job: Job, error: BaseException, where: Where) -> Outcome:
    """
    Return the outcome of a try that the pool itself failed, alone.
    """
    error.add_note(f"raised by the pool, not by the function, for task {job.call.try_id.task} ({job.call.name}) on {where}")
    return Outcome(job.call.try_id, OutcomeKind.RAISED, error=error, where=where)


def unstarted(job: Job) -> Outcome:
    """
    Return the outcome of a cancelled try.
    """
    return Outcome(job.call.try_id, OutcomeKind.CANCELLED, has_started=False)


def timed_out(job: Job, where: Where) -> Outcome:
    """
    Return the outcome of a try that has exceeded its walltime.
    """
    call = job.call
    message = f"App {call.name} exceeded walltime: {call.walltime:g} seconds"
    error = AppTimeout(message, app_name=call.name, walltime=call.walltime)
    return Outcome(call.try_id, OutcomeKind.TIMED_OUT, error=error, where=where)


def lost(job: Job, error: BaseException, where: Where, *, among: int, is_culprit: bool, has_started: bool) -> Outcome:
    """
    Return the outcome of a try that was in a pool when it broke.
    """
    call = job.call
    company = "alone in it" if is_culprit else f"one of {among} in it; it runs alone next"
    died = WorkerDied(
        f"the pool broke while {call.name}, task {call.try_id.task}, was {company}: {type(error).__name__}: {error}"
    )
    died.__cause__ = error
    cause = LossCause.WORKER_FAULT if is_culprit else LossCause.UNKNOWN
    return Outcome(call.try_id, OutcomeKind.LOST, error=died, cause=cause, has_started=has_started, where=where)


# -- in threads of this process -------------------------------------------------------------------------------------------------


def run_here(job: Job, host: ExecutorHost, where: Where) -> Outcome:
    """
    Run a try in the calling thread, without anything being serialized.
    """
    call = job.call
    context = TaskContext(call.try_id[0], call.try_id[1], call.name, "", where.executor)
    outcome = Outcome(call.try_id, OutcomeKind.RETURNED, where=where)
    began = time.perf_counter()
    try:
        with running(context):
            outcome.value = _call_wrapped(call, host.wrapper)
    except SystemExit as error:
        exited = AppExited(f"{call.name} called sys.exit({error.code!r})", app_name=call.name, code=error.code)
        outcome.kind, outcome.error = OutcomeKind.RAISED, exited
    except BaseException as error:  # whatever user code raises is the task's
        outcome.kind, outcome.error = OutcomeKind.RAISED, error
    outcome.duration_s = time.perf_counter() - began
    outcome.events = context.events
    return outcome


def _call_wrapped(call: TaskCall, wrapper: TaskWrapper | None) -> Any:
    if wrapper is None:
        return call.function(*call.args, **call.kwargs)
    return wrapper(lambda: call.function(*call.args, **call.kwargs))

"""
What a task is waiting for.
"""

from __future__ import annotations

from concurrent.futures import Future
from enum import Enum
from typing import TYPE_CHECKING, Any

import attrs

from warpbeam.contracts import Health, TaskInfo, TaskState
from warpbeam.dataflow.futures import AppFuture, DataFuture
from warpbeam.engine import arguments


if TYPE_CHECKING:
    from collections.abc import Sequence

    from warpbeam.dataflow.task import Task
    from warpbeam.kernel import Kernel


class ReasonKind(Enum):
    """
    The closed list of reasons.
    """

    DEPENDENCY = "dependency"
    JOIN = "join"
    STAGING = "staging"
    MEMO = "memo"
    RETRY_DELAY = "retry delay"
    GOVERNOR = "governor"
    QUOTA = "quota"
    BLOCK_PENDING = "block pending"
    BLOCK_STARTING = "block starting"
    NO_FITTING_WORKER = "no fitting worker"
    QUEUED = "queued"
    RUNNING = "running"
    NESTED_WAIT = "nested wait"
    DONE = "done"


@attrs.frozen(kw_only=True)
class Reason:
    """
    Why a task is not done.

    Attributes:
        kind: which kind of reason.
        since: monotonic time of the call's submission, in seconds; None for futures that are not ours.
        text: the reason in words.
        chain: the reasons of what it waits for, from the nearest to the root.
    """

    kind: ReasonKind
    text: str
    since: float | None = None
    chain: tuple[Reason, ...] = ()

    def __str__(self) -> str:
        return " <- ".join([self.text, *(reason.text for reason in self.chain)])


def why(kernel: Kernel, future: Future[Any]) -> Reason:
    """
    Return the reason, with the chain down to its root.
    """
    reasons: list[Reason] = []
    seen: set[int] = set()
    current: Future[Any] | None = future
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        reason, current = _nearest(kernel, current)
        reasons.append(reason)
    first, *rest = reasons
    return attrs.evolve(first, chain=tuple(rest))


def _nearest(kernel: Kernel, future: Future[Any]) -> tuple[Reason, Future[Any] | None]:
    if isinstance(future, DataFuture):
        future = future.parent
    if not isinstance(future, AppFuture):
        kind = ReasonKind.DONE if future.done() else ReasonKind.DEPENDENCY
        return Reason(kind=kind, text=f"{future!r}, which is not warpbeam's"), None
    if future._kernel is not kernel:
        return _nearest(future._kernel, future)
    task = kernel._tasks.get(future.tid)
    if task is None:
        return Reason(kind=ReasonKind.DONE, text=f"task {future.tid} is done"), None
    kind, text, following = _explain(kernel, task)
    return Reason(kind=kind, text=f"task {task.id} ({task.spec.name}) {text}", since=task.since), following


def _explain(kernel: Kernel, task: Task) -> tuple[ReasonKind, str, Future[Any] | None]:
    if task.waits is not None:
        return ReasonKind(task.waits[0]), f"waits: {task.waits[1]}", None
    if task.state is TaskState.joining:
        missing = unfinished(task.joined[1] if task.joined else ())
        return ReasonKind.JOIN, f"waits for {len(missing)} futures that it returned", missing[0] if missing else None
    if task.state is TaskState.pending:
        missing = dependencies(kernel, task)
        names = f"waits for {len(missing)} dependencies"
        return ReasonKind.DEPENDENCY, names, missing[0] if missing else None
    return _with_executor(kernel, task)


def _with_executor(kernel: Kernel, task: Task) -> tuple[ReasonKind, str, Future[Any] | None]:
    slot = task.slot
    if task.state is not TaskState.launched:
        waits_for = kernel._nested.get(task.id)
        if waits_for is not None:
            return ReasonKind.NESTED_WAIT, f"runs on {slot.label!r} and waits for a future itself", waits_for
        return ReasonKind.RUNNING, f"runs on {slot.label!r} in try {task.attempt}", None
    if slot.health is Health.WAITING:
        return ReasonKind.BLOCK_PENDING, f"waits for a worker of {slot.label!r}: {slot.reason}", None
    ahead = sum(
        other.slot is slot and other.state is TaskState.launched and other.id < task.id for other in list(kernel._tasks.values())
    )
    return ReasonKind.QUEUED, f"is queued on {slot.label!r} behind {ahead} others", None


def dependencies(kernel: Kernel, task: Task) -> list[Future[Any]]:
    """
    Return the futures in a task's arguments that are not done.
    """
    found = arguments.scan(kernel.resolver, task.args, task.kwargs)
    return unfinished([leaf for leaf in found if isinstance(leaf, Future)])


def unfinished(futures: Sequence[Future[Any]]) -> list[Future[Any]]:
    """
    Return those of the futures that are not done.
    """
    return [future for future in futures if not future.done()]


def task_info(kernel: Kernel, future: AppFuture[Any]) -> TaskInfo:
    """
    Return a snapshot of a task; of one that has ended, what its future still knows.
    """
    task, spec = kernel._tasks.get(future.tid, future._task), future._spec
    if task is None:
        state = future._final_state or TaskState.pending
        return TaskInfo(
            id=future.tid,
            func_name=spec.name,
            kind=spec.kind,
            status=state,
            tags=spec.tags,
            from_memo=future._from_memo,
            run_directory=kernel.run.directory,
        )
    trouble, special = task.trouble, task.special
    waited = dependencies(kernel, task) if task.has_futures and task.state is TaskState.pending else ()
    return TaskInfo(
        id=task.id,
        func_name=spec.name,
        kind=spec.kind,
        status=task.state,
        attempt=task.attempt,
        executor=task.slot.label if task.slot is not None else "",
        depends=[one.__dict__["tid"] for one in waited if "tid" in one.__dict__],
        fail_count=trouble.count if trouble else 0,
        fail_cost=trouble.cost if trouble else 0,
        fail_history=tuple(trouble.history) if trouble else (),
        resources=special.resources if special else spec.resources,
        tags=spec.tags,
        label=special.label if special else "",
        run_directory=kernel.run.directory,
    )

"""
What passes between the kernel and executors.

Records are made on the task path, so they are `attrs.define`, not frozen; treat them as frozen all the same.  None of them is
ever pickled: what crosses a process boundary is a wire message, or a callable of `warpbeam.remote` with its arguments.
They gain fields, always with defaults.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Any

import attrs


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from warpbeam.contracts.ids import RunId, TaskId, TryId
    from warpbeam.contracts.resources import Resources
    from warpbeam.contracts.states import TaskState


@attrs.define
class TaskCall:
    """
    One try that an executor is asked to run: ``function(*args, **kwargs)``.

    Attributes:
        try_id: which try this is.
        function: the user's function, or a picklable callable of `warpbeam.remote` that wraps it.  It is one object for all
            calls of an app, so an executor may serialize it once and remember it by identity.
        args: positional arguments; futures have been replaced by their results.
        kwargs: keyword arguments, likewise.
        name: the name of the app, for people.
        resources: what the task asks for, or None.
        walltime: seconds after which the executor must end the try with ``TIMED_OUT``, or None.
        priority: the smaller, the sooner; an executor without the capability ``priority`` ignores it.
        suspect: the task's worker has died before: run it with nothing else that its death would take along.
    """

    try_id: TryId
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    name: str = ""
    resources: Resources | None = None
    walltime: float | None = None
    priority: int = 0
    suspect: bool = False


class OutcomeKind(Enum):
    """
    How a try ended.
    """

    RETURNED = auto()
    """The function returned; ``value`` is what."""
    RAISED = auto()
    """The function raised; ``error`` is what."""
    LOST = auto()
    """What it ran on went away; ``cause`` says how, ``error`` is a `TaskLost`."""
    TIMED_OUT = auto()
    """It exceeded its walltime; ``error`` is an `AppTimeout`."""
    CANCELLED = auto()
    """It was cancelled on request."""
    REFUSED = auto()
    """It was never started, because the call cannot work here (it cannot be serialized, say); ``error`` says why."""


class LossCause(Enum):
    """
    Why a try was lost; decides what the loss is charged to.
    """

    WORKER_FAULT = auto()
    """The worker died by the task's own doing: ``os._exit``, SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE."""
    OUT_OF_MEMORY = auto()
    """The worker was killed for memory."""
    WORKER_KILLED = auto()
    """The worker was killed from outside."""
    MANAGER = auto()
    """The manager, or its node, was lost."""
    INTERCHANGE = auto()
    """The interchange was lost."""
    BLOCK_ENDED = auto()
    """The block ended by plan: walltime, preemption, scale-in."""
    RECALLED = auto()
    """The executor took the try back before it was started."""
    UNKNOWN = auto()
    """The try was among several when something broke; it will be run alone to find the culprit."""


@attrs.frozen
class Where:
    """
    Where a try ran.

    Attributes:
        executor: label of the executor.
        host: host name.
        worker: name of the worker, unique in the executor.
        pid: process id of the worker.
        block: id of the block, or "".
    """

    executor: str = ""
    host: str = ""
    worker: str = ""
    pid: int | None = None
    block: str = ""

    def __str__(self) -> str:
        parts = [("executor", self.executor), ("host", self.host), ("worker", self.worker), ("block", self.block)]
        return ", ".join(f"{key} {value}" for key, value in parts if value) or "unknown"


@attrs.define
class Outcome:
    """
    The end of one try; exactly one for each try that an executor took.

    Attributes:
        try_id: which try.
        kind: how it ended; with ``cause`` it decides what the failure is charged to, the exception's class never does.
        value: what the function returned, decoded.
        error: what it raised or was lost by, decoded; None for ``RETURNED`` and ``CANCELLED``.
        cause: for ``LOST``.
        has_started: False if the try certainly never began; a try that had not started is never charged.
        where: where it ran.
        duration_s: how long the function took by the worker's clock, in seconds.
        events: what the task emitted, for executors without the capability ``streams_events``: pairs of kind and data.
    """

    try_id: TryId
    kind: OutcomeKind
    value: Any = None
    error: BaseException | None = None
    cause: LossCause | None = None
    has_started: bool = True
    where: Where | None = None
    duration_s: float | None = None
    events: Sequence[tuple[str, Mapping[str, Any]]] = ()


@attrs.frozen
class Load:
    """
    How busy an executor is.

    Attributes:
        queued: tries taken and not started.
        running: tries started and not ended.
        capacity: how many it could run at once now; 0 while it has no worker.
        lost_slots: slots held by functions whose try has timed out and that cannot be killed.
    """

    queued: int
    running: int
    capacity: int
    lost_slots: int = 0


class Health(Enum):
    """
    Whether an executor can make progress.
    """

    WORKING = auto()
    """A worker can take tasks."""
    DEGRADED = auto()
    """It works, with less than it should have; the reason says what is wrong."""
    WAITING = auto()
    """No worker yet: something is queued or starting, or will be tried again; the reason says what."""
    DEAD = auto()
    """No worker, and none will come: the kernel fails its tasks with the reason."""


@attrs.frozen(kw_only=True)
class RunInfo:
    """
    One run of a kernel.

    Attributes:
        run_id: unique name of the run.
        directory: the run's own directory.
        name: name of the workflow: the user's script, or ``"unnamed"``.
        config: the `warpbeam.Config`, to be read.
    """

    run_id: RunId
    directory: Path
    name: str = "unnamed"
    config: Any = None


@attrs.frozen(kw_only=True)
class RunSummary:
    """
    How a run ended.

    Attributes:
        counts: number of tasks that ended in each state.
        duration_s: seconds from start to end.
        error: the exception that left the ``with`` block, or None.
        dropped_outcomes: outcomes that came for tries that were no longer current.
    """

    counts: Mapping[TaskState, int]
    duration_s: float
    error: BaseException | None = None
    dropped_outcomes: int = 0


@attrs.frozen(kw_only=True)
class ExecutorInfo:
    """
    One executor of a run.

    Attributes:
        label: its label.
        type_name: class name of its description.
        capabilities: what it can do.
    """

    label: str
    type_name: str
    capabilities: frozenset[str]


@attrs.frozen(kw_only=True)
class TaskInfo:
    """
    A task as policies and people see it; a snapshot.

    Attributes:
        id: the task's id.
        func_name: name of the app.
        kind: ``"python"``, ``"bash"``, ``"join"`` or ``"lifted"``.
        status: the state.
        attempt: number of the current try, from 0.
        executor: label of the executor that it was last given to, or "".
        depends: ids of the tasks that it still waits for.
        fail_count: failed tries so far.
        fail_cost: what they cost against ``retries``.
        fail_history: one line for each failed try.
        resources: what it asks for.
        tags: the user's tags.
        label: the user's ``label=`` argument, or "".
        from_memo: whether its result came from the memo store.
        run_directory: the run's directory.
    """

    id: TaskId
    func_name: str
    kind: str
    status: TaskState
    attempt: int = 0
    executor: str = ""
    depends: Sequence[TaskId] = ()
    fail_count: int = 0
    fail_cost: float = 0
    fail_history: Sequence[str] = ()
    resources: Resources | None = None
    tags: Sequence[str] = ()
    label: str = ""
    from_memo: bool = False
    run_directory: Path | None = None

"""
What the kernel knows of an app and of one call of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from warpbeam.contracts import TaskState


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future

    from warpbeam.contracts import MemoKey, Resources
    from warpbeam.dataflow.futures import AppFuture


@attrs.define(eq=False)
class AppSpec:
    """
    An app with its options: what all calls of it share.

    Attributes:
        function: the user's function.
        name: its name, for people, logs and memo keys.
        kind: ``"python"``, ``"bash"``, ``"join"`` or ``"lifted"``.
        remote: what runs on the worker in place of the function when the call needs `warpbeam.remote`.
        executors: labels that it may run on, or None for any.
        cache: whether results are remembered; None: as the configuration says.
        ignore_for_cache: parameters that do not count for that.
        resources: what it asks for.
        priority: the smaller, the sooner.
        retries: in place of the configuration's, or None.
        lost_retries: likewise.
        walltime: limit of one try in seconds, or None.
        tags: the user's.
        workdir: ``"shared"``, ``"task"`` or a path.
        defaults: parameters whose defaults become keyword arguments of each call, with their positions.
        accepted: the names of keyword parameters that the function takes, or None for any.
        is_plain: nothing but the arguments of a call can make it special.
    """

    function: Callable[..., Any]
    name: str
    kind: str = "python"
    remote: Callable[..., Any] | None = None
    executors: tuple[str, ...] | None = None
    cache: bool | None = None
    ignore_for_cache: frozenset[str] = frozenset()
    resources: Resources | None = None
    priority: int = 0
    retries: int | None = None
    lost_retries: int | None = None
    walltime: float | None = None
    tags: tuple[str, ...] = ()
    workdir: str = "shared"
    defaults: Mapping[str, tuple[int, Any]] = attrs.field(factory=dict)
    accepted: frozenset[str] | None = None
    is_plain: bool = True


@attrs.define(eq=False)
class Trouble:
    """
    What has gone wrong with a task so far; made at its first failure.

    Attributes:
        cost: what failures charged to ``retries`` have cost.
        count: failed tries.
        lost: losses charged to ``lost_retries``.
        losses: losses of any kind.
        deaths: tries during which the worker died.
        history: one line a failed try.
    """

    cost: float = 0
    count: int = 0
    lost: int = 0
    losses: int = 0
    deaths: int = 0
    history: list[str] = attrs.field(factory=list)


@attrs.define(eq=False)
class Special:
    """
    What few calls have: their own limits, streams, files, label.

    Attributes:
        settings: what `warpbeam.remote` needs besides the arguments, or None.
        resources: what the call asks for.
        walltime: seconds, or None.
        label: the user's ``label=``.
        ignored: parameters that do not count for the memo key, beside the app's.
        executor: label that a retry policy has chosen, or "".
    """

    settings: Any = None
    resources: Resources | None = None
    walltime: float | None = None
    label: str = ""
    ignored: frozenset[str] = frozenset()
    executor: str = ""


@attrs.define(eq=False, weakref_slot=False)
class Task:
    """
    One call, from submission to its end; then it is forgotten.

    Attributes:
        id: counted by the kernel from 0.
        spec: the app.
        args: as the user gave them, files made absolute.
        kwargs: likewise.
        future: the user's.
        since: monotonic time of submission, in seconds; the one clock read of the task path.
        state: where it is.
        attempt: number of the current try.
        has_futures: whether arguments must be replaced before a try.
        slot: the executor of the current try, or None.
        trouble: what went wrong so far, or None.
        special: what few calls have, or None.
        memo_key: its key once known.
        is_asked: whether the memo store has been asked.
        joined: the futures that a join app returned, with the value they stood in.
        waits: why it waits, where the state does not say: a kind and a text.
    """

    id: int
    spec: AppSpec
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    future: AppFuture[Any]
    since: float
    state: TaskState = TaskState.pending
    attempt: int = 0
    has_futures: bool = False
    slot: Any = None
    trouble: Trouble | None = None
    special: Special | None = None
    memo_key: MemoKey | None = None
    is_asked: bool = False
    joined: tuple[Any, Sequence[Future[Any]]] | None = None
    waits: tuple[str, str] | None = None

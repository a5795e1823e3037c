"""
Looks at a kernel once a second: says so when nothing has moved for a minute, and ends joins that wait for themselves.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from warpbeam.contracts import TaskState
from warpbeam.dataflow.futures import AppFuture, DataFuture
from warpbeam.engine import reasons
from warpbeam.errors import WouldDeadlockError
from warpbeam.log import logger


if TYPE_CHECKING:
    from warpbeam.dataflow.task import Task
    from warpbeam.kernel import Kernel

_log = logger("warpbeam.watchdog")
_UNDER_WAY = frozenset({TaskState.launched, TaskState.running, TaskState.running_ended, TaskState.fail_retryable})


def look(kernel: Kernel) -> None:
    """
    Look once.
    """
    now = time.monotonic()
    with kernel._lock:
        live = len(kernel._tasks)
        progress = (kernel._progress, next(iter(kernel._tasks), None))
    if not live or progress != kernel._seen_progress[0]:
        kernel._seen_progress = (progress, now, False)
        return
    seen, since, is_told = kernel._seen_progress
    if is_idle(kernel):
        break_circle(kernel)
    if not is_told and now - since >= kernel.silent_s:
        kernel._seen_progress = (seen, since, True)
        _log.warning("no task has ended for %.0f s:\n%s", now - since, grouped(kernel))


def grouped(kernel: Kernel) -> str:
    """
    Return the reasons of all live tasks, one line for each kind of reason and app.
    """
    tasks = list(kernel._tasks.values())[:1000]
    found = Counter((task.spec.name, reasons.why(kernel, task.future).kind.value) for task in tasks)
    lines = [f"  {number} x {name}: {kind}" for (name, kind), number in found.most_common(20)]
    if tasks:
        lines.append(f"  for example: {reasons.why(kernel, tasks[0].future)}")
    return "\n".join(lines)


def is_idle(kernel: Kernel) -> bool:
    """
    Return whether nothing is under way that could end a task.
    """
    with kernel._lock:
        under_way = any(task.waits or task.state in _UNDER_WAY for task in kernel._tasks.values())
        return not (under_way or kernel._retrying or kernel._foreign)


def break_circle(kernel: Kernel) -> None:
    """
    Fail join apps that wait for futures which wait for them.
    """
    with kernel._lock:
        waiting = [task for task in kernel._tasks.values() if task.state is TaskState.joining and task.joined]
    if any(not _is_own(kernel, future) and not future.done() for task in waiting for future in (task.joined or ((), ()))[1]):
        return  # something outside may still end it
    for task in waiting[:1]:
        message = f"join app {task.spec.name!r} (task {task.id}) waits for itself: {_circle(kernel, task)}"
        kernel._conclude(task, TaskState.failed, error=WouldDeadlockError(message))


def _is_own(kernel: Kernel, future: object) -> bool:
    owner = future.parent if isinstance(future, DataFuture) else future
    return isinstance(owner, AppFuture) and owner._kernel is kernel


def _circle(kernel: Kernel, task: Task) -> str:
    return str(reasons.why(kernel, task.future))

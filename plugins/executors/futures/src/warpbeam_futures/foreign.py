"""
What is known of pools beyond the interface that they share: how large they are, and how they end.

The interface has no number of workers and no way to kill them.  Where a pool offers these by a name of its own, it is used here, and
nowhere else; a pool that offers nothing still works.
"""

from __future__ import annotations

import concurrent.futures
import inspect
import logging
import os
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from concurrent.futures import Executor

_log = logging.getLogger("warpbeam.futures")


def has_threads(kind: object) -> bool:
    """
    Return whether a class of pools is known to run calls in threads of this interpreter.
    """
    interpreters = getattr(concurrent.futures, "InterpreterPoolExecutor", ())  # a thread pool by class, and shares nothing
    return isinstance(kind, type) and issubclass(kind, ThreadPoolExecutor) and not issubclass(kind, interpreters)


def usable_cores() -> int:
    """
    Return how many cores this process may use.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def count_workers(pool: Executor) -> int:
    """
    Return how many calls a pool runs at once, or the number of cores if it does not say.  May wait until the pool is there.
    """
    count = getattr(pool, "_max_workers", None)  # the standard library, loky, mpi4py
    return count if isinstance(count, int) and count > 0 else usable_cores()


def guess_workers(pool: Executor | None) -> int:
    """
    Return the same without asking anything that could wait.
    """
    count = getattr(pool, "__dict__", {}).get("_max_workers")
    return count if isinstance(count, int) and count > 0 else usable_cores()


def can_kill(pool: Executor) -> bool:
    """
    Return whether `kill` would end functions that run.
    """
    return isinstance(pool, ProcessPoolExecutor) or hasattr(pool, "kill_workers") or _shuts_down_by_kill(pool)


def end(pool: Executor) -> None:
    """
    End a pool that has nothing to do.
    """
    _try(pool, lambda: pool.shutdown(wait=True))


def kill(pool: Executor) -> None:
    """
    End a pool at once, as far as it can be: with its workers, if `can_kill`, else without those that are busy.
    """
    if _shuts_down_by_kill(pool):
        _try(pool, lambda: pool.shutdown(wait=True, kill_workers=True))  # type: ignore[call-arg]  # loky
    elif hasattr(pool, "kill_workers"):
        _try(pool, pool.kill_workers)  # the standard library from 3.14 on
        end(pool)
    elif isinstance(pool, ProcessPoolExecutor):
        _try(pool, lambda: _kill_processes(pool))
        end(pool)
    else:
        _try(pool, lambda: pool.shutdown(wait=False, cancel_futures=True))


def _shuts_down_by_kill(pool: Executor) -> bool:
    try:
        return "kill_workers" in inspect.signature(pool.shutdown).parameters
    except (TypeError, ValueError):  # written in C, say
        return False


def _kill_processes(pool: ProcessPoolExecutor) -> None:
    for process in list((pool._processes or {}).values()):
        process.kill()


def _try(pool: Executor, act: Any) -> None:
    try:
        act()
    except Exception:  # a broken pool may fail to end; there is nothing else to call
        _log.warning("ending the pool %r failed", pool, exc_info=True)

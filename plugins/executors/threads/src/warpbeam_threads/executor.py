"""
The description of the thread pool.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import attrs
from warpbeam.contracts import ConfigurationError


if TYPE_CHECKING:
    from warpbeam.contracts import ExecutorHost, Resources

    from warpbeam_threads.pool import ThreadPool


def usable_cores() -> int:
    """
    Return how many cores this process may use.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _threads(value: Any) -> int:
    if value is None:
        return usable_cores()
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(f"ThreadPoolExecutor(max_threads={value!r}) must be a whole number of at least 1")
    return value


@attrs.frozen(kw_only=True)
class ThreadPoolExecutor:
    """
    Runs tasks in threads; arguments and results are shared, not copied.

    Args:
        label: name in the kernel.
        max_threads: tasks that run at the same time; None is the number of usable cores.
        thread_name_prefix: beginning of the threads' names; None is ``ThreadPoolExecutor-<label>``.
        storage_access: stagers for this executor, in place of the configuration's.
        working_dir: where staged files go.

    Raises:
        ConfigurationError: an option is wrong.
    """

    label: str = "threads"
    max_threads: int = attrs.field(default=None, converter=_threads)
    thread_name_prefix: str | None = None
    storage_access: Any = None
    working_dir: str | None = None

    @property
    def capabilities(self) -> frozenset[str]:
        """
        What it can do.
        """
        return frozenset({"local", "priority", "resources:priority"})

    def refuse(self, resources: Resources, walltime: float | None) -> str | None:
        """
        Refuse nothing beyond what the capabilities do.
        """
        del resources, walltime
        return None

    def start(self, host: ExecutorHost) -> ThreadPool:
        """
        Return the running pool; threads start when they are needed.
        """
        from warpbeam_threads.pool import ThreadPool

        return ThreadPool(self, host)

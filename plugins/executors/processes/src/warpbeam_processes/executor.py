"""
The description of the process pool.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import attrs
from warpbeam.contracts import ConfigurationError


if TYPE_CHECKING:
    from warpbeam.contracts import ExecutorHost, Resources

    from warpbeam_processes.pool import ProcessPool


def usable_cores() -> int:
    """
    Return how many cores this process may use.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _workers(value: Any) -> int:
    if value is None:
        return usable_cores()
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(f"ProcessPoolExecutor(max_workers={value!r}) must be a whole number of at least 1")
    return value


@attrs.frozen(kw_only=True)
class ProcessPoolExecutor:
    """
    Runs tasks in worker processes on this machine.

    Args:
        label: name in the kernel.
        max_workers: processes; None is the number of usable cores.
        storage_access: stagers for this executor, in place of the configuration's.
        working_dir: where staged files go.

    Raises:
        ConfigurationError: an option is wrong.
    """

    label: str = "processes"
    max_workers: int = attrs.field(default=None, converter=_workers)
    storage_access: Any = None
    working_dir: str | None = None

    @property
    def capabilities(self) -> frozenset[str]:
        """
        What it can do.
        """
        return frozenset({"can_kill", "priority", "resources:priority", "ships_code", "survives_worker_loss"})

    def refuse(self, resources: Resources, walltime: float | None) -> str | None:
        """
        Refuse nothing beyond what the capabilities do.
        """
        del resources, walltime
        return None

    def start(self, host: ExecutorHost) -> ProcessPool:
        """
        Return the running pool; workers start when they are needed.
        """
        from warpbeam_processes.pool import ProcessPool

        return ProcessPool(self, host)

"""
An executor that runs tasks in worker processes on this machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from warpbeam_processes.executor import ProcessPoolExecutor

__all__ = ["ProcessPoolExecutor"]


def __getattr__(name: str) -> Any:
    # Workers import this package and do not need the executor.
    if name == "ProcessPoolExecutor":
        from warpbeam_processes.executor import ProcessPoolExecutor

        return ProcessPoolExecutor
    raise AttributeError(f"module 'warpbeam_processes' has no attribute {name!r}")

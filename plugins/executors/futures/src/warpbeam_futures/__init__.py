"""
An executor that runs tasks on any `concurrent.futures.Executor`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from warpbeam_futures.executor import FuturesExecutor

__all__ = ["FuturesExecutor"]


def __getattr__(name: str) -> Any:
    # Workers import this package and do not need the executor.
    if name == "FuturesExecutor":
        from warpbeam_futures.executor import FuturesExecutor

        return FuturesExecutor
    raise AttributeError(f"module 'warpbeam_futures' has no attribute {name!r}")

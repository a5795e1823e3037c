"""
An executor that runs tasks in threads of the driver's process.
"""

from __future__ import annotations

from warpbeam_threads.executor import ThreadPoolExecutor


__all__ = ["ThreadPoolExecutor"]

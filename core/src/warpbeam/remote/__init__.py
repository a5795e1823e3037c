"""
What runs on workers; standard library only.

The names here stand in payloads, so they are wire format and are kept for one minor version.
"""

from __future__ import annotations

from warpbeam.remote.calls import BashCall, PythonCall, Settings
from warpbeam.remote.context import TaskContext, context, running


__all__ = ["BashCall", "PythonCall", "Settings", "TaskContext", "context", "running"]

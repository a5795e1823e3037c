"""
Parallel programming in Python: calls of apps return futures, futures given to apps make the graph, and where it runs is
configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from warpbeam import addresses, executors, pool
    from warpbeam.apps import App, bash_app, join_app, python_app
    from warpbeam.config import Config
    from warpbeam.contracts import Resources
    from warpbeam.dataflow.files import File
    from warpbeam.dataflow.futures import AppFuture, DataFuture
    from warpbeam.engine.prepare import AUTO_LOGNAME
    from warpbeam.engine.reasons import Reason, ReasonKind
    from warpbeam.errors import NoKernelLoadedError, WarpbeamError
    from warpbeam.kernel import Kernel
    from warpbeam.loading import clear, current_kernel, load, wait_for_current_tasks
    from warpbeam.plugins.hookspecs import hookimpl
    from warpbeam.progress import progress

_HOMES = {
    "AUTO_LOGNAME": "warpbeam.engine.prepare",
    "App": "warpbeam.apps",
    "AppFuture": "warpbeam.dataflow.futures",
    "Config": "warpbeam.config",
    "DataFuture": "warpbeam.dataflow.futures",
    "File": "warpbeam.dataflow.files",
    "Kernel": "warpbeam.kernel",
    "NoKernelLoadedError": "warpbeam.errors",
    "Reason": "warpbeam.engine.reasons",
    "ReasonKind": "warpbeam.engine.reasons",
    "Resources": "warpbeam.contracts",
    "WarpbeamError": "warpbeam.errors",
    "bash_app": "warpbeam.apps",
    "clear": "warpbeam.loading",
    "current_kernel": "warpbeam.loading",
    "hookimpl": "warpbeam.plugins.hookspecs",
    "join_app": "warpbeam.apps",
    "load": "warpbeam.loading",
    "progress": "warpbeam.progress",
    "python_app": "warpbeam.apps",
    "wait_for_current_tasks": "warpbeam.loading",
}
_MODULES = ("addresses", "contracts", "errors", "executors", "pool", "registry", "remote", "utils")

__all__ = [
    "AUTO_LOGNAME",
    "App",
    "AppFuture",
    "Config",
    "DataFuture",
    "File",
    "Kernel",
    "NoKernelLoadedError",
    "Reason",
    "ReasonKind",
    "Resources",
    "WarpbeamError",
    "addresses",
    "bash_app",
    "clear",
    "current_kernel",
    "executors",
    "hookimpl",
    "join_app",
    "load",
    "pool",
    "progress",
    "python_app",
    "wait_for_current_tasks",
]


def __getattr__(name: str) -> Any:
    """
    Load a public name on first use.
    """
    from importlib import import_module

    if name == "__version__":
        from importlib.metadata import version

        return version("warpbeam-core")
    if name in _MODULES:
        return import_module(f"warpbeam.{name}")
    if name in _HOMES:
        value = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return value
    raise AttributeError(f"module 'warpbeam' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})

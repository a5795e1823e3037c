"""
The executors that are installed, by class name or entry-point name, loaded on first use.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    from warpbeam.errors import PluginNotFoundError
    from warpbeam.plugins import registry

    if name.startswith("_"):
        raise AttributeError(name)
    try:
        return registry.find("executor", name)
    except PluginNotFoundError as error:
        raise AttributeError(str(error)) from error


def __dir__() -> list[str]:
    from warpbeam.plugins import registry

    return registry.names("executor")

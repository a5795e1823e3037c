"""
Modules whose attributes are the plugins of one kind, such as `warpbeam.executors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable


def plugins_as_attributes(module: str, kind: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """
    Return ``__getattr__`` and ``__dir__`` for a module; an attribute is looked up as an entry point of that very name.

    Args:
        module: the module's name, for messages.
        kind: the kind of plugin.
    """

    def find(name: str) -> Any:
        from warpbeam.errors import PluginNotFoundError
        from warpbeam.plugins import registry

        if name.startswith("_"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name)
        try:
            return registry.find(kind, name)
        except PluginNotFoundError as error:
            raise AttributeError(f"module {module!r} has no attribute {name!r}: {error}", name=name) from error

    def names() -> list[str]:
        from warpbeam.plugins import registry

        return registry.names(kind)

    return find, names

"""
A read-only view of the installed plugins, for plugins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from warpbeam.plugins.registry import Row, default_executor_names, find, names, rows


if TYPE_CHECKING:
    from collections.abc import Sequence

    from warpbeam.plugins.manager import HookManager

__all__ = ["Row", "default_executor_names", "find", "hooks", "names", "rows"]


def hooks(named: Sequence[str | object] = ()) -> HookManager:
    """
    Return a manager of its own that asks the hooks of all installed plugins; for commands.

    Args:
        named: names or objects of plugins whose hooks may touch tasks, as in ``Config(plugins=...)``.

    Raises:
        PluginNotFoundError, PluginLoadError: a named plugin is missing or broken.
    """
    from warpbeam.plugins.manager import HookManager

    return HookManager(named)

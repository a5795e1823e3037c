"""
What reads configuration files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable


if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@runtime_checkable
class ConfigReader(Protocol):
    """
    Reads configuration files of one suffix; the entry point's name is the suffix without its dot.
    """

    def read(self, path: Path) -> Mapping[str, Any]:
        """
        Return the keyword arguments of `warpbeam.Config` that the file gives, components as descriptions.

        Called in the thread that calls ``warpbeam.load``.

        Raises:
            ConfigurationError: with one line for each problem: file, key path, value, suggestion.
        """
        ...

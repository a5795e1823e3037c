"""
A read-only view of the installed plugins, for plugins.
"""

from __future__ import annotations

from warpbeam.plugins.registry import Row, find, names, rows


__all__ = ["Row", "find", "names", "rows"]

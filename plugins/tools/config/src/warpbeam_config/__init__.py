"""
Reads configuration files.
"""

from __future__ import annotations

from warpbeam_config.toml import TomlReader


__all__ = ["TomlReader"]

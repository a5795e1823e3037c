"""
The launchers that are installed, by class name or entry-point name, loaded on first use.
"""

from __future__ import annotations

from warpbeam.plugins.attributes import plugins_as_attributes


__getattr__, __dir__ = plugins_as_attributes(__name__, "launcher")

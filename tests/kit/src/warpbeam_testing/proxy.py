"""
An object that passes everything on to another, as wrapping plugins do.
"""

from __future__ import annotations

from typing import Any


class Proxy:
    """
    Passes attributes on; what asks for its class by ``isinstance`` and not by what it can do will notice.
    """

    def __init__(self, target: Any) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

"""
An exception as plain data, so that it can be told of where it cannot be rebuilt.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from types import TracebackType

MOST_CAUSES = 20
"""How long a chain of causes may be."""


def capture(error: BaseException) -> dict[str, Any]:
    """
    Return type, text, notes, frames and causes of an exception; never raises.
    """
    causes: list[dict[str, Any]] = []
    seen = {id(error)}
    current = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    while current is not None and id(current) not in seen and len(causes) < MOST_CAUSES:
        seen.add(id(current))
        causes.append(_one(current))
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return {**_one(error), "causes": causes, "traceback": _formatted(error)}


def _one(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    return {
        "type": f"{kind.__module__}.{kind.__qualname__}",
        "text": _text(error),
        "notes": [str(note) for note in getattr(error, "__notes__", ())],
        "frames": _frames(error.__traceback__),
    }


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as own:
        return f"<its text cannot be made: {type(own).__name__}>"


def _formatted(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except Exception:
        return _text(error)


def _frames(entry: TracebackType | None) -> list[tuple[str, int, str, str]]:
    found = []
    while entry is not None:
        code = entry.tb_frame.f_code
        found.append((code.co_filename, entry.tb_lineno, code.co_name, str(entry.tb_frame.f_globals.get("__name__"))))
        entry = entry.tb_next
    return found

"""
Exceptions as frames, with their tracebacks.
"""

from __future__ import annotations

import pickle
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tblib import Traceback
from warpbeam.contracts import DeserializationError
from warpbeam.remote.failure import capture

from warpbeam_serializers.library import Packed, dumps, loads


if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from warpbeam.contracts import Frame


def dumps_error(error: BaseException) -> Sequence[Frame]:
    """
    Return an exception as frames; never raises, since what cannot travel is told of as text.
    """
    told = capture(error)
    chain: list[Packed | None] = []
    current: BaseException | None = error
    while current is not None and len(chain) <= len(told["causes"]):
        chain.append(_packed(current))
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    head = pickle.dumps((told, [(one.tag, len(one.frames)) if one else None for one in chain]))
    return [head, *(frame for one in chain if one for frame in one.frames)]


def _packed(error: BaseException) -> Packed | None:
    try:
        packed = dumps(error)
        loads(packed)  # the classic fault: an exception that can be pickled and not unpickled
    except BaseException:
        return None
    return packed


def loads_error(frames: Sequence[Frame]) -> BaseException:
    """
    Return the exception, with a traceback that shows the remote frames, its notes and its causes; never raises.
    """
    told, heads = pickle.loads(frames[0])
    place = 1
    errors = []
    for one, head in zip([told, *told["causes"]], heads, strict=False):
        size = head[1] if head else 0
        errors.append(_rebuild(one, Packed(head[0], frames[place : place + size]) if head else None, told))
        place += size
    for error, cause in pairwise(errors):
        error.__cause__ = cause
    return errors[0]


def _rebuild(one: dict[str, Any], packed: Packed | None, told: dict[str, Any]) -> BaseException:
    error: BaseException | None = None
    if packed is not None:
        try:
            found = loads(packed)
            error = found if isinstance(found, BaseException) else None
        except Exception:
            error = None
    if error is None:
        message = f"the task raised {one['type']}: {one['text']} (an exception that cannot travel; its traceback follows)"
        error = DeserializationError(message, type_name=one["type"], remote_traceback=told["traceback"])
        error.add_note(told["traceback"])
    elif one["notes"] and not getattr(error, "__notes__", None):
        for note in one["notes"]:
            error.add_note(note)
    return error.with_traceback(_traceback(one["frames"]))


def _traceback(frames: Sequence[tuple[str, int, str, str]]) -> TracebackType | None:
    data: dict[str, Any] | None = None
    for file, line, function, module in reversed(frames):
        code = {"co_filename": file, "co_name": function}
        frame = {"f_globals": {"__name__": module, "__file__": file}, "f_code": code, "f_lineno": line, "f_locals": {}}
        data = {"tb_frame": frame, "tb_lineno": line, "tb_next": data}
    made: TracebackType | None = Traceback.from_dict(data).as_traceback() if data else None
    return made

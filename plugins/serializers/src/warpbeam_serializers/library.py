"""
Trying the methods in order, and saying what cannot travel.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, NamedTuple

from warpbeam.contracts import DeserializationError, SerializationError

from warpbeam_serializers.methods import CloudpickleSerializer, DillSerializer, PickleSerializer


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from warpbeam.contracts import Frame, Serializer

_methods: tuple[Serializer, ...] = (PickleSerializer(), CloudpickleSerializer(), DillSerializer())
_by_tag: dict[bytes, Serializer] = {method.tag: method for method in _methods}

MOST_LOOKED_AT = 2000
"""Objects that the search for a culprit looks at."""


class Packed(NamedTuple):
    """
    An object as frames.
    """

    tag: bytes
    """Which method reads them."""
    frames: Sequence[Frame]


def register(serializer: Serializer, *, before: bytes | None = None) -> Callable[[], None]:
    """
    Add a method, for this process.

    Args:
        serializer: the method.
        before: tag of the method that it comes before; None puts it first.

    Returns:
        A function that takes it away again.

    Raises:
        ValueError: its tag is taken.
    """
    global _methods  # noqa: PLW0603
    if serializer.tag in _by_tag:
        raise ValueError(f"serializer tag {serializer.tag!r} is taken by {_by_tag[serializer.tag]!r}")
    tags = [method.tag for method in _methods]
    place = tags.index(before) if before is not None else 0
    _methods = (*_methods[:place], serializer, *_methods[place:])
    _by_tag[serializer.tag] = serializer

    def unregister() -> None:
        global _methods  # noqa: PLW0603
        _methods = tuple(method for method in _methods if method is not serializer)
        _by_tag.pop(serializer.tag, None)

    return unregister


def dumps(obj: Any, *, name: str = "", what: str = "the object") -> Packed:
    """
    Return an object as frames, by the first method that can.

    Args:
        obj: the object.
        name: the app, for the error.
        what: what the object is to the app, for the error.

    Raises:
        SerializationError: no method can; names the part that cannot travel and where it stands.
    """
    errors = []
    for method in _methods:
        try:
            return Packed(method.tag, method.dumps(obj))
        except Exception as error:
            errors.append(error)
    raise _cannot(obj, name, what, errors)


def loads(packed: Packed | tuple[bytes, Sequence[Frame]]) -> Any:
    """
    Return the object.

    Raises:
        DeserializationError: the tag is unknown, or the object cannot be rebuilt here.
    """
    tag, frames = packed
    method = _by_tag.get(bytes(tag))
    if method is None:
        known = ", ".join(repr(other) for other in _by_tag)
        raise DeserializationError(f"serialized by method {tag!r}, which is not known here; known are {known}")
    try:
        return method.loads(frames)
    except Exception as error:
        message = f"what was serialized by method {tag!r} cannot be rebuilt here: {type(error).__name__}: {error}"
        raise DeserializationError(message) from error


def _cannot(obj: Any, name: str, what: str, errors: Sequence[Exception]) -> SerializationError:
    path, culprit = find_culprit(obj, what)
    whose = f" of app {name!r}" if name else ""
    if isinstance(culprit, Future):
        reason = f"{culprit!r} is a future, which cannot travel; give it as an argument, or in a container, or pass its result()"
    else:
        reason = f"{type(culprit).__name__} object cannot be serialized: {_own_error(culprit) or errors[-1]}"
    message = f"{path}{whose} cannot travel to another process: {reason}"
    error = SerializationError(message, name=name, path=path)
    error.__cause__ = errors[-1]
    return error


def find_culprit(obj: Any, path: str) -> tuple[str, Any]:
    """
    Return the innermost part of an object that cannot be serialized, with its path; a bounded search.
    """
    budget = MOST_LOOKED_AT
    while True:
        for where, item in _inside(obj, path):
            budget -= 1
            if budget <= 0:
                return path, obj
            if not _can(item):
                path, obj = where, item
                break
        else:
            return path, obj


def _own_error(culprit: Any) -> Exception | None:
    try:
        CloudpickleSerializer().dumps(culprit)
    except Exception as error:
        return error
    return None


def _can(obj: Any) -> bool:
    for method in _methods:
        try:
            method.dumps(obj)
        except Exception:
            continue
        return True
    return False


def _inside(obj: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(obj, Future):
        return
    if isinstance(obj, dict):
        yield from ((f"{path}[{key!r}]", item) for key, item in obj.items())
    elif isinstance(obj, list | tuple | set | frozenset):
        yield from ((f"{path}[{index}]", item) for index, item in enumerate(obj))
    elif callable(obj) and getattr(obj, "__closure__", None):
        cells = zip(obj.__code__.co_freevars, obj.__closure__, strict=False)
        yield from ((f"{path} variable {name}", cell.cell_contents) for name, cell in cells)
    elif callable(obj) and hasattr(obj, "__globals__"):
        names = [name for name in obj.__code__.co_names if name in obj.__globals__]
        yield from ((f"{path} global {name}", obj.__globals__[name]) for name in names)
    else:
        yield from ((f"{path}.{name}", item) for name, item in getattr(obj, "__dict__", {}).items())

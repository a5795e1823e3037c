"""
Futures and files inside arguments: finding them, and putting other things in their place.

What is looked into: exact list, tuple, set, frozenset and dict (keys too); named tuples; dataclass and attrs instances; and any type
for which `register` was called.  How a type is looked into is decided once and remembered.  The types of a container's elements are
collected in C (``set(map(type, ...))``), so a large list of numbers costs little more than iterating over it.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from itertools import chain
from typing import Any, NamedTuple

from warpbeam.dataflow.files import File


class Shape(NamedTuple):
    """
    How a type is looked into.

    Attributes:
        children: gives what is inside a value.
        rebuild: makes a value like the first argument with the children given.
    """

    children: Callable[[Any], Iterable[Any]]
    rebuild: Callable[[Any, list[Any]], Any]


_LEAF = Shape(lambda _: (), lambda value, _: value)
"""Stands for futures and files themselves: found, not looked into."""


def _dict_children(value: dict[Any, Any]) -> Iterable[Any]:
    return chain(value.keys(), value.values())


def _dict_rebuild(value: dict[Any, Any], children: list[Any]) -> dict[Any, Any]:
    return dict(zip(children[: len(value)], children[len(value) :], strict=True))


def _field_names(kind: type) -> tuple[str, ...]:
    if dataclasses.is_dataclass(kind):
        return tuple(field.name for field in dataclasses.fields(kind))
    return tuple(field.name for field in kind.__attrs_attrs__)  # type: ignore[attr-defined]


def _record_shape(kind: type) -> Shape:
    names = _field_names(kind)

    def children(value: Any) -> list[Any]:
        return [getattr(value, name, None) for name in names]

    def rebuild(value: Any, items: list[Any]) -> Any:
        new = copy.copy(value)
        for name, old, item in zip(names, children(value), items, strict=True):
            if item is not old:
                object.__setattr__(new, name, item)  # also into frozen ones
        return new

    return Shape(children, rebuild)


_shapes: dict[type, Shape | None] = {
    list: Shape(lambda value: value, lambda _, items: items),
    tuple: Shape(lambda value: value, lambda _, items: tuple(items)),
    set: Shape(lambda value: value, lambda _, items: set(items)),
    frozenset: Shape(lambda value: value, lambda _, items: frozenset(items)),
    dict: Shape(_dict_children, _dict_rebuild),
}
_shapes.update(dict.fromkeys((int, float, complex, bool, str, bytes, bytearray, type(None), range, slice), None))


def register(kind: type, *, children: Callable[[Any], Iterable[Any]], rebuild: Callable[[Any, list[Any]], Any]) -> None:
    """
    Have values of a type, and of its subclasses, looked into for futures and files.

    Args:
        kind: the type.
        children: gives what is inside a value, always in the same order.
        rebuild: gives a value like its first argument, with the children in the list.
    """
    registered[kind] = Shape(children, rebuild)
    for known in [known for known, shape in _shapes.items() if shape is None and issubclass(known, kind)]:
        del _shapes[known]
    _shapes[kind] = registered[kind]


registered: dict[type, Shape] = {}


def _decide(kind: type) -> Shape | None:
    for base in kind.__mro__:
        if base in registered:
            return registered[base]
    if issubclass(kind, Future | File):
        return _LEAF
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return Shape(lambda value: value, lambda value, items: type(value)._make(items))
    if issubclass(kind, type) or issubclass(kind, BaseException):
        return None
    if dataclasses.is_dataclass(kind) or hasattr(kind, "__attrs_attrs__"):
        return _record_shape(kind)
    return None


def shape_of(kind: type) -> Shape | None:
    """
    Return how a type is looked into, or None if it is not.
    """
    try:
        return _shapes[kind]
    except KeyError:
        shape = _shapes[kind] = _decide(kind)
        return shape


def find(value: Any, found: Callable[[Any], None]) -> bool:
    """
    Call ``found`` for each future and file inside a value, and return whether there was any.

    Deep and wide nestings are walked without recursion; each container once, so cycles end.
    """
    pending = [value]
    seen: set[int] = set()
    any_found = False
    while pending:
        item = pending.pop()
        shape = shape_of(type(item))
        if shape is None:
            continue
        if shape is _LEAF:
            found(item)
            any_found = True
        elif id(item) not in seen:
            seen.add(id(item))
            pending.extend(_candidates(shape.children(item)))
    return any_found


def _candidates(children: Iterable[Any]) -> list[Any]:
    # A set of the types decides for most containers without a step of Python for each element.
    children = children if isinstance(children, list | tuple | set | frozenset) else list(children)
    kinds = {kind for kind in set(map(type, children)) if shape_of(kind) is not None}
    return [child for child in children if type(child) in kinds] if kinds else []


def replace(value: Any, substitute: Callable[[Any], Any]) -> Any:
    """
    Return the value with each future and file in it replaced by ``substitute`` of it.

    A container in which nothing was replaced is returned as the same object; what is changed is copied, never changed in place.
    """
    return _replace(value, substitute, {})


def _replace(value: Any, substitute: Callable[[Any], Any], done: dict[int, Any]) -> Any:
    shape = shape_of(type(value))
    if shape is None:
        return value
    if shape is _LEAF:
        return substitute(value)
    if id(value) in done:
        return done[id(value)]
    done[id(value)] = value  # a cycle comes back here and ends
    old = list(shape.children(value))
    if not any(shape_of(kind) is not None for kind in set(map(type, old))):
        return value
    new = [_replace(item, substitute, done) for item in old]
    if any(a is not b for a, b in zip(old, new, strict=True)):
        done[id(value)] = shape.rebuild(value, new)
    return done[id(value)]


class Deep:
    """
    The dependency resolver that looks into containers; the default.
    """

    def gather(self, value: Any, found: Callable[[Future[Any]], None], /) -> bool:
        """
        Call ``found`` for each future and file inside the value.
        """
        return find(value, found)

    def replace(self, value: Any, result: Callable[[Any], Any], /) -> Any:
        """
        Return the value with these replaced.
        """
        return replace(value, result)

    def __repr__(self) -> str:
        return "'deep'"


class Shallow:
    """
    The dependency resolver that looks at arguments themselves, and at the elements of ``inputs``.
    """

    def gather(self, value: Any, found: Callable[[Future[Any]], None], /) -> bool:
        """
        Call ``found`` if the value is a future or a file.
        """
        is_leaf = isinstance(value, Future | File)
        if is_leaf:
            found(value)
        return is_leaf

    def replace(self, value: Any, result: Callable[[Any], Any], /) -> Any:
        """
        Return the result in place of a future or file.
        """
        return result(value) if isinstance(value, Future | File) else value

    def __repr__(self) -> str:
        return "'shallow'"


DEEP = Deep()
SHALLOW = Shallow()

"""
What makes two values the same for memoization: bytes that are equal for equal values, in this process and the next.

`id_for_memo` is a `functools.singledispatch` that users extend by type.  The bytes of a value begin with its type's name, so that 1,
1.0 and True differ.  Containers are walked by `digest`, which knows where in the arguments it is and says so when a type is unknown.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import functools
import pathlib
import types
import uuid
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from hashlib import blake2b
from typing import Any

from warpbeam.contracts import UnhashableArgumentError


@functools.singledispatch
def id_for_memo(value: Any) -> bytes:
    """
    Return bytes that identify a value; register a function for a type of your own.

    Raises:
        TypeError: the type is not known.
    """
    raise TypeError(f"unknown type for memoization: {type(value).__module__}.{type(value).__qualname__}")


def _named(value: Any, text: object) -> bytes:
    return f"{type(value).__module__}.{type(value).__qualname__}:{text}".encode()


_BY_REPR: tuple[type, ...] = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    range,
    decimal.Decimal,
    fractions.Fraction,
    uuid.UUID,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    datetime.tzinfo,
    pathlib.PurePath,
)
for _kind in _BY_REPR:
    id_for_memo.register(_kind, lambda value: _named(value, repr(value)))


@id_for_memo.register(bytes)
@id_for_memo.register(bytearray)
def _bytes(value: bytes) -> bytes:
    return _named(value, "") + bytes(value)


@id_for_memo.register(enum.Enum)
def _enum(value: enum.Enum) -> bytes:
    return _named(value, value.name)


@id_for_memo.register(types.FunctionType)
@id_for_memo.register(types.BuiltinFunctionType)
@id_for_memo.register(type)
def _by_name(value: Any) -> bytes:
    return _named(value, f"{value.__module__}.{value.__qualname__}")


def _file(value: Any) -> bytes:
    return _named(value, value.url)


def _array(value: Any) -> bytes:
    if value.dtype.hasobject:
        raise TypeError("an array of Python objects has no stable identity")
    return _named(value, f"{value.dtype.str}{value.shape}") + bytes(value.tobytes())


def _frame(value: Any) -> bytes:
    from pandas.util import hash_pandas_object  # type: ignore[import-untyped, import-not-found, unused-ignore]

    names = [str(name) for name in getattr(value, "columns", [getattr(value, "name", "")])]
    return _named(value, names) + bytes(hash_pandas_object(value, index=True).to_numpy().tobytes())


_BY_MODULE: dict[tuple[str, str], Callable[[Any], bytes]] = {
    ("warpbeam.dataflow.files", "File"): _file,
    ("numpy", "ndarray"): _array,
    ("numpy", "generic"): _array,
    ("pandas", "DataFrame"): _frame,
    ("pandas", "Series"): _frame,
}
"""Types of libraries that are not imported for this."""


def _foreign(kind: type) -> Callable[[Any], bytes] | None:
    for base in kind.__mro__:
        root = base.__module__ if base.__module__.startswith("warpbeam.") else base.__module__.partition(".")[0]
        if (root, base.__name__) in _BY_MODULE:
            return _BY_MODULE[root, base.__name__]
    return None


def digest(value: Any, path: str = "") -> str:
    """
    Return the hexadecimal digest of a value.

    Args:
        value: anything that `id_for_memo` knows, in containers, records and partials.
        path: where the value stands, for the error.

    Raises:
        UnhashableArgumentError: something in it has no stable identity; says what, where, and how to register it.
    """
    return _digest(value, path, ()).hex()


def _digest(value: Any, path: str, outer: tuple[int, ...]) -> bytes:
    parts = _parts(value, path)
    if parts is None:
        return blake2b(_leaf(value, path), digest_size=16).digest()
    if id(value) in outer:
        raise UnhashableArgumentError(f"{path or 'the value'} contains itself, so it has no identity", path=path)
    outer = (*outer, id(value))
    if isinstance(value, dict):
        pairs = [(_digest(key, f"{path} key", outer), _digest(item, where, outer)) for key, (item, where) in _items(value, path)]
        found: Iterable[bytes] = (key + item for key, item in sorted(pairs))
    else:
        found = (_digest(item, where, outer) for item, where in parts)
        if isinstance(value, set | frozenset):
            found = sorted(found)
    state = blake2b(_named(value, ""), digest_size=16)
    for one in found:
        state.update(one)
    return state.digest()


def _items(value: dict[Any, Any], path: str) -> list[tuple[Any, tuple[Any, str]]]:
    return [(key, (item, f"{path}[{key!r}]")) for key, item in value.items()]


def _parts(value: Any, path: str) -> list[tuple[Any, str]] | None:
    """
    Return what is inside a container with its paths, or None for a leaf.
    """
    kind = type(value)
    if kind in (list, tuple, set, frozenset):
        return [(item, f"{path}[{index}]") for index, item in enumerate(value)]
    if kind is dict:
        return []
    if id_for_memo.dispatch(kind) is not id_for_memo.dispatch(object):
        return None
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return [(getattr(value, name), f"{path}.{name}") for name in kind._fields]
    if isinstance(value, functools.partial):
        return [(value.func, f"{path}.func"), (value.args, f"{path}.args"), (value.keywords, f"{path}.keywords")]
    names = [field.name for field in getattr(kind, "__attrs_attrs__", ())]
    if is_dataclass(kind):
        names = [field.name for field in fields(kind)]
    return [(getattr(value, name), f"{path}.{name}") for name in names] or None


def _leaf(value: Any, path: str) -> bytes:
    foreign = _foreign(type(value))
    try:
        return foreign(value) if foreign is not None else id_for_memo(value)
    except TypeError as error:
        message = (
            f"{path or 'the value'} cannot be identified: {error}; register its type with warpbeam_memo.id_for_memo, or name the "
            "argument in ignore_for_cache"
        )
        raise UnhashableArgumentError(message, path=path) from error

"""
Functions travel once: packed once a process, loaded once a worker, named by a digest in between.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from warpbeam_serializers.library import Packed, dumps, loads


if TYPE_CHECKING:
    from collections.abc import Callable


class PackedFunction(NamedTuple):
    """
    A function as frames, with the digest of its content.
    """

    digest: bytes
    packed: Packed


class FunctionCache:
    """
    Functions already packed, by identity; keeps them alive, and forgets the oldest.
    """

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._known: OrderedDict[int, tuple[Any, PackedFunction]] = OrderedDict()

    def pack(self, function: Callable[..., Any], name: str) -> PackedFunction:
        """
        Return a function as frames.

        Raises:
            SerializationError: it cannot travel.
        """
        known = self._known.get(id(function))
        if known is not None:
            return known[1]
        packed = dumps(function, name=name, what="the function")
        state = blake2b(packed.tag, digest_size=16)
        for frame in packed.frames:
            state.update(frame)
        made = PackedFunction(state.digest(), packed)
        self._known[id(function)] = (function, made)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        return made


class LoadedFunctions:
    """
    Functions loaded on a worker, by digest.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, Any] = {}

    def load(self, digest: bytes, packed: Packed | None) -> Any:
        """
        Return the function of a digest, from frames if they came along.
        """
        if packed is not None:
            self._known[digest] = loads(packed)
        return self._known[digest]

"""
The three methods of serializing.
"""

from __future__ import annotations

import functools
import io
import pickle
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, ClassVar


if TYPE_CHECKING:
    from collections.abc import Sequence

    from warpbeam.contracts import Frame


class ByReferenceError(Exception):
    """
    Plain pickle would refer to the main script, which workers do not have.
    """


def _out_of_band(buffers: list[pickle.PickleBuffer]) -> list[Frame]:
    return [buffer.raw() for buffer in buffers]


class PickleSerializer:
    """
    The standard pickle, protocol 5; large buffers are frames of their own and are not copied.
    """

    tag: ClassVar[bytes] = b"P5"

    def dumps(self, obj: Any) -> Sequence[Frame]:
        """
        Return the frames of an object.

        Raises:
            ByReferenceError: it refers to ``__main__``; a false alarm for data with that word only costs another method.
        """
        buffers: list[pickle.PickleBuffer] = []
        first = pickle.dumps(obj, 5, buffer_callback=buffers.append)
        if b"__main__" in first:
            raise ByReferenceError("it refers to the main script")
        return [first, *_out_of_band(buffers)] if buffers else [first]

    def loads(self, frames: Sequence[Frame]) -> Any:
        """
        Return the object.
        """
        return pickle.loads(frames[0], buffers=frames[1:])


class CloudpickleSerializer:
    """
    cloudpickle: functions, closures and classes of the main script travel by value.
    """

    tag: ClassVar[bytes] = b"CP"

    def dumps(self, obj: Any) -> Sequence[Frame]:
        """
        Return the frames of an object.
        """
        import cloudpickle

        buffers: list[pickle.PickleBuffer] = []
        first: bytes = cloudpickle.dumps(obj, 5, buffer_callback=buffers.append)
        return [first, *_out_of_band(buffers)]

    def loads(self, frames: Sequence[Frame]) -> Any:
        """
        Return the object.
        """
        return pickle.loads(frames[0], buffers=frames[1:])


@functools.cache
def _dill_pickler() -> Any:
    import dill

    class Pickler(dill.Pickler):  # type: ignore[misc]
        def save(self, obj: Any, save_persistent_id: bool = True) -> None:
            if isinstance(obj, Future):
                raise TypeError("a future cannot travel")  # dill would copy it, and nobody would ever complete the copy
            super().save(obj, save_persistent_id)

    return Pickler


class DillSerializer:
    """
    dill with ``recurse=True``: the last resort, which knows locks and weak references.
    """

    tag: ClassVar[bytes] = b"DI"

    def dumps(self, obj: Any) -> Sequence[Frame]:
        """
        Return the frames of an object.
        """
        buffers: list[pickle.PickleBuffer] = []
        first = io.BytesIO()
        _dill_pickler()(first, recurse=True, protocol=5, buffer_callback=buffers.append).dump(obj)
        return [first.getvalue(), *_out_of_band(buffers)]

    def loads(self, frames: Sequence[Frame]) -> Any:
        """
        Return the object.
        """
        import dill

        return dill.Unpickler(io.BytesIO(frames[0]), buffers=frames[1:]).load()

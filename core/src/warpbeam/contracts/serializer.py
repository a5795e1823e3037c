"""
What turns objects into frames of bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias, runtime_checkable


if TYPE_CHECKING:
    from collections.abc import Sequence

Frame: TypeAlias = "bytes | bytearray | memoryview"


@runtime_checkable
class Serializer(Protocol):
    """
    One method of serializing; a stateless class that is used without an instance of its own state, on both sides.

    Runs on the driver and on workers: its module imports no more than its own requirements.

    Attributes:
        tag: two bytes that name the method in messages; never changes its meaning.
    """

    tag: ClassVar[bytes]

    def dumps(self, obj: Any) -> Sequence[Frame]:
        """
        Return the frames of an object: first the pickle-like one, then large buffers, which are not copied.

        The frames share memory with the object until they are sent.  Raises whatever tells best why it cannot.
        """
        ...

    def loads(self, frames: Sequence[Frame]) -> Any:
        """
        Return the object; equal to what ``dumps`` was given.  Buffers may be shared with the frames.
        """
        ...

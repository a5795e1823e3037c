"""
Messages on a stream socket: a head of plain values, then frames of bytes.

A message is the number of frames, their lengths, and the frames; the first frame is the head, by marshal, since both ends are the
same interpreter.  Large frames are read into memory of their own, so that arrays can use it as it is.
"""

from __future__ import annotations

import marshal
import struct
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

Bytes = "bytes | bytearray | memoryview"
_COUNT = struct.Struct("!I")
_READ_BYTES = 1 << 16


def encode(head: tuple[Any, ...], frames: Sequence[Any] = ()) -> list[memoryview]:
    """
    Return a message as parts to be sent in order.
    """
    parts = [memoryview(marshal.dumps(head)), *(memoryview(frame).cast("B") for frame in frames)]
    lengths = struct.pack(f"!I{len(parts)}Q", len(parts), *(part.nbytes for part in parts))
    if sum(part.nbytes for part in parts) < _READ_BYTES:
        return [memoryview(b"".join([lengths, *parts]))]
    return [memoryview(lengths), *(part for part in parts if part.nbytes)]


class Decoder:
    """
    Takes bytes as they come and gives whole messages.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._lengths: list[int] = []
        self._frames: list[Any] = []
        self._large: memoryview | None = None
        self._filled = 0

    def read(self, connection: socket.socket) -> bool:
        """
        Read once from a socket; return False at its end.

        Raises:
            BlockingIOError: nothing is there, on a non-blocking socket.
        """
        if self._large is not None:
            count = connection.recv_into(self._large[self._filled :])
            self._filled += count
            return count > 0
        chunk = connection.recv(_READ_BYTES)
        self._buffer += chunk
        return bool(chunk)

    def messages(self) -> list[tuple[tuple[Any, ...], list[Any]]]:
        """
        Return the messages that are whole, as heads and frames.
        """
        found = []
        while self._advance():
            head, *frames = self._frames
            found.append((marshal.loads(head), frames))
            self._frames, self._lengths = [], []
        return found

    def _advance(self) -> bool:
        if not self._lengths and not self._read_lengths():
            return False
        while len(self._frames) < len(self._lengths):
            if not self._read_frame(self._lengths[len(self._frames)]):
                return False
        return True

    def _read_lengths(self) -> bool:
        if len(self._buffer) < _COUNT.size:
            return False
        (count,) = _COUNT.unpack_from(self._buffer)
        size = _COUNT.size + 8 * count
        if len(self._buffer) < size:
            return False
        self._lengths = list(struct.unpack_from(f"!{count}Q", self._buffer, _COUNT.size))
        del self._buffer[:size]
        return True

    def _read_frame(self, length: int) -> bool:
        if self._large is not None:
            if self._filled < length:
                return False
            self._frames.append(self._large.obj)
            self._large, self._filled = None, 0
            return True
        if len(self._buffer) >= length:
            self._frames.append(bytes(memoryview(self._buffer)[:length]))
            del self._buffer[:length]
            return True
        if length > _READ_BYTES:
            room = bytearray(length)
            self._filled = len(self._buffer)
            room[: self._filled] = self._buffer
            self._buffer = bytearray()
            self._large = memoryview(room)
        return False


class Sender:
    """
    Parts that wait to be written to a non-blocking socket.
    """

    def __init__(self) -> None:
        self._parts: list[memoryview] = []

    def add(self, parts: Sequence[memoryview]) -> None:
        """
        Queue a message.
        """
        self._parts.extend(parts)

    def flush(self, connection: socket.socket) -> bool:
        """
        Write what the socket takes; return whether all has gone.
        """
        while self._parts:
            try:
                sent = connection.sendmsg(self._parts[:64])
            except BlockingIOError:
                return False
            while self._parts and sent >= self._parts[0].nbytes:
                sent -= self._parts.pop(0).nbytes
            if sent:
                self._parts[0] = self._parts[0][sent:]
        return True

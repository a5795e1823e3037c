"""
The contract of serializers.
"""

from __future__ import annotations

from typing import Any

import pytest
from warpbeam.contracts import Serializer

from warpbeam_testing import tasks
from warpbeam_testing.contract import Contract, says


class SerializerContract(Contract):
    """
    Every sentence of `warpbeam.contracts.Serializer`, as tests.

    A subclass gives the fixture ``serializer``, and may give ``samples``, objects that it must carry beside plain values.
    """

    samples: tuple[Any, ...] = ()
    """More objects that must come back equal."""

    @pytest.fixture
    def serializer(self) -> Serializer:
        """
        Return a serializer; to be given by the subclass.
        """
        raise NotImplementedError(f"{type(self).__name__} lacks the fixture `serializer`")

    @says("class: One method of serializing; a stateless class that is used without an instance of its own state, on both sides.")
    def test_is_a_serializer(self, serializer: Any) -> None:
        """It has the required members, and another instance reads what one has written."""
        assert isinstance(serializer, Serializer)
        frames = [bytes(frame) for frame in serializer.dumps({"key": [1, 2]})]
        reader = serializer if isinstance(serializer, type) else type(serializer)()
        assert reader.loads(frames) == {"key": [1, 2]}

    def test_tag(self, serializer: Serializer) -> None:
        """The tag is two bytes, of the class."""
        assert isinstance(serializer.tag, bytes)
        assert len(serializer.tag) == 2

    @pytest.mark.parametrize("value", [None, 0, -(10**30), 1.5, "text", b"bytes", (1, [2, {"three": {4}}]), range(3), tasks.echo])
    @says("loads: Return the object; equal to what ``dumps`` was given.")
    def test_plain_values_come_back(self, serializer: Serializer, value: Any) -> None:
        """What goes in comes out, equal and of the same type."""
        back = _there_and_back(serializer, value)
        assert back == value
        assert type(back) is type(value)

    def test_samples_come_back(self, serializer: Serializer) -> None:
        """The subclass's own samples come back equal."""
        assert [_there_and_back(serializer, sample) for sample in self.samples] == list(self.samples)

    def test_shared_and_circular_objects_keep_their_shape(self, serializer: Serializer) -> None:
        """Two references to one object are one object again; a circle ends."""
        shared: list[Any] = [1]
        shared.append(shared)
        first, second = _there_and_back(serializer, [shared, shared])
        assert first is second
        assert first[1] is first

    @says("dumps: Return the frames of an object: first the pickle-like one, then large buffers, which are not copied.")
    def test_large_buffers_are_not_copied(self, serializer: Serializer) -> None:
        """A buffer of a megabyte travels as a frame of its own, in the memory of the object."""
        import pickle

        data = bytearray(b"x") * (1 << 20)
        frames = serializer.dumps([pickle.PickleBuffer(data)])
        assert len(memoryview(frames[0]).cast("B")) < 10_000, "the first frame holds the buffer"
        data[0:1] = b"y"
        assert bytes(memoryview(frames[1]).cast("B")[:1]) == b"y", "the buffer was copied"

    @says("loads: Buffers may be shared with the frames.")
    def test_any_bytes_like_frames_are_read(self, serializer: Serializer) -> None:
        """Frames come as bytes, bytearray or memoryview, as the wire gives them."""
        frames = [bytes(frame) for frame in serializer.dumps(["value"])]
        for form in (bytes, bytearray, memoryview):
            assert serializer.loads([form(frame) for frame in frames]) == ["value"]

    @says("dumps: The frames share memory with the object until they are sent.")
    def test_the_object_is_not_changed(self, serializer: Serializer) -> None:
        """Serializing reads the object and no more."""
        value = {"list": [1, 2], "set": {3}}
        serializer.dumps(value)
        assert value == {"list": [1, 2], "set": {3}}

    @says("dumps: Raises whatever tells best why it cannot.")
    def test_what_cannot_be_serialized_raises(self, serializer: Serializer) -> None:
        """An object that refuses is an error with its reason, not a value that cannot be read."""
        with pytest.raises(Exception, match="an Unsendable cannot be sent"):
            serializer.dumps([tasks.Unsendable()])

    def test_rubbish_raises(self, serializer: Serializer) -> None:
        """Bytes that are no frames of it raise; they give no value."""
        for rubbish in (b"", b"\x80", b"rubbish", b"\x00" * 100):
            with pytest.raises(Exception):  # noqa: B017, PT011  (each method has its own)
                serializer.loads([rubbish])


def _there_and_back(serializer: Serializer, value: Any) -> Any:
    return serializer.loads([bytes(frame) for frame in serializer.dumps(value)])

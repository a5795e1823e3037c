"""
The methods of serializing, their order, and exceptions that travel.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbeam.contracts import DeserializationError, SerializationError
from warpbeam_serializers import (
    CloudpickleSerializer,
    DillSerializer,
    FunctionCache,
    LoadedFunctions,
    PickleSerializer,
    dumps,
    dumps_error,
    loads,
    loads_error,
    register,
)
from warpbeam_serializers.methods import ByReferenceError


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
)


class Buffered:
    """Gives its buffer out of band."""

    def __init__(self, data):
        self.data = data

    def __reduce_ex__(self, protocol):
        import pickle

        return Buffered, (pickle.PickleBuffer(self.data),)


class Stubborn(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


class TestMethods:
    @pytest.mark.row("SER-01", "SER-04")
    @given(values)
    def test_every_method_gives_back_what_it_was_given(self, value):
        """By each method alone, and by the library."""
        for method in (PickleSerializer(), CloudpickleSerializer(), DillSerializer()):
            try:
                frames = method.dumps(value)
            except ByReferenceError:
                assert "__main__" in repr(value)  # a false alarm, which costs another method
            else:
                assert method.loads(frames) == value
        assert loads(dumps(value)) == value

    @pytest.mark.row("SER-02")
    @pytest.mark.parametrize("method", [PickleSerializer(), CloudpickleSerializer()])
    def test_large_buffers_are_not_copied(self, method):
        """A buffer is a frame of its own that shares memory with the object."""
        data = bytearray(1_000_000)
        first, buffer = method.dumps(Buffered(data))
        assert len(first) < 1000
        data[0] = 7
        assert buffer[0] == 7

    @pytest.mark.row("SER-04")
    def test_the_order_is_pickle_cloudpickle_dill(self):
        """The first that can is taken, by content and not by size."""
        assert dumps([1, "x"]).tag == b"P5"
        assert dumps(lambda: 1).tag == b"CP"
        assert dumps(threading.RLock()).tag == b"DI"

    @pytest.mark.row("SER-05", "SER-06")
    def test_a_method_may_be_registered(self):
        """And taken away again; its tag must be free."""

        class Mine:
            tag = b"MY"

            def dumps(self, obj):
                if obj != "mine":
                    raise TypeError
                return [b"m"]

            def loads(self, frames):
                return "mine"

        unregister = register(Mine())
        with pytest.raises(ValueError, match="taken"):
            register(Mine())
        packed = dumps("mine")
        assert (packed.tag, loads(packed)) == (b"MY", "mine")
        unregister()
        assert dumps("mine").tag == b"P5"
        with pytest.raises(DeserializationError, match="MY"):
            loads(packed)

    @pytest.mark.row("SER-08", "ERR-15")
    def test_the_culprit_is_named(self):
        """With its path inside lists, dicts, attributes, closures."""

        class Holder:
            def __init__(self):
                self.weights = [1, (x for x in ())]

        generator = (x for x in ())
        cases = [
            ({"a": [1, generator]}, "thing['a'][1]"),
            (Holder(), "thing.weights[1]"),
            (lambda: generator, "thing variable generator"),
        ]
        for value, path in cases:
            with pytest.raises(SerializationError) as caught:
                dumps(value, name="app", what="thing")
            assert caught.value.path == path
            assert "'app'" in str(caught.value)

    def test_a_hidden_future_is_named(self):
        """A future in an object that nobody looks into is told of as such."""
        from concurrent.futures import Future

        with pytest.raises(SerializationError, match="is a future, which cannot travel"):
            dumps({"x": Future()}, what="args[0]")

    @pytest.mark.row("SER-03")
    def test_functions_are_packed_and_loaded_once(self):
        """One digest for one function; a worker loads it once."""
        cache, loaded = FunctionCache(most=2), LoadedFunctions()

        def function():
            return 5

        one = cache.pack(function, "f")
        assert cache.pack(function, "f") is one
        made = loaded.load(one.digest, one.packed)
        assert loaded.load(one.digest, None) is made
        assert made() == 5
        for number in range(3):
            cache.pack(lambda number=number: number, "g")
        assert cache.pack(function, "f").digest == one.digest

    def test_main_functions_that_call_others_run_elsewhere(self, tmp_path):
        """In a process that never saw the main script."""
        path = tmp_path / "packed"
        program = textwrap.dedent(f"""
            import pickle
            from warpbeam_serializers import dumps
            def helper(x): return x + 1
            def app(x): return helper(x)
            pickle.dump(tuple(dumps(app)), open({str(path)!r}, "wb"))
        """)
        subprocess.run([sys.executable, "-c", program], check=True)
        import pickle

        assert loads(pickle.loads(path.read_bytes()))(1) == 2


class TestErrors:
    @pytest.mark.row("ERR-06")
    def test_type_text_cause_notes_and_frames(self):
        """All of them come back."""

        def fail():
            try:
                raise KeyError("first")
            except KeyError as error:
                second = ValueError("second")
                second.add_note("a note")
                raise second from error

        with pytest.raises(ValueError, match="second") as caught:
            fail()
        error = loads_error([bytes(frame) for frame in dumps_error(caught.value)])
        assert (type(error), str(error), error.__notes__) == (ValueError, "second", ["a note"])
        assert type(error.__cause__) is KeyError
        names = []
        entry = error.__traceback__
        while entry:
            names.append(entry.tb_frame.f_code.co_name)
            entry = entry.tb_next
        assert names[-1] == "fail"

    @pytest.mark.row("ERR-06", "SER-08")
    def test_what_cannot_be_rebuilt_is_told(self):
        """An exception whose constructor wants other arguments, or that holds what cannot travel."""
        holding = RuntimeError("holding")
        holding.lock = (x for x in ())
        for error in (Stubborn(1, 2), holding):
            found = loads_error(dumps_error(error))
            assert isinstance(found, DeserializationError)
            assert str(error) in str(found)

    def test_a_text_that_raises_is_survived(self):
        """The machinery never fails."""

        class Bad(Exception):
            def __str__(self):
                raise OSError

            def __reduce__(self):
                raise OSError

        assert isinstance(loads_error(dumps_error(Bad())), DeserializationError)

    def test_long_chains_are_cut(self):
        """A chain of a thousand causes travels in part."""
        error = ValueError(0)
        for number in range(1000):
            following = ValueError(number)
            following.__cause__ = error
            error = following
        assert str(loads_error(dumps_error(error))) == "999"

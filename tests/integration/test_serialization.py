"""
What travels to worker processes: how often, by which method, how large, and what is said of what cannot.
"""

from __future__ import annotations

import os
import threading

import pytest
import warpbeam
from warpbeam import python_app
from warpbeam.contracts import DeserializationError, SerializationError
from warpbeam.executors import ProcessPoolExecutor


PATIENCE_S = 30


@pytest.fixture(name="kernel")
def _kernel():
    with warpbeam.load(executors=[ProcessPoolExecutor(max_workers=1)], exit_mode="cancel", exit_grace=0) as kernel:
        yield kernel


class Counted:
    """
    Counts how often it is pickled, here, and unpickled, there.
    """

    pickled = 0

    def __reduce__(self):
        type(self).pickled += 1
        return _made, ()


def _made():
    os.environ["MADE_THERE"] = str(int(os.environ.get("MADE_THERE", "0")) + 1)
    return Counted()


class TestFunctions:
    @pytest.mark.row("SER-03", "SER-02")
    def test_once_a_process_and_once_a_worker(self, kernel):
        """A function is serialized once however many calls there are, and rebuilt once in the worker."""
        held, seen = Counted(), []

        @python_app
        def work(number):
            assert held is not None
            seen.append(number)  # the worker's own copy, which lives as long as the function there
            return len(seen), os.environ["MADE_THERE"]

        first = work(0).result(PATIENCE_S)
        pickled = Counted.pickled
        assert pickled >= 1
        results = [future.result(PATIENCE_S) for future in [work(number) for number in range(1, 40)]]
        assert Counted.pickled == pickled
        assert [first[0], *(length for length, _ in results)] == list(range(1, 41))
        assert {made for _, made in results} == {first[1]}
        assert not seen

    @pytest.mark.row("SER-04", "RULE-01")
    def test_functions_of_every_kind(self, kernel):
        """Of a module, a closure, a lambda, a method, a partial, a class."""
        import functools
        import math

        class Local:
            def __init__(self, number):
                self.number = number

            def double(self):
                return 2 * self.number

        factor = 3
        cases = [
            (math.sqrt, (16,), 4.0),
            (lambda x: factor * x, (4,), 12),
            (Local(5).double, (), 10),
            (functools.partial(pow, 2), (5,), 32),
        ]
        for function, args, value in cases:
            assert python_app(function)(*args).result(PATIENCE_S) == value


class TestValues:
    @pytest.mark.row("SER-09", "SER-01")
    @pytest.mark.parametrize("size", [0, 1, 100_000, 30_000_000])
    def test_of_any_size(self, kernel, size):
        """Bytes both ways, as argument and as result."""
        value = os.urandom(min(size, 1000)) * max(1, size // 1000)
        assert python_app(lambda given: [given, len(given)])(value).result(PATIENCE_S) == [value, len(value)]

    @pytest.mark.row("SER-09")
    def test_a_million_numbers(self, kernel):
        """As the result of a task, and given to another one."""
        made = python_app(lambda: [float(number) for number in range(1_000_000)])()
        assert python_app(sum)(made).result(PATIENCE_S) == sum(range(1_000_000))

    @pytest.mark.row("SER-04", "SER-01")
    def test_what_only_a_later_method_can(self, kernel):
        """A class of the call itself, a function in a list, an object with a lock."""

        class Local:
            def __init__(self):
                self.lock = threading.RLock()
                self.items = [lambda: 5]

        result = python_app(lambda given: (given.items[0](), given))(Local()).result(PATIENCE_S)
        assert result[0] == 5
        assert result[1].items[0]() == 5
        assert type(result[1].lock) is type(threading.RLock())


class TestWhatCannotTravel:
    @pytest.mark.row("SER-08", "ERR-15", "BETTER-12", "DFK-26")
    def test_of_the_call(self, tmp_path):
        """App, argument and place are named, in the future, without a second try; the next call works."""
        generator = (number for number in ())
        with warpbeam.load(executors=["processes"], retries=3, exit_mode="cancel", exit_grace=0):

            @python_app
            def look(*args, **kwargs):
                return len(args) + len(kwargs)

            cases = [
                (look([1, {"deep": generator}]), "args[0][1]['deep']"),
                (look(1, named=(generator,)), "kwargs['named'][0]"),
            ]
            for future, path in cases:
                error = future.exception(PATIENCE_S)
                assert isinstance(error, SerializationError)
                assert (error.name, error.path) == ("look", path)
                assert "'look'" in str(error)
                assert path in str(error)
                assert future.task_record.fail_count == 0
            assert look(1).result(PATIENCE_S) == 1

    @pytest.mark.row("SER-08", "ERR-15", "ERR-06")
    def test_of_the_answer(self, kernel):
        """A result, or an exception, that cannot travel is told of with its type; one that cannot be read likewise."""

        class Bad:
            def __reduce__(self):
                return _unreadable, ()

        def raises():
            error = RuntimeError("holding")
            error.held = (number for number in ())
            raise error

        error = python_app(lambda: {"x": (number for number in ())})().exception(PATIENCE_S)
        assert isinstance(error, SerializationError)
        assert "generator" in str(error)
        error = python_app(Bad)().exception(PATIENCE_S)
        assert isinstance(error, SerializationError)
        error = python_app(raises)().exception(PATIENCE_S)
        assert isinstance(error, DeserializationError)
        assert error.type_name.endswith("RuntimeError")
        assert "holding" in str(error)
        assert "raises" in error.remote_traceback
        assert python_app(int)("3").result(PATIENCE_S) == 3


def _unreadable():
    raise OSError("it cannot be read")

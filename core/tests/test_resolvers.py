"""
Where futures are found in the arguments of calls: shallow, deep, by types of the user's, by an object of the user's.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, namedtuple
from concurrent.futures import Future

import attrs
import pytest
import warpbeam
from warpbeam import python_app
from warpbeam.dataflow import traverse


Pair = namedtuple("Pair", "left right")


@dataclasses.dataclass
class Point:
    x: object


@attrs.define
class Thing:
    x: object


class Box:
    """Something that nobody looks into unless told to."""

    def __init__(self, held):
        self.held = held


@python_app
def echo(*args, **kwargs):
    return args, kwargs


@python_app
def one():
    return 1


@pytest.mark.row("DFK-22", "CFG-03", "DFK-21")
class TestDeep:
    @pytest.mark.parametrize(
        ("wrap", "value"),
        [
            (lambda future: [future, [future]], [1, [1]]),
            (lambda future: (future,), (1,)),
            (lambda future: {future}, {1}),
            (lambda future: frozenset({future}), frozenset({1})),
            (lambda future: {"key": future}, {"key": 1}),
            (lambda future: {future: "value"}, {1: "value"}),
            (lambda future: Pair(future, 2), Pair(1, 2)),
            (lambda future: Point(future), Point(1)),
            (lambda future: Thing([future]), Thing([1])),
        ],
    )
    def test_containers_keep_their_type(self, manual, wrap, value):
        """They are found by default in each, wait for, and rebuilt as the same type; the caller's is left as it was."""
        future = one()
        given = wrap(future)
        calls = [echo(given), echo(named=given), echo(inputs=[given])]
        assert [call.task_status() for call in calls] == ["pending"] * 3
        manual.run_all()
        results = [calls[0].result()[0][0], calls[1].result()[1]["named"], calls[2].result()[1]["inputs"][0]]
        assert results == [value] * 3
        assert all(type(result) is type(value) for result in results)
        assert given == wrap(future)

    def test_what_has_none_is_passed_as_it_is(self, inline):
        """The same object."""
        given = [1, {"a": (2,)}, OrderedDict(x=3)]
        assert echo(given).result()[0][0] is given

    def test_a_type_of_the_users(self, inline):
        """Nobody looks into it until it is registered."""
        future = one()
        args, _ = echo(Box(future)).result()
        assert args[0].held is future
        traverse.register(Box, children=lambda box: [box.held], rebuild=lambda _, held: Box(*held))
        args, _ = echo(Box(future)).result()
        assert args[0].held == 1


@pytest.mark.row("DFK-22", "CFG-03", "DFK-21")
class TestShallow:
    def test_arguments_and_inputs_alone(self, manual_type):
        """A future in a container is passed as it is; the call does not wait for it."""
        pending = Future()
        with warpbeam.load(executors=[manual_type(runs_inline=True)], dependency_resolver="shallow"):
            args, kwargs = echo(one(), [pending], named=one(), inputs=[one()]).result()
        assert args == (1, [pending])
        assert kwargs == {"named": 1, "inputs": [1]}


@pytest.mark.row("DFK-22", "CFG-03")
class TestOwn:
    def test_an_object_decides(self, manual_type):
        """It is asked for each argument, finds futures where it likes, and puts results where it likes."""

        class Resolver:
            def gather(self, value, found):
                if isinstance(value, Box):
                    found(value.held)
                return isinstance(value, Box)

            def replace(self, value, result):
                return ["opened", result(value.held)] if isinstance(value, Box) else value

        foreign, ignored = Future(), Future()
        with warpbeam.load(executors=[manual_type(runs_inline=True)], dependency_resolver=Resolver()):
            call = echo(Box(foreign), ignored, named=Box(foreign))
            assert not call.done()
            foreign.set_result(5)
            args, kwargs = call.result()
        assert args == (["opened", 5], ignored)
        assert kwargs == {"named": ["opened", 5]}

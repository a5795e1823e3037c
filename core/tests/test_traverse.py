"""
Finding and replacing futures inside arguments.
"""

from __future__ import annotations

from collections import namedtuple
from concurrent.futures import Future
from dataclasses import dataclass

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbeam.dataflow import traverse
from warpbeam.dataflow.files import File


Pair = namedtuple("Pair", "left right")


@dataclass(frozen=True)
class Data:
    inside: object


@attrs.frozen
class Record:
    inside: object


class Marked:
    def __init__(self, items):
        self.items = items


def done(value):
    future = Future()
    future.set_result(value)
    return future


leaves = st.one_of(st.integers(), st.text(), st.none(), st.booleans())
nestings = st.recursive(
    leaves | st.integers().map(done),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(), inner)
        | inner.map(Data)
        | inner.map(Record)
        | st.builds(Pair, inner, inner)
    ),
    max_leaves=20,
)


def model(value):
    match value:
        case Future():
            return value.result()
        case list():
            return [model(item) for item in value]
        case Pair():
            return Pair(*map(model, value))
        case tuple():
            return tuple(map(model, value))
        case dict():
            return {model(key): model(item) for key, item in value.items()}
        case Data() | Record():
            return type(value)(model(value.inside))
    return value


class TestTraverse:
    @pytest.mark.row("DFK-22")
    @given(nestings)
    def test_replaces_what_a_naive_model_replaces(self, value):
        """Every future is found and replaced, and nothing else is changed."""
        found = []
        assert traverse.find(value, found.append) == bool(found)
        new = traverse.replace(value, lambda leaf: leaf.result())
        assert new == model(value)
        assert found or new is value

    def test_sets_and_keys_are_looked_into(self):
        """Futures may be keys and elements of sets."""
        future = done(3)
        assert traverse.replace({future: 1}, lambda leaf: leaf.result()) == {3: 1}
        assert traverse.replace({future}, lambda leaf: leaf.result()) == {3}
        assert traverse.replace(frozenset({future}), lambda leaf: leaf.result()) == frozenset({3})

    def test_cycles_end(self):
        """A list that contains itself is walked once."""
        cycle = [done(1)]
        cycle.append(cycle)
        found = []
        traverse.find(cycle, found.append)
        assert len(found) == 1
        assert traverse.replace(cycle, lambda leaf: leaf.result())[0] == 1

    def test_a_deep_nesting_is_found_without_recursion(self):
        """A future ten thousand lists deep is found."""
        value = [done(1)]
        for _ in range(10_000):
            value = [value]
        found = []
        traverse.find(value, found.append)
        assert len(found) == 1

    def test_a_registered_type_is_looked_into(self):
        """`register` opens a type of the user's."""
        assert not traverse.find(Marked([done(1)]), lambda _: None)
        traverse.register(Marked, children=lambda value: value.items, rebuild=lambda _, items: Marked(items))
        assert traverse.replace(Marked([done(1)]), lambda leaf: leaf.result()).items == [1]

    def test_files_are_found(self):
        """A File is found wherever a future would be."""
        found = []
        assert traverse.find({"a": (File("x"),)}, found.append)
        assert found == [File("x")]

    def test_shallow_looks_at_the_value_only(self):
        """The shallow resolver does not look into containers."""
        future = done(2)
        assert not traverse.SHALLOW.gather([future], lambda _: None)
        assert traverse.SHALLOW.replace(future, lambda leaf: leaf.result()) == 2

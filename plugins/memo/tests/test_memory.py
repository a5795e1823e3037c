"""
Memoization through the kernel, and the identity of values.
"""

from __future__ import annotations

import enum
import functools
import os
import subprocess
import sys
import threading
from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path

import pytest
import warpbeam
from hypothesis import given
from hypothesis import strategies as st
from warpbeam import join_app, python_app
from warpbeam.contracts import ConfigurationError, MemoCall, UnhashableArgumentError
from warpbeam_memo import MemoryMemo, id_for_memo
from warpbeam_memo.identity import digest
from warpbeam_memo.memory import key_of


calls = []


def work(x, y=1, *rest, flag=False, **more):
    calls.append(x)
    if flag == "raise":
        raise ValueError(x)
    return x


@dataclass
class Point:
    x: int


class Colour(enum.Enum):
    RED = 1


Pair = namedtuple("Pair", "a b")
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.fixture(name="kernel")
def _kernel():
    calls.clear()
    with warpbeam.load(executors=["threads"]) as kernel:
        yield kernel


class TestMemoization:
    @pytest.mark.row("APP-06", "GUA-06", "DFK-50")
    def test_a_call_runs_once(self, kernel):
        """The same call, however it is written, gives the stored result and is memo_done."""
        app = python_app(cache=True)(work)
        assert app(3).result() == 3
        for again in (app(3), app(x=3), app(3, 1), app(3, y=1)):
            assert again.result() == 3
            assert again.task_status() == "memo_done"
            assert again.task_record.from_memo
        assert calls == [3]
        assert app(3, 2).result() == 3
        assert calls == [3, 3]

    @pytest.mark.row("GUA-06")
    def test_exceptions_are_reused(self, kernel):
        """Within a run a failure is remembered as well."""
        app = python_app(cache=True)(work)
        first = app(1, flag="raise").exception()
        assert app(1, flag="raise").exception() is first
        assert calls == [1]

    @pytest.mark.row("APP-07", "BETTER-17")
    def test_ignored_arguments_do_not_count(self, kernel):
        """Nor does an ignored name that the call lacks."""
        app = python_app(cache=True, ignore_for_cache=["y", "absent"])(work)
        app(1, y=1).result()
        app(1, y=2).result()
        assert calls == [1]

    @pytest.mark.row("JOIN-06")
    def test_join_apps_are_memoized(self, kernel):
        """A hit does not run the body."""
        bodies = []

        @join_app(cache=True)
        def joined(x):
            bodies.append(x)
            return [python_app(lambda: 5)()]

        assert joined(1).result() == joined(1).result() == [5]
        assert bodies == [1]

    @pytest.mark.row("BETTER-17")
    def test_an_unknown_type_is_named(self, kernel):
        """The error names the argument and the way out; the function does not run."""
        app = python_app(cache=True)(work)
        error = app({"lock": [threading.Lock()]}).exception()
        assert isinstance(error, UnhashableArgumentError)
        assert error.path == "x['lock'][0]"
        assert "id_for_memo" in str(error)
        assert not calls

    def test_caching_may_be_default_or_off(self, tmp_path):
        """Config(cache=True) is the default of apps; app_cache=False turns all off."""
        for options, runs in (({"cache": True}, 1), ({"cache": True, "app_cache": False}, 2)):
            calls.clear()
            with warpbeam.load(executors=["threads"], **options):
                assert python_app(work)(1).result() == 1
                assert python_app(work)(1).result() == 1
            assert len(calls) == runs

    def test_the_oldest_are_forgotten(self, tmp_path):
        """max_items bounds the store."""
        calls.clear()
        with warpbeam.load(executors=["threads"], memo=MemoryMemo(max_items=1)):
            for x in (1, 2, 1):
                python_app(cache=True)(work)(x).result()
        assert calls == [1, 2, 1]
        with pytest.raises(ConfigurationError, match="max_items"):
            MemoryMemo(max_items=0)


class TestIdentity:
    @given(values, values)
    def test_equal_values_have_equal_digests(self, one, other):
        """And those that differ in value or type differ."""
        same = repr(one) == repr(other)
        assert (digest(one) == digest(other)) == same or (one == other and not same)
        assert digest(one) == digest(one)

    def test_types_count(self):
        """1, 1.0, True and "1" differ; so do list and tuple."""
        different = [1, 1.0, True, "1", b"1", [1], (1,), {1}, frozenset({1}), {"1": 1}, Point(1), Pair(1, 2), Colour.RED]
        different += [functools.partial(work, 1), functools.partial(work, 2), work, Point, Path("x"), None, range(3)]
        assert len({digest(value) for value in different}) == len(different)

    def test_order_does_not_count_where_there_is_none(self):
        """Dicts and sets have no order."""
        assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
        assert digest({"x", "y", "z"}) == digest({"z", "y", "x"})

    def test_circles_have_no_identity(self):
        """A list in itself is an error, not a hang."""
        circle = []
        circle.append(circle)
        with pytest.raises(UnhashableArgumentError, match="contains itself"):
            digest(circle)

    def test_a_type_may_be_registered(self):
        """A user's type gets an identity."""

        class Mine:
            pass

        id_for_memo.register(Mine, lambda _: b"mine")
        assert digest([Mine()]) == digest([Mine()])

    def test_keys_are_the_same_in_another_process(self):
        """Whatever its hash seed."""
        code = (
            "from warpbeam_memo.identity import digest\nprint(digest([{'a': {1, 'x', (2.5, None)}, 'b': b'7'}, len, range(5)]))"
        )
        found = {
            subprocess.run(
                [sys.executable, "-c", code],
                env={**os.environ, "PYTHONHASHSEED": seed},
                capture_output=True,
                check=True,
            ).stdout
            for seed in ("1", "2")
        }
        assert len(found) == 1

    def test_a_wrong_call_still_has_a_key(self):
        """Arguments that do not fit the signature are the task's error, not the key's."""
        assert key_of(MemoCall("f", "m", lambda: None, (1, 2), {})).digest

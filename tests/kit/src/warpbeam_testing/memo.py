"""
The contract of memo stores.
"""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from warpbeam.contracts import Memo, MemoCall, MemoItem, MemoKey, RunInfo, UnhashableArgumentError

from warpbeam_testing import tasks
from warpbeam_testing.contract import Contract, says


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from warpbeam.contracts import RunningMemo


NEXT_PROCESS = """
import pathlib, pickle, sys
from warpbeam.contracts import RunInfo
from warpbeam_testing.memo import MemoHost

memo, call = pickle.load(sys.stdin.buffer)
store = memo.start(MemoHost(RunInfo(run_id="next", directory=pathlib.Path(sys.argv[1]))))
sys.stdout.write(store.key(call).digest)
store.stop()
"""


def app(first: Any, second: Any = 2, *rest: Any, third: Any = 3, **more: Any) -> None:
    """
    A function with every sort of parameter, for keys.
    """


def call(*args: Any, function: Any = app, ignored: frozenset[str] = frozenset(), **kwargs: Any) -> MemoCall:
    """
    Return a call of `app`.
    """
    return MemoCall(function.__name__, function.__module__, function, args, kwargs, ignored)


@attrs.define
class MemoHost:
    """
    What a memo store may ask of its kernel.
    """

    run: RunInfo


class MemoContract(Contract):
    """
    Every sentence of `warpbeam.contracts.Memo` and `warpbeam.contracts.RunningMemo`, as tests.

    A subclass gives the fixture ``memo``: a description of a store that is empty when it is first started.
    """

    @pytest.fixture
    def memo(self) -> Memo:
        """
        Return a description; to be given by the subclass.
        """
        raise NotImplementedError(f"{type(self).__name__} lacks the fixture `memo`, which returns a description")

    @pytest.fixture
    def store(self, memo: Memo, tmp_path: Path) -> Iterator[RunningMemo]:
        """
        The started store, stopped after the test.
        """
        store = memo.start(MemoHost(RunInfo(run_id="one", directory=tmp_path)))
        yield store
        store.stop()

    @says("class: A description of a memo store: frozen, cheap; its fields are its options.")
    def test_description(self, memo: Any) -> None:
        """It is a frozen attrs class."""
        assert isinstance(memo, Memo)
        assert attrs.has(type(memo)), "a description is an attrs class, so that its options can be listed"
        with pytest.raises(AttributeError):
            setattr(memo, "anything", 1)  # noqa: B010

    @says("start: Open the store for one kernel.")
    def test_starts_several_times(self, memo: Memo, tmp_path: Path) -> None:
        """Two kernels may have it open at the same time."""
        stores = [memo.start(MemoHost(RunInfo(run_id=name, directory=tmp_path))) for name in ("one", "two")]
        keys = [store.key(call(1)) for store in stores]
        assert keys[0] == keys[1]
        for store in stores:
            store.stop()

    # -- keys -----------------------------------------------------------------------------------------------------------

    @says("key: Return the key of a call: equal for calls that must give the same result, in this process and the next.")
    def test_equal_calls_have_equal_keys(self, store: RunningMemo) -> None:
        """Equal arguments give one key, and keys can be hashed."""
        values = [1, 2.5, "text", b"bytes", None, (1, 2), [1, [2]], {"b": 1, "a": 2}, frozenset("abc"), {3, 1, 2}]
        for value in values:
            first, second = store.key(call(value)), store.key(call(copy.deepcopy(value)))
            assert first == second, f"two keys for {value!r}"
            assert hash(first) == hash(second)

    @says("key: Return the key of a call: equal for calls that must give the same result, in this process and the next.")
    def test_keys_are_the_same_in_the_next_process(self, memo: Memo, store: RunningMemo, tmp_path: Path) -> None:
        """The order of sets, which differs from process to process, and of dicts does not count."""
        words = [str(number) for number in range(50)]
        mine = call(set(words), {"a": 1, "b": 2}, frozenset(words))
        assert store.key(mine) == store.key(call(set(words), {"b": 2, "a": 1}, frozenset(words)))
        told = subprocess.run(
            [sys.executable, "-c", NEXT_PROCESS, str(tmp_path)],
            input=pickle.dumps((memo, mine)),
            env={**os.environ, "PYTHONHASHSEED": "1234"},
            check=True,
            capture_output=True,
            timeout=self.patience_s + 10,
        )
        assert told.stdout.decode() == store.key(mine).digest

    @says("key: Return the key of a call: equal for calls that must give the same result, in this process and the next.")
    def test_other_calls_have_other_keys(self, store: RunningMemo) -> None:
        """Other values, other types and other apps differ."""
        calls = [call(1), call(2), call(1.0), call("1"), call(b"1"), call(None), call((1,)), call([1]), call({1}), call({1: 1})]
        calls += [call(1, 3), call(1, 2, 3), call(1, third=4), call(1, extra=1), call(1, function=tasks.echo)]
        assert len({store.key(one) for one in calls}) == len(calls)

    @says("key: Arguments are bound to the function's signature, so that ``f(1)``, ``f(x=1)`` and defaults agree.")
    def test_the_way_of_passing_does_not_count(self, store: RunningMemo) -> None:
        """Positional, by name, and left to the default is the same."""
        keys = {
            store.key(one) for one in (call(1), call(first=1), call(1, 2), call(1, second=2, third=3), call(second=2, first=1))
        }
        assert len(keys) == 1

    @says("key: Ignored names that the call lacks do no harm.")
    def test_ignored_parameters(self, store: RunningMemo) -> None:
        """What is ignored does not make a difference; what is not, does."""
        ignored = frozenset({"third", "nothing"})
        assert store.key(call(1, third=4, ignored=ignored)) == store.key(call(1, third=5, ignored=ignored))
        assert store.key(call(1, third=4, ignored=ignored)) != store.key(call(2, third=4, ignored=ignored))

    def test_what_cannot_be_hashed_is_named(self, store: RunningMemo) -> None:
        """An argument without identity is an UnhashableArgumentError that names it."""
        with pytest.raises(UnhashableArgumentError, match="third"):
            store.key(call(1, third=object()))

    # -- items ------------------------------------------------------------------------------------------------------------

    @says(
        "get: Return what is remembered of these keys; unknown ones are left out.",
        "put: Remember; when this returns, the items are as durable as the store's mode says.",
    )
    def test_what_was_put_is_found(self, store: RunningMemo) -> None:
        """Items come back under their keys, None included; unknown keys do not."""
        items = {store.key(call(number)): MemoItem(value) for number, value in enumerate([1, None, "text", [1, 2]])}
        store.put(items)
        unknown = store.key(call("unknown"))
        found = store.get([*items, unknown])
        assert {key: item.value for key, item in found.items()} == {key: item.value for key, item in items.items()}
        assert unknown not in found
        assert store.get([]) == {}

    @says("put: A later item replaces an earlier one.")
    def test_a_later_item_replaces(self, store: RunningMemo) -> None:
        """The last one counts."""
        key = store.key(call(1))
        store.put({key: MemoItem("old")})
        store.put({key: MemoItem("new")})
        assert store.get([key])[key].value == "new"

    def test_errors_are_kept_within_the_run(self, store: RunningMemo) -> None:
        """An exception is remembered while the run lasts."""
        key = store.key(call(1))
        store.put({key: MemoItem(error=ValueError("as planned"))})
        error = store.get([key])[key].error
        assert isinstance(error, ValueError)
        assert str(error) == "as planned"

    @says("checkpoint: Write what is not yet written, and return how many items that were.")
    def test_checkpoint(self, store: RunningMemo) -> None:
        """It says how many items it wrote; a second one right after has nothing to write."""
        store.put({store.key(call(number)): MemoItem(number) for number in range(3)})
        assert 0 <= store.checkpoint() <= 3
        assert store.checkpoint() == 0
        assert store.get([MemoKey(store.key(call(1)).digest)])

    @says("stop: Write and close; may be called several times.")
    def test_stop_again(self, store: RunningMemo) -> None:
        """A second stop does nothing."""
        store.put({store.key(call(1)): MemoItem(1)})
        store.stop()
        store.stop()

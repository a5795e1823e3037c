"""
Join apps: the state of waiting, every failure, what counts as a future.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import CancelledError, Future

import pytest
import warpbeam
from warpbeam import join_app, python_app
from warpbeam.contracts import TaskState
from warpbeam.errors import DependencyError, JoinError


PATIENCE_S = 20


def wait_until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


@python_app
def fail(text):
    raise ValueError(text)


class TestWaiting:
    @pytest.mark.row("JOIN-01", "JOIN-02", "DFK-50", "FUT-06")
    @pytest.mark.parametrize(
        ("shape", "value"), [(lambda one: one, 7), (lambda one: [one], [7]), (lambda one: (one, {"x": one}), (7, {"x": 7}))]
    )
    def test_it_joins_without_a_worker(self, manual, shape, value):
        """Its state is joining, no executor has anything of it, and its result has the shape of what it returned."""
        foreign = Future()
        joined = join_app(lambda: shape(foreign))()
        wait_until(lambda: joined.task_status() == "joining")
        assert not joined.done()
        assert not manual.seen
        assert warpbeam.current_kernel().task_counts == {TaskState.joining: 1}
        foreign.set_result(7)
        assert joined.result(PATIENCE_S) == value
        assert joined.task_status() == "exec_done"

    @pytest.mark.row("JOIN-02")
    def test_nothing_is_done_at_once(self, manual):
        """An empty list gives an empty list."""
        assert join_app(list)().result(PATIENCE_S) == []
        assert join_app(dict)().result(PATIENCE_S) == {}

    @pytest.mark.row("JOIN-01", "APP-03")
    def test_a_file_of_another_task(self, threads, tmp_path):
        """A DataFuture is a future as well."""

        @python_app
        def write(outputs=()):
            (tmp_path / "made.txt").write_text("x")

        file = warpbeam.File("made.txt")
        assert join_app(lambda: write(outputs=[file]).outputs[0])().result(PATIENCE_S) == file

    @pytest.mark.row("JOIN-03")
    @pytest.mark.parametrize(
        ("wrong", "told"), [(3, "int (3)"), (None, "NoneType (None)"), ({"a": [1]}, "at ['a'][0]"), (["x"], "at [0]")]
    )
    def test_what_is_returned_is_shown(self, manual, wrong, told):
        """With its place."""
        error = join_app(lambda: wrong)().exception(PATIENCE_S)
        assert type(error) is TypeError
        assert told in str(error)

    @pytest.mark.row("JOIN-03")
    def test_one_that_is_no_future_among_futures(self, manual):
        """A list with something else in it is refused although futures are there."""
        foreign = Future()
        foreign.set_result(1)
        assert "at [1]" in str(join_app(lambda: [foreign, 5])().exception(PATIENCE_S))


class TestFailures:
    @pytest.mark.row("JOIN-04", "ERR-08")
    def test_it_waits_for_all(self, manual):
        """A failure is told only when all are done, with every failure in it, and names what failed."""
        late, early = Future(), Future()
        joined = join_app(lambda: [early, late, fail("inner")])()
        wait_until(lambda: joined.task_status() == "joining")
        early.set_exception(OSError("early"))
        manual.run_all()
        assert not joined.done()
        late.set_result(1)
        error = joined.exception(PATIENCE_S)
        assert isinstance(error, JoinError)
        assert [type(one) for one, _ in error.dependent_exceptions_tids] == [OSError, ValueError]
        assert [name for _, name in error.dependent_exceptions_tids] == [repr(early), "task 1"]
        assert (error.task_id, error.app_name) == (0, "<lambda>")
        assert error.__cause__ is early.exception()
        assert str(error).startswith("OSError: early\nJoin failure for task 0")
        assert joined.task_status() == "failed"

    @pytest.mark.row("JOIN-04", "DFK-28")
    def test_inner_failures_are_not_retried_by_it(self, tmp_path):
        """The inner tasks are, by their own budget; the body runs once."""
        bodies, tries = [], []

        @python_app
        def inner():
            tries.append(1)
            raise ValueError

        @join_app
        def joined():
            bodies.append(1)
            return inner()

        with warpbeam.load(executors=["threads"], retries=2):
            assert isinstance(joined().exception(PATIENCE_S), JoinError)
        assert (len(bodies), len(tries)) == (1, 3)

    @pytest.mark.row("JOIN-04")
    def test_cancelled_and_nested_ones(self, manual):
        """A future that is cancelled is a failure; a join in a join tells the root."""
        foreign = Future()
        joined = join_app(lambda: [foreign])()
        wait_until(lambda: joined.task_status() == "joining")
        foreign.cancel()
        foreign.set_running_or_notify_cancel()
        error = joined.exception(PATIENCE_S)
        assert isinstance(error.dependent_exceptions_tids[0][0], CancelledError)
        outer = join_app(lambda: [joined])()
        assert isinstance(outer.exception(PATIENCE_S).__cause__, CancelledError)

    @pytest.mark.row("JOIN-05")
    def test_a_body_that_goes_on_raising(self, tmp_path):
        """Ends with its own exception, after as many tries as any app has."""
        bodies = []

        @join_app
        def joined():
            bodies.append(1)
            raise LookupError("own")

        with warpbeam.load(executors=["threads"], retries=2):
            error = joined().exception(PATIENCE_S)
        assert type(error) is LookupError
        assert len(bodies) == 3

    @pytest.mark.row("DFK-23", "JOIN-04")
    def test_a_body_whose_arguments_failed_does_not_run(self, threads):
        """It is a dependency's failure, as for any app."""
        bodies = []
        joined = join_app(lambda x: bodies.append(x))(fail("root"))
        assert isinstance(joined.exception(PATIENCE_S), DependencyError)
        assert not bodies


class TestCached:
    @pytest.mark.row("JOIN-06", "APP-06")
    def test_a_hit_does_not_run_the_body(self, threads):
        """The second call is memo_done, and starts no inner task."""
        inner = []

        @join_app(cache=True)
        def joined(x):
            return [python_app(inner.append)(x)]

        first, second = joined(1), None
        assert first.result(PATIENCE_S) == [None]
        second = joined(1)
        assert second.result(PATIENCE_S) == [None]
        assert (first.task_status(), second.task_status()) == ("exec_done", "memo_done")
        assert inner == [1]

    @pytest.mark.row("GUA-16", "JOIN-01")
    def test_bodies_may_wait(self, threads):
        """A body that waits for a result gives up its thread, however many do."""
        release = threading.Event()
        slow = python_app(release.wait)()
        joined = [join_app(lambda: python_app(bool)(slow.result(PATIENCE_S)))() for _ in range(40)]
        release.set()
        assert [future.result(PATIENCE_S) for future in joined] == [True] * 40

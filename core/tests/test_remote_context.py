"""
What a task can learn of itself.
"""

from __future__ import annotations

import threading
import time

import pytest
from warpbeam import join_app, python_app, remote
from warpbeam.remote import TaskContext, running


class TestContext:
    def test_there_is_none_outside_a_task(self):
        """The error says so."""
        with pytest.raises(RuntimeError, match="outside a task"):
            remote.context()

    def test_it_knows_task_and_try(self, threads):
        """Id, try, app, worker and executor; no end of a block where there is none."""

        def look():
            context = remote.context()
            assert context.worker == threading.current_thread().name
            return context.task, context.attempt, context.name, context.executor, context.block_end

        assert python_app(look)().result() == (0, 0, "look", "threads", None)
        assert python_app(look).options(name="named")().result()[2] == "named"

    def test_executors_may_name_the_worker(self):
        """Without a name it is that of the thread."""
        assert TaskContext(0, 0, worker="w1").worker == "w1"
        assert TaskContext(0, 0).worker == threading.current_thread().name

    def test_a_second_try_has_its_number(self, tmp_path):
        """Tries count from 0."""
        import warpbeam

        seen = []

        def fail():
            seen.append(remote.context().attempt)
            raise ValueError

        with warpbeam.load(executors=["threads"], retries=2):
            assert isinstance(python_app(fail)().exception(), ValueError)
        assert seen == [0, 1, 2]

    def test_bodies_of_joins_have_one(self, threads):
        """They run in the driver."""
        names = []

        @join_app
        def body():
            names.append(remote.context().name)
            return []

        assert body().result() == []
        assert names == ["body"]

    def test_it_is_given_back_after_a_task(self):
        """Nested ones are stacked, also when a task fails; other threads see nothing of them."""
        outer, inner = TaskContext(1, 0), TaskContext(2, 0)
        seen = []

        def look():
            try:
                remote.context()
            except RuntimeError:
                seen.append("none")

        def fail_within():
            with running(inner):
                assert remote.context() is inner
                raise ValueError("within")

        with running(outer):
            with pytest.raises(ValueError, match="within"):
                fail_within()
            assert remote.context() is outer
            other = threading.Thread(target=look)
            other.start()
            other.join(20)
        look()
        assert seen == ["none", "none"]

    def test_it_costs_little(self):
        """Entering and leaving takes no more than twenty calls of an empty function."""

        def empty():
            pass

        def best(function):
            times = []
            for _ in range(20):
                begun = time.perf_counter()
                for _ in range(1000):
                    function()
                times.append(time.perf_counter() - begun)
            return min(times)

        context = TaskContext(0, 0)

        def enter():
            with running(context):
                pass

        assert best(enter) < 20 * best(empty)


class TestEvents:
    def test_they_are_kept_for_the_outcome(self):
        """An executor that cannot send them at once returns them with the outcome, in order."""
        context = TaskContext(3, 1)
        assert context.events == ()
        context.emit("progress", done=1)
        context.emit("progress", done=2, of=5)
        assert context.events == (("progress", {"done": 1}), ("progress", {"done": 2, "of": 5}))

    def test_they_are_sent_where_that_is_possible(self):
        """Then nothing is kept."""
        sent = []
        context = TaskContext(3, 1, emit=lambda kind, data: sent.append((kind, data)))
        context.emit("progress", done=1)
        assert sent == [("progress", {"done": 1})]
        assert context.events == ()

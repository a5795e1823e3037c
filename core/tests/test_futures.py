"""
Futures: the standard contract, waiting, asyncio, lifted access.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import time

import pytest
import warpbeam
from warpbeam import python_app
from warpbeam.dataflow.futures import LazyFuture
from warpbeam.errors import WouldDeadlockError


@python_app
def plus(a, b=1):
    return a + b


class TestStandardContract:
    @pytest.mark.row("FUT-01")
    def test_wait_and_as_completed(self, threads):
        """The standard functions take them."""
        futures = [plus(number) for number in range(20)]
        assert {future.result() for future in concurrent.futures.as_completed(futures)} == set(range(1, 21))
        done, rest = concurrent.futures.wait(futures)
        assert len(done) == 20
        assert not rest

    @pytest.mark.row("FUT-01")
    def test_a_timeout_is_told(self, manual):
        """Waiting too long is a TimeoutError that shows the task."""
        future = plus(1)
        with pytest.raises(TimeoutError, match=r"AppFuture 0 plus launched"):
            future.result(timeout=0.01)
        with pytest.raises(TimeoutError):
            future.exception(timeout=0.01)

    def test_the_condition_is_made_by_need(self, manual):
        """A future that nobody waits for has none."""
        future = plus(1)
        future.add_done_callback(lambda _: None)
        manual.run_all()
        assert future.result() == 2
        assert future._made_condition is None

    @pytest.mark.row("FUT-02", "FUT-03", "FUT-06", "DFK-50", "DFK-51", "DFK-60")
    def test_what_it_knows_of_its_task(self, manual):
        """Id, state and record; the record is a snapshot."""
        future = plus.options(tags=["x"])(1)
        assert (future.tid, future.task_status()) == (0, "launched")
        record = future.task_record
        assert (record.func_name, record.executor, record.tags, record.attempt) == ("plus", "manual", ("x",), 0)
        manual.run_all()
        assert future.task_status() == "exec_done"
        assert record.status.name == "launched"
        assert "finished" in repr(future)

    def test_waits_and_completions_race(self):
        """A hundred thousand futures are waited for in one thread while another completes them."""
        futures = [LazyFuture() for _ in range(100_000)]

        def complete():
            for number, future in enumerate(futures):
                future.set_result(number)

        def look():
            for start in range(0, len(futures), 500):
                concurrent.futures.wait(futures[start : start + 50])

        helpers = [threading.Thread(target=work) for work in (complete, look)]
        for helper in helpers:
            helper.start()
        assert [future.result(30) for future in futures] == list(range(100_000))
        for helper in helpers:
            helper.join(30)
            assert not helper.is_alive()

    def test_it_is_completed_once(self):
        """A second result is refused."""
        future = LazyFuture()
        future.set_result(1)
        with pytest.raises(concurrent.futures.InvalidStateError):
            future.set_result(2)
        with pytest.raises(concurrent.futures.InvalidStateError):
            future.set_exception(ValueError())


class TestAsyncio:
    def test_await(self, threads):
        """A future can be awaited, also many at once, also a failing one."""

        @python_app
        def fail():
            raise ValueError("seen")

        async def main():
            assert await plus(1) == 2
            assert await asyncio.gather(*(asyncio.wrap_future(plus(number)) for number in range(5))) == [1, 2, 3, 4, 5]
            with pytest.raises(ValueError, match="seen"):
                await fail()

        asyncio.run(main())

    def test_cancelling_the_coroutine_leaves_the_task(self, manual):
        """Only future.cancel() cancels the task."""
        future = plus(1)

        async def main():
            async def wait():
                await future

            waiting = asyncio.create_task(wait())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

        asyncio.run(main())
        assert not future.cancelled()
        manual.run_all()
        assert future.result() == 2


class TestLiftedAccess:
    @pytest.mark.row("FUT-08", "FUT-09")
    def test_items_and_attributes(self, threads):
        """Both give futures of the same kernel; errors appear in them."""
        future = python_app(lambda: {"a": [10, 20], "b": 3 + 4j})()
        assert future["a"][1].result() == 20
        assert future["b"].imag.result() == 4
        assert isinstance(future["missing"].exception(), KeyError)
        assert isinstance(future.missing.exception(), AttributeError)
        assert plus(future["a"][0]).result() == 11

    @pytest.mark.row("FUT-09")
    def test_underscores_are_not_lifted(self, manual):
        """Nor can a future be iterated over for ever."""
        future = plus(1)
        with pytest.raises(AttributeError, match="_hidden"):
            assert future._hidden
        with pytest.raises(TypeError):
            iter(future)


class TestWhy:
    def test_kinds(self, manual):
        """Each state of a task has its reason, and a chain down to the root."""
        kernel = warpbeam.current_kernel()
        first, second = plus(1), plus(2)
        third = plus(plus(first), second)
        reason = kernel.why(third)
        assert reason.kind is warpbeam.ReasonKind.DEPENDENCY
        assert [one.kind.value for one in reason.chain] == ["dependency", "queued"]
        assert kernel.why(second).text.endswith("behind 1 others")
        manual.begin(next(iter(manual.calls)))
        assert kernel.why(first).kind is warpbeam.ReasonKind.RUNNING
        manual.run_all()
        assert kernel.why(third).kind is warpbeam.ReasonKind.DONE
        foreign = concurrent.futures.Future()
        assert "not warpbeam's" in str(kernel.why(plus(foreign)))
        foreign.set_result(1)
        manual.run_all()

    def test_joins_and_delays(self, tmp_path):
        """A joining task names its futures; a delayed one its delay."""
        from warpbeam.contracts import Retry

        class Policy:
            def decide(self, failure):
                return Retry(delay_s=30)

        release = threading.Event()
        with warpbeam.load(executors=["threads"], retry_policy=Policy(), exit_mode="cancel") as kernel:
            joined = warpbeam.join_app(lambda: [python_app(release.wait)()])()
            failing = python_app(lambda: 1 / 0)()
            end = time.monotonic() + 10
            while {kernel.why(joined).kind.value, kernel.why(failing).kind.value} != {"join", "retry delay"}:
                assert time.monotonic() < end
            assert "30 s" in str(kernel.why(failing))
            release.set()

    def test_nested_waits(self, tmp_path):
        """A task that waits for a future itself says which, down to the root; not before the wait, and not after it."""
        release, told = threading.Event(), []
        with warpbeam.load(executors=["threads"], exit_mode="cancel") as kernel:
            root = python_app(release.wait)()

            @warpbeam.join_app
            def body():
                root.result(20)
                told.append(kernel.why(outer).kind.value)
                return root

            outer = body()
            task = python_app(lambda: outer.result(20))()
            end = time.monotonic() + 10
            while "nested wait" not in kernel.why(outer).kind.value or kernel.why(task).kind.value != "nested wait":
                assert time.monotonic() < end
            assert [reason.kind.value for reason in kernel.why(task).chain] == ["nested wait", "running"]
            release.set()
            assert task.result(20) is True
        assert told == ["running"]
        assert not kernel._nested

    def test_the_watchdog_tells_once(self, manual, caplog):
        """When nothing moves for long, one warning groups the reasons."""
        from warpbeam.engine import watchdog

        kernel = warpbeam.current_kernel()
        kernel.silent_s = 0
        futures = [plus(number) for number in range(3)]
        for _ in range(4):
            watchdog.look(kernel)
        assert caplog.text.count("no task has ended") == 1
        assert "3 x plus: queued" in caplog.text
        manual.run_all()
        assert all(future.done() for future in futures)

    def test_waiting_in_a_callback_is_refused(self, manual):
        """It would block the thread that completes futures."""
        errors = []
        future, other = plus(1), plus(2)

        def callback(_):
            try:
                other.result()
            except WouldDeadlockError as error:
                errors.append(error)

        future.add_done_callback(callback)
        manual.run_all()
        assert len(errors) == 1

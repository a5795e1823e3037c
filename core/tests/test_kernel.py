"""
The kernel: dependencies, failures, retries, cancelling, the end.
"""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError, Future

import pytest
import warpbeam
from warpbeam import python_app
from warpbeam.contracts import (
    Fail,
    Health,
    LossCause,
    Outcome,
    OutcomeKind,
    Retry,
    TaskState,
    TryId,
    WorkerDied,
)
from warpbeam.errors import DependencyError, ExecutorDead, KernelClosedError, WouldDeadlockError


@python_app
def plus(a, b=1):
    return a + b


@python_app
def fail(message):
    raise ValueError(message)


def lost(try_id, cause, **more):
    return Outcome(try_id, OutcomeKind.LOST, error=WorkerDied("it died"), cause=cause, **more)


class TestDependencies:
    @pytest.mark.row("GUA-01", "DFK-21", "RULE-04")
    def test_a_task_waits_for_its_arguments(self, manual):
        """A task is handed over when all it depends on is done, foreign futures included."""
        foreign = Future()
        first = plus(1)
        second = plus(first, foreign)
        assert len(manual.seen) == 1
        manual.run_all()
        assert len(manual.seen) == 1
        foreign.set_result(5)
        manual.run_all()
        assert second.result() == 7

    @pytest.mark.row("DFK-23", "DFK-24", "GUA-02", "ERR-08")
    def test_a_failure_fails_what_depends_on_it_and_nothing_else(self, inline):
        """Dependents are dep_fail with the root cause; other branches go on."""
        root = fail("root")
        chain = plus(plus(root))
        error = chain.exception()
        assert isinstance(error, DependencyError)
        assert isinstance(error.__cause__, ValueError)
        assert str(error).startswith("ValueError: root")
        assert chain.task_status() == "dep_fail"
        assert plus(1).result() == 2

    def test_a_failed_foreign_future_fails_dependents(self, manual):
        """Whether it fails before or after the call, or is cancelled."""
        late, early, cancelled = Future(), Future(), Future()
        early.set_exception(OSError("gone"))
        cancelled.cancel()
        futures = [plus(late), plus(early), plus(cancelled)]
        late.set_exception(OSError("gone"))
        assert [type(future.exception().__cause__) for future in futures] == [OSError, OSError, CancelledError]

    def test_long_chains_need_no_stack(self, inline):
        """Ten thousand links, and ten thousand failing ones."""
        future, failing = plus(0), fail("x")
        for _ in range(10_000):
            future, failing = plus(future), plus(failing)
        assert future.result() == 10_001
        assert isinstance(failing.exception().__cause__, ValueError)
        assert "more" in str(failing.exception())

    def test_a_wide_fan_in_is_one_task(self, inline):
        """Ten thousand futures in one list."""
        total = python_app(lambda items: sum(items))
        assert total([plus(i) for i in range(10_000)]).result() == sum(range(1, 10_001))

    def test_a_future_hidden_in_an_argument_is_named(self):
        """A future cannot be pickled or copied; the error says what to do."""
        import copy
        import pickle

        future = warpbeam.AppFuture(None, 3, plus._spec)
        for act in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match=r"AppFuture 3 plus.*Pass it to the app"):
                act(future)


class TestFailures:
    @pytest.mark.row("DFK-28", "FUT-10", "CFG-07")
    def test_retries_are_not_seen(self, tmp_path):
        """A task that fails twice and then works shows its result only."""
        calls = []

        @python_app
        def flaky():
            calls.append(1)
            if len(calls) < 3:
                raise ValueError
            return "done"

        with warpbeam.load(executors=["threads"], retries=2) as kernel:
            assert flaky().result() == "done"
            assert kernel.task_counts[TaskState.exec_done] == 1

    @pytest.mark.row("CFG-08")
    def test_a_retry_handler_sets_the_cost(self):
        """A failure of cost 2 uses up two retries; one that raises ends the task with its exception."""
        costs = []

        def cost(error, task):
            costs.append((str(error), task.fail_count))
            return 2

        with warpbeam.load(executors=["threads"], retries=4, retry_handler=cost):
            assert isinstance(fail("a").exception(), ValueError)
        assert costs == [("a", 0), ("a", 1), ("a", 2)]

        def broken(error, task):
            raise KeyError("own")

        with warpbeam.load(executors=["threads"], retries=4, retry_handler=broken):
            assert isinstance(fail("a").exception(), KeyError)

    def test_a_policy_decides(self):
        """A policy may change arguments, wait, or fail with an error of its own."""

        class Policy:
            def decide(self, failure):
                if failure.task.fail_count == 1:
                    return Retry(delay_s=0.01, kwargs={"b": 10})
                return Fail(error=LookupError("enough"))

        @python_app
        def picky(b=1):
            if b == 1:
                raise ValueError
            return b

        with warpbeam.load(executors=["threads"], retry_policy=Policy()):
            assert picky().result() == 10
            assert isinstance(fail("x").exception(), LookupError)

    @pytest.mark.row("GUA-03")
    def test_a_lost_try_is_run_again(self, manual):
        """A worker killed from outside is charged to lost_retries; the result comes from a later try."""
        future = plus(1)
        for attempt in range(3):
            manual.begin(TryId(0, attempt))
            manual.end(lost(TryId(0, attempt), LossCause.WORKER_KILLED))
        assert manual.seen[-1].suspect
        manual.run_all()
        assert future.result() == 2

    def test_a_lost_try_ends_the_task_when_it_may_not_be_repeated(self, manual):
        """lost_retries=0 is for what must not run twice; the error carries the task."""
        future = plus.options(lost_retries=0)(1)
        manual.end(lost(manual.only(), LossCause.MANAGER))
        assert isinstance(future.exception(), WorkerDied)
        assert (future.exception().task, future.exception().name) == (0, "plus")

    def test_outcomes_of_old_tries_are_dropped(self, manual):
        """A late or doubled outcome changes nothing and is counted."""
        future = plus(1)
        first = manual.only()
        manual.end(lost(first, LossCause.WORKER_KILLED))
        manual.host.completed([Outcome(first, OutcomeKind.RETURNED, "late")])
        manual.run_all()
        manual.host.completed([Outcome(manual.seen[-1].try_id, OutcomeKind.RETURNED, "again")])
        assert future.result() == 2
        assert manual.host._kernel._dropped == 2

    @pytest.mark.row("BETTER-12", "DFK-26")
    def test_a_refused_call_is_not_retried(self, refusing):
        """What an executor refuses fails at once, whatever retries say."""
        with warpbeam.load(executors=[refusing], retries=5):
            future = plus(1)
            assert str(future.exception()) == "no room"

    def test_a_dead_executor_fails_its_tasks(self, manual):
        """Tasks of a dead executor fail in time with the reason and the error."""
        waiting = plus(plus(1))
        manual.host.health(Health.DEAD, "the worker command exits with 127", OSError("not found"))
        error = waiting.exception().__cause__
        assert isinstance(error, ExecutorDead)
        assert "127" in str(error)
        assert isinstance(plus(1).exception(), ExecutorDead)


class TestCancel:
    @pytest.mark.row("FUT-07", "BETTER-01", "FUT-13")
    def test_before_the_start(self, manual):
        """A queued task is dropped, its dependents fail naming it, a late outcome is dropped."""
        future = plus(1)
        child = plus(future)
        assert future.cancel()
        assert future.cancelled()
        assert future.done()
        assert isinstance(child.exception(), DependencyError)
        assert "task 0" in str(child.exception())
        with pytest.raises(CancelledError):
            future.result()
        assert future.task_status() == "cancelled"

    @pytest.mark.row("BETTER-01")
    def test_while_running(self, manual):
        """A running task is cancelled only by kill=True."""
        future = plus(1)
        manual.begin(manual.only())
        assert future.running()
        assert not future.cancel()
        assert future.cancel(kill=True)
        assert manual.cancelled == [TryId(0, 0)]

    def test_a_cancelled_try_must_not_start(self, manual):
        """`started` names the tries that were cancelled meanwhile."""
        future = plus(1)
        try_id = manual.only()
        future.cancel()
        assert list(manual.host.started([try_id])) == [try_id]


class TestLifeCycle:
    @pytest.mark.row("DFK-01", "DFK-02", "DFK-03")
    def test_load_and_clear(self):
        """One kernel is loaded at a time; clear forgets it without closing it."""
        kernel = warpbeam.load(executors=["threads"])
        assert warpbeam.current_kernel() is kernel
        with pytest.raises(warpbeam.errors.ConfigurationError, match="already been loaded"):
            warpbeam.load()
        warpbeam.clear()
        with pytest.raises(warpbeam.NoKernelLoadedError):
            warpbeam.current_kernel()
        bound = python_app(kernel=kernel)(lambda: 3)
        assert bound().result() == 3
        kernel.close()
        kernel.close()

    @pytest.mark.row("DFK-05", "DFK-41", "CFG-04")
    def test_wait_is_the_default_end(self):
        """Leaving the block waits for all tasks."""
        with warpbeam.load(executors=["threads"]):
            future = plus(plus(1))
        assert future.done()

    @pytest.mark.row("DFK-40", "DFK-41", "BETTER-05")
    def test_an_exception_cancels(self, manual_type):
        """An exception leaving the block cancels what has not started, and goes through."""
        futures = []

        def run():
            with warpbeam.load(executors=[manual_type()]):
                futures.extend((plus(1), plus(plus(1))))
                raise LookupError

        with pytest.raises(LookupError):
            run()
        future, child = futures
        assert future.cancelled()
        assert child.cancelled()

    @pytest.mark.row("DFK-42")
    def test_skip_leaves_it_running(self):
        """exit_mode="skip" neither closes nor forgets."""
        with warpbeam.load(executors=["threads"], exit_mode="skip") as kernel:
            pass
        assert warpbeam.current_kernel() is kernel
        assert plus(1).result() == 2
        kernel.close()

    @pytest.mark.row("DFK-20")
    def test_a_closed_kernel_takes_no_calls(self):
        """The error names the kernel's directory."""
        with warpbeam.load(executors=["threads"]) as kernel:
            bound = python_app(kernel=kernel)(lambda: 3)
        with pytest.raises(KernelClosedError, match=str(kernel.run.directory)):
            bound()

    @pytest.mark.row("DFK-04", "DFK-33")
    def test_waiting_for_current_tasks(self, threads):
        """All tasks that are live are done afterwards; a time-out is told."""
        release = threading.Event()
        blocked = python_app(release.wait)()
        assert not threads.wait(0.01)
        release.set()
        warpbeam.wait_for_current_tasks()
        assert blocked.done()

    @pytest.mark.row("DFK-37", "CFG-09")
    def test_run_directories_are_numbered(self, tmp_path):
        """000, 001, and after 999 comes 1000; other names do not count."""
        for name in ("000", "999", "note"):
            (tmp_path / "runs" / name).mkdir(parents=True)
        with warpbeam.load(executors=["threads"], run_dir=tmp_path / "runs") as kernel:
            assert kernel.run.directory == tmp_path / "runs" / "1000"

    @pytest.mark.row("DFK-32")
    def test_executors_may_be_added_and_removed(self, threads):
        """A kernel takes more executors while it runs, and gives them up."""
        threads.add_executors([warpbeam.executors.ThreadPoolExecutor(label="more")])
        app = python_app(executors=["more"])(lambda: threading.current_thread().name)
        assert "more" in app().result()
        threads.remove_executor("more")
        with pytest.raises(warpbeam.errors.UnknownExecutorError):
            app()
        with pytest.raises(warpbeam.errors.ConfigurationError, match="'threads' is used twice"):
            threads.add_executors(["threads"])

    def test_closing_in_a_callback_asks_for_it(self, tmp_path):
        """close() in a callback or a task returns at once, and the kernel closes."""
        kernel = warpbeam.Kernel(warpbeam.Config(executors=["threads"]))
        done = python_app(kernel=kernel)(lambda: 1)()
        done.add_done_callback(lambda _: kernel.close())
        assert done.result() == 1
        assert kernel._closing._is_closed.wait(10)

    def test_back_pressure(self, tmp_path):
        """max_outstanding holds a loop back, and not a callback."""
        with warpbeam.load(executors=["threads"], max_outstanding=3) as kernel:
            for number in range(50):
                plus(number)
                assert sum(count for state, count in kernel.task_counts.items() if state < 3 or state == 7) <= 3


class TestCallbacks:
    def test_what_they_raise_is_logged(self, inline, caplog):
        """Neither an exception nor SystemExit stops the others."""
        seen = []

        def leave(_):
            raise SystemExit

        future = plus(1)
        for callback in (lambda _: 1 / 0, leave, seen.append):
            future.add_done_callback(callback)
        assert seen == [future]
        assert caplog.text.count("a callback of") == 2

    def test_they_may_call_apps_and_not_wait(self, manual):
        """An app may be called in a callback; waiting there raises at once."""
        results = []

        def callback(_):
            other = plus(5)
            results.append(other)
            with pytest.raises(WouldDeadlockError):
                other.result()
            with pytest.raises(WouldDeadlockError):
                warpbeam.current_kernel().wait()

        plus(1).add_done_callback(callback)
        manual.run_all()
        assert results[0].result() == 6

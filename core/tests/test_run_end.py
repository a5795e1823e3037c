"""
What a kernel shows of its run, how the run ends, what is left of it, and the configuration that outlives it.
"""

from __future__ import annotations

import gc
import threading
import tracemalloc
import uuid
import weakref

import pytest
import warpbeam
from warpbeam import AppFuture, Config, Kernel, bash_app, python_app
from warpbeam.contracts import MemoKey, TaskState
from warpbeam.dataflow.task import Task
from warpbeam.engine import closing, watchdog
from warpbeam.errors import KernelClosedError, NoKernelLoadedError
from warpbeam.kernel import live_kernels


PATIENCE_S = 20


@python_app
def plus(a, b=1):
    return a + b


class TestWhatAKernelShows:
    @pytest.mark.row("DFK-31")
    def test_its_run(self, tmp_path, manual_type):
        """Id (a uuid, another one for each run), directory, name, configuration."""
        config = Config(executors=[manual_type()], run_dir="runs", retries=3)
        with Kernel(config) as one, Kernel(config) as two:
            assert str(uuid.UUID(one.run.run_id)) == one.run.run_id
            assert one.run.run_id != two.run.run_id
            assert one.run.directory.is_absolute()
            assert (one.run.directory, two.run.directory) == (tmp_path / "runs" / "000", tmp_path / "runs" / "001")
            assert one.config == config
            assert one.run.config is one.config
            assert str(one.run.directory) in repr(one)

    @pytest.mark.row("DFK-31", "DFK-32")
    def test_its_executors(self, manual, manual_type):
        """The running ones, by label; those that are added are there as well."""
        kernel = warpbeam.current_kernel()
        assert list(kernel.executors) == ["manual"]
        assert kernel.executors["manual"] is manual
        kernel.add_executors([manual_type(label="more")])
        assert list(kernel.executors) == ["manual", "more"]

    @pytest.mark.row("DFK-31")
    def test_its_counts(self, manual):
        """Of live and of ended tasks, by state; a snapshot."""
        kernel = warpbeam.current_kernel()
        assert not kernel.task_counts
        first, other = plus(1), plus("x")
        waiting = [plus(first), plus(other)]
        before = kernel.task_counts
        assert before == {TaskState.launched: 2, TaskState.pending: 2}
        manual.begin(next(iter(manual.calls)))
        assert kernel.task_counts[TaskState.running] == 1
        manual.run_all()
        assert kernel.task_counts == {TaskState.exec_done: 2, TaskState.failed: 1, TaskState.dep_fail: 1}
        assert before == {TaskState.launched: 2, TaskState.pending: 2}
        assert [future.done() for future in waiting] == [True, True]
        assert "2 exec_done" in repr(kernel)


class TestClosing:
    @pytest.mark.row("DFK-34", "BETTER-05")
    def test_in_order(self, manual_type):
        """Tasks, executors, the memo store, the hook of the end; a closed kernel takes no calls and is not the default."""
        seen = []

        class Observed(manual_type().start(None).__class__):
            def stop(self, *, deadline):
                seen.append(("executor", memo.is_open, future.done()))
                super().stop(deadline=deadline)

        class Memo:
            is_open = True

            def start(self, host):
                return self

            def key(self, call):
                return MemoKey(repr(call.args))

            def get(self, keys):
                return {}

            def put(self, items):
                seen.append(("put", len(items)))

            def stop(self):
                if self.is_open:
                    seen.append(("memo", future.done()))
                self.is_open = False

        class Hooks:
            @warpbeam.hookimpl
            def warpbeam_run_finished(self, end):
                seen.append(("hook", memo.is_open))

        class Description(manual_type):
            def start(self, host):
                return Observed(self, host)

        memo = Memo()
        kernel = warpbeam.load(executors=[Description(runs_inline=True)], memo=memo, plugins=[Hooks()])
        future = python_app(cache=True)(int)("1")
        kernel.close()
        assert seen == [("put", 1), ("executor", True, True), ("memo", True), ("hook", False)]
        with pytest.raises(NoKernelLoadedError):
            warpbeam.current_kernel()
        with pytest.raises(KernelClosedError):
            python_app(kernel=kernel)(int)("1")

    @pytest.mark.row("DFK-34", "BETTER-05")
    def test_again_and_from_many_threads(self, tmp_path):
        """A second close does nothing; those that come while it goes on wait for it."""
        kernel = Kernel(Config(executors=["threads"]))
        release = threading.Event()
        future = python_app(kernel=kernel)(release.wait)()
        closers = [threading.Thread(target=kernel.close) for _ in range(4)]
        for closer in closers:
            closer.start()
        release.set()
        for closer in closers:
            closer.join(PATIENCE_S)
            assert not closer.is_alive()
        assert future.result() is True
        kernel.close()
        with kernel:
            pass

    @pytest.mark.row("DFK-34")
    def test_only_its_own_default_is_forgotten(self, threads, manual_type):
        """Closing another kernel leaves the loaded one."""
        with Kernel(Config(executors=[manual_type()])):
            pass
        assert warpbeam.current_kernel() is threads
        assert plus(1).result(PATIENCE_S) == 2

    @pytest.mark.row("DFK-34", "DFK-35")
    def test_nothing_is_left_for_the_end_of_the_interpreter(self, manual_type, caplog):
        """A closed kernel, although somebody holds it, is not warned of."""
        with warpbeam.load(executors=[manual_type()], exit_mode="cancel") as kernel:
            plus(1)
            assert kernel in live_kernels
        assert kernel not in live_kernels
        closing._at_exit()
        assert not caplog.records

    @pytest.mark.row("DFK-34", "BETTER-05")
    def test_an_executor_that_cannot_stop(self, manual_type, caplog):
        """It is logged, the other parts are closed all the same, and every task ends."""

        class Broken(manual_type().start(None).__class__):
            def stop(self, *, deadline):
                raise OSError("will not stop")

        class Description(manual_type):
            def start(self, host):
                return Broken(self, host)

        with warpbeam.load(executors=[Description(label="broken"), manual_type()], exit_mode="cancel"):
            future = plus.options(executors=["broken"])(1)
            other = plus.options(executors=["manual"])(1)
        assert "'broken' failed to stop" in caplog.text
        assert isinstance(future.exception(), KernelClosedError)
        assert "task 0 (plus)" in str(future.exception())
        assert other.cancelled()


class TestWhatIsLeft:
    @pytest.mark.row("DFK-43", "BETTER-21", "CFG-05")
    def test_the_record_is_gone_before_the_future_is_done(self, manual):
        """A callback, the first that can see the future done, finds nothing of the task in the kernel."""
        kernel = warpbeam.current_kernel()
        seen = []

        def look(future):
            seen.append((future.tid in kernel._tasks, future._task, future.task_status()))

        first, failing = plus(1), plus("x")
        for future in (first, failing, plus(first), plus(failing)):
            future.add_done_callback(look)
        manual.run_all()
        assert sorted(status for _, _, status in seen) == ["dep_fail", "exec_done", "exec_done", "failed"]
        assert all((is_kept, task) == (False, None) for is_kept, task, _ in seen)

    @pytest.mark.row("DFK-43", "BETTER-21")
    @pytest.mark.parametrize("end", ["done", "failed", "dependency", "cancelled", "bash", "special"])
    def test_arguments_and_results_are_let_go(self, manual, end):
        """However a task ends, the kernel, its executor's slot and its graph keep neither arguments nor future."""

        class Thing:
            pass

        def work(thing, other=None, walltime=None):
            if end in ("failed", "dependency"):
                raise ValueError
            return Thing()

        thing = Thing()
        app = bash_app(lambda thing: "true") if end == "bash" else python_app(work)
        future = app(thing, **({"walltime": 5} if end == "special" else {}))
        futures = [future]
        if end == "dependency":
            futures.append(app(thing, other=future))
        if end == "cancelled":
            assert future.cancel()
        manual.run_all()
        manual.seen.clear()
        manual.begun.clear()
        assert all(one.done() for one in futures)
        watched = [weakref.ref(thing), *map(weakref.ref, futures)]
        del thing, future, futures
        gc.collect()
        assert [one() for one in watched] == [None] * len(watched)
        kernel = warpbeam.current_kernel()
        assert not kernel._tasks
        assert not kernel._startable
        assert not kernel._graph._children

    @pytest.mark.row("DFK-43", "BETTER-21")
    def test_foreign_futures_are_let_go(self, manual):
        """Once what waited for them has ended."""
        from concurrent.futures import Future

        kernel = warpbeam.current_kernel()
        foreign = Future()
        waiting = plus(foreign)
        foreign.set_result(1)
        manual.run_all()
        assert waiting.result() == 2
        assert not kernel._foreign

    @pytest.mark.row("BETTER-21", "DFK-43")
    def test_memory_goes_with_live_tasks(self, threads):
        """After tens of thousands of tasks there is no more than after some thousands, and no object of theirs."""

        def some(number):
            for _ in range(number // 1000):
                future = plus(0)
                for _ in range(999):
                    future = plus(future)
                assert future.result(PATIENCE_S) == 1000
            threads.wait()

        watchdog.look(threads)  # what it imports is not the tasks'
        tracemalloc.start()
        try:
            some(3_000)
            gc.collect()
            before, _ = tracemalloc.get_traced_memory()
            some(30_000)
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert after - before < 30_000  # a byte for each task
        objects = gc.get_objects()
        kept = [one for one in objects if type(one) is AppFuture and one._kernel is threads]
        kept += [one for one in objects if type(one) is Task and one.future._kernel is threads]
        assert len(kept) <= 2
        assert threads.task_counts == {TaskState.exec_done: 33_000}


class TestOneConfigurationForManyRuns:
    @pytest.mark.row("CFG-19", "BETTER-11", "CFG-18")
    def test_one_after_the_other(self, manual_type):
        """Each run works, and the configuration looks the same before and after."""
        config = Config(executors=[manual_type(runs_inline=True)], retries=1)
        before = repr(config)
        for number in range(3):
            with warpbeam.load(config) as kernel:
                assert plus(number).result() == number + 1
                assert kernel.run.directory.name == f"00{number}"
        assert repr(config) == before

    @pytest.mark.row("CFG-19", "BETTER-11", "DFK-07")
    def test_at_the_same_time(self, tmp_path):
        """Each kernel has executors, tasks and a directory of its own; one that closes leaves the others."""
        config = Config(executors=["threads"])
        kernels = [Kernel(config) for _ in range(3)]
        apps = [python_app(kernel=kernel)(lambda x: x + 1) for kernel in kernels]
        future = 0
        for app in [*apps, *apps]:
            future = app(future)
        assert future.result(PATIENCE_S) == 6
        assert len({kernel.run.directory for kernel in kernels}) == 3
        assert len({id(kernel.executors["threads"]) for kernel in kernels}) == 3
        assert [kernel.task_counts[TaskState.exec_done] for kernel in kernels] == [2, 2, 2]
        kernels[1].close()
        assert apps[2](apps[0](1)).result(PATIENCE_S) == 3
        for kernel in kernels:
            kernel.close()

    @pytest.mark.row("CFG-19", "BETTER-11")
    def test_memo_stores_are_not_shared(self, tmp_path):
        """A description of a store starts one for each run."""
        config = Config(executors=["threads"], memo="memory")
        runs = []

        def work(x):
            runs.append(x)
            return x

        for _ in range(2):
            with warpbeam.load(config):
                app = python_app(cache=True)(work)
                assert app(1).result(PATIENCE_S) == app(1).result(PATIENCE_S) == 1
        assert runs == [1, 1]


class TestRules:
    @pytest.mark.row("RULE-03")
    def test_generators_of_a_shared_process(self, threads):
        """Where nothing travels, a generator is an ordinary object."""
        made = python_app(lambda: (number for number in range(3)))().result(PATIENCE_S)
        assert list(made) == [0, 1, 2]

    @pytest.mark.row("RULE-03")
    def test_streams_are_not_redirected(self, inline, capsys, tmp_path):
        """What a python app prints goes where the worker's prints go, whatever `stdout=` says."""

        @python_app
        def speak(stdout=None):
            print("spoken")

        assert speak(stdout="out.txt").result() is None
        assert capsys.readouterr().out == "spoken\n"
        assert not (tmp_path / "out.txt").exists()

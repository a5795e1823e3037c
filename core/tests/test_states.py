"""
The states of tasks: names, numbers, transitions, the end; what a record shows of them; tries.
"""

from __future__ import annotations

import pytest
import warpbeam
from warpbeam import Resources, python_app
from warpbeam.contracts import FINAL_FAILURE_STATES, FINAL_STATES, TRANSITIONS, Outcome, OutcomeKind, TaskInfo, TaskState
from warpbeam.dataflow import lifecycle
from warpbeam.errors import DependencyError, InternalError


KNOWN = {
    "pending": 0,
    "running": 2,
    "exec_done": 3,
    "failed": 4,
    "dep_fail": 5,
    "launched": 7,
    "fail_retryable": 8,
    "memo_done": 9,
    "joining": 10,
    "running_ended": 11,
}


@python_app
def plus(a, b=1):
    return a + b


@python_app
def fail(text):
    raise ValueError(text)


class TestTables:
    @pytest.mark.row("DFK-50")
    def test_names_and_numbers(self):
        """Those that readers of Parsl's logs know, and one for what was cancelled."""
        assert {state.name: state.value for state in TaskState} == KNOWN | {"cancelled": 12}
        assert str(TaskState.exec_done) == "TaskState.exec_done"
        assert TaskState.pending == 0

    @pytest.mark.row("DFK-51")
    def test_final_states(self):
        """Nothing follows them; those without a result are named."""
        assert {state.name for state in FINAL_STATES} == {"exec_done", "memo_done", "failed", "dep_fail", "cancelled"}
        assert {state.name for state in FINAL_FAILURE_STATES} == {"failed", "dep_fail", "cancelled"}

    @pytest.mark.row("DFK-50", "DFK-51")
    def test_every_state_is_reached_and_left(self):
        """From pending every state can be reached, and from every state an end."""

        def reached(start):
            found, todo = {start}, [start]
            while todo:
                for state in TRANSITIONS[todo.pop()] - found:
                    found.add(state)
                    todo.append(state)
            return found

        assert set(TRANSITIONS) == set(TaskState)
        assert reached(TaskState.pending) == set(TaskState)
        assert all(reached(state) & FINAL_STATES for state in TaskState)

    @pytest.mark.row("DFK-50")
    def test_an_illegal_change_tells_the_story(self, inline):
        """It is our fault, and the error has the task in it."""
        future = plus(1)
        assert future.result() == 2

        class Fake:
            id, state, attempt, trouble, spec = 7, TaskState.exec_done, 2, None, future._spec

        with pytest.raises(InternalError, match=r"task 7 \(plus\) cannot go from TaskState.exec_done to TaskState.running"):
            lifecycle.move(Fake(), TaskState.running)

    @pytest.mark.row("DFK-51", "FUT-06")
    def test_each_task_ends_in_one(self, manual):
        """Whatever becomes of it, and stays there."""
        kernel = warpbeam.current_kernel()
        good, bad = plus(1), fail("x")
        child, dropped = plus(bad), plus(2)
        dropped.cancel()
        manual.run_all()
        ends = [future.task_status() for future in (good, bad, child, dropped)]
        assert ends == ["exec_done", "failed", "dep_fail", "cancelled"]
        assert set(kernel.task_counts) <= FINAL_STATES
        assert not good.cancel()
        assert good.task_status() == "exec_done"


class TestRecords:
    @pytest.mark.row("DFK-60", "FUT-03")
    def test_a_live_task(self, manual):
        """Every documented field has its value, and each attribute of the record is documented."""
        parent = plus(1)
        app = plus.options(tags=["x"], resources=Resources(cores=2))
        record = app(parent, b=parent, label="mine").task_record
        assert (record.id, record.func_name, record.kind, record.status) == (1, "plus", "python", TaskState.pending)
        assert set(record.depends) == {0}
        assert (record.tags, record.label, record.resources.cores) == (("x",), "mine", 2)
        assert (record.attempt, record.executor, record.from_memo) == (0, "", False)
        assert record.run_directory == warpbeam.current_kernel().run.directory
        for name in TaskInfo.__annotations__:
            assert f"        {name}: " in TaskInfo.__doc__
        manual.run_all()

    @pytest.mark.row("DFK-60", "CFG-08")
    def test_what_retry_handlers_get(self):
        """The record of the failed try: the failures before it, their cost and history, the executor."""
        seen = []

        def handler(error, record):
            seen.append((type(error).__name__, record.fail_count, record.fail_cost, len(record.fail_history), record.attempt))
            assert record.executor == "threads"
            assert record.func_name == "fail"
            return 0.5

        with warpbeam.load(executors=["threads"], retries=1, retry_handler=handler):
            assert isinstance(fail("x").exception(20), ValueError)
        assert seen == [("ValueError", number, number / 2, number, number) for number in range(3)]

    @pytest.mark.row("DFK-60", "CFG-10")
    @pytest.mark.parametrize("kind", ["text", "path", "tuple", "file"])
    def test_what_std_autopath_gets_and_gives(self, tmp_path, manual_type, kind):
        """It gets the record and the stream's name; a str, a path, a tuple and a File are taken."""
        seen = []

        def choose(record, name):
            seen.append((record.id, record.func_name, record.label, name))
            path = tmp_path / "logs" / f"{record.func_name}.{name}"
            return {"text": str(path), "path": path, "tuple": (str(path), "w"), "file": warpbeam.File(path)}[kind]

        def speak(stdout=warpbeam.AUTO_LOGNAME, label=""):
            return "echo hi"

        with warpbeam.load(executors=[manual_type(runs_inline=True)], std_autopath=choose):
            future = warpbeam.bash_app(speak)(label="mine")
            assert future.result() == 0
        assert seen == [(0, "speak", "mine", "stdout")]
        assert (tmp_path / "logs" / "speak.stdout").read_text() == "hi\n"
        assert isinstance(future.stdout, warpbeam.DataFuture) == (kind == "file")


class TestTries:
    @pytest.mark.row("DFK-28", "FUT-10", "CFG-07")
    def test_a_failure_between_is_not_seen(self, manual_type):
        """The future does not flicker: no callback, no exception, not done, until the last try."""
        with warpbeam.load(executors=[manual_type()], retries=2, exit_mode="cancel") as kernel:
            manual = kernel.executors["manual"]
            future, called = plus(1), []
            future.add_done_callback(called.append)
            for attempt in range(2):
                try_id = manual.only()
                assert (try_id.task, try_id.attempt) == (0, attempt)
                manual.begin(try_id)
                manual.end(Outcome(try_id, OutcomeKind.RAISED, error=ValueError("between")))
                record = future.task_record
                assert (record.attempt, record.fail_count, record.fail_cost) == (attempt + 1, attempt + 1, attempt + 1)
                assert len(record.fail_history) == attempt + 1
                assert "between" in record.fail_history[-1]
                assert not future.done()
                assert not called
            manual.run_all()
            assert future.result() == 2
            assert called == [future]

    @pytest.mark.row("DFK-23", "DFK-24", "CFG-07", "ERR-08")
    def test_dependency_failures_are_never_retried(self):
        """Nor started, whatever the budget; the parent's own tries are over first."""
        tries, started = [], []

        @python_app
        def parent(outputs=()):
            tries.append(1)
            raise ValueError("root")

        with warpbeam.load(executors=["threads"], retries=3) as kernel:
            future = parent(outputs=[warpbeam.File("x")])
            children = [python_app(started.append)(future), python_app(started.append)(future.outputs[0])]
            other = plus(1)
            errors = [child.exception(20) for child in children]
            assert other.result(20) == 2
            assert kernel.task_counts[TaskState.dep_fail] == 2
        assert len(tries) == 4
        assert not started
        assert all(isinstance(error, DependencyError) for error in errors)
        assert [error.dependent_exceptions_tids[0][1] for error in errors] == ["task 0", "DataFuture from task 0"]
        assert [error.task_id for error in errors] == [1, 2]


class TestWaysToEnd:
    @pytest.mark.row("DFK-40", "DFK-05", "CFG-04")
    @pytest.mark.parametrize("mode", ["cancel", "cleanup"])
    def test_cancel_does_not_wait(self, manual_type, mode):
        """What has not started is cancelled, also without an exception, and the kernel is forgotten."""
        with warpbeam.load(executors=[manual_type()], exit_mode=mode) as kernel:
            future = plus(plus(1))
        assert future.cancelled()
        assert "cancel" in repr(kernel) or "closed" in repr(kernel)
        with pytest.raises(warpbeam.NoKernelLoadedError):
            warpbeam.current_kernel()

    @pytest.mark.row("DFK-40", "DFK-41", "DFK-05")
    @pytest.mark.parametrize("mode", ["cancel", "wait"])
    def test_exceptions_go_through(self, manual_type, mode):
        """They end the run at once, and are the program's."""
        futures = []

        def program():
            with warpbeam.load(executors=[manual_type()], exit_mode=mode):
                futures.append(plus(1))
                raise LookupError("own")

        with pytest.raises(LookupError, match="own"):
            program()
        assert futures[0].cancelled()

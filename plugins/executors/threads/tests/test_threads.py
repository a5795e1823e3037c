"""
The thread pool through the kernel.
"""

from __future__ import annotations

import threading

import pytest
import warpbeam
from warpbeam import python_app
from warpbeam.contracts import AppExited, AppTimeout, ConfigurationError, InvalidResourcesError
from warpbeam.executors import ThreadPoolExecutor


@pytest.fixture(name="kernel")
def _kernel():
    with warpbeam.load(executors=[ThreadPoolExecutor(max_threads=2)], exit_mode="cancel", exit_grace=0) as kernel:
        yield kernel


class TestThreads:
    @pytest.mark.row("THR-01", "EXE-03")
    def test_options(self):
        """Names of threads begin with the prefix, which has the label in it."""
        with warpbeam.load(executors=[ThreadPoolExecutor(label="mine", max_threads=1)]):
            name = python_app(lambda: threading.current_thread().name)().result()
        assert name.startswith("ThreadPoolExecutor-mine")

    @pytest.mark.row("THR-01", "EXE-03")
    def test_every_option(self):
        """Label and prefix may be given; the defaults are a thread a usable core and no staging of its own."""
        default = ThreadPoolExecutor()
        assert (default.label, default.thread_name_prefix, default.storage_access, default.working_dir) == (
            "threads",
            *[None] * 3,
        )
        assert default.max_threads >= 1
        stager = object()
        given = ThreadPoolExecutor(
            label="mine", max_threads=3, thread_name_prefix="worker", storage_access=[stager], working_dir="/x"
        )
        assert (given.storage_access, given.working_dir) == ([stager], "/x")
        with warpbeam.load(executors=[given]) as kernel:
            name = python_app(lambda: threading.current_thread().name)().result()
            assert list(kernel.executors) == ["mine"]
        assert name.startswith("worker")
        assert "mine" not in name

    @pytest.mark.row("THR-01")
    def test_no_more_threads_than_given(self):
        """As many tasks run at once as there are threads, and no more."""
        meeting, running, most, lock = threading.Barrier(3), [], [], threading.Lock()

        def task():
            with lock:
                running.append(1)
                most.append(len(running))
            meeting.wait(20)
            with lock:
                running.pop()

        with warpbeam.load(executors=[ThreadPoolExecutor(max_threads=3)]):
            futures = [python_app(task)() for _ in range(9)]
            for future in futures:
                future.result(30)
        assert max(most) == 3

    @pytest.mark.row("THR-02", "ERR-09")
    def test_every_key_that_is_refused_is_named(self, kernel):
        """All of them, whichever way they were given; the call makes no task."""
        for given in ({"resources": {"cores": 1, "gpus": 2}}, {"parsl_resource_specification": {"cores": 1, "gpus": 2}}):
            with pytest.raises(InvalidResourcesError) as caught:
                python_app(lambda: 1)(**given)
            assert caught.value.invalid_keys == {"cores", "gpus"}
        assert python_app(lambda: 1)(resources={}).result() == 1
        assert sum(kernel.task_counts.values()) == 1

    @pytest.mark.row("THR-04", "GUA-16", "RULE-02")
    def test_changes_are_seen_and_tasks_may_call_apps(self, kernel):
        """What a task does to its argument is done to the caller's; nothing need be serializable; tasks make tasks."""
        given = {"lock": threading.Lock(), "seen": []}

        @python_app
        def change(thing):
            thing["seen"].append(python_app(lambda: 5)().result(20))
            return (number for number in thing["seen"])

        result = change(given).result(20)
        assert given["seen"] == [5]
        assert list(result) == [5]

    @pytest.mark.parametrize("wrong", [0, -1, "2", 1.5, True])
    def test_wrong_options_are_refused(self, wrong):
        """max_threads must be a whole number of at least 1."""
        with pytest.raises(ConfigurationError, match="max_threads"):
            ThreadPoolExecutor(max_threads=wrong)

    @pytest.mark.row("THR-02", "ERR-09")
    def test_resources_are_refused(self, kernel):
        """Threads honour no resources."""
        with pytest.raises(InvalidResourcesError, match="cores"):
            python_app(lambda: 1).options(resources={"cores": 1})()

    @pytest.mark.row("THR-04", "RULE-02")
    def test_objects_are_shared(self, kernel):
        """Arguments and results are the same objects."""
        thing = object()
        assert python_app(lambda given: given)(thing).result() is thing

    @pytest.mark.row("THR-03")
    def test_stopping_waits_for_running_tasks(self):
        """Leaving the block waits for what runs."""
        started, release = threading.Event(), threading.Event()

        def task():
            started.set()
            return release.wait(10)

        with warpbeam.load(executors=[ThreadPoolExecutor(max_threads=1)]):
            future = python_app(task)()
            started.wait()
            threading.Timer(0.05, release.set).start()
        assert future.result() is True

    def test_nested_waits_give_up_their_slot(self, kernel):
        """Tasks that wait for tasks, many levels deep, on two threads."""

        @python_app
        def nested(depth):
            return 0 if depth == 0 else 1 + nested(depth - 1).result()

        assert nested(30).result(20) == 30

    def test_priorities_come_first(self, kernel):
        """The smaller, the sooner, among what is queued."""
        release, order = threading.Event(), []
        blockers = [python_app(release.wait)() for _ in range(2)]
        futures = [python_app(order.append).options(priority=-number)(number) for number in range(5)]
        release.set()
        for future in [*blockers, *futures]:
            future.result()
        assert sorted(order) == list(range(5))
        assert order.index(4) < order.index(0)

    @pytest.mark.row("APP-24", "BETTER-02")
    def test_walltime_fails_the_future_in_time(self, kernel):
        """The future fails, the slot stays occupied until the function returns, and load says so."""
        release = threading.Event()
        future = python_app(release.wait).options(walltime=0.05)()
        error = future.exception(10)
        assert isinstance(error, AppTimeout)
        assert str(error) == "App wait exceeded walltime: 0.05 seconds"
        executor = kernel.executors["threads"]
        assert executor.load().lost_slots == 1
        assert executor.load().capacity == 1
        release.set()
        python_app(lambda: 1)().result()
        kernel.wait()

    def test_system_exit_is_the_tasks(self, kernel):
        """A task that exits fails, and its thread goes on."""

        def leave():
            raise SystemExit(3)

        error = python_app(leave)().exception()
        assert isinstance(error, AppExited)
        assert error.code == 3
        assert python_app(lambda: 1)().result() == 1

    def test_a_function_that_does_not_end_is_left_behind(self, caplog):
        """Stopping with a deadline gives every try its outcome, and says what is left."""
        started, release = threading.Event(), threading.Event()

        def task():
            started.set()
            release.wait()

        with warpbeam.load(executors=["threads"], exit_mode="cancel", exit_grace=0.05):
            future = python_app(task)()
            started.wait()
        assert future.cancelled()
        assert "cannot be killed: task" in caplog.text
        release.set()

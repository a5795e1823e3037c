"""
The configuration: valid or refused at construction.
"""

from __future__ import annotations

import concurrent.futures

import attrs
import pytest
import warpbeam
from warpbeam import Config
from warpbeam.errors import ConfigurationError
from warpbeam.executors import ThreadPoolExecutor


class TestConfig:
    @pytest.mark.row("CFG-18")
    def test_empty_is_valid(self):
        """Every option has a default."""
        config = Config()
        assert (config.retries, config.lost_retries, config.exit_mode) == (0, 3, "wait")

    @pytest.mark.row("CFG-18", "BETTER-11")
    def test_it_is_frozen_and_replaced(self):
        """Changes make another one; what the user has set is known."""
        config = Config(retries=2)
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            config.retries = 3
        other = config.replace(run_dir="x")
        assert (other.retries, other.run_dir, config.run_dir) == (2, "x", "runinfo")
        assert other.set_by_user == {"retries", "run_dir"}
        assert "retries=2" in repr(config)
        assert Config(retries=2) == config

    @pytest.mark.row("CFG-18")
    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"retires": 1}, "retires.*did you mean retries"),
            ({"retries": -1}, "retries=-1.*at least 0"),
            ({"retries": True}, "retries=True.*bool"),
            ({"retries": "2"}, "retries='2'.*str"),
            ({"lost_retries": 1.5}, "lost_retries"),
            ({"exit_mode": "weit"}, "exit_mode='weit'.*did you mean 'wait'"),
            ({"exit_mode": "never"}, "exit_mode='never'.*one of"),
            ({"exit_grace": -1}, "exit_grace"),
            ({"run_dir": 3}, "run_dir=3.*path"),
            ({"run_dir_naming": "random"}, "run_dir_naming"),
            ({"dependency_resolver": "deeep"}, "did you mean 'deep'"),
            ({"dependency_resolver": object()}, "gather replace"),
            ({"max_outstanding": 0}, "max_outstanding"),
            ({"cache": 1}, "cache=1.*True or False"),
            ({"retry_handler": 3}, "retry_handler=3.*function"),
            ({"retry_policy": object()}, "decide"),
            ({"retry_handler": len, "retry_policy": object()}, "not both"),
            ({"executors": []}, "at least one"),
            ({"executors": [ThreadPoolExecutor]}, "is a class"),
            ({"executors": ["threads", "other:threads"]}, "'threads' is used twice"),
            ({"usage_tracking": 1}, "never reports"),
            ({"project_name": "x"}, "never reports"),
            ({"strategy": "simple"}, "belongs to the executors"),
        ],
    )
    def test_what_is_wrong_is_refused(self, options, match):
        """The error names option, value and what would be right."""
        with pytest.raises(ConfigurationError, match=match):
            Config(**options)

    @pytest.mark.row("CFG-01", "BETTER-11")
    def test_one_configuration_serves_many_kernels(self, tmp_path):
        """One after the other, and at once."""
        config = Config(executors=["threads"], run_dir=tmp_path / "runs")
        kernels = [warpbeam.Kernel(config) for _ in range(3)]
        assert len({kernel.run.directory for kernel in kernels}) == 3
        for kernel in kernels:
            kernel.close()

    @pytest.mark.row("CFG-01")
    def test_executors_may_be_any_iterable(self):
        """Or one alone; they are kept as a tuple."""
        executor = ThreadPoolExecutor()
        for given in ([executor], (executor,), iter([executor]), {executor: 1}, executor):
            assert Config(executors=given).executors == (executor,)
        assert Config(executors="threads").executors == ("threads",)
        assert Config().executors is None

    @pytest.mark.row("CFG-18")
    def test_its_repr_is_complete(self):
        """Every option with its value, given or not; it says how to make it again."""
        config = Config(executors=["threads"], retries=2, run_dir="there", exit_mode="cancel", max_outstanding=5)
        for field in attrs.fields(Config):
            assert f"{field.name.lstrip('_')}=" in repr(config) or not field.repr
        assert eval(repr(config)) == config

    @pytest.mark.row("CFG-01")
    def test_something_else_is_no_executor(self, tmp_path):
        """The error says what it lacks."""
        with pytest.raises(ConfigurationError, match="is no executor: it lacks label"):
            warpbeam.Kernel(Config(executors=[object()]))

    @pytest.mark.row("CFG-02", "CFG-05")
    def test_names_that_parsl_users_know(self):
        """memoizer is memo, cleanup is cancel; some are taken without effect."""
        config = Config(memoizer="memory", exit_mode="cleanup", garbage_collect=False, internal_tasks_max_threads=3)
        assert (config.memo, config.exit_mode) == ("memory", "cancel")

    @pytest.mark.row("CFG-03", "DFK-22")
    def test_the_shallow_resolver_finds_arguments_and_inputs(self, tmp_path):
        """And not what is inside a list."""

        def kinds(one, items, inputs=()):
            return type(one).__name__, type(items[0]).__name__, type(inputs[0]).__name__

        with warpbeam.load(executors=["threads"], dependency_resolver="shallow"):
            number = warpbeam.python_app(lambda: 3)()
            found = warpbeam.python_app(kinds)(number, [number], inputs=[number]).result()
        assert found == ("int", "AppFuture", "int")

    @pytest.mark.row("CFG-10", "APP-26", "APP-27")
    def test_automatic_logs(self, threads):
        """AUTO_LOGNAME gives a path below the run's directory, with id, app and label."""

        @warpbeam.bash_app
        def speak(stdout=warpbeam.AUTO_LOGNAME, label=None):
            return "echo hello"

        future = speak(label="loud")
        assert future.stdout == str(threads.run.directory / "task_logs" / "0000" / "task_0000_speak_loud.stdout")
        assert future.result() == 0
        with open(future.stdout) as stream:
            assert stream.read() == "hello\n"

    @pytest.mark.row("CFG-10")
    def test_automatic_logs_by_a_function(self, tmp_path):
        """std_autopath chooses; what it raises is raised by the call."""

        def choose(task, name):
            if task.func_name == "bad":
                raise LookupError(name)
            return tmp_path / f"{task.id}.{name}"

        def good(stdout=warpbeam.AUTO_LOGNAME):
            return "echo hi"

        def bad(stdout=warpbeam.AUTO_LOGNAME):
            return "echo hi"

        with warpbeam.load(executors=["threads"], std_autopath=choose):
            assert warpbeam.bash_app(good)().result() == 0
            with pytest.raises(LookupError):
                warpbeam.bash_app(bad)()
        assert (tmp_path / "0.stdout").read_text() == "hi\n"


class TestPools:
    @pytest.mark.row("CON-01")
    def test_exactly_one_of_kernel_and_config(self, threads):
        """Both or neither is a ValueError."""
        with pytest.raises(ValueError, match="Specify only one"):
            warpbeam.pool.KernelPool(threads, config=Config())
        with pytest.raises(ValueError, match="Must specify one"):
            warpbeam.pool.KernelPool()

    @pytest.mark.row("CON-02", "CON-05")
    def test_submit(self, threads):
        """It is a standard executor whose futures may be arguments."""
        pool = warpbeam.pool.KernelPool(threads)
        assert isinstance(pool, concurrent.futures.Executor)
        assert pool.submit(pow, pool.submit(pow, 2, 2), 3).result() == 64
        assert pool.app_count == 1
        pool.shutdown()
        with pytest.raises(RuntimeError, match="has been shut down"):
            pool.submit(pow, 1, 1)
        assert warpbeam.python_app(lambda: 1)().result() == 1

    @pytest.mark.row("CON-03", "BETTER-23")
    @pytest.mark.parametrize("options", [{}, {"chunksize": 3}, {"buffersize": 2}, {"chunksize": 2, "buffersize": 1}])
    def test_map(self, threads, options):
        """Ordered, chunked, with a bounded number ahead."""
        pool = warpbeam.pool.KernelPool(threads)
        assert list(pool.map(pow, range(10), [2] * 10, **options)) == [number**2 for number in range(10)]

    @pytest.mark.row("CON-03", "BETTER-23")
    def test_map_takes_no_more_than_its_buffer(self, threads):
        """An endless iterable is read as results are taken."""
        taken = []

        def endless():
            number = 0
            while True:
                taken.append(number)
                yield number
                number += 1

        results = warpbeam.pool.KernelPool(threads).map(abs, endless(), buffersize=3)
        assert [next(results) for _ in range(4)] == [0, 1, 2, 3]
        assert len(taken) <= 8
        results.close()
        for wrong in ({"chunksize": 0}, {"buffersize": 0}):
            with pytest.raises(ValueError, match="at least 1"):
                warpbeam.pool.KernelPool(threads).map(abs, [1], **wrong)

    @pytest.mark.row("CON-04", "BETTER-23")
    def test_shutdown_may_cancel(self, manual):
        """cancel_futures cancels what has not started."""
        pool = warpbeam.pool.KernelPool(warpbeam.current_kernel())
        future = pool.submit(pow, 2, 2)
        pool.shutdown(cancel_futures=True)
        assert future.cancelled()

    def test_one_executor_without_a_kernel(self, tmp_path):
        """ExecutorPool runs on one executor, and closes it."""
        with warpbeam.pool.ExecutorPool("threads") as pool:
            assert list(pool.map(abs, [-1, 2])) == [1, 2]

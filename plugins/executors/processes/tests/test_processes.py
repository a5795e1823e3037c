"""
The process pool through the kernel, with real processes and real kills.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
import warpbeam
from warpbeam import bash_app, python_app
from warpbeam.contracts import (
    AppExited,
    AppTimeout,
    ConfigurationError,
    DeserializationError,
    ExecutorDead,
    SerializationError,
    WorkerDied,
)
from warpbeam.executors import ProcessPoolExecutor


@pytest.fixture(name="kernel")
def _kernel():
    with warpbeam.load(executors=[ProcessPoolExecutor(max_workers=2)], exit_mode="cancel", exit_grace=0) as kernel:
        yield kernel


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@python_app
def get_pid():
    return os.getpid()


@python_app
def stay(path):
    Path(path).write_text(str(os.getpid()))
    time.sleep(60)


class TestTasks:
    @pytest.mark.row("EXE-01", "EXE-02", "EXE-03", "RULE-02")
    def test_they_run_in_other_processes(self, kernel):
        """Arguments are copied, results come back, both workers are used."""
        given = [1]

        @python_app
        def change(items):
            items.append(os.getpid())
            return items

        result = change(given).result()
        assert given == [1]
        assert result[1] != os.getpid()

    @pytest.mark.row("RULE-01", "SER-01", "SER-03", "SER-09")
    def test_large_values_travel(self, kernel):
        """Megabytes both ways, more than the sockets hold."""
        echo = python_app(lambda value: value)
        value = [bytes(5_000_000), list(range(1_000_000))]
        assert echo(value).result() == value

    @pytest.mark.row("RULE-02")
    def test_closures_and_local_classes_travel(self, kernel):
        """What cannot be imported travels by value."""
        factor = 3

        class Local:
            def times(self, x):
                return factor * x

        assert python_app(lambda local: local.times(4))(Local()).result() == 12

    @pytest.mark.row("SER-08", "ERR-15", "BETTER-12")
    def test_what_cannot_travel_is_named(self, kernel):
        """Argument, function, result: each error says what and where; the worker lives on."""
        error = python_app(lambda x: 1)({"fine": [1], "gen": (x for x in ())}).exception()
        assert isinstance(error, SerializationError)
        assert error.path == "args[0]['gen']"
        generator = (x for x in ())
        assert "variable generator" in str(python_app(lambda: generator)().exception())
        error = python_app(lambda: (x for x in ()))().exception()
        assert isinstance(error, SerializationError)
        assert "the result" in str(error)
        assert python_app(lambda: 1)().result() == 1

    @pytest.mark.row("DFK-29", "ERR-06")
    def test_errors_show_the_remote_frames(self, kernel):
        """Type, text, cause and the user's own frames come back; notes say where it ran."""

        def inner():
            raise KeyError("deep")

        def outer():
            try:
                inner()
            except KeyError as error:
                raise ValueError("seen") from error

        error = python_app(outer)().exception()
        assert isinstance(error, ValueError)
        assert isinstance(error.__cause__, KeyError)
        names = []
        entry = error.__traceback__
        while entry:
            names.append(entry.tb_frame.f_code.co_name)
            entry = entry.tb_next
        assert "outer" in names
        assert "executor processes" in error.__notes__[-1]

    def test_errors_that_cannot_travel_are_told(self, kernel):
        """An exception that cannot be rebuilt is a DeserializationError with its text and traceback."""

        class Awkward(Exception):
            def __init__(self, one, two):
                super().__init__("awkward")

        def fail():
            raise Awkward(1, 2)

        error = python_app(fail)().exception()
        assert isinstance(error, DeserializationError)
        assert "awkward" in str(error)
        assert "fail" in error.remote_traceback

    @pytest.mark.row("APP-50", "APP-51", "APP-40", "APP-41")
    def test_bash_apps_run_there(self, kernel, tmp_path):
        """Bash apps run on workers, in the driver's directory."""
        assert bash_app(lambda stdout="here.txt": "pwd")().result() == 0
        assert (tmp_path / "here.txt").read_text().strip() == str(tmp_path)

    def test_priorities_and_many_tasks(self, kernel):
        """A few thousand tasks, each result once."""
        app = python_app(lambda x: x)
        futures = [app(number) for number in range(3000)]
        assert [future.result() for future in futures] == list(range(3000))

    @pytest.mark.parametrize("wrong", [0, "2", True])
    def test_wrong_options_are_refused(self, wrong):
        """max_workers must be a whole number of at least 1."""
        with pytest.raises(ConfigurationError, match="max_workers"):
            ProcessPoolExecutor(max_workers=wrong)


class TestFaults:
    @pytest.mark.row("GUA-03")
    @pytest.mark.parametrize(
        ("die", "signal_name", "exitcode"),
        [
            (lambda: os._exit(7), "", 7),
            (lambda: os.abort(), "SIGABRT", None),
            (lambda: ctypes.string_at(0), "SIGSEGV", None),
            (lambda: os.kill(os.getpid(), signal.SIGKILL), "SIGKILL", None),
        ],
        ids=["exit", "abort", "segfault", "kill"],
    )
    def test_a_death_fails_one_task(self, kernel, die, signal_name, exitcode):
        """The error has signal or exit code; neighbours and later tasks go on."""
        neighbour = python_app(lambda: [time.sleep(0.2), 5][1])()
        error = python_app(die).options(lost_retries=0)().exception()
        assert isinstance(error, WorkerDied)
        assert (error.signal, error.exitcode) == (signal_name, exitcode)
        assert neighbour.result() == 5
        assert get_pid().result() != os.getpid()

    def test_a_worker_killed_from_outside_is_made_good(self, kernel, tmp_path):
        """lost_retries runs the task again."""

        @python_app
        def once(path):
            path = Path(path)
            if not path.exists():
                path.write_text(str(os.getpid()))
                time.sleep(60)
            return "second"

        marker = tmp_path / "marker"
        future = once(str(marker))
        wait_until(lambda: marker.exists() and marker.read_text())
        os.kill(int(marker.read_text()), signal.SIGKILL)
        assert future.result(20) == "second"

    def test_what_waited_behind_a_death_is_not_charged(self, kernel):
        """Short calls sent ahead go back to the queue when their worker dies."""
        app = python_app(lambda x: os._exit(1) if x == 500 else x)
        futures = [app(number) for number in range(1000)]
        ended = [future.exception() for future in futures]
        assert isinstance(ended[500], WorkerDied)
        assert [index for index, error in enumerate(ended) if error] == [500]

    @pytest.mark.row("APP-24", "APP-47", "BETTER-02")
    def test_walltime_kills(self, kernel, tmp_path):
        """The worker and what it started are killed, and another takes its place."""
        pids = tmp_path / "pids"

        def hang():
            child = subprocess.Popen(["sleep", "60"])
            pids.write_text(f"{os.getpid()} {child.pid}")
            time.sleep(60)

        error = python_app(hang).options(walltime=1.0)().exception(20)
        assert isinstance(error, AppTimeout)
        for pid in pids.read_text().split():
            wait_until(lambda pid=pid: not is_alive(pid))
        assert get_pid().result() > 0

    @pytest.mark.row("FUT-07", "BETTER-01")
    def test_cancel_kills_on_request(self, kernel, tmp_path):
        """A running task is killed by cancel(kill=True)."""
        path = tmp_path / "pid"
        future = stay(str(path))
        wait_until(lambda: path.exists() and path.read_text())
        assert not future.cancel()
        assert future.cancel(kill=True)
        wait_until(lambda: not is_alive(path.read_text()))
        assert get_pid().result() > 0

    def test_system_exit_is_the_tasks(self, kernel):
        """A task that exits fails, and the worker goes on."""
        one = ProcessPoolExecutor(label="one", max_workers=1)
        kernel.add_executors([one])
        pid = get_pid.options(executors=["one"])
        before = pid().result()
        error = python_app(executors=["one"])(lambda: sys.exit("bye"))().exception()
        assert isinstance(error, AppExited)
        assert error.code == "bye"
        assert pid().result() == before

    def test_workers_that_cannot_start_fail_the_tasks(self, tmp_path, monkeypatch):
        """Pending tasks fail within seconds, with exit code and what the worker wrote."""
        (tmp_path / "broken").mkdir()
        (tmp_path / "broken" / "cloudpickle.py").write_text("raise ImportError('broken on purpose')")
        (tmp_path / "broken" / "tblib.py").write_text("raise ImportError('broken on purpose')")
        with warpbeam.load(executors=[ProcessPoolExecutor(max_workers=1)]):
            monkeypatch.syspath_prepend(str(tmp_path / "broken"))
            error = get_pid().exception(20)
        assert isinstance(error, ExecutorDead)
        assert "broken on purpose" in str(error)


class TestPrograms:
    def test_a_main_function_may_call_another(self, tmp_path):
        """What __main__ defines travels by value, with what it uses."""
        program = textwrap.dedent("""
            import warpbeam
            def helper(x): return x + 1
            @warpbeam.python_app
            def app(x): return helper(x)
            with warpbeam.load(executors=["processes"]):
                print(app(1).result())
        """)
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=False)
        assert (ended.stdout.strip(), ended.stderr) == ("2", "")

    def test_nothing_is_left_when_the_driver_is_killed(self, tmp_path):
        """kill -9 of the driver ends its workers."""
        path = tmp_path / "pid"
        program = textwrap.dedent(f"""
            import os, time, warpbeam
            def stay():
                open({str(path)!r}, "w").write(str(os.getpid()))
                time.sleep(60)
            warpbeam.load(executors=["processes"])
            warpbeam.python_app(stay)()
            time.sleep(60)
        """)
        driver = subprocess.Popen([sys.executable, "-c", program])
        wait_until(lambda: path.exists() and path.read_text(), 30)
        driver.kill()
        driver.wait()
        wait_until(lambda: not is_alive(path.read_text()))

    def test_control_c_ends_a_run(self, tmp_path):
        """The first Ctrl-C is a KeyboardInterrupt; running tasks get their grace and are killed; nothing is left."""
        path = tmp_path / "pid"
        program = textwrap.dedent(f"""
            import os, time, warpbeam
            def stay():
                open({str(path)!r}, "w").write(str(os.getpid()))
                time.sleep(60)
            with warpbeam.load(executors=["processes"], exit_grace=0.2):
                warpbeam.python_app(stay)()
                time.sleep(60)
        """)
        driver = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
        wait_until(lambda: path.exists() and path.read_text(), 30)
        driver.send_signal(signal.SIGINT)
        _, errors = driver.communicate(timeout=20)
        assert errors.rstrip().endswith("KeyboardInterrupt")
        assert not is_alive(path.read_text())


class TestLifeCycle:
    def test_one_description_for_two_kernels(self, tmp_path):
        """A description may be started by several kernels at once."""
        description = ProcessPoolExecutor(max_workers=1)
        kernels = [warpbeam.Kernel(warpbeam.Config(executors=[description])) for _ in range(2)]
        pids = {python_app(kernel=kernel)(os.getpid)().result() for kernel in kernels}
        assert len(pids) == 2
        for kernel in kernels:
            kernel.close()

    def test_stopping_from_several_threads(self, tmp_path):
        """Each stop returns when the pool has stopped."""
        kernel = warpbeam.Kernel(warpbeam.Config(executors=[ProcessPoolExecutor(max_workers=1)]))
        assert python_app(kernel=kernel)(os.getpid)().result()
        running = kernel.executors["processes"]
        threads = [threading.Thread(target=running.stop, kwargs={"deadline": 0}) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()
        kernel.close()

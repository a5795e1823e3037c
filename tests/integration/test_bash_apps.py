"""
Bash apps, and python apps with files or a directory of their own, on real executors.
"""

from __future__ import annotations

import os
import pickle
import threading
import time
from pathlib import Path

import pytest
import warpbeam
from warpbeam import File, bash_app, python_app
from warpbeam.contracts import (
    AppBadFormatting,
    AppError,
    AppTimeout,
    BadStdStreamFile,
    BashAppNoReturn,
    BashExitFailure,
    InvalidResourcesError,
    MissingOutputs,
    SerializationError,
)


PATIENCE_S = 30


@pytest.fixture(name="kernel", params=["threads", "processes"])
def _kernel(request):
    with warpbeam.load(executors=[request.param], exit_mode="cancel", exit_grace=0) as kernel:
        yield kernel


@bash_app
def run(command, stdout=None, stderr=None, walltime=None, inputs=(), outputs=()):
    return command


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


class TestCommands:
    @pytest.mark.row("APP-02", "APP-40", "APP-22", "APP-23", "APP-50")
    def test_a_chain_that_files_carry(self, kernel, tmp_path):
        """Outputs, streams and inputs from command to command, and into a python app."""
        first = run("printf 'b\\na\\n'; echo done >&2", stdout=File("first.txt"), stderr="logs/first.err")
        second = bash_app(lambda inputs=(), outputs=(): f"sort {inputs[0]} > {outputs[0]}")(
            inputs=[first.stdout], outputs=[File("deep/second.txt")]
        )
        third = python_app(lambda file: Path(file).read_text())(second.outputs[0])
        assert third.result(PATIENCE_S) == "a\nb\n"
        assert (first.result(), second.result()) == (0, 0)
        assert (tmp_path / "logs/first.err").read_text().endswith("--> end executable <--\ndone\n")

    @pytest.mark.row("APP-51", "APP-50")
    def test_composed_on_the_worker(self, kernel):
        """The function runs where the command does, and both have the worker's environment and the driver's directory."""
        made = bash_app(lambda value: f"echo {value} {os.getpid()} $PPID; pwd")(python_app(int)("3"), stdout="out.txt")
        assert made.result(PATIENCE_S) == 0
        numbers, directory = Path("out.txt").read_text().splitlines()
        value, composer, parent = map(int, numbers.split())
        assert (value, composer) == (3, parent)
        assert (composer == os.getpid()) == ("threads" in kernel.executors)
        assert directory == os.getcwd()

    @pytest.mark.row("APP-41", "BETTER-08", "ERR-04")
    def test_a_failure_comes_back_whole(self, kernel, tmp_path):
        """Name, code, command, directory and the end of stderr; it can be pickled once more."""
        command = "seq 1 50 >&2; kill -9 $$"
        error = run(command).exception(PATIENCE_S)
        error = pickle.loads(pickle.dumps(error))
        assert isinstance(error, BashExitFailure)
        assert (error.app_name, error.exitcode, error.command, error.directory) == ("run", -9, command, str(tmp_path))
        assert error.stderr_tail.split() == [str(number) for number in range(31, 51)]

    @pytest.mark.row("APP-42", "APP-43", "APP-44", "APP-45", "APP-46", "APP-48", "APP-49", "ERR-05")
    def test_every_other_failure_comes_back_with_its_cause(self, kernel, tmp_path):
        """Class, attributes and cause, from other processes as from threads."""
        (tmp_path / "here").mkdir()
        cases = [
            (bash_app(lambda: None)(), BashAppNoReturn, None),
            (bash_app(lambda: (1).missing)(), BashAppNoReturn, AttributeError),
            (bash_app(lambda items: items[0])([]), AppBadFormatting, IndexError),
            (bash_app(lambda: {}["key"])(), KeyError, None),
            (run("true", stdout="here"), BadStdStreamFile, IsADirectoryError),
            (run("echo \0"), AppError, ValueError),
            (run("true", outputs=[File("never.txt")]), MissingOutputs, None),
        ]
        for future, kind, cause in cases:
            error = future.exception(PATIENCE_S)
            assert type(error) is kind
            assert type(error.__cause__) is (cause or type(None))
        stream = cases[4][0].exception()
        assert (stream.stream, stream.file, stream.app_name) == ("stdout", str(tmp_path / "here"), "run")
        assert [os.fspath(file) for file in cases[-1][0].exception().outputs] == [str(tmp_path / "never.txt")]

    @pytest.mark.row("APP-47", "APP-24", "BETTER-02")
    def test_walltime_kills_the_process_group(self, kernel, tmp_path):
        """On every executor, in time, with what the command left in the background; the worker lives on."""
        begun = time.monotonic()
        error = run("sleep 70 & echo $! > one.pid; echo $$ > two.pid; sleep 70", walltime=1).exception(PATIENCE_S)
        assert isinstance(error, AppTimeout)
        assert str(error) == "App run exceeded walltime: 1 seconds"
        assert time.monotonic() - begun < 15
        for name in ("one.pid", "two.pid"):
            pid = int((tmp_path / name).read_text())
            wait_until(lambda pid=pid: not is_alive(pid))
        load = next(iter(kernel.executors.values())).load()
        assert load.lost_slots == 0
        assert run("true").result(PATIENCE_S) == 0

    @pytest.mark.row("APP-24", "APP-47")
    def test_a_function_that_hangs_while_composing(self, kernel, tmp_path):
        """Its walltime holds as well."""
        release = tmp_path / "release"

        @bash_app
        def hang(walltime=0.2):
            while not release.exists():
                time.sleep(0.01)
            return "true"

        future = hang()
        assert isinstance(future.exception(PATIENCE_S), AppTimeout)
        release.touch()


class TestDirectories:
    @pytest.mark.row("BETTER-28")
    def test_one_for_each_task(self, kernel, tmp_path):
        """Tasks that write the same names at the same time do not meet; what failed keeps its directory and says so."""
        app = run.options(workdir="task")
        futures = [app(f"echo {number} > same.txt; sleep 0.05; cat same.txt", stdout=f"{number}.txt") for number in range(6)]
        assert [future.result(PATIENCE_S) for future in futures] == [0] * 6
        assert [(tmp_path / f"{number}.txt").read_text() for number in range(6)] == [f"{number}\n" for number in range(6)]
        assert not list((kernel.run.directory / "task_dirs").iterdir())
        error = app("echo kept > same.txt; exit 1").exception(PATIENCE_S)
        (kept,) = (kernel.run.directory / "task_dirs").iterdir()
        assert (kept / "same.txt").read_text() == "kept\n"
        assert f"its working directory was kept: {kept}" in error.__notes__
        assert error.directory == str(kept)

    @pytest.mark.row("BETTER-28")
    def test_of_python_apps(self, tmp_path):
        """A worker process goes there and comes back; in threads the call is refused, and says who could."""

        @python_app
        def work(text, outputs=()):
            Path("scratch.txt").write_text(text)
            for file in outputs:
                Path(file).write_text(text)
            if text == "bad":
                raise ValueError(text)
            return os.getcwd()

        from warpbeam.executors import ProcessPoolExecutor

        executors = ["threads", ProcessPoolExecutor(max_workers=1)]
        with warpbeam.load(executors=executors, exit_mode="cancel", exit_grace=0) as kernel:
            app = work.options(workdir="task")
            used = Path(app("good", outputs=[File("out.txt")]).result(PATIENCE_S))
            assert used.parent == kernel.run.directory / "task_dirs"
            assert not used.exists()
            assert (tmp_path / "out.txt").read_text() == "good"
            error = app("bad").exception(PATIENCE_S)
            (kept,) = (kernel.run.directory / "task_dirs").iterdir()
            assert (kept / "scratch.txt").read_text() == "bad"
            assert f"its working directory was kept: {kept}" in error.__notes__
            assert work.options(workdir="place")("good").result(PATIENCE_S) == str(tmp_path / "place")
            where = python_app(os.getcwd).options(executors=["processes"])
            assert where().result(PATIENCE_S) == str(tmp_path)
            with pytest.raises(InvalidResourcesError, match="processes could, but the app may not use it"):
                app.options(executors=["threads"])("good")
        assert os.getcwd() == str(tmp_path)


class TestRules:
    @pytest.mark.row("RULE-03", "ERR-15")
    def test_a_generator_cannot_travel(self):
        """As a result of a task in another process it is refused by name; in threads it is an object like others."""
        with warpbeam.load(executors=["processes"], exit_mode="cancel", exit_grace=0):
            error = python_app(lambda: (number for number in range(3)))().exception(PATIENCE_S)
        assert isinstance(error, SerializationError)
        assert "generator" in str(error)
        with warpbeam.load(executors=["threads"]):
            assert list(python_app(lambda: (number for number in range(3)))().result(PATIENCE_S)) == [0, 1, 2]

    @pytest.mark.row("RULE-03", "APP-22")
    def test_streams_of_python_apps(self, kernel, tmp_path, capfd):
        """What they print is not captured, whatever `stdout=` says, which the future and the function still show."""

        @python_app
        def speak(stdout=None):
            print("spoken", flush=True)
            return stdout

        future = speak(stdout="out.txt")
        assert future.result(PATIENCE_S) == str(tmp_path / "out.txt")
        assert future.stdout == "out.txt"
        assert capfd.readouterr().out == "spoken\n"
        assert not (tmp_path / "out.txt").exists()

    @pytest.mark.row("RULE-04", "DFK-21")
    def test_futures_of_other_libraries(self, kernel):
        """A standard future is a dependency as one of ours is, in any place."""
        from concurrent.futures import ThreadPoolExecutor

        release = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            foreign = pool.submit(release.wait)
            future = python_app(lambda x, items, inputs=(): [x, items, list(inputs)])(foreign, {"a": foreign}, inputs=[foreign])
            assert not future.done()
            release.set()
            assert future.result(PATIENCE_S) == [True, {"a": True}, [True]]

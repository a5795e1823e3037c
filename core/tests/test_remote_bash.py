"""
Bash apps: the command line, its streams, its end, its directory.
"""

from __future__ import annotations

import errno
import os
import pickle
import signal
import time
from pathlib import Path

import pytest
import warpbeam
from warpbeam import AUTO_LOGNAME, DataFuture, File, bash_app, python_app
from warpbeam.errors import (
    AppBadFormatting,
    AppError,
    AppTimeout,
    BadStdStreamFile,
    BashAppNoReturn,
    BashExitFailure,
    MissingOutputs,
)
from warpbeam.remote import BashCall, Settings


PATIENCE_S = 20


@bash_app
def run(command, stdout=None, stderr=None, stdin=None, walltime=None, inputs=(), outputs=()):
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
    @pytest.mark.row("APP-02", "APP-40")
    @pytest.mark.parametrize(
        "make", [bash_app, bash_app(), bash_app(executors="all", cache=False), lambda function: bash_app(function)]
    )
    def test_the_result_is_exit_code_0(self, inline, tmp_path, make):
        """What the function returns is run, and the result is the exit code, in each form of the decorator."""
        future = make(lambda name: f"echo made > {name}")("made.txt")
        assert future.result() == 0
        assert type(future.result()) is int
        assert (tmp_path / "made.txt").read_text() == "made\n"

    @pytest.mark.row("APP-02", "APP-50")
    def test_bash_is_the_shell(self, inline, tmp_path):
        """Arrays, [[ ]] and process substitution work, in scripts of several lines."""
        script = """
            words=(one two)
            if [[ ${words[1]} == t* ]]; then
                cat <(echo "${words[@]}")
            fi
        """
        assert run(script, stdout="out.txt").result() == 0
        assert (tmp_path / "out.txt").read_text() == "one two\n"

    @pytest.mark.row("APP-50")
    def test_environment_and_open_files_are_inherited(self, inline, tmp_path, monkeypatch):
        """The command sees the worker's variables, and descriptors that were made inheritable."""
        monkeypatch.setenv("OF_THE_WORKER", "seen")
        reader, writer = os.pipe()
        os.set_inheritable(writer, True)
        assert run(f"echo $OF_THE_WORKER >&{writer}").result() == 0
        os.close(writer)
        with os.fdopen(reader) as stream:
            assert stream.read() == "seen\n"

    @pytest.mark.row("APP-51")
    def test_it_is_composed_where_it_runs(self, manual):
        """The function is called by the executor, with real values, and not by the call of the app."""
        composed = []

        @bash_app
        def command(value, inputs=()):
            composed.append((value, list(inputs)))
            return "true"

        future = command(python_app(int)("3"), inputs=[python_app(int)("4")])
        assert not composed
        manual.run_all()
        assert future.result() == 0
        assert composed == [(3, [4])]

    @pytest.mark.row("APP-30")
    def test_stdin_has_no_effect(self, inline, tmp_path):
        """The command reads nothing, whatever `stdin=` says; the function gets the value if it has the parameter."""
        (tmp_path / "in.txt").write_text("unread")
        seen = []

        @bash_app
        def command(stdin=None):
            seen.append(stdin)
            return "cat > got.txt"

        assert command(stdin="in.txt").result() == 0
        assert (tmp_path / "got.txt").read_text() == ""
        assert seen == ["in.txt"]
        assert bash_app(lambda: "true")(stdin="in.txt").result() == 0
        assert bash_app(lambda: "cat > got.txt")().result() == 0
        assert (tmp_path / "got.txt").read_text() == ""

    @pytest.mark.row("APP-30")
    def test_the_workers_own_stdin_is_not_read(self, inline, tmp_path):
        """A command that reads does not take what was typed to the program."""
        reader, writer = os.pipe()
        os.write(writer, b"typed")
        os.close(writer)
        before = os.dup(0)
        os.dup2(reader, 0)
        try:
            assert run("cat > got.txt").result() == 0
            assert os.read(0, 10) == b"typed"
        finally:
            os.dup2(before, 0)
            os.close(before)
            os.close(reader)
        assert (tmp_path / "got.txt").read_text() == ""


class TestExitCodes:
    @pytest.mark.row("APP-41", "ERR-04")
    @pytest.mark.parametrize(
        ("command", "code"),
        [("exit 3", 3), ("no_such_program_here", 127), ("./plain.txt", 126), ("kill -9 $$", -9), ("kill -TERM $$", -15)],
    )
    def test_a_failure_carries_what_one_needs(self, inline, tmp_path, command, code):
        """Name, exit code (negative for a signal), the command as run and its directory."""
        (tmp_path / "plain.txt").write_text("no program")
        error = run(command).exception()
        assert isinstance(error, BashExitFailure)
        assert (error.app_name, error.exitcode, error.command, error.directory) == ("run", code, command, str(tmp_path))
        assert str(error).startswith(f"bash_app run failed with unix exit code {code}\n")
        assert command in str(error)
        assert str(tmp_path) in str(error)

    @pytest.mark.row("APP-41")
    @pytest.mark.parametrize("stderr", [None, "err.txt"])
    def test_the_end_of_stderr_is_shown(self, inline, stderr):
        """The last 20 lines, whether or not there is a file for it."""
        error = run("seq 1 100 >&2; exit 1", stderr=stderr).exception()
        assert error.stderr_tail.splitlines() == [str(number) for number in range(81, 101)]
        assert str(error).endswith("    99\n    100")
        assert "\n    80\n" not in str(error)

    @pytest.mark.row("APP-41")
    def test_a_flood_of_stderr_is_bounded(self, inline):
        """Megabytes neither block the command nor fill the error; what is no text is shown as far as it goes."""
        error = run(r"head -c 3000000 /dev/zero | tr '\0' x >&2; printf '\n\377end\n' >&2; exit 1").exception()
        assert len(error.stderr_tail) <= 64 * 1024
        assert error.stderr_tail.endswith("\n\ufffdend")

    @pytest.mark.row("APP-41")
    def test_a_success_leaves_no_capture(self, inline, tmp_path):
        """Without `stderr=` a command that succeeds leaves no file, neither in its directory nor in the run's."""
        before = {path for path in tmp_path.rglob("*") if path.is_file()}
        assert run("echo fine >&2").result() == 0
        assert {path for path in tmp_path.rglob("*") if path.is_file()} == before

    def test_a_background_child_is_not_waited_for(self, inline, tmp_path):
        """A child that keeps stderr open does not hold the task up."""
        begun = time.monotonic()
        assert run("sleep 30 & echo $! > pid.txt").result() == 0
        assert time.monotonic() - begun < 15
        os.kill(int((tmp_path / "pid.txt").read_text()), signal.SIGKILL)


class TestComposing:
    @pytest.mark.row("APP-42", "BETTER-16")
    @pytest.mark.parametrize("value", [None, 3, b"true", ["true"]])
    def test_no_string_is_one_clear_error(self, inline, value):
        """The error is a ValueError and shows the type and the app."""
        error = bash_app(lambda: value).options(name="wordless")().exception()
        assert isinstance(error, BashAppNoReturn)
        assert isinstance(error, ValueError)
        assert str(error).startswith(f"Expected a str for bash_app commandline, got {type(value)}")
        assert (error.app_name, error.reason) == ("wordless", str(error))
        assert "wordless" in str(error)

    @pytest.mark.row("APP-43", "ERR-04")
    def test_an_attribute_error_keeps_its_cause(self, inline):
        """It is a BashAppNoReturn, since nothing was returned."""
        error = bash_app(lambda thing: thing.missing)(3).exception()
        assert isinstance(error, BashAppNoReturn)
        assert isinstance(error.__cause__, AttributeError)
        assert "missing" in str(error)

    @pytest.mark.row("APP-44", "ERR-05")
    def test_an_index_error_is_bad_formatting(self, inline):
        """Most often a format string asks for more than there is."""
        error = bash_app(lambda template: template.format("one"))("{0} {1}").exception()
        assert isinstance(error, AppBadFormatting)
        assert isinstance(error.__cause__, IndexError)
        assert error.reason == str(error)

    @pytest.mark.row("APP-45")
    @pytest.mark.parametrize("kind", [KeyError, TypeError, ZeroDivisionError, LookupError, OSError])
    def test_other_errors_are_passed_on(self, inline, kind):
        """The very exception of the function."""
        own = kind("own")

        @bash_app
        def command():
            raise own

        assert command().exception() is own


class TestStreams:
    @pytest.mark.row("APP-22")
    @pytest.mark.parametrize("kind", [str, Path])
    def test_a_path_is_appended_to(self, inline, tmp_path, kind):
        """Directories above it are made, and a second command adds to it."""
        target = kind("deep/down/out.txt")
        for word in ("one", "two"):
            assert run(f"echo {word}", stdout=target).result() == 0
        assert (tmp_path / "deep/down/out.txt").read_text() == "one\ntwo\n"

    @pytest.mark.row("APP-22")
    @pytest.mark.parametrize(
        ("mode", "text"), [("w", "new\n"), ("w+", "new\n"), ("wt", "new\n"), ("a", "old\nnew\n"), ("a+b", "old\nnew\n")]
    )
    def test_a_mode_may_be_given(self, inline, tmp_path, mode, text):
        """With a tuple of path and mode."""
        (tmp_path / "out.txt").write_text("old\n")
        assert run("echo new", stdout=("out.txt", mode)).result() == 0
        assert (tmp_path / "out.txt").read_text() == text

    @pytest.mark.row("APP-22", "APP-23")
    def test_files_are_written_anew(self, inline, tmp_path):
        """A File is opened with mode "w", for both streams; the function that asks for it gets a File."""
        seen = []

        @bash_app
        def command(stdout=None, stderr=None):
            seen.extend((stdout, stderr))
            return "echo new; echo err >&2"

        for name in ("out.txt", "err.txt"):
            (tmp_path / name).write_text("old\n")
        assert command(stdout=File("out.txt"), stderr=File("err.txt")).result() == 0
        assert (tmp_path / "out.txt").read_text() == "new\n"
        assert (tmp_path / "err.txt").read_text() == (
            "--> executable follows <--\necho new; echo err >&2\n--> end executable <--\nerr\n"
        )
        assert [(type(one), os.fspath(one)) for one in seen] == [
            (File, str(tmp_path / "out.txt")),
            (File, str(tmp_path / "err.txt")),
        ]

    @pytest.mark.row("APP-22", "APP-23", "APP-27")
    def test_automatic_names(self, inline):
        """AUTO_LOGNAME gives each stream its path below the run's directory."""
        future = run("echo out; echo err >&2", stdout=AUTO_LOGNAME, stderr=AUTO_LOGNAME)
        assert future.result() == 0
        directory = inline.run.directory / "task_logs" / "0000"
        assert future.stdout == str(directory / "task_0000_run.stdout")
        assert future.stderr == str(directory / "task_0000_run.stderr")
        assert Path(future.stdout).read_text() == "out\n"
        assert Path(future.stderr).read_text().endswith("--> end executable <--\nerr\n")

    @pytest.mark.row("APP-26", "APP-27")
    def test_automatic_names_of_awkward_apps(self, inline):
        """A slash in a name or a label makes no directory."""
        future = run.options(name="a/b")("true", stdout=AUTO_LOGNAME, label="c/d")
        assert future.result() == 0
        assert Path(future.stdout).name == "task_0000_a_b_c_d.stdout"
        assert Path(future.stdout).parent.name == "0000"

    @pytest.mark.row("APP-23")
    @pytest.mark.parametrize("stderr", ["err/err.txt", Path("err/err.txt"), ("err/err.txt", "w")])
    def test_stderr_begins_with_the_command(self, inline, tmp_path, stderr):
        """Marker, command, marker, each on a line of its own, and then what the command wrote."""
        command = "echo 1 >&2\necho 2 >&2"
        assert run(command, stderr=stderr).result() == 0
        assert (tmp_path / "err/err.txt").read_text().splitlines() == [
            "--> executable follows <--",
            *command.splitlines(),
            "--> end executable <--",
            "1",
            "2",
        ]

    @pytest.mark.row("APP-22", "APP-23")
    def test_none_redirects_nothing(self, inline, capfd):
        """Without `stdout=` the output goes where the worker's does."""
        assert run("echo out").result() == 0
        assert capfd.readouterr().out == "out\n"

    def test_both_streams_may_share_a_file(self, inline, tmp_path):
        """Nothing is lost."""
        assert run("echo out; echo err >&2", stdout="both.txt", stderr="both.txt").result() == 0
        assert sorted((tmp_path / "both.txt").read_text().splitlines())[-2:] == ["err", "out"]

    @pytest.mark.row("APP-46", "ERR-05")
    @pytest.mark.parametrize("stream", ["stdout", "stderr"])
    @pytest.mark.parametrize(
        ("given", "number"),
        [
            ("here", errno.EISDIR),
            ("file.txt/below", errno.EEXIST),
            (("out.txt", "x"), errno.EEXIST),
            ("x" * 300, errno.ENAMETOOLONG),
        ],
        ids=["directory", "below a file", "exists", "long"],
    )
    def test_a_file_that_cannot_be_opened(self, inline, tmp_path, stream, given, number):
        """The error names app, stream and file, and keeps what the operating system said; the command does not run."""
        (tmp_path / "here").mkdir()
        for name in ("file.txt", "out.txt"):
            (tmp_path / name).write_text("")
        error = run("touch ran", **{stream: given}).exception()
        assert isinstance(error, BadStdStreamFile)
        assert isinstance(error.__cause__, OSError)
        assert error.__cause__.errno == number
        path = given[0] if isinstance(given, tuple) else given
        for word in ("run", stream, path):
            assert word in str(error)
        assert (error.app_name, error.stream, error.reason) == ("run", stream, str(error))
        assert str(tmp_path / path) in str(error.file)
        assert not (tmp_path / "ran").exists()

    @pytest.mark.row("APP-46")
    @pytest.mark.parametrize("stream", ["stdout", "stderr"])
    @pytest.mark.parametrize(
        "given", [("a",), ("a", "w", "x"), (), 3, 1.5, ["a"], ("a", 3), (3, "w"), ("a", "nonsense"), ("a", "r")]
    )
    def test_what_is_no_file_is_named(self, inline, stream, given, tmp_path):
        """A tuple of another length, another type, a mode that there is not, or one that cannot be written."""
        (tmp_path / "a").write_text("")
        error = run("touch ran", **{stream: given}).exception()
        assert isinstance(error, BadStdStreamFile)
        assert stream in str(error)
        assert not (tmp_path / "ran").exists()

    @pytest.mark.row("APP-46")
    def test_a_full_disk(self, inline):
        """A file that opens and cannot take the first lines is told likewise."""
        error = run("true", stderr="/dev/full").exception()
        assert isinstance(error, BadStdStreamFile)
        assert error.__cause__.errno == errno.ENOSPC

    @pytest.mark.row("APP-22", "APP-27")
    def test_python_apps_are_not_redirected(self, inline, tmp_path, capfd):
        """What is given for their streams is only recorded; a File arrives as a File."""

        @python_app
        def speak(stdout=None, stderr=None):
            print("spoken")
            return stdout, stderr

        future = speak(stdout="out.txt", stderr=AUTO_LOGNAME)
        stdout, stderr = future.result()
        assert (stdout, stderr) == (str(tmp_path / "out.txt"), future.stderr)
        assert (future.stdout, future.stderr[-12:]) == ("out.txt", "speak.stderr")
        given = File("out.txt")
        future = speak(stdout=given)
        assert isinstance(future.result()[0], File)
        assert future.stdout.result() is given
        assert capfd.readouterr().out == "spoken\nspoken\n"
        assert not (tmp_path / "out.txt").exists()


class TestFutures:
    @pytest.mark.row("FUT-04")
    @pytest.mark.parametrize("name", ["stdout", "stderr"])
    @pytest.mark.parametrize("given", [None, "out.txt", Path("out.txt"), ("out.txt", "w")], ids=repr)
    def test_streams_are_known_at_once(self, manual, name, given):
        """The value as it was given, before and after the task."""
        future = run("true", **{name: given})
        assert not future.done()
        assert getattr(future, name) is given
        manual.run_all()
        assert getattr(future, name) is given

    @pytest.mark.row("FUT-04", "FUT-11", "FUT-12")
    @pytest.mark.parametrize("name", ["stdout", "stderr"])
    def test_a_file_gives_a_data_future(self, manual, name, tmp_path):
        """It is done with the task, stands for the file that was given, and may be given to another app."""
        file = File("out.txt")
        future = run(f"echo hello >&{1 if name == 'stdout' else 2}", **{name: file})
        stream = getattr(future, name)
        assert isinstance(stream, DataFuture)
        assert not stream.done()
        assert (stream.tid, stream.filepath, stream.parent) == (future.tid, str(tmp_path / "out.txt"), future)
        read = python_app(lambda file: Path(file).read_text())(stream)
        manual.run_all()
        assert stream.result() is file
        assert read.result().endswith("hello\n")

    @pytest.mark.row("FUT-04")
    def test_a_failed_task_fails_its_stream(self, inline):
        """The stream of a task that failed has the task's exception."""
        future = run("exit 2", stdout=File("out.txt"))
        assert future.stdout.exception() is future.exception()


class TestOutputs:
    @pytest.mark.row("APP-49", "BETTER-16", "ERR-05")
    def test_missing_files_are_listed(self, inline, tmp_path):
        """All that are missing and no other, after exit code 0; the error is that of the futures of the files, too."""
        files = [File("one.txt"), File("deep/two.txt"), File("three.txt")]
        future = run("touch one.txt", outputs=files)
        error = future.exception()
        assert isinstance(error, MissingOutputs)
        assert [os.fspath(file) for file in error.outputs] == [str(tmp_path / "deep/two.txt"), str(tmp_path / "three.txt")]
        assert (error.app_name, error.reason) == ("run", "bash_app run ended well but did not write what it declared")
        assert "deep/two.txt" in str(error)
        assert "one.txt" not in str(error)
        assert all(output.exception() is error for output in future.outputs)

    @pytest.mark.row("APP-49")
    def test_a_failed_command_is_the_error(self, inline):
        """The exit code counts first."""
        assert isinstance(run("exit 1", outputs=[File("never.txt")]).exception(), BashExitFailure)

    @pytest.mark.row("APP-40", "APP-49")
    def test_all_there_is_a_success(self, inline, tmp_path):
        """Directories of outputs are made beforehand; a directory may be an output."""
        future = run("echo 1 > deep/down/a.txt; mkdir b", outputs=[File("deep/down/a.txt"), File("b")])
        assert future.result() == 0
        assert [os.fspath(output.result()) for output in future.outputs] == ["deep/down/a.txt", "b"]


class TestStarting:
    @pytest.mark.row("APP-48", "ERR-04")
    def test_without_bash(self, inline, monkeypatch):
        """The error names the app and keeps what the operating system said."""
        monkeypatch.setenv("PATH", "")
        error = run("true").exception()
        assert type(error) is AppError
        assert error.app_name == "run"
        assert str(error).startswith("App run: bash cannot be started")
        assert isinstance(error.__cause__, FileNotFoundError)

    @pytest.mark.row("APP-48")
    @pytest.mark.parametrize(
        ("command", "cause"), [("echo \0", ValueError), (": " + "x" * 3_000_000, OSError)], ids=["nul", "long"]
    )
    def test_a_command_that_cannot_be_passed(self, inline, command, cause):
        """A command line with a NUL, or longer than the system takes."""
        error = run(command).exception()
        assert type(error) is AppError
        assert isinstance(error.__cause__, cause)
        assert len(str(error)) < 1000


class TestWalltime:
    @pytest.mark.row("APP-24", "APP-47", "BETTER-02")
    def test_the_whole_process_group_is_killed(self, inline, tmp_path):
        """What the command started in the background dies with it, also if it ignores SIGTERM."""
        script = """
            (trap '' TERM; while true; do sleep 1; done) & echo $! > one.pid
            sleep 60 & echo $! > two.pid
            wait
        """
        error = run(script, walltime=1).exception()
        assert isinstance(error, AppTimeout)
        assert isinstance(error, TimeoutError)
        assert str(error) == "App run exceeded walltime: 1 seconds"
        assert (error.app_name, error.walltime) == ("run", 1)
        for name in ("one.pid", "two.pid"):
            pid = int((tmp_path / name).read_text())
            wait_until(lambda pid=pid: not is_alive(pid))

    @pytest.mark.row("APP-24")
    def test_a_default_counts(self, inline):
        """The default of the parameter limits every call, and None takes the limit away."""

        @bash_app
        def slow(walltime=0.2):
            return "sleep 0.5"

        assert isinstance(slow().exception(), AppTimeout)
        assert slow(walltime=None).result() == 0
        assert slow(walltime=30).result() == 0
        assert isinstance(bash_app(lambda: "sleep 30").options(walltime=0.1)().exception(), AppTimeout)

    @pytest.mark.row("APP-24")
    def test_it_limits_one_try(self, manual_type):
        """The next try has the whole time again."""
        with warpbeam.load(executors=[manual_type(runs_inline=True)], retries=1):
            future = run("test -e again || { touch again; sleep 30; }", walltime=0.5)
            assert future.result() == 0


class TestDirectories:
    @pytest.mark.row("BETTER-28", "APP-50")
    def test_the_default_is_the_drivers(self, manual, tmp_path, monkeypatch):
        """The directory at the call, also if the driver has gone elsewhere since."""
        future = run("pwd > here.txt")
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        manual.run_all()
        assert future.result() == 0
        assert (tmp_path / "here.txt").read_text().strip() == str(tmp_path)

    @pytest.mark.row("BETTER-28")
    def test_a_fresh_one_is_removed_after_success(self, inline, tmp_path):
        """Names that a command makes there go with it; streams and outputs are where the driver meant them."""
        app = run.options(workdir="task")
        future = app("touch scratch; echo kept; pwd > pwd.txt; cp pwd.txt {}".format(tmp_path / "where.txt"), stdout="out.txt")
        assert future.result() == 0
        directory = Path((tmp_path / "where.txt").read_text().strip())
        assert directory.parent == inline.run.directory / "task_dirs"
        assert directory.name.startswith("task_0000_run_0_")
        assert not directory.exists()
        assert (tmp_path / "out.txt").read_text() == "kept\n"
        assert not (tmp_path / "scratch").exists()

    @pytest.mark.row("BETTER-28")
    def test_each_try_has_its_own_and_failures_keep_it(self, manual_type, tmp_path):
        """The error names the directory of the last try; that of the first one is there, too."""
        with warpbeam.load(executors=[manual_type(runs_inline=True)], retries=1) as kernel:
            error = run.options(workdir="task", name="a/b")("echo half > done.txt; exit 4").exception()
            kept = sorted((kernel.run.directory / "task_dirs").iterdir())
        assert [path.name[:16] for path in kept] == ["task_0000_a_b_0_", "task_0000_a_b_1_"]
        assert all((path / "done.txt").read_text() == "half\n" for path in kept)
        assert error.directory == str(kept[1])
        assert f"its working directory was kept: {kept[1]}" in error.__notes__

    @pytest.mark.row("BETTER-28")
    @pytest.mark.parametrize("absolute", [False, True])
    def test_a_path(self, inline, tmp_path, absolute):
        """It is made where there is none, relative to the driver's directory, and stays."""
        given = tmp_path / "place/of/mine" if absolute else "place/of/mine"
        assert run.options(workdir=str(given))("pwd > here.txt").result() == 0
        assert (tmp_path / "place/of/mine/here.txt").read_text().strip() == str(tmp_path / "place/of/mine")

    @pytest.mark.row("BETTER-28")
    def test_where_the_drivers_directory_is_missing(self, tmp_path):
        """The command runs in the worker's own."""
        settings = Settings("app", str(tmp_path / "gone"))
        assert BashCall(lambda: "pwd > here.txt", "app")(settings) == 0
        assert (tmp_path / "here.txt").exists()

    @pytest.mark.row("BETTER-28")
    def test_python_apps_may_not_leave_a_shared_process(self, threads):
        """A process has one directory for all its threads: the call is refused, and says why and who could."""
        with pytest.raises(warpbeam.errors.InvalidResourcesError, match=r"workdir.*'threads' runs python apps in this process"):
            python_app(int).options(workdir="task")("1")
        assert bash_app(lambda: "true").options(workdir="task")().result() == 0


class TestTravelling:
    def test_calls_and_settings_travel(self, tmp_path):
        """They can be pickled, which executors in other processes need."""
        settings = pickle.loads(pickle.dumps(Settings("len", str(tmp_path), outputs=[File("x")], walltime=2.5)))
        assert (settings.name, settings.directory, settings.walltime) == ("len", str(tmp_path), 2.5)
        assert settings.outputs == (File("x"),)
        call = pickle.loads(pickle.dumps(BashCall(len, "len")))
        assert (call.function, call.name) == (len, "len")

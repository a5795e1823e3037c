"""
The exceptions: their tree, what they carry, how they travel, what they say first.
"""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys

import pytest
import warpbeam
from warpbeam import contracts, errors, join_app, python_app


CLASSES = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, BaseException) and kind.__module__ == errors.__name__
]
MADE = {
    errors.OptionalModuleMissing: lambda: errors.OptionalModuleMissing(["numpy", "scipy"], "option x=3"),
    errors.BashExitFailure: lambda: errors.BashExitFailure(
        "app", 3, command="exit 3", directory="/there", stderr_tail="one\ntwo"
    ),
    errors.MissingOutputs: lambda: errors.MissingOutputs("it ended", [warpbeam.File("a"), warpbeam.File("b")], app_name="app"),
    **{
        kind: lambda kind=kind: kind([(ValueError("root"), "task 1"), (KeyError("other"), "task 2")], 3, app_name="app")
        for kind in (errors.PropagatedError, errors.DependencyError, errors.JoinError)
    },
}
LOSSES = [
    errors.TaskLost,
    errors.WorkerDied,
    errors.TaskOutOfMemory,
    errors.ManagerLost,
    errors.InterchangeLost,
    errors.BlockEnded,
]


def attributes_of(kind):
    """
    Return a value for each attribute that a class declares.
    """
    inherited = dict.fromkeys(name for base in kind.__mro__ for name in inspect.get_annotations(base))
    skipped = {"transient", "message", "failure_description"}
    return {name: f"some {name}" for name in inherited if name not in skipped}


def make(kind):
    if kind in MADE:
        return MADE[kind]()
    return kind("what happened", **attributes_of(kind))


def state(error):
    found = {name: value for name, value in vars(error).items() if name not in ("dependent_exceptions_tids", "message")}
    causes = [(type(one), str(one), name) for one, name in getattr(error, "dependent_exceptions_tids", ())]
    return type(error), str(error), found, causes


class TestTree:
    @pytest.mark.row("ERR-01")
    @pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
    def test_one_base(self, kind):
        """Every class is a WarpbeamError, which is an Exception, says when to catch it, and is in the drawing."""
        assert issubclass(kind, errors.WarpbeamError)
        assert issubclass(kind, Exception)
        assert inspect.getdoc(kind) not in (None, "", inspect.getdoc(kind.__mro__[1]))
        assert kind.__name__ in errors.__doc__

    @pytest.mark.row("ERR-01", "ERR-11")
    @pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
    def test_plugins_get_them_from_the_contracts(self, kind):
        """The contracts offer the same classes."""
        assert getattr(contracts, kind.__name__) is kind

    @pytest.mark.row("ERR-02")
    def test_classes_of_their_own(self):
        """Configuration, a missing kernel, our own faults; those that were standard errors elsewhere are these as well."""
        assert issubclass(errors.ConfigurationError, ValueError)
        assert issubclass(errors.NoKernelLoadedError, RuntimeError)
        own = {errors.ConfigurationError, errors.NoKernelLoadedError, errors.InternalError}
        assert all(kind.__mro__[1] is errors.WarpbeamError for kind in own)
        with pytest.raises(errors.NoKernelLoadedError):
            warpbeam.current_kernel()
        with pytest.raises(errors.ConfigurationError, match="retries"):
            warpbeam.Config(retries=-1)

    @pytest.mark.row("ERR-03")
    def test_a_missing_package_is_named(self):
        """With what it is for, and it is an error of the configuration."""
        error = make(errors.OptionalModuleMissing)
        assert isinstance(error, errors.ConfigurationError)
        assert (error.module_names, error.reason) == (("numpy", "scipy"), "option x=3")
        assert str(error) == "option x=3 needs numpy, scipy, which cannot be imported; install it"

    @pytest.mark.row("ERR-04", "ERR-05")
    def test_errors_of_apps(self):
        """One base, which carries the app's name and the reason."""
        kinds = (
            errors.BashExitFailure,
            errors.AppTimeout,
            errors.BashAppNoReturn,
            errors.AppBadFormatting,
            errors.MissingOutputs,
            errors.BadStdStreamFile,
            errors.AppExited,
        )
        for kind in kinds:
            error = make(kind)
            assert isinstance(error, errors.AppError)
            assert error.app_name
            assert isinstance(error.reason, str)
        failure = make(errors.BashExitFailure)
        assert (failure.app_name, failure.exitcode) == ("app", 3)
        assert str(failure).splitlines()[0] == "bash_app app failed with unix exit code 3"
        assert str(errors.BashExitFailure("app", -9)) == "bash_app app failed with unix exit code -9"
        missing = make(errors.MissingOutputs)
        assert missing.reason == "it ended"
        assert missing.outputs == [warpbeam.File("a"), warpbeam.File("b")]
        assert str(missing) == "it ended: missing output files: a, b"
        assert errors.BadStdStreamFile("no such place").reason == "no such place"

    @pytest.mark.row("ERR-11")
    def test_losses(self):
        """Each is a class of its own, may go well another time, and says where the task was."""
        for kind in LOSSES:
            error = kind("it is gone", task=7, name="app", host="node3", block="2")
            assert isinstance(error, errors.TaskLost)
            assert error.transient
            assert (error.task, error.name, error.host, error.block) == (7, "app", "node3", "2")
        died = errors.WorkerDied("it died", worker="w1", signal="SIGSEGV", log_tail="last words")
        assert (died.worker, died.exitcode, died.signal, died.log_tail) == ("w1", None, "SIGSEGV", "last words")
        assert isinstance(errors.TaskOutOfMemory("full", peak_bytes=5, limit_bytes=4), MemoryError)
        assert not errors.AppError("x").transient
        assert not errors.ExecutorDead("x").transient

    def test_describing_takes_one_line_each(self):
        """Type and first line."""
        assert errors.describe([ValueError("a\nb"), KeyError("k")]) == "ValueError: a\nKeyError: 'k'"

    def test_importing_them_loads_nothing_else_of_ours(self):
        """One error class costs one module."""
        program = "import sys, warpbeam.errors; print([name for name in sys.modules if name.startswith('warpbeam')])"
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=50)
        assert ended.stdout.strip() == "['warpbeam', 'warpbeam.errors']"


class TestTravelling:
    @pytest.mark.row("ERR-01", "ERR-04", "ERR-05", "ERR-11")
    @pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
    @pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
    def test_pickled(self, kind, protocol):
        """Type, text, attributes and notes come back, also from the second journey."""
        error = make(kind)
        error.add_note("seen on node3")
        once = pickle.loads(pickle.dumps(error, protocol))
        twice = pickle.loads(pickle.dumps(once, protocol))
        assert state(once) == state(error)
        assert state(twice) == state(error)
        assert once.__notes__ == ["seen on node3"]
        assert all(getattr(once, name) == getattr(error, name) for name in attributes_of(kind) if not name.startswith("depend"))

    @pytest.mark.row("ERR-01")
    @pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
    @pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
    def test_copied(self, kind, duplicate):
        """As pickled, and `args` too."""
        error = make(kind)
        other = duplicate(error)
        assert other is not error
        assert state(other) == state(error)
        if kind not in MADE:
            assert other.args == error.args == ("what happened",)

    def test_versions_may_differ(self):
        """An attribute that one side does not know, or lacks, is no error."""
        error = errors.WorkerDied("gone", worker="w1", invented_later=5)
        rebuild, (kind, known) = error.__reduce__()
        del known["worker"]
        other = rebuild(kind, known)
        assert (other.worker, other.invented_later, str(other)) == ("", 5, "gone")

    @pytest.mark.row("ERR-08")
    def test_propagated_errors_keep_every_cause(self):
        """All of the failures travel, the root as cause; of a long chain only the root does, and the text stays."""
        error = ValueError("root")
        for number in range(10_000):
            error = errors.DependencyError([(error, f"task {number}")], number + 1)
        both = errors.JoinError([(error, "task 10000"), (KeyError("k"), "task 5")], 10_001, app_name="all")
        other = pickle.loads(pickle.dumps(both))
        assert [type(one) for one, _ in other.dependent_exceptions_tids] == [ValueError, KeyError]
        assert (other.task_id, other.app_name) == (10_001, "all")
        assert isinstance(other.__cause__, ValueError)
        assert str(other) == str(both)
        assert "(+ 1 others)" in str(other)

    def test_one_without_failures_is_no_cause_of_itself(self):
        """So that a traceback of it ends."""
        assert errors.JoinError([], 1).__cause__ is None
        assert pickle.loads(pickle.dumps(errors.JoinError([], 1))).__cause__ is None


class TestRootCauses:
    @pytest.mark.row("BETTER-08", "ERR-08")
    def test_the_text_begins_with_it(self, inline):
        """The root cause comes first, then this task, then the way to the task in which it happened."""

        @python_app
        def divide(x):
            return 1 / x

        @python_app
        def follow(x):
            return x

        future = follow(follow(divide(0)))
        first, second = str(future.exception()).splitlines()
        assert first == "ZeroDivisionError: division by zero"
        assert second == "Dependency failure for task 2 (follow). The representative cause is via task 1 <- task 0"
        assert isinstance(future.exception().__cause__, ZeroDivisionError)
        assert [name for _, name in future.exception().dependent_exceptions_tids] == ["task 1"]

    @pytest.mark.row("BETTER-08", "ERR-08")
    def test_through_joins_and_files(self, threads):
        """A join app, and an output, are no hiding places; other failures are counted."""

        @python_app
        def fail(text, outputs=()):
            raise ValueError(text)

        @join_app
        def both():
            return [fail("first"), fail("second")]

        error = python_app(lambda x: x)(both()).exception(20)
        assert str(error).startswith("ValueError: first\nDependency failure for task 1")
        assert isinstance(error.__cause__, ValueError)
        (join, _), *_ = error.dependent_exceptions_tids
        assert isinstance(join, errors.JoinError)
        assert str(join).endswith("(+ 1 others)")
        output = fail("no file", outputs=[warpbeam.File("x")]).outputs[0]
        error = python_app(lambda file: file)(output).exception(20)
        assert str(error).startswith("ValueError: no file\n")
        assert error.dependent_exceptions_tids[0][1] == f"DataFuture from task {output.tid}"

    @pytest.mark.row("BETTER-08")
    def test_commands_show_what_they_wrote(self, inline):
        """A dependent of a failed command shows its exit code, the task, and the end of stderr."""

        @warpbeam.bash_app
        def compute():
            return "echo 'cannot open input' >&2; exit 5"

        error = python_app(lambda x: x)(compute()).exception()
        assert str(error).startswith("BashExitFailure: bash_app compute failed with unix exit code 5\n")
        assert "cannot open input" in str(error)
        assert "task 0" in str(error)

    @pytest.mark.row("BETTER-08", "ERR-11")
    def test_a_loss_says_which_task(self, manual):
        """The kernel writes task and app into what an executor reports, and the executor's words stay."""
        from warpbeam.contracts import LossCause, Outcome, OutcomeKind

        future = python_app(int).options(lost_retries=0)("1")
        lost = errors.WorkerDied("killed by SIGKILL on node3", host="node3", signal="SIGKILL", log_tail="out of luck")
        manual.end(Outcome(manual.only(), OutcomeKind.LOST, error=lost, cause=LossCause.WORKER_KILLED))
        error = pickle.loads(pickle.dumps(future.exception()))
        assert (error.task, error.name, error.host, error.log_tail) == (0, "int", "node3", "out of luck")
        assert str(error) == "killed by SIGKILL on node3"

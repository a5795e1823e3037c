"""
Every exception of warpbeam, and when to catch it.

::

    WarpbeamError
    ├── ConfigurationError (ValueError)      a configuration that cannot be used
    │   └── OptionalModuleMissing            an option needs a package that is not installed
    ├── NoKernelLoadedError (RuntimeError)   no kernel to run on
    ├── KernelClosedError (RuntimeError)     the kernel no longer takes calls
    ├── WouldDeadlockError (RuntimeError)    a wait that could never end
    ├── InternalError                        a fault of warpbeam or of a plugin
    ├── PluginError                          a plugin is missing, broken or doubled
    │   ├── PluginNotFoundError (LookupError)
    │   ├── PluginLoadError
    │   └── PluginContractError              a plugin breaks its contract at run time
    ├── CallError                            the call itself is wrong; never retried
    │   ├── UnknownExecutorError (ValueError)
    │   ├── InvalidResourcesError (ValueError)
    │   └── SerializationError               an argument, function or result cannot travel
    │       └── DeserializationError
    ├── TaskError                            what ended a task
    │   ├── AppError                         the app itself failed
    │   │   ├── BashExitFailure
    │   │   ├── BashAppNoReturn (ValueError)
    │   │   ├── AppBadFormatting
    │   │   ├── BadStdStreamFile
    │   │   ├── MissingOutputs
    │   │   ├── AppTimeout (TimeoutError)
    │   │   └── AppExited                    the app called sys.exit
    │   ├── TaskLost                         the try was lost; another may succeed
    │   │   ├── WorkerDied
    │   │   │   └── TaskOutOfMemory (MemoryError)
    │   │   ├── ManagerLost
    │   │   ├── InterchangeLost
    │   │   └── BlockEnded
    │   ├── ExecutorDead                     no worker is left and none will come
    │   └── PropagatedError                  another task's failure
    │       ├── DependencyError
    │       └── JoinError
    └── MemoError
        └── UnhashableArgumentError (TypeError)

Data is in attributes; the text is made from them.  Every exception can be pickled, and an attribute that the reading
side does not know, or lacks, is no error: drivers and workers may differ by a version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def _rebuild(kind: type[WarpbeamError], state: dict[str, Any]) -> WarpbeamError:
    maker: Any = kind
    while maker.__module__ != "builtins":  # MemoryError may come first in the order of look-up, and cannot make these
        maker = maker.__base__
    error: WarpbeamError = maker.__new__(kind)
    error.__dict__.update(state)
    error.args = (error.message,)
    if isinstance(error, PropagatedError):
        error._set_cause()
    return error


class WarpbeamError(Exception):
    """
    Base of everything that warpbeam raises; catch it to tell our errors from your own.
    """

    transient: ClassVar[bool] = False
    """Whether the same thing tried again may succeed."""

    message: str = ""
    """The sentence given by whoever raised it; empty where the class makes its own."""

    def __init__(self, message: str = "", **attributes: Any) -> None:
        super().__init__(message)
        self.message = message
        self.__dict__.update(attributes)

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        state = dict(self.__dict__)
        state.setdefault("message", self.message)
        return _rebuild, (type(self), state)


# -- configuration and life cycle ---------------------------------------------------------------------------------------


class ConfigurationError(WarpbeamError, ValueError):
    """
    A configuration cannot be used; the message names the option, its value, and what would be right.
    """


class OptionalModuleMissing(ConfigurationError):
    """
    An option needs packages that are not installed.

    Args:
        module_names: the packages.
        reason: what they are needed for.
    """

    module_names: Sequence[str] = ()
    reason: str = ""

    def __init__(self, module_names: Sequence[str], reason: str) -> None:
        super().__init__(module_names=tuple(module_names), reason=reason)

    def __str__(self) -> str:
        return f"{self.reason} needs {', '.join(self.module_names)}, which cannot be imported; install it"


class NoKernelLoadedError(WarpbeamError, RuntimeError):
    """
    There is no kernel to run on; call ``warpbeam.load()`` first.
    """


class KernelClosedError(WarpbeamError, RuntimeError):
    """
    The kernel is closed, or belongs to the process that forked this one.
    """


class WouldDeadlockError(WarpbeamError, RuntimeError):
    """
    The wait asked for could never end, because the waiting thread is needed for what it waits for.
    """


class InternalError(WarpbeamError):
    """
    Something that cannot happen did; please report it with the message.
    """


# -- plugins -------------------------------------------------------------------------------------------------------------


class PluginError(WarpbeamError):
    """
    Base of what is wrong with plugins.

    Attributes:
        kind: the kind of plugin, such as ``"executor"``.
        name: the name asked for.
        distribution: the distribution that offers it, where known.
        version: that distribution's version.
    """

    kind: str = ""
    name: str = ""
    distribution: str = ""
    version: str = ""


class PluginNotFoundError(PluginError, LookupError):
    """
    No installed distribution offers a plugin of that name.
    """


class PluginLoadError(PluginError):
    """
    A plugin that was named cannot be loaded; the message says why and what to do.
    """


class PluginContractError(PluginError):
    """
    A plugin did at run time what its contract forbids.
    """


# -- the call itself -----------------------------------------------------------------------------------------------------


class CallError(WarpbeamError):
    """
    The call itself is wrong: no retry can help.
    """


class UnknownExecutorError(CallError, ValueError):
    """
    The app may run only on executors that the kernel does not have.
    """


class InvalidResourcesError(CallError, ValueError):
    """
    No executor can honour what the call asks for.

    Attributes:
        invalid_keys: the keys that no executor understands, as a set of names.
    """

    invalid_keys: frozenset[str] = frozenset()


class SerializationError(CallError):
    """
    Something cannot travel to a worker or back.

    Attributes:
        name: the app.
        path: where the culprit stands, such as ``args[0]['lock']``.
    """

    name: str = ""
    path: str = ""


class DeserializationError(SerializationError):
    """
    What has travelled cannot be read at the other end.

    Attributes:
        type_name: the type that could not be rebuilt, where known.
        remote_traceback: the traceback of the remote side, as text.
    """

    type_name: str = ""
    remote_traceback: str = ""


# -- what ended a task ---------------------------------------------------------------------------------------------------


class TaskError(WarpbeamError):
    """
    Base of what ends a task, apart from the exceptions that user code raises.
    """


class AppError(TaskError):
    """
    Base of what is wrong with an app itself.

    Attributes:
        app_name: the name of the app.
    """

    app_name: str = ""

    @property
    def reason(self) -> str:
        """
        What is wrong, in words.
        """
        return self.message


class BashExitFailure(AppError):
    """
    A bash app's command ended with an exit code other than 0.

    Attributes:
        app_name: the name of the app.
        exitcode: the exit code; negative for a signal.
        command: the command as it was run.
        directory: the directory that it ran in.
        stderr_tail: the last 20 lines that it wrote to stderr.
    """

    exitcode: int = 0
    command: str = ""
    directory: str = ""
    stderr_tail: str = ""

    def __init__(self, app_name: str, exitcode: int, *, command: str = "", directory: str = "", stderr_tail: str = ""):
        super().__init__(app_name=app_name, exitcode=exitcode, command=command, directory=directory, stderr_tail=stderr_tail)

    def __str__(self) -> str:
        lines = [f"bash_app {self.app_name} failed with unix exit code {self.exitcode}"]
        lines += [f"  command: {self.command}"] * bool(self.command)
        lines += [f"  directory: {self.directory}"] * bool(self.directory)
        lines += ["  stderr ends with:", *(f"    {line}" for line in self.stderr_tail.splitlines())] * bool(self.stderr_tail)
        return "\n".join(lines)


class BashAppNoReturn(AppError, ValueError):
    """
    A bash app's function returned no command line, because it returned something else or stopped with an ``AttributeError``.
    """


class AppBadFormatting(AppError):
    """
    A bash app's function failed while it put its command line together.
    """


class BadStdStreamFile(AppError):
    """
    A file named for stdout or stderr cannot be used; ``__cause__`` is what the operating system said.

    Attributes:
        stream: ``"stdout"`` or ``"stderr"``.
        file: what was given for it, relative paths made absolute.
    """

    stream: str = ""
    file: Any = None


class MissingOutputs(AppError):
    """
    The app ended well, but files that it declared as outputs do not exist.

    Attributes:
        reason: which app, and where the files were looked for.
        outputs: the missing files.
    """

    outputs: Sequence[Any] = ()

    def __init__(self, reason: str, outputs: Sequence[Any], *, app_name: str = "") -> None:
        super().__init__(reason, outputs=list(outputs), app_name=app_name)

    def __str__(self) -> str:
        return f"{self.reason}: missing output files: {', '.join(map(str, self.outputs))}"


class AppTimeout(AppError, TimeoutError):
    """
    A try exceeded its walltime and was ended.

    Attributes:
        walltime: the limit, in seconds.
    """

    walltime: float | None = None


class AppExited(AppError):
    """
    The app raised ``SystemExit``; the worker lives on.

    Attributes:
        code: the argument of the exit.
    """

    code: Any = None


class TaskLost(TaskError):
    """
    The try was lost with what it ran on; see the attributes and ``retries`` and ``lost_retries``.

    Attributes:
        task: the task's id.
        name: the app's name.
        host: the host name where it ran.
        block: the block's id.
    """

    transient = True
    task: int | None = None
    name: str = ""
    host: str = ""
    block: str = ""


class WorkerDied(TaskLost):
    """
    The worker process ended while it ran the task.

    Attributes:
        worker: which worker.
        exitcode: its exit code, where it ended by one.
        signal: the name of the signal that ended it, such as ``"SIGSEGV"``, or "".
        log_tail: the last lines that the worker wrote to stderr.
    """

    worker: str = ""
    exitcode: int | None = None
    signal: str = ""
    log_tail: str = ""


class TaskOutOfMemory(WorkerDied, MemoryError):
    """
    The worker was killed for memory.

    Attributes:
        peak_bytes: the most resident memory seen, in bytes.
        limit_bytes: the limit, in bytes.
    """

    peak_bytes: int | None = None
    limit_bytes: int | None = None


class ManagerLost(TaskLost):
    """
    The manager of a node was lost with the workers on it.
    """


class InterchangeLost(TaskLost):
    """
    The interchange of an executor was lost.
    """


class BlockEnded(TaskLost):
    """
    The block ended by plan: walltime, preemption or scale-in.
    """


class ExecutorDead(TaskError):
    """
    The executor has no worker left and none will come; its tasks cannot run.

    Attributes:
        label: the executor's label.
    """

    label: str = ""


class PropagatedError(TaskError):
    """
    The task could not be done because other tasks failed; ``__cause__`` is a root cause.

    Attributes:
        dependent_exceptions_tids: pairs of an exception and the name of what failed with it.
        task_id: this task's id.
        app_name: this task's name.
    """

    failure_description: ClassVar[str] = "Propagated"
    dependent_exceptions_tids: Sequence[tuple[BaseException, str]] = ()
    task_id: int = -1
    app_name: str = ""

    def __init__(
        self, dependent_exceptions_tids: Sequence[tuple[BaseException, str]], task_id: int, *, app_name: str = ""
    ) -> None:
        super().__init__(dependent_exceptions_tids=list(dependent_exceptions_tids), task_id=task_id, app_name=app_name)
        self._set_cause()

    def _set_cause(self) -> None:
        root = self.root_cause
        self.__cause__ = root if root is not self else None

    @property
    def root_cause(self) -> BaseException:
        """
        The exception of the first failure that is not itself a propagated one.
        """
        return self._path()[0]

    def _path(self) -> tuple[BaseException, list[str]]:
        # A loop, not a recursion: chains of dependencies may be ten thousands long.
        error: BaseException = self
        names: list[str] = []
        while isinstance(error, PropagatedError) and error.dependent_exceptions_tids:
            error, name = error.dependent_exceptions_tids[0]
            names.append(name)
        return error, names

    def __str__(self) -> str:
        if self.message:  # it has travelled
            return self.message
        root, names = self._path()
        if len(names) > 4:
            names = [*names[:2], f"({len(names) - 3} more)", names[-1]]
        path = " <- ".join(names)
        others = f" (+ {len(self.dependent_exceptions_tids) - 1} others)" * (len(self.dependent_exceptions_tids) > 1)
        what = f"{self.failure_description} failure for task {self.task_id}" + f" ({self.app_name})" * bool(self.app_name)
        if root is self:
            return what
        return f"{type(root).__name__}: {root}\n{what}. The representative cause is via {path}{others}"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        # Of each failure only the root travels: a chain of ten thousand would exceed the pickler's recursion.
        roots = [_root(error, name) for error, name in self.dependent_exceptions_tids]
        return _rebuild, (type(self), {**self.__dict__, "dependent_exceptions_tids": roots, "message": str(self)})


def _root(error: BaseException, name: str) -> tuple[BaseException, str]:
    if not isinstance(error, PropagatedError):
        return error, name
    root, names = error._path()
    return root, names[-1] if names else name


class DependencyError(PropagatedError):
    """
    A task that this one depends on failed, so this one was never started.
    """

    failure_description = "Dependency"


class JoinError(PropagatedError):
    """
    A future that this join app returned failed.
    """

    failure_description = "Join"


# -- memoization ---------------------------------------------------------------------------------------------------------


class MemoError(WarpbeamError):
    """
    A stored result cannot be read or written.
    """


class UnhashableArgumentError(MemoError, TypeError):
    """
    An argument of a memoized app has no stable identity; the message names it.

    Attributes:
        path: where it stands, such as ``kwargs['model']``.
    """

    path: str = ""


def describe(errors: Iterable[BaseException]) -> str:
    """
    Return the errors as one line each: type and first line of the text.
    """
    return "\n".join(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}" for error in errors)

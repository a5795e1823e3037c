"""
The callables that executors run in place of the user's function when a call needs more than its arguments.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from warpbeam.errors import AppBadFormatting, BashAppNoReturn, MissingOutputs
from warpbeam.remote.bash import run_command


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from warpbeam.dataflow.files import File


class Settings:
    """
    What a call needs besides its arguments.

    Attributes:
        name: name of the app.
        directory: the driver's directory at the call.
        stdout: absolute path, or pair of path and mode, or None.
        stderr: likewise.
        walltime: limit of the command in seconds, or None.
        workdir: ``"shared"``, ``"task"`` or a path.
        outputs: files that must exist afterwards.
        task: the task's id.
        attempt: number of the try.
        run_directory: directory of the run.
    """

    __slots__ = (
        "attempt",
        "directory",
        "name",
        "outputs",
        "run_directory",
        "stderr",
        "stdout",
        "task",
        "walltime",
        "workdir",
    )

    def __init__(
        self,
        name: str,
        directory: str,
        stdout: Any = None,
        stderr: Any = None,
        walltime: float | None = None,
        workdir: str = "shared",
        outputs: Sequence[File] = (),
        task: int = 0,
        attempt: int = 0,
        run_directory: str = "",
    ) -> None:
        self.name = name
        self.directory = directory
        self.stdout = stdout
        self.stderr = stderr
        self.walltime = walltime
        self.workdir = workdir
        self.outputs = tuple(outputs)
        self.task = task
        self.attempt = attempt
        self.run_directory = run_directory


class PythonCall:
    """
    A python app that declares outputs or a working directory.
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self.function = function
        self.name = name

    def __call__(self, settings: Settings, /, *args: Any, **kwargs: Any) -> Any:
        """
        Run the function, then check that its outputs exist.
        """
        make_parents(settings)
        with working_directory(settings) as directory:
            before = os.getcwd()
            is_elsewhere = settings.workdir != "shared"
            if is_elsewhere:
                os.chdir(directory)
            try:
                value = self.function(*args, **kwargs)
            finally:
                if is_elsewhere:
                    os.chdir(before)
            check_outputs(settings, "python_app")
        return value


class BashCall:
    """
    A bash app: calls the function for its command line, and runs that.
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self.function = function
        self.name = name

    def __call__(self, settings: Settings, /, *args: Any, **kwargs: Any) -> int:
        """
        Run the command and return 0.
        """
        command = self._command(settings, args, kwargs)
        make_parents(settings)
        with working_directory(settings) as directory:
            run_command(settings, command, directory)
            check_outputs(settings, "bash_app")
        return 0

    def _command(self, settings: Settings, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        try:
            command = self.function(*args, **kwargs)
        except (AttributeError, IndexError) as error:
            # The two classes that Parsl's users know to catch here.
            kind = BashAppNoReturn if isinstance(error, AttributeError) else AppBadFormatting
            message = f"bash_app {settings.name}: its function failed while it put the command line together: {error!r}"
            raise kind(message, app_name=settings.name) from error
        if not isinstance(command, str):
            message = (
                f"Expected a str for bash_app commandline, got {type(command)}: the function of bash_app {settings.name} "
                "must return the command line"
            )
            raise BashAppNoReturn(message, app_name=settings.name)
        return command


def make_parents(settings: Settings) -> None:
    """
    Make the directories of the output files.
    """
    for file in settings.outputs:
        os.makedirs(os.path.dirname(file.filepath) or ".", exist_ok=True)


def check_outputs(settings: Settings, kind: str) -> None:
    """
    Raise `MissingOutputs` if a declared output does not exist.
    """
    missing = [file for file in settings.outputs if not os.path.exists(file.filepath)]
    if missing:
        message = f"{kind} {settings.name} ended well but did not write what it declared"
        raise MissingOutputs(message, missing, app_name=settings.name)


@contextmanager
def working_directory(settings: Settings) -> Iterator[str]:
    """
    Give the directory to run in; a fresh one is removed after success, and kept and named in the error after a failure.
    """
    if settings.workdir == "shared":
        yield settings.directory if os.path.isdir(settings.directory) else os.getcwd()
        return
    if settings.workdir != "task":
        path = os.path.join(settings.directory, settings.workdir)
        os.makedirs(path, exist_ok=True)
        yield path
        return
    parent = os.path.join(settings.run_directory or tempfile.gettempdir(), "task_dirs")
    os.makedirs(parent, exist_ok=True)
    name = settings.name.replace("/", "_")
    path = tempfile.mkdtemp(prefix=f"task_{settings.task:04}_{name}_{settings.attempt}_", dir=parent)
    try:
        yield path
    except BaseException as error:
        error.add_note(f"its working directory was kept: {path}")
        raise
    if not any(os.path.realpath(file.filepath).startswith(os.path.realpath(path) + os.sep) for file in settings.outputs):
        shutil.rmtree(path, ignore_errors=True)

"""
Running a command line by bash.

The command gets a session of its own, so that its whole process group can be killed.  Its stderr goes through a pipe of which a
thread keeps the last part, and to the user's file if there is one; so an error can show its end however much was written.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any

from warpbeam.errors import AppError, AppTimeout, BadStdStreamFile, BashExitFailure


if TYPE_CHECKING:
    from warpbeam.remote.calls import Settings

TAIL_BYTES = 64 * 1024
"""How much of stderr is kept."""

TAIL_LINES = 20
"""How many lines of it an error shows."""

GRACE_S = 1.0
"""Seconds between SIGTERM and SIGKILL when the walltime is over."""


def open_stream(app_name: str, stream: str, given: Any, *, head: bytes = b"") -> IO[bytes]:
    """
    Open a file for stdout or stderr, making its directories, and write ``head``; the mode is ``a+`` unless it is given.

    Raises:
        BadStdStreamFile: it cannot be opened or written, or is no path and no pair of path and mode.
    """

    def bad(what: str) -> BadStdStreamFile:
        return BadStdStreamFile(f"App {app_name}: {stream}={what}", app_name=app_name, stream=stream, file=given)

    path, mode = given, "a+"
    if isinstance(given, tuple):
        if len(given) != 2:
            raise bad(f"{given!r}: a tuple must be a path and a mode, such as ('out.txt', 'w')")
        path, mode = given
    if not isinstance(path, str | os.PathLike) or not isinstance(mode, str):
        raise bad(f"{given!r} must be a path, or a tuple of path and mode")
    try:
        directory = os.path.dirname(os.fspath(path))
        if directory:
            os.makedirs(directory, exist_ok=True)
        return _opened(path, mode.replace("b", "").replace("t", "") + "b", head)
    except (OSError, ValueError) as error:
        raise bad(f"{os.fspath(path)!r} cannot be written with mode {mode!r}: {error}") from error


def _opened(path: str | os.PathLike[str], mode: str, head: bytes) -> IO[bytes]:
    file = open(path, mode)  # noqa: SIM115  (the caller closes it)
    try:
        file.write(head)
        file.flush()
    except BaseException:
        file.close()
        raise
    return file


class _Tail(threading.Thread):
    """
    Reads a pipe to its end, keeps the last part, copies all to a file.  Owns both descriptors.
    """

    def __init__(self, pipe: int, copy: int | None) -> None:
        super().__init__(name="warpbeam-stderr", daemon=True)
        self._pipe = pipe
        self._copy = copy
        self._kept = b""
        self.start()

    def run(self) -> None:
        try:
            while chunk := os.read(self._pipe, 65536):
                self._kept = (self._kept + chunk)[-TAIL_BYTES:]
                self._copy_out(chunk)
        finally:
            os.close(self._pipe)
            if self._copy is not None:
                os.close(self._copy)

    def _copy_out(self, chunk: bytes) -> None:
        try:
            while self._copy is not None and chunk:
                chunk = chunk[os.write(self._copy, chunk) :]
        except OSError:  # a full disk must not block the command on its pipe
            os.close(self._copy)  # type: ignore[arg-type]
            self._copy = None

    def lines(self) -> str:
        """
        Return the last lines.
        """
        text = self._kept.decode("utf-8", "replace")
        return "\n".join(text.splitlines()[-TAIL_LINES:])


def run_command(settings: Settings, command: str, directory: str) -> None:
    """
    Run a command line and wait for it.

    Raises:
        BashExitFailure: its exit code is not 0.
        AppTimeout: it exceeded its walltime; its process group has been killed.
        BadStdStreamFile: a stream cannot be opened.
        AppError: bash cannot be started.
    """
    with ExitStack() as stack:
        header = f"--> executable follows <--\n{command}\n--> end executable <--\n".encode(errors="surrogateescape")
        streams = {}
        for name, head in (("stdout", b""), ("stderr", header)):
            given = getattr(settings, name)
            streams[name] = stack.enter_context(open_stream(settings.name, name, given, head=head)) if given is not None else None
        process = _start(settings, command, directory, streams["stdout"])
        tail = _tail_of(process, streams["stderr"])
        try:
            code = process.wait(settings.walltime)
        except subprocess.TimeoutExpired:
            kill_group(process)
            message = f"App {settings.name} exceeded walltime: {settings.walltime:g} seconds"
            raise AppTimeout(message, app_name=settings.name, walltime=settings.walltime) from None
        except BaseException:
            kill_group(process)
            raise
        finally:
            # A child that was left in the background may hold the pipe open; what it writes later is not awaited.
            tail.join(0.5 if process.returncode is not None else 0)
    if code:
        raise BashExitFailure(settings.name, code, command=command, directory=directory, stderr_tail=tail.lines())


def _tail_of(process: subprocess.Popen[bytes], file: IO[bytes] | None) -> _Tail:
    assert process.stderr is not None
    with process.stderr as pipe:
        return _Tail(os.dup(pipe.fileno()), os.dup(file.fileno()) if file is not None else None)


def _start(settings: Settings, command: str, directory: str, stdout: IO[bytes] | None) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "WARPBEAM_TRY": f"{settings.task}.{settings.attempt}"}
    try:
        return subprocess.Popen(
            ["bash", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            cwd=directory,
            env=environment,
            start_new_session=True,
            close_fds=False,  # descriptors made inheritable are meant for commands: MPI and make pass them on so
        )
    except (OSError, ValueError) as error:
        message = f"App {settings.name}: bash cannot be started in {directory}: {error}"
        raise AppError(message, app_name=settings.name) from error


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """
    End a process and all of its group: SIGTERM, then SIGKILL.
    """
    if sys.platform == "win32":  # there are no process groups there
        process.kill()
        process.wait()
        return
    _signal_group(process, signal.SIGTERM)
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        pass
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    if sys.platform != "win32":
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):
            return

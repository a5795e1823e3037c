"""
One worker process as the pool sees it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections import deque
from typing import IO, TYPE_CHECKING, Any

import attrs
from warpbeam.contracts import LossCause

from warpbeam_processes.frames import Decoder, Sender


if TYPE_CHECKING:
    from warpbeam.contracts import TaskCall

OWN_FAULT = {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE}
"""Signals by which a process dies of its own doing."""


@attrs.define(eq=False)
class Job:
    """
    A call that a worker has or will have.

    Attributes:
        call: the call.
        digest: of its function.
        function: the packed function.
        arguments: the packed arguments.
        is_started: the kernel has been told that it starts.
        ending: how it is being ended from outside: "", ``"walltime"`` or ``"cancel"``.
    """

    call: TaskCall
    digest: bytes
    function: Any
    arguments: Any
    is_started: bool = False
    ending: str = ""


class WorkerProcess:
    """
    A worker: its process, its socket, and what it has to do; the first of ``jobs`` is the one that runs.
    """

    def __init__(self, name: str, directory: str) -> None:
        self.name = name
        self.jobs: deque[Job] = deque()
        self.functions: set[bytes] = set()
        self.decoder = Decoder()
        self.sender = Sender()
        self.is_ready = False
        self.deadline: float | None = None
        self._log: IO[bytes] = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115  (closed with the worker)
        self.connection, theirs = socket.socketpair()
        self.connection.setblocking(False)
        errors = _stderr()
        try:
            command = [
                sys.executable,
                "-m",
                "warpbeam_processes.worker",
                str(theirs.fileno()),
                str(os.getpid()),
                str(errors),
                os.environ.get("PYTHONPATH", ""),
            ]
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stderr=self._log,
                pass_fds=(theirs.fileno(), errors),
                start_new_session=True,
                env=_environment(),
            )
        finally:
            theirs.close()
            os.close(errors)

    def kill(self) -> None:
        """
        Kill the process and all of its group.
        """
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self.process.kill()

    def reap(self) -> int:
        """
        Wait for the process, which has ended or has been told to, kill what it left, and return its exit code.
        """
        try:
            code = self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self.process.wait()
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self.connection.close()
        return code

    def log_tail(self) -> str:
        """
        Return the end of what it wrote to stderr before it was ready, and close the log.
        """
        if self._log.closed:
            return ""
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - 4096))
        text = self._log.read().decode("utf-8", "replace")
        self._log.close()
        return "\n".join(text.splitlines()[-20:])


def _environment() -> dict[str, str]:
    # The package may come from a path that only the driver knows (a script's folder, a changed sys.path).
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {**os.environ, "PYTHONPATH": path}


def _stderr() -> int:
    try:
        return os.dup(2)
    except OSError:  # the driver has closed it
        return os.open(os.devnull, os.O_WRONLY)


def cause_of(code: int) -> tuple[LossCause, str]:
    """
    Return what a worker's exit code says of its end, and the name of the signal, if it was one.
    """
    if code >= 0:
        return LossCause.WORKER_FAULT, ""
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return (LossCause.WORKER_FAULT if -code in OWN_FAULT else LossCause.WORKER_KILLED), name

"""
A worker process: ``python -m warpbeam_processes.worker FD``.

It reads calls from the socket FD, runs one at a time, and writes their results.  It ends when the driver closes the socket, and the
kernel of the operating system kills it when the driver dies.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from typing import Any

from warpbeam.errors import AppExited
from warpbeam.remote import TaskContext, running
from warpbeam_serializers import LoadedFunctions, Packed, dumps, dumps_error, loads

from warpbeam_processes.frames import Decoder, encode


PR_SET_PDEATHSIG = 1
NO_EVENTS = Packed(b"", [])


def die_with_parent(parent: int) -> None:
    """
    Have this process killed when the thread that started it ends, which lives as long as the driver's pool.
    """
    try:
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    except (ImportError, OSError, AttributeError):
        return  # not Linux: the closed socket ends an idle worker
    if os.getppid() != parent:
        os._exit(1)


class Worker:
    """
    Runs calls.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._functions = LoadedFunctions()
        self._wrapper: Any = None
        self._decoder = Decoder()
        self._pending: list[tuple[tuple[Any, ...], list[Any]]] = []
        self._dropped: set[tuple[int, int]] = set()
        self._name = ""
        self._label = ""

    def serve(self) -> None:
        """
        Run calls until the driver closes the socket.
        """
        while self._pending or self._read(wait=True):
            self._read(wait=False)
            if self._pending:
                head, frames = self._pending.pop(0)
                self._handle(head, frames)

    def _read(self, *, wait: bool) -> bool:
        self._connection.setblocking(wait)
        try:
            while self._decoder.read(self._connection):
                for head, frames in self._decoder.messages():
                    if head[0] == "drop":
                        self._dropped.add(head[1])
                    else:
                        self._pending.append((head, frames))
                if wait and self._pending:
                    return True
        except BlockingIOError:
            return True
        return bool(self._pending)

    def _handle(self, head: tuple[Any, ...], frames: list[Any]) -> None:
        if head[0] == "start":
            _, name, label, path, wrapper = head
            self._start(name, label, path, wrapper, frames)
            return
        _, try_id, name, digest, function, arguments = head
        if try_id in self._dropped:
            self._dropped.discard(try_id)
            self._send(("dropped", try_id), [])
            return
        context = TaskContext(try_id[0], try_id[1], name, self._name, self._label)
        began = time.perf_counter()
        kind, tag, payload = self._call(context, digest, function, arguments, frames)
        duration_s = time.perf_counter() - began
        events = self._events(context)
        self._send((kind, try_id, tag, duration_s, events.tag, len(events.frames)), [*payload, *events.frames])

    def _start(self, name: str, label: str, path: list[str], wrapper: tuple[bytes, int] | None, frames: list[Any]) -> None:
        self._name, self._label = name, label
        sys.path[:] = path
        if wrapper is not None:
            self._wrapper = loads(Packed(wrapper[0], frames))

    def _call(
        self, context: TaskContext, digest: bytes, function: Any, arguments: bytes, frames: list[Any]
    ) -> tuple[str, bytes, Any]:
        name = context.name
        try:
            count = 0
            packed = None
            if function is not None:
                tag, count = function
                packed = Packed(tag, frames[:count])
            call = self._functions.load(digest, packed)
            args, kwargs = loads(Packed(arguments, frames[count:]))
            with running(context):
                value = call(*args, **kwargs) if self._wrapper is None else self._wrapper(lambda: call(*args, **kwargs))
            packed = dumps(value, name=name, what="the result")
        except SystemExit as error:
            exited = AppExited(f"{name} called sys.exit({error.code!r})", app_name=name, code=error.code)
            return "raised", b"", dumps_error(exited)
        except BaseException as error:
            return "raised", b"", dumps_error(error)
        return "returned", packed.tag, packed.frames

    @staticmethod
    def _events(context: TaskContext) -> Packed:
        if not context.events:
            return NO_EVENTS
        try:
            return dumps(context.events, name=context.name, what="its events")
        except Exception as error:
            return dumps(tuple((kind, {"lost": str(error)}) for kind, _ in context.events))

    def _send(self, head: tuple[Any, ...], frames: Any) -> None:
        self._connection.setblocking(True)
        for part in encode(head, frames):
            self._connection.sendall(part)


def main() -> None:
    """
    Serve a socket; the arguments are its number, the driver's process id, the number of stderr, and the driver's PYTHONPATH.
    """
    descriptor, parent, errors = (int(text) for text in sys.argv[1:4])
    os.environ["PYTHONPATH"] = sys.argv[4]  # what was added to it was for finding this module
    if not sys.argv[4]:
        del os.environ["PYTHONPATH"]
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = socket.socket(fileno=descriptor)
    connection.set_inheritable(False)
    sys.argv = ["warpbeam-worker"]
    worker = Worker(connection)
    worker._send(("hello", os.getpid()), [])
    os.dup2(errors, 2)
    os.close(errors)
    try:
        worker.serve()
    except (ConnectionError, BrokenPipeError):
        pass
    sys.stdout.flush()
    os._exit(0)  # threads that tasks have left must not keep the worker


if __name__ == "__main__":
    main()

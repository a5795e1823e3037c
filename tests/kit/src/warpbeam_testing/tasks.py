"""
What contract tests run on workers: functions that return, fail, wait, die.

Workers import this module, so it needs nothing but the standard library and `warpbeam.remote`.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warpbeam import remote


if TYPE_CHECKING:
    from collections.abc import Callable

POLL_S = 0.005
MOST_S = 60.0


def echo(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """
    Return the arguments.
    """
    return args, kwargs


def fail(message: str) -> None:
    """
    Raise a ValueError.
    """
    raise ValueError(message)


def leave(code: int) -> None:
    """
    Call ``sys.exit``.
    """
    sys.exit(code)


def interrupt() -> None:
    """
    Raise a KeyboardInterrupt of the task's own.
    """
    raise KeyboardInterrupt("of the task")


def hold(directory: str, name: str = "hold") -> str:
    """
    Write ``NAME.started``, with the process id, then wait for ``NAME.release`` in the directory.
    """
    started = Path(directory, f"{name}.started")
    draft = started.with_suffix(".draft")
    draft.write_text(str(os.getpid()))
    draft.rename(started)
    end = time.monotonic() + MOST_S
    while not Path(directory, f"{name}.release").exists():
        if time.monotonic() > end:
            raise TimeoutError(f"nobody wrote {name}.release")
        time.sleep(POLL_S)
    return name


def touch(path: str) -> None:
    """
    Write a file, as a proof that the function ran.
    """
    Path(path).touch()


def die() -> None:
    """
    End the worker by ``os._exit``.
    """
    os._exit(7)


def crash() -> None:
    """
    End the worker by a segmentation fault's signal.
    """
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(MOST_S)


class Unsendable:
    """
    What no method of serializing can send.
    """

    def __reduce_ex__(self, protocol: Any) -> Any:
        """
        Refuse.
        """
        raise TypeError(f"an Unsendable cannot be sent by protocol {protocol}")


def unsendable() -> object:
    """
    Return what cannot be sent.
    """
    return Unsendable()


class UnreadableError(Exception):
    """
    An exception that can be pickled and not unpickled.
    """

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} {second}")


def fail_unreadably() -> None:
    """
    Raise an exception that cannot be unpickled.
    """
    raise UnreadableError("cannot", "be read")


def describe() -> dict[str, Any]:
    """
    Return what the task's context says.
    """
    context = remote.context()
    return {"task": context.task, "attempt": context.attempt, "name": context.name, "executor": context.executor}


def emit(kind: str, value: Any) -> None:
    """
    Emit an event.
    """
    remote.context().emit(kind, value=value)


class Wrapper:
    """
    A task wrapper that writes a file before the task and one after it.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def __call__(self, call: Callable[[], Any], /) -> Any:
        """
        Run the call between two files.
        """
        touch(f"{self.directory}/wrapper.before")
        try:
            return call()
        finally:
            touch(f"{self.directory}/wrapper.after")

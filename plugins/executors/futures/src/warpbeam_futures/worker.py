"""
What runs on the workers of a foreign pool.

A call comes as plain values and bytes, since a pool may pickle in its own way.  Its answer goes back in the same form; `run` never
raises, so whatever exception a foreign future has is the pool's own.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from warpbeam.errors import AppExited
from warpbeam.remote import TaskContext, running
from warpbeam_serializers import Packed, dumps, dumps_error, loads


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST_FUNCTIONS = 1000
"""So many functions a worker keeps."""

RETURNED, RAISED, NEEDED = 0, 1, 2

Plain = tuple[bytes, list[bytes | bytearray]]
"""An object as bytes that any pickle can carry: the method's tag, and frames."""

_functions: dict[bytes, Any] = {}


class Order(NamedTuple):
    """
    A call: ids and names, digest and perhaps content of the function, arguments, and perhaps the task wrapper.
    """

    task: int
    attempt: int
    name: str
    label: str
    digest: bytes
    function: Plain | None
    arguments: Plain
    wrapper: Plain | None


class Answer(NamedTuple):
    """
    How it ended: `RETURNED` with the value, `RAISED` with the error's frames, or `NEEDED` if the function has to be sent.
    """

    kind: int
    value: Plain
    duration_s: float = 0.0
    host: str = ""
    pid: int = 0
    events: Plain | None = None


def plain(packed: Packed) -> Plain:
    """
    Return frames as bytes; buffers become bytearrays, so that arrays are writable at the other end.
    """
    return packed.tag, _plain_frames(packed.frames)


def _plain_frames(frames: Sequence[Any]) -> list[bytes | bytearray]:
    return [frame if isinstance(frame, bytes) else bytearray(frame) for frame in frames]


def hello() -> tuple[int, int]:
    """
    Show that a worker works, and can import this module; return its version of Python.
    """
    return sys.version_info[:2]


def run(fields: tuple[Any, ...]) -> tuple[Any, ...]:
    """
    Run an `Order` and return the `Answer`, both as bare tuples, which are quicker to pickle.
    """
    order = Order(*fields)
    if order.function is None and order.digest not in _functions:
        return NEEDED, (b"", [])
    context = TaskContext(order.task, order.attempt, order.name, f"{order.label}-{os.getpid()}", order.label)
    began = time.perf_counter()
    kind, value = _call(context, order)
    duration_s = time.perf_counter() - began
    return kind, value, duration_s, socket.gethostname(), os.getpid(), _events(context)


def _call(context: TaskContext, order: Order) -> tuple[int, Plain]:
    name = order.name
    try:
        function = _load(order)
        args, kwargs = loads(order.arguments)
        with running(context):
            wrapper = _run_bare if order.wrapper is None else loads(order.wrapper)
            value = wrapper(lambda: function(*args, **kwargs))
        return RETURNED, plain(dumps(value, name=name, what="the result"))
    except SystemExit as error:
        exited = AppExited(f"{name} called sys.exit({error.code!r})", app_name=name, code=error.code)
        return RAISED, (b"", _plain_frames(dumps_error(exited)))
    except BaseException as error:  # whatever user code raises is the task's
        return RAISED, (b"", _plain_frames(dumps_error(error)))


def _run_bare(call: Callable[[], Any]) -> Any:
    return call()


def _load(order: Order) -> Any:
    function = _functions.get(order.digest)
    if function is None:
        assert order.function is not None
        if len(_functions) >= MOST_FUNCTIONS:
            _functions.clear()  # large ones are asked for again
        function = _functions[order.digest] = loads(order.function)
    return function


def _events(context: TaskContext) -> Plain | None:
    if not context.events:
        return None
    try:
        return plain(dumps(context.events, name=context.name, what="its events"))
    except Exception as error:
        return plain(dumps(tuple((kind, {"lost": str(error)}) for kind, _ in context.events)))

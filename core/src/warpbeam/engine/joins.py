"""
Join apps: what their bodies return, and waiting for it.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from warpbeam.dataflow import traverse
from warpbeam.dataflow.files import File
from warpbeam.dataflow.futures import DataFuture
from warpbeam.errors import JoinError, WouldDeadlockError


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from warpbeam.dataflow.futures import AppFuture
    from warpbeam.dataflow.task import Task

_CONTAINERS = (list, tuple, set, frozenset, dict)


def futures_in(task: Task, value: Any) -> list[Future[Any]]:
    """
    Return the futures in what a join app's body returned.

    Raises:
        TypeError: it is no future, nor a nesting of futures in lists, tuples, sets, dicts or records.
        WouldDeadlockError: it is the join app's own future.
    """
    found: list[Future[Any]] = []
    _collect(task, value, found, "", set())
    if any(future is task.future for future in found):
        raise WouldDeadlockError(f"join app {task.spec.name!r} returned its own future, which it would wait for for ever")
    return found


def _collect(task: Task, value: Any, found: list[Future[Any]], path: str, seen: set[int]) -> None:
    if isinstance(value, Future):
        found.append(value)
    elif id(value) in seen:
        return
    elif isinstance(value, dict):
        seen.add(id(value))
        for key, item in value.items():
            _collect(task, item, found, f"{path}[{key!r}]", seen)
    elif isinstance(value, _CONTAINERS):
        seen.add(id(value))
        for index, item in enumerate(value):
            _collect(task, item, found, f"{path}[{index}]", seen)
    else:
        before = len(found)
        is_record = not isinstance(value, File) and traverse.shape_of(type(value)) is not None
        leaves: list[Any] = []
        traverse.find(value, leaves.append)
        found.extend(leaf for leaf in leaves if isinstance(leaf, Future))
        if not is_record or len(found) == before:
            where = f" at {path}" * bool(path)
            message = (
                f"join app {task.spec.name!r} must return a future, or futures in lists, tuples, sets, dicts or records, "
                f"not {type(value).__name__} ({value!r:.200}){where}"
            )
            raise TypeError(message)


class Gathering:
    """
    Counts futures that are not done; calls back once when all are.
    """

    __slots__ = ("_all_done", "_lock", "_missing")

    def __init__(self, futures: Sequence[Future[Any]], all_done: Callable[[], None]) -> None:
        self._all_done = all_done
        self._lock = threading.Lock()
        self._missing = len(futures) + 1
        for future in futures:
            future.add_done_callback(self._one_done)
        self._one_done(None)

    def _one_done(self, _: object) -> None:
        with self._lock:
            self._missing -= 1
            is_last = not self._missing
        if is_last:
            self._all_done()


def result(task: Task) -> tuple[Any, JoinError | None]:
    """
    Return what a join app whose futures are all done gives: its value, or its error with every failure in it.
    """
    assert task.joined is not None
    value, futures = task.joined
    failures = [(error, name_of(future)) for future in futures if (error := failure_of(future)) is not None]
    if failures:
        return None, JoinError(failures, task.id, app_name=task.spec.name)
    return traverse.replace(value, _result_of), None


def _result_of(leaf: Any) -> Any:
    return leaf.result() if isinstance(leaf, Future) else leaf


def failure_of(future: Future[Any]) -> BaseException | None:
    """
    Return the exception of a future that is done; a cancelled one has a CancelledError.
    """
    try:
        return future.exception()
    except BaseException as error:  # CancelledError, of whichever library
        return error


def name_of(future: Future[Any]) -> str:
    """
    Return how a future is named in the errors of what depends on it.
    """
    own = future.__dict__  # not getattr, which would make a lifted access of an AppFuture
    if "tid" in own:
        return f"task {own['tid']}"
    if "file_obj" in own:
        return f"DataFuture from task {own['parent'].tid}"
    return repr(future)


def name_in(task: Task, parent: AppFuture[Any]) -> str:
    """
    Return how a parent is named in the error of a task: by the file it was to make, if the task was given that.

    Looks at arguments and elements of ``inputs`` alone, without code of the user's: the kernel's lock is held.
    """
    inputs = task.kwargs.get("inputs")
    given = (*task.args, *task.kwargs.values(), *(inputs if type(inputs) is list else ()))
    files = (one for one in given if type(one) is DataFuture and one.parent is parent)
    return name_of(next(files, parent))

"""
Where the memo store is asked: on a thread of its own, in batches.

Keys are made and the store is read and written here, never in a caller's or an executor's thread.  An item is put before its
future resolves.  The thread starts with the first memoized call.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from warpbeam.contracts import MemoCall, MemoItem


if TYPE_CHECKING:
    from collections.abc import Callable

    from warpbeam.contracts import MemoKey, RunningMemo
    from warpbeam.dataflow.task import Task


class MemoDesk:
    """
    Asks and fills a memo store for the kernel.

    Args:
        open_store: starts the store; called in the thread that first asks.
        answered: told of each asked task and its item, None for a miss, or the exception that making its key raised.
        remembered: told of each task whose item was put, and of the exception that putting it raised, or None.
        arguments: gives a task's arguments with futures replaced.
    """

    def __init__(
        self,
        open_store: Callable[[], RunningMemo],
        answered: Callable[[list[tuple[Task, MemoItem | BaseException | None]]], None],
        remembered: Callable[[list[tuple[Task, MemoItem, BaseException | None]]], None],
        arguments: Callable[[Task], tuple[tuple[Any, ...], dict[str, Any]]],
    ) -> None:
        self._open_store = open_store
        self._answered = answered
        self._remembered = remembered
        self._arguments = arguments
        self._changed = threading.Condition()
        self._questions: deque[Task] = deque()
        self._items: deque[tuple[Task, MemoItem]] = deque()
        self._store: RunningMemo | None = None
        self._thread: threading.Thread | None = None
        self._is_stopping = False

    def ask(self, task: Task) -> None:
        """
        Look a task up.
        """
        with self._changed:
            self._questions.append(task)
            self._wake()

    def remember(self, task: Task, item: MemoItem) -> None:
        """
        Put a task's item.
        """
        with self._changed:
            self._items.append((task, item))
            self._wake()

    def stop(self) -> None:
        """
        Do what is queued, close the store, end the thread.
        """
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    @property
    def store(self) -> RunningMemo | None:
        """
        The running store, or None while nobody has asked.
        """
        return self._store

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="warpbeam-memo", daemon=True)
            self._thread.start()
        self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (self._questions or self._items or self._is_stopping):
                    self._changed.wait()
                questions, self._questions = self._questions, deque()
                items, self._items = self._items, deque()
            if not questions and not items:
                break
            if items:
                self._put(list(items))
            if questions:
                self._look_up(list(questions))
        if self._store is not None:
            self._store.stop()

    def _look_up(self, tasks: list[Task]) -> None:
        answers: list[tuple[Task, MemoItem | BaseException | None]] = []
        keyed = []
        for task in tasks:
            try:
                task.memo_key = self._key(task)
                keyed.append(task)
            except Exception as error:
                answers.append((task, error))
        try:
            found = self._open().get([key for task in keyed if (key := task.memo_key) is not None]) if keyed else {}
            answers += [(task, found.get(key) if (key := task.memo_key) else None) for task in keyed]
        except Exception as error:
            answers += [(task, error) for task in keyed]
        self._answered(answers)

    def _put(self, items: list[tuple[Task, MemoItem]]) -> None:
        failure: BaseException | None = None
        try:
            self._open().put({key: item for task, item in items if (key := task.memo_key) is not None})
        except Exception as error:
            failure = error
        self._remembered([(task, item, failure) for task, item in items])

    def _open(self) -> RunningMemo:
        if self._store is None:
            self._store = self._open_store()
        return self._store

    def _key(self, task: Task) -> MemoKey:
        args, kwargs = self._arguments(task)
        spec = task.spec
        ignored = spec.ignore_for_cache | (task.special.ignored if task.special else frozenset())
        call = MemoCall(spec.name, module_name(spec.function), spec.function, args, kwargs, ignored)
        return self._open().key(call)


def module_name(function: Any) -> str:
    """
    Return the module of a function; for a script the file's name, which is the same in the next run.
    """
    module = getattr(function, "__module__", None) or ""
    if module == "__main__":
        path = getattr(sys.modules.get("__main__"), "__file__", None)
        return os.path.basename(path) if path else module
    return module

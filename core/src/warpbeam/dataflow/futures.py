"""
The futures that apps return.

One future a task.  A standard future makes a condition variable at once, which is most of its time and memory; these make theirs
when somebody first waits.  The rules that keep this safe:

- ``_condition`` is made under the future's guard, one of a few locks that all futures share, and never taken away.
- Who completes a future takes its guard.  If there is no condition, nobody can be waiting, and the state is set under the guard
  alone.  If there is one, the guard is released *before* the condition is taken (``concurrent.futures.wait`` holds several
  conditions while it asks for the next), and the state is set under the condition, as the standard library does.
- The guard is re-entrant, because a finaliser or a signal handler may run in the middle and touch another future.

The private names (``_condition``, ``_state``, ``_result``, ``_exception``, ``_waiters``) are those that
``concurrent.futures.wait`` and ``as_completed`` read; a test runs them against completions in a race on every Python.
"""

from __future__ import annotations

import asyncio
import operator
import os
import threading
import time
from concurrent.futures import CancelledError, Future, InvalidStateError
from concurrent.futures._base import CANCELLED, CANCELLED_AND_NOTIFIED, FINISHED, PENDING, RUNNING
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from warpbeam.dataflow.frames import thread
from warpbeam.errors import KernelClosedError, WouldDeadlockError
from warpbeam.log import logger


if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from warpbeam.contracts import TaskInfo, TaskState
    from warpbeam.dataflow.files import File
    from warpbeam.dataflow.task import AppSpec, Task

R = TypeVar("R")

_DONE = frozenset({CANCELLED, CANCELLED_AND_NOTIFIED, FINISHED})
GUARDS = 64
"""How many guards there are; with a single one, threads that complete futures would queue for it."""

_guards = [threading.RLock() for _ in range(GUARDS)]
_log = logger("warpbeam.futures")


def _new_guards() -> None:
    # In a forked child another thread of the parent may have held one.
    _guards[:] = [threading.RLock() for _ in range(GUARDS)]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_guards)


def _guard_of(future: object) -> threading.RLock:
    return _guards[id(future) // 64 % GUARDS]  # objects lie 16 bytes apart at least, futures about 64


class _OnDemand:
    """
    A list made when first read; a non-data descriptor, so that later reads find the instance's own.
    """

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, _owner: type) -> Any:
        made: list[Any] = []
        return instance.__dict__.setdefault(self._name, made)


class LazyFuture(Future[R]):
    """
    A future whose condition variable is made when somebody waits.
    """

    _made_condition: threading.Condition | None = None
    _result: Any = None
    _exception: BaseException | None = None
    _callbacks: list[Callable[[Any], object]] | None = None
    _waiters: Any = _OnDemand()

    def __init__(self) -> None:  # the standard constructor is what we avoid
        self._state = PENDING

    @property
    def _condition(self) -> threading.Condition:  # type: ignore[override]
        with _guard_of(self):
            if self._made_condition is None:
                self._made_condition = threading.Condition()
            return self._made_condition

    # -- reading --------------------------------------------------------------------------------------------------------

    def done(self) -> bool:
        """
        Return whether it has a result, an exception, or was cancelled.
        """
        return self._state in _DONE

    def running(self) -> bool:
        """
        Return whether a worker is at it.
        """
        return self._state == RUNNING

    def cancelled(self) -> bool:
        """
        Return whether it was cancelled.
        """
        return self._state in (CANCELLED, CANCELLED_AND_NOTIFIED)

    def result(self, timeout: float | None = None) -> R:
        """
        Return the result, waiting for it if need be.

        Args:
            timeout: seconds to wait, or None without limit.

        Raises:
            CancelledError: it was cancelled.
            TimeoutError: it is not done in time.
            WouldDeadlockError: this thread is needed to complete it.
        """
        if self._state not in _DONE:
            self._wait(timeout)
        if self._state != FINISHED:
            raise CancelledError
        if self._exception is not None:
            try:
                raise self._exception
            finally:
                self = None  # type: ignore[assignment]  # noqa: PLW0642  (breaks the cycle with the traceback)
        return self._result  # type: ignore[no-any-return]

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """
        Return the exception, or None if it ended well; waits and raises as `result`.
        """
        if self._state not in _DONE:
            self._wait(timeout)
        if self._state != FINISHED:
            raise CancelledError
        return self._exception

    def _wait(self, timeout: float | None) -> None:
        self._check_wait()
        give_up = thread.give_up
        if give_up is not None:
            give_up(self)
        try:
            with self._condition:
                if self._state not in _DONE:
                    self._condition.wait(timeout)
        finally:
            if give_up is not None:
                give_up(None)
        if self._state not in _DONE:
            raise TimeoutError(f"{self!r} is not done after {timeout} s")

    def _check_wait(self) -> None:
        if thread.in_kernel:
            message = f"waiting for {self!r} in a callback would block the thread that delivers results"
            raise WouldDeadlockError(message)

    # -- completing -----------------------------------------------------------------------------------------------------

    def _finish(self, state: str) -> None:
        """
        Make the outcome stored in ``_result`` or ``_exception`` visible; the second call does nothing.
        """
        callbacks = None
        with _guard_of(self):
            condition = self._made_condition
            if condition is None:
                if self._state in _DONE:
                    return
                self._state = state
                callbacks, self._callbacks = self._callbacks, None
        if condition is not None:
            with condition:
                if self._state in _DONE:
                    return
                self._state = state
                self._tell_waiters(state)
                condition.notify_all()
            with _guard_of(self):
                callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            self._call(callback)

    def _tell_waiters(self, state: str) -> None:
        for waiter in self._waiters:
            if state != FINISHED:
                waiter.add_cancelled(self)
            elif self._exception is not None:
                waiter.add_exception(self)
            else:
                waiter.add_result(self)

    def _call(self, callback: Callable[[Any], object]) -> None:
        try:
            callback(self)
        except KeyboardInterrupt:
            if threading.current_thread() is threading.main_thread():
                raise
            _log.exception("a callback of %r raised", self)
        except BaseException:
            _log.exception("a callback of %r raised", self)

    def add_done_callback(self, fn: Callable[[Any], object]) -> None:
        """
        Call ``fn(future)`` when it is done, in the thread that completes it; at once if it is done.

        What it raises is logged.  It may call apps; it may not wait for futures.
        """
        with _guard_of(self):
            if self._state not in _DONE:
                if self._callbacks is None:
                    self._callbacks = []
                self._callbacks.append(fn)
                return
        self._call(fn)

    def set_running_or_notify_cancel(self) -> bool:
        """
        Mark it as running; return False if it was cancelled.
        """
        with self._condition:
            if self._state == PENDING:
                self._state = RUNNING
            return self._state == RUNNING

    def set_result(self, result: R) -> None:
        """
        Complete it with a result; for executors and tests.
        """
        self._refuse_if_done()
        self._result = result
        self._finish(FINISHED)

    def set_exception(self, exception: BaseException | None) -> None:
        """
        Complete it with an exception; for executors and tests.
        """
        self._refuse_if_done()
        self._exception = exception
        self._finish(FINISHED)

    def _refuse_if_done(self) -> None:
        if self._state in _DONE:
            raise InvalidStateError(f"{self._state}: {self!r}")

    # -- asyncio, pickling ------------------------------------------------------------------------------------------------

    def __await__(self) -> Generator[Any, None, R]:
        """
        Wait in a coroutine; cancelling the coroutine leaves the task alone.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()

        def show() -> None:
            if not waiter.done():
                waiter.set_result(None)

        def wake(_: object) -> None:
            try:
                loop.call_soon_threadsafe(show)
            except RuntimeError:
                _log.debug("the loop that awaited %r is closed", self)

        self.add_done_callback(wake)
        yield from waiter
        return self.result()

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        message = (
            f"{self!r} cannot be pickled or copied. Pass it to the app as an argument, or in a list, tuple, set, dict, "
            "dataclass or attrs instance, so that it is replaced by its result; or pass future.result()"
        )
        raise TypeError(message)


class DataFuture(LazyFuture["File"], Generic[R]):
    """
    Future of a file that a task makes; its result is the `File` as the user gave it.

    Attributes:
        parent: the future of the task that makes the file.
        file_obj: the file.
    """

    def __init__(self, parent: AppFuture[Any], file_obj: File, located: File) -> None:
        super().__init__()
        self.parent = parent
        self.file_obj = file_obj
        self._located = located

    @property
    def tid(self) -> int:
        """
        Id of the task that makes the file.
        """
        return self.parent.tid

    @property
    def filepath(self) -> str:
        """
        Path of the file.
        """
        return self._located.filepath

    @property
    def filename(self) -> str:
        """
        Path of the file, the same as `filepath`.
        """
        return self.filepath

    def cancel(self, *, kill: bool = False) -> bool:
        """
        Cancel the task that makes the file; see `AppFuture.cancel`.
        """
        return self.parent.cancel(kill=kill)

    def running(self) -> bool:
        """
        Return whether the task that makes the file is running.
        """
        return self.parent.running()

    def _check_wait(self) -> None:
        self.parent._check_wait()

    def __repr__(self) -> str:
        is_done = "done" if self.done() else "not done"
        return f"<{type(self).__module__}.DataFuture at {id(self):#x} representing {self.file_obj!r} {is_done}>"


class AppFuture(LazyFuture[R]):
    """
    Future of an app's result; a `concurrent.futures.Future`, also awaitable.

    ``future[key]`` and ``future.name`` (names without a leading underscore that are not listed here) give futures of the item or
    attribute of the result.

    Attributes:
        tid: the task's id in its kernel, from 0.
    """

    _task: Task | None = None
    _stdout: Any = None
    _stderr: Any = None
    _outputs: Sequence[DataFuture[Any]] = ()
    _final_state: TaskState | None = None
    _from_memo: bool = False

    def __init__(self, kernel: Any, tid: int, spec: AppSpec) -> None:
        self._state = PENDING
        self._kernel = kernel
        self.tid = tid
        self._spec = spec

    @property
    def stdout(self) -> Any:
        """
        Where the task's stdout goes: the value given, the automatic path, or a `DataFuture` if a `File` was given.
        """
        return self._stdout

    @property
    def stderr(self) -> Any:
        """
        Where the task's stderr goes; see `stdout`.
        """
        return self._stderr

    @property
    def outputs(self) -> Sequence[DataFuture[Any]]:
        """
        One `DataFuture` for each of the call's ``outputs``.
        """
        return self._outputs

    @property
    def task_record(self) -> TaskInfo:
        """
        A snapshot of what the kernel knows of the task.
        """
        return self._kernel.task_info(self)  # type: ignore[no-any-return]

    def running(self) -> bool:
        """
        Return whether a worker is at it.
        """
        task = self._task
        return task is not None and task.state.name == "running" and not self.done()

    def task_status(self) -> str:
        """
        Return the name of the task's state, such as ``"pending"``; see `warpbeam.contracts.TaskState`.
        """
        return str(self._kernel.task_info(self).status.name)

    def cancel(self, *, kill: bool = False) -> bool:
        """
        Cancel the task and return whether it is cancelled.

        A task that has not started is cancelled; a running one only with ``kill=True``, on an executor that can kill.  Tasks that
        depend on it fail with a `DependencyError`.
        """
        return bool(self._kernel.cancel(self, kill=kill))

    def _check_wait(self) -> None:
        super()._check_wait()
        if self._kernel.is_foreign_process():
            message = f"{self!r} belongs to the process that forked this one, and will never be done here"
            raise KernelClosedError(message)

    # -- lifted access ----------------------------------------------------------------------------------------------------

    __iter__ = None  # without this, iterating would call __getitem__ for ever

    def __getitem__(self, key: Any) -> AppFuture[Any]:
        """
        Return a future of ``result()[key]``.
        """
        return self._kernel.lift(self, operator.getitem, key)  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> AppFuture[Any]:
        """
        Return a future of ``result().name``.
        """
        if name.startswith("_"):
            raise AttributeError(f"'AppFuture' object has no attribute {name!r}")
        return self._kernel.lift(self, getattr, name)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        task = self._task
        if task is None or self.done():
            words = self._state.lower().replace("_and_notified", "")
            failure = f" with {type(self._exception).__name__}" * (self._exception is not None and not self.cancelled())
            return f"<AppFuture {self.tid} {self._spec.name} {words}{failure}>"
        return f"<AppFuture {self.tid} {self._spec.name} {task.state.name} for {time.monotonic() - task.since:.1f} s>"

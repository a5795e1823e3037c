"""
Where bodies of join apps and lifted accesses run: threads of the driver, started on demand.

A body that waits for a future gives up its place meanwhile, so bodies that wait for one another cannot use the threads up.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from warpbeam.contracts import Load, Outcome, OutcomeKind
from warpbeam.dataflow.frames import Working
from warpbeam.errors import AppExited
from warpbeam.remote import TaskContext, running


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from concurrent.futures import Future

    from warpbeam.contracts import TaskCall, TryId

LABEL = "driver"
"""Label of these threads in records and errors."""

MOST_BUSY = 8
"""Bodies that run at the same time, not counting those that wait."""

IDLE_S = 5.0
"""Seconds after which a thread without work ends."""


class DriverThreads:
    """
    Runs calls in threads of this process; the running half of an executor without a description.
    """

    def __init__(
        self,
        completed: Callable[[Sequence[Outcome]], None],
        started: Callable[[Sequence[TryId]], Collection[TryId]],
        nested: dict[int, Future[Any]],
    ) -> None:
        self._completed = completed
        self._started = started
        self._nested = nested
        self._changed = threading.Condition()
        self._calls: deque[TaskCall] = deque()
        self._threads: set[threading.Thread] = set()
        self._idle = 0
        self._busy = 0
        self._is_stopping = False

    def submit(self, calls: Sequence[TaskCall]) -> None:
        """
        Take the calls.
        """
        with self._changed:
            self._calls.extend(calls)
            self._start_threads()
            self._changed.notify(len(calls))

    def cancel(self, tries: Collection[TryId], *, kill: bool) -> None:
        """
        Drop those of the tries that have not started.
        """
        del kill  # threads cannot be killed
        with self._changed:
            dropped = [call for call in self._calls if call.try_id in tries]
            self._calls = deque(call for call in self._calls if call.try_id not in tries)
        if dropped:
            self._completed([Outcome(call.try_id, OutcomeKind.CANCELLED, has_started=False) for call in dropped])

    def load(self) -> Load:
        """
        Return how busy the threads are.
        """
        return Load(len(self._calls), self._busy, MOST_BUSY)

    def stop(self, *, deadline: float | None) -> None:
        """
        Drop what has not started, wait so many seconds for what has, and end the threads.
        """
        self.cancel({call.try_id for call in list(self._calls)}, kill=False)
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        for thread in list(self._threads):
            if thread is not threading.current_thread():
                thread.join(deadline)

    def _start_threads(self) -> None:
        wanted = min(len(self._calls) - self._idle, MOST_BUSY - self._busy)
        for _ in range(wanted):
            thread = threading.Thread(target=self._run, name="warpbeam-driver", daemon=True)
            self._threads.add(thread)
            thread.start()
            self._busy += 1

    def _give_up(self, is_waiting: bool) -> None:
        with self._changed:
            self._busy += -1 if is_waiting else 1
            self._start_threads()

    def _run(self) -> None:
        with Working(self._give_up, self._nested):
            while (call := self._next()) is not None:
                self._do(call)
                del call

    def _next(self) -> TaskCall | None:
        with self._changed:
            self._busy -= 1
            self._idle += 1
            try:
                while not self._calls:
                    if self._is_stopping or not self._changed.wait(IDLE_S):
                        self._threads.discard(threading.current_thread())
                        return None
                self._busy += 1
                return self._calls.popleft()
            finally:
                self._idle -= 1

    def _do(self, call: TaskCall) -> None:
        if call.try_id in self._started((call.try_id,)):
            self._completed([Outcome(call.try_id, OutcomeKind.CANCELLED, has_started=False)])
        else:
            self._completed([run(call)])


def run(call: TaskCall) -> Outcome:
    """
    Run a call in this thread.
    """
    context = TaskContext(call.try_id.task, call.try_id.attempt, call.name, threading.current_thread().name, LABEL)
    try:
        with running(context):
            return Outcome(call.try_id, OutcomeKind.RETURNED, call.function(*call.args, **call.kwargs))
    except SystemExit as error:
        exited = AppExited(f"{call.name} called sys.exit({error.code!r})", app_name=call.name, code=error.code)
        return Outcome(call.try_id, OutcomeKind.RAISED, error=exited)
    except BaseException as error:  # whatever the user's code raises is the task's
        return Outcome(call.try_id, OutcomeKind.RAISED, error=error)

"""
The running thread pool.

::

    submit (any thread) -> _queued, one token each in _tokens -> worker threads: started, run, completed -> kernel
    timer thread (with the first walltime): TIMED_OUT for what is over, its slot stays occupied

A worker takes a call, runs it and hands in its outcome itself; no inner future, no thread that forwards.  A task that waits for a
future gives up its slot, and another thread runs meanwhile, up to `MOST_WAITING` of them.

No lock on the way of a task: while a lock is contended, threads pass it and the interpreter to and fro at every step.  A call is
in ``_queued``, then in ``_runs``; who takes it out of there (a worker, cancel, the timer) says how it ended.  That, and `heapq` on
numbers, are single steps of the interpreter.  ``_lock`` guards the coming and going of threads, and the timer.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import threading
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from warpbeam.contracts import AppExited, AppTimeout, Health, Load, Outcome, OutcomeKind, Where
from warpbeam.remote import TaskContext, running


if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from warpbeam.contracts import ExecutorHost, TaskCall, TryId

    from warpbeam_threads.executor import ThreadPoolExecutor

MOST_WAITING = 1000
"""Threads that may be added for tasks that wait for futures."""

_log = logging.getLogger("warpbeam.threads")
LAST_STEPS_S = 5.0
"""Seconds that `ThreadPool.stop` waits for a thread that has no function to run, but may be in a callback."""

_log = logging.getLogger("warpbeam.threads")


class _Run(NamedTuple):
    call: TaskCall
    thread: threading.Thread


class ThreadPool:
    """
    Runs calls in daemon threads that are started on demand.
    """

    def __init__(self, description: ThreadPoolExecutor, host: ExecutorHost) -> None:
        self._description = description
        self._host = host
        self._where = Where(executor=description.label)
        self._prefix = description.thread_name_prefix or f"ThreadPoolExecutor-{description.label}"
        self._turn = threading.Lock()  # of those who stop it
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)  # what the timer waits for
        self._queued: dict[TryId, TaskCall] = {}
        self._order: list[tuple[int, int, TryId]] = []  # a heap by priority and age
        self._ages = itertools.count()
        self._tokens: SimpleQueue[None] = SimpleQueue()  # one for each entry of the heap
        self._runs: dict[TryId, _Run] = {}
        self._lost: dict[TryId, _Run] = {}  # functions that still run after their try has ended
        self._threads: set[threading.Thread] = set()
        self._idle: set[threading.Thread] = set()
        self._waiting = 0
        self._deadlines: list[tuple[float, int, _Run]] = []
        self._timer: threading.Thread | None = None
        self._is_stopping = False

    # -- contract -------------------------------------------------------------------------------------------------------

    def submit(self, calls: Sequence[TaskCall]) -> None:
        """
        Take the calls.
        """
        if self._is_stopping:
            raise RuntimeError(f"executor {self._description.label!r} has been stopped")
        for call in [*calls]:  # all or none
            self._queued[call.try_id] = call
            heapq.heappush(self._order, (call.priority, next(self._ages), call.try_id))
            self._tokens.put(None)
        if len(self._threads) < self._most_threads():
            self._start_threads()
        if self._is_stopping:  # meanwhile: its threads may be gone
            self._drop([call.try_id for call in calls])

    def cancel(self, tries: Collection[TryId], *, kill: bool) -> None:
        """
        Drop those of the tries that have not started; threads cannot be killed.
        """
        del kill
        self._drop(tries)

    def load(self) -> Load:
        """
        Return how busy the threads are.
        """
        lost = len(self._lost)
        return Load(len(self._queued), len(self._runs), max(self._description.max_threads - lost, 0), lost)

    def stop(self, *, deadline: float | None) -> None:
        """
        Drop what has not started (unless the deadline is None), give the rest its time, and leave behind what still runs.
        """
        in_a_task = threading.current_thread() in self._threads  # which another stop may be waiting for
        with contextlib.nullcontext() if in_a_task else self._turn:
            self._stop(deadline)

    def _stop(self, deadline: float | None) -> None:
        end = None if deadline is None else time.monotonic() + deadline
        with self._lock:
            self._is_stopping = True
            self._changed.notify_all()
        if deadline is not None:
            self._drop(list(self._queued))
        self._tokens.put(None)
        self._join_threads(end)
        if self._timer is not None:
            self._timer.join()

    def _drop(self, tries: Collection[TryId]) -> None:
        calls = [self._queued.pop(try_id, None) for try_id in tries]
        outcomes = [Outcome(call.try_id, OutcomeKind.CANCELLED, has_started=False) for call in calls if call is not None]
        if outcomes:
            self._host.completed(outcomes)

    def _join_threads(self, end: float | None) -> None:
        for thread in self._others():
            thread.join(None if end is None else max(0.0, end - time.monotonic()))
        self._leave_behind()
        left_behind = {run.thread for run in list(self._lost.values())}
        for thread in self._others():
            if thread not in left_behind:
                thread.join(LAST_STEPS_S)

    def _others(self) -> set[threading.Thread]:
        return {*self._threads} - {threading.current_thread()}

    def _leave_behind(self) -> None:
        left = [run for run in list(self._runs.values()) if self._take_away(run)]
        if left:
            names = ", ".join(sorted({run.call.name for run in left}))
            _log.warning("%d functions still run in threads, which cannot be killed: %s", len(left), names)
            self._host.completed([Outcome(run.call.try_id, OutcomeKind.CANCELLED, where=self._where) for run in left])

    def _take_away(self, run: _Run) -> bool:
        """
        Take a try from the thread that is at it, and return False if the thread has said meanwhile how it ended.
        """
        self._lost[run.call.try_id] = run
        if self._runs.pop(run.call.try_id, None) is not None:
            return True
        self._lost.pop(run.call.try_id, None)
        return False

    # -- threads ----------------------------------------------------------------------------------------------------------

    def _most_threads(self) -> int:
        return self._description.max_threads + min(self._waiting, MOST_WAITING)

    def _start_threads(self) -> None:
        with self._lock:
            while len(self._threads) < self._most_threads() and len(self._queued) > len(self._idle):
                thread = threading.Thread(target=self._work, name=f"{self._prefix}_{len(self._threads)}", daemon=True)
                self._threads.add(thread)
                self._idle.add(thread)
                thread.start()

    def _give_up(self, is_waiting: bool) -> None:
        with self._lock:
            self._waiting += 1 if is_waiting else -1
        self._start_threads()

    def _work(self) -> None:
        me = threading.current_thread()
        with self._host.working(self._give_up):
            while self._wait_for_token(me):
                call = self._next()
                if call is not None:
                    self._do(call, me)
                elif self._is_stopping and not self._order:
                    break
        self._tokens.put(None)  # for the next thread: a call waits, or it has to end too
        with self._lock:
            self._threads.discard(me)

    def _wait_for_token(self, me: threading.Thread) -> bool:
        """
        Wait for something to do; return False if there are more threads than should be.
        """
        try:
            self._tokens.get_nowait()
        except Empty:
            self._idle.add(me)
            self._tokens.get()
        self._idle.discard(me)
        return len(self._threads) <= self._most_threads() or not self._is_surplus(me)

    def _is_surplus(self, me: threading.Thread) -> bool:
        with self._lock:
            if len(self._threads) <= self._most_threads():
                return False
            self._threads.discard(me)
            return True

    def _next(self) -> TaskCall | None:
        try:
            return self._queued.pop(heapq.heappop(self._order)[2], None)
        except IndexError:  # the token was to say that the pool stops
            return None

    def _do(self, call: TaskCall, me: threading.Thread) -> None:
        run = self._runs[call.try_id] = _Run(call, me)
        if call.walltime is not None:
            self._watch(run, call.walltime)
        if call.try_id in self._host.started((call.try_id,)):
            outcome = Outcome(call.try_id, OutcomeKind.CANCELLED, has_started=False)
        else:
            outcome = self._run(call)
        if self._runs.pop(call.try_id, None) is not None:
            self._host.completed((outcome,))
        elif self._lost.pop(call.try_id, None) is not None:
            self._tell_health()

    def _run(self, call: TaskCall) -> Outcome:
        wrapper = self._host.wrapper
        context = TaskContext(call.try_id[0], call.try_id[1], call.name, "", self._description.label)
        try:
            with running(context):
                if wrapper is None:
                    value = call.function(*call.args, **call.kwargs)
                else:
                    value = wrapper(lambda: call.function(*call.args, **call.kwargs))
            return Outcome(call.try_id, OutcomeKind.RETURNED, value, where=self._where, events=context.events)
        except SystemExit as error:
            exited = AppExited(f"{call.name} called sys.exit({error.code!r})", app_name=call.name, code=error.code)
            return Outcome(call.try_id, OutcomeKind.RAISED, error=exited, where=self._where, events=context.events)
        except BaseException as error:  # whatever user code raises is the task's
            return Outcome(call.try_id, OutcomeKind.RAISED, error=error, where=self._where, events=context.events)

    # -- walltime ---------------------------------------------------------------------------------------------------------

    def _watch(self, run: _Run, walltime: float) -> None:
        with self._lock:
            heapq.heappush(self._deadlines, (time.monotonic() + walltime, next(self._ages), run))
            if self._timer is None:
                self._timer = threading.Thread(target=self._keep_time, name=f"{self._prefix}-timer", daemon=True)
                self._timer.start()
            self._changed.notify_all()

    def _keep_time(self) -> None:
        while (run := self._next_overdue()) is not None:
            if self._take_away(run):
                self._time_out(run.call)

    def _next_overdue(self) -> _Run | None:
        """
        Wait for a run whose time is over; None when the pool stops and none is watched.
        """
        with self._lock:
            while True:
                while self._deadlines and self._deadlines[0][2].call.try_id not in self._runs:
                    heapq.heappop(self._deadlines)
                if self._is_stopping and not self._deadlines:
                    return None
                wait_s = self._deadlines[0][0] - time.monotonic() if self._deadlines else None
                if wait_s is not None and wait_s <= 0:
                    return heapq.heappop(self._deadlines)[2]
                self._changed.wait(None if wait_s is None else min(wait_s, 1.0))

    def _time_out(self, call: TaskCall) -> None:
        message = f"App {call.name} exceeded walltime: {call.walltime:g} seconds"
        error = AppTimeout(message, app_name=call.name, walltime=call.walltime)
        self._tell_health()
        self._host.completed([Outcome(call.try_id, OutcomeKind.TIMED_OUT, error=error, where=self._where)])

    def _tell_health(self) -> None:
        if self._is_stopping:
            return
        names = sorted({run.call.name for run in list(self._lost.values())})
        if names:
            reason = f"{len(self._lost)} of {self._description.max_threads} slots are held by timed-out {', '.join(names)}"
            self._host.health(Health.DEGRADED, reason)
        else:
            self._host.health(Health.WORKING)

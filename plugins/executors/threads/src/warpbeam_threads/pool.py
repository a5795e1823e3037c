"""
The running thread pool.

::

    submit (any thread) -> _calls -> worker threads: started, run, completed -> kernel
    timer thread (with the first walltime): TIMED_OUT for what is over, its slot stays occupied

A worker takes a call, runs it and hands in its outcome itself; no inner future, no thread that forwards.  ``_changed`` guards all
state and is never held while user code or the kernel runs.  A task that waits for a future gives up its slot, and another thread
runs meanwhile, up to `MOST_WAITING` of them.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from typing import TYPE_CHECKING

import attrs
from warpbeam.contracts import AppExited, AppTimeout, Health, Load, Outcome, OutcomeKind, Where
from warpbeam.remote import TaskContext, running


if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from warpbeam.contracts import ExecutorHost, TaskCall, TryId

    from warpbeam_threads.executor import ThreadPoolExecutor

MOST_WAITING = 1000
"""Threads that may be added for tasks that wait for futures."""

_log = logging.getLogger("warpbeam.threads")


@attrs.define(eq=False)
class _Run:
    """
    A call that a thread is at; ``is_over`` once its try has had its outcome.
    """

    call: TaskCall
    is_over: bool = False


class ThreadPool:
    """
    Runs calls in daemon threads that are started on demand.
    """

    def __init__(self, description: ThreadPoolExecutor, host: ExecutorHost) -> None:
        self._description = description
        self._host = host
        self._where = Where(executor=description.label)
        self._prefix = description.thread_name_prefix or f"ThreadPoolExecutor-{description.label}"
        self._lock = threading.Lock()  # taken directly on the task path: a Condition's own `with` is written in Python
        self._changed = threading.Condition(self._lock)
        self._calls: list[tuple[int, int, TaskCall]] = []  # a heap by priority and age
        self._order = itertools.count()
        self._cancelled: set[TryId] = set()
        self._runs: dict[TryId, _Run] = {}
        self._threads: set[threading.Thread] = set()
        self._idle = 0
        self._waiting = 0
        self._lost: dict[TryId, str] = {}
        self._deadlines: list[tuple[float, int, _Run]] = []
        self._timer: threading.Thread | None = None
        self._is_stopping = False

    # -- contract -------------------------------------------------------------------------------------------------------

    def submit(self, calls: Sequence[TaskCall]) -> None:
        """
        Take the calls.
        """
        with self._lock:
            if self._is_stopping:
                raise RuntimeError(f"executor {self._description.label!r} has been stopped")
            for call in calls:
                heapq.heappush(self._calls, (call.priority, next(self._order), call))
            self._start_threads()
            if self._idle:
                self._changed.notify(len(calls))

    def cancel(self, tries: Collection[TryId], *, kill: bool) -> None:
        """
        Drop those of the tries that have not started; threads cannot be killed.
        """
        del kill
        with self._lock:
            wanted = set(tries)
            dropped = [entry[2] for entry in self._calls if entry[2].try_id in wanted]
            if dropped:
                self._calls = [entry for entry in self._calls if entry[2].try_id not in wanted]
                heapq.heapify(self._calls)
        self._report_cancelled(dropped)

    def load(self) -> Load:
        """
        Return how busy the threads are.
        """
        lost = len(self._lost)
        return Load(len(self._calls), len(self._runs), max(self._description.max_threads - lost, 0), lost)

    def stop(self, *, deadline: float | None) -> None:
        """
        Drop what has not started (unless the deadline is None), give the rest its time, and leave behind what still runs.
        """
        with self._lock:
            self._is_stopping = True
            dropped = [] if deadline is None else [entry[2] for entry in self._calls]
            if deadline is not None:
                self._calls.clear()
            self._changed.notify_all()
        self._report_cancelled(dropped)
        end = None if deadline is None else time.monotonic() + deadline
        for thread in [*self._threads]:
            if thread is not threading.current_thread():
                thread.join(None if end is None else max(0.0, end - time.monotonic()))
        self._leave_behind()
        if self._timer is not None:
            self._timer.join()

    def _report_cancelled(self, calls: Sequence[TaskCall]) -> None:
        if calls:
            self._host.completed([Outcome(call.try_id, OutcomeKind.CANCELLED, has_started=False) for call in calls])

    def _leave_behind(self) -> None:
        with self._lock:
            left = [run for run in self._runs.values() if not run.is_over]
            for run in left:
                run.is_over = True
        if left:
            names = ", ".join(sorted({run.call.name for run in left}))
            _log.warning("%d functions still run in threads, which cannot be killed: %s", len(left), names)
            self._host.completed([Outcome(run.call.try_id, OutcomeKind.CANCELLED, where=self._where) for run in left])

    # -- threads ----------------------------------------------------------------------------------------------------------

    def _start_threads(self) -> None:
        most = self._description.max_threads + min(self._waiting, MOST_WAITING)
        while len(self._threads) < most and len(self._calls) > self._idle:
            thread = threading.Thread(target=self._work, name=f"{self._prefix}_{len(self._threads)}", daemon=True)
            self._threads.add(thread)
            self._idle += 1
            thread.start()

    def _give_up(self, is_waiting: bool) -> None:
        with self._lock:
            self._waiting += 1 if is_waiting else -1
            self._start_threads()

    def _work(self) -> None:
        with self._host.working(self._give_up):
            run = self._next(None)
            while run is not None:
                self._do(run)
                run = self._next(run)

    def _next(self, done: _Run | None) -> _Run | None:
        with self._lock:
            if done is not None:
                self._runs.pop(done.call.try_id, None)
                self._idle += 1
            while True:
                is_surplus = len(self._threads) > self._description.max_threads + self._waiting
                if self._calls and not is_surplus:
                    break
                if self._is_stopping or is_surplus:
                    self._idle -= 1
                    self._threads.discard(threading.current_thread())
                    return None
                self._changed.wait()
            self._idle -= 1
            call = heapq.heappop(self._calls)[2]
            run = self._runs[call.try_id] = _Run(call)
            if call.walltime is not None:
                self._watch(run, call.walltime)
            return run

    def _do(self, run: _Run) -> None:
        call = run.call
        if call.try_id in self._host.started((call.try_id,)):
            outcome = Outcome(call.try_id, OutcomeKind.CANCELLED, has_started=False)
        else:
            outcome = self._run(call)
        if self._end(run):
            self._host.completed((outcome,))

    def _end(self, run: _Run) -> bool:
        """
        End a run, and return whether its try has had no outcome yet.
        """
        with self._lock:
            is_over, run.is_over = run.is_over, True
            was_lost = self._lost.pop(run.call.try_id, None) is not None
        if was_lost:
            self._tell_health()
        return not is_over

    def _run(self, call: TaskCall) -> Outcome:
        wrapper = self._host.wrapper
        context = TaskContext(call.try_id[0], call.try_id[1], call.name, "", self._description.label)
        try:
            with running(context):
                if wrapper is None:
                    value = call.function(*call.args, **call.kwargs)
                else:
                    value = wrapper(lambda: call.function(*call.args, **call.kwargs))
            return Outcome(call.try_id, OutcomeKind.RETURNED, value, where=self._where)
        except SystemExit as error:
            exited = AppExited(f"{call.name} called sys.exit({error.code!r})", app_name=call.name, code=error.code)
            return Outcome(call.try_id, OutcomeKind.RAISED, error=exited, where=self._where)
        except BaseException as error:  # whatever user code raises is the task's
            return Outcome(call.try_id, OutcomeKind.RAISED, error=error, where=self._where)

    # -- walltime ---------------------------------------------------------------------------------------------------------

    def _watch(self, run: _Run, walltime: float) -> None:
        heapq.heappush(self._deadlines, (time.monotonic() + walltime, next(self._order), run))
        if self._timer is None:
            self._timer = threading.Thread(target=self._keep_time, name=f"{self._prefix}-timer", daemon=True)
            self._timer.start()
        self._changed.notify_all()

    def _keep_time(self) -> None:
        while True:
            with self._lock:
                while self._deadlines and self._deadlines[0][2].is_over:
                    heapq.heappop(self._deadlines)
                if self._is_stopping and not self._deadlines:
                    return
                wait_s = self._deadlines[0][0] - time.monotonic() if self._deadlines else None
                if wait_s is None or wait_s > 0:
                    self._changed.wait(min(wait_s, 1.0) if wait_s is not None else None)
                    continue
                run = heapq.heappop(self._deadlines)[2]
                run.is_over = True
                self._lost[run.call.try_id] = run.call.name
            self._time_out(run)

    def _time_out(self, run: _Run) -> None:
        call = run.call
        message = f"App {call.name} exceeded walltime: {call.walltime:g} seconds"
        error = AppTimeout(message, app_name=call.name, walltime=call.walltime)
        self._tell_health()
        self._host.completed([Outcome(call.try_id, OutcomeKind.TIMED_OUT, error=error, where=self._where)])

    def _tell_health(self) -> None:
        names = sorted(set(self._lost.values()))
        if names:
            reason = f"{len(self._lost)} of {self._description.max_threads} slots are held by timed-out {', '.join(names)}"
            self._host.health(Health.DEGRADED, reason)
        else:
            self._host.health(Health.WORKING)

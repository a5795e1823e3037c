"""
The running executor.

::

    submit (any thread): packs, queues, wakes ──> our thread ──submit──> the foreign pool
                                                     └─<── events <── done callbacks of its futures (any thread of the pool)

One thread of ours does everything with the foreign pool.  Nothing of ours runs in the pool's own threads but ``SimpleQueue.put``: some
pools complete their futures while they hold the lock that their ``submit`` takes.

The pool is given as many calls as it has workers, so a call starts when it is given, and the rest can be cancelled.  Only functions
known to be short are given ahead.  ``_lock`` guards the queue, which callers share with the thread.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from concurrent.futures import BrokenExecutor
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from warpbeam.contracts import Health, Load, Outcome, OutcomeKind, Where
from warpbeam_serializers import FunctionCache, dumps

from warpbeam_futures import job as jobs
from warpbeam_futures import worker
from warpbeam_futures.job import Job
from warpbeam_futures.keeper import Keeper
from warpbeam_futures.queue import JobQueue


if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence
    from concurrent.futures import Future

    from warpbeam.contracts import ExecutorHost, TaskCall, TryId

    from warpbeam_futures.executor import FuturesExecutor

SHORT_S = 0.002
"""A function that takes less on average is given ahead."""

MOST_AHEAD = 8
"""Calls for each worker that the pool has at most, the running ones included."""

MOST_PACKED_BYTES = 256 << 20
"""While more than this waits, arguments are packed only when it is their turn."""

MOST_KNOWN = 10_000
"""So many functions and workers are remembered."""

_log = logging.getLogger("warpbeam.futures")


class FuturesPool:
    """
    Runs calls on a foreign pool.
    """

    def __init__(self, description: FuturesExecutor, host: ExecutorHost) -> None:
        self._label = description.label
        self._is_local = description.is_local
        self._may_break = description.executor is None
        self._host = host
        self._here = Where(executor=description.label)
        self._lock = threading.RLock()
        self._functions = FunctionCache()
        self._queue = JobQueue()
        self._events: SimpleQueue[Future[Any] | None] = SimpleQueue()
        self._is_woken = False
        self._is_stopping = False
        self._stop_at: float | None = None
        self._thread: threading.Thread | None = None
        # What follows belongs to the thread, and is only read elsewhere.
        self._keeper = Keeper(description, self._events.put)
        self._wrapper = worker.plain(dumps(host.wrapper, what="the task wrapper")) if self._has_far_wrapper() else None
        self._in_pool: dict[Future[Any], Job] = {}
        self._ahead: deque[Job] = deque()  # in the pool and not begun, in order
        self._begun = 0
        self._long = 0  # jobs in the pool that are not known to be short
        self._timed: dict[TryId, Job] = {}
        self._held: dict[Future[Any], Job] = {}  # functions that still run after their try has timed out
        self._durations: dict[Hashable, float] = {}
        self._wheres: dict[tuple[str, int], Where] = {}
        self._outcomes: list[Outcome] = []
        self._is_dead = False
        self._has_broken = False

    # -- contract -------------------------------------------------------------------------------------------------------

    def submit(self, calls: Sequence[TaskCall]) -> None:
        """
        Pack the calls and queue them.
        """
        made: list[Job] = []
        refused: list[Outcome] = []
        for call in calls:
            try:
                made.append(self._job(call))
            except Exception as error:
                refused.append(Outcome(call.try_id, OutcomeKind.REFUSED, error=error, has_started=False))
        with self._lock:
            if self._is_stopping or self._is_dead:
                raise RuntimeError(f"executor {self._label!r} has been stopped")
            for job in made:
                self._queue.push(job)
            self._start_thread()
        self._wake()
        if refused:
            self._host.completed(refused)

    def cancel(self, tries: Collection[TryId], *, kill: bool) -> None:
        """
        Drop those of the tries that have not started; nothing can be killed.
        """
        del kill
        with self._lock:
            dropped = self._queue.remove(tries)
        for job in list(self._in_pool.values()):
            if job.call.try_id in tries and job.future is not None:
                job.future.cancel()  # if the pool has not begun with it; the event says so
        if dropped:
            self._host.completed([jobs.unstarted(job) for job in dropped])

    def load(self) -> Load:
        """
        Return how busy the pool is.
        """
        given = list(self._in_pool.values())
        running = sum(job.is_begun for job in given)
        held = len(self._held)
        return Load(len(self._queue) + len(given) - running, running, max(self._keeper.capacity - held, 0), held)

    def stop(self, *, deadline: float | None) -> None:
        """
        Drop what has not started (unless the deadline is None), give the rest its time; then end the pool, if it is ours.
        """
        with self._lock:
            self._is_stopping = True
            if deadline is not None:
                end = time.monotonic() + deadline
                self._stop_at = end if self._stop_at is None else min(end, self._stop_at)
            thread = self._thread
        self._wake()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    # -- callers' side ------------------------------------------------------------------------------------------------------

    def _has_far_wrapper(self) -> bool:
        return self._host.wrapper is not None and not self._is_local

    def _job(self, call: TaskCall) -> Job:
        if self._is_local:
            return Job(call, call.function)
        with self._lock:
            digest, packed = self._functions.pack(call.function, call.name)
        job = Job(call, digest, worker.plain(packed))
        job.sends_function = job.function is not None and not jobs.is_large(job.function)
        if self._queue.packed_bytes < MOST_PACKED_BYTES:
            job.pack()
        return job

    def _wake(self) -> None:
        if not self._is_woken:
            self._is_woken = True
            self._events.put(None)

    def _start_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"warpbeam-{self._label}", daemon=True)
            self._thread.start()

    # -- the thread -----------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._is_over():
                self._listen()
                self._check_times()
                self._hand_out()
                self._report()
        except Exception as error:
            _log.exception("a fault in executor %r; please report it", self._label)
            self._die(f"its thread failed: {error!r}", error)
        self._close()

    def _is_over(self) -> bool:
        if self._is_dead:
            return True
        if not self._is_stopping:
            return False
        if self._stop_at is not None:
            self._drop_waiting()
            if self._stop_at <= time.monotonic():
                return True
        is_waited_for = self._held and self._keeper.waits_for_busy
        return not (self._queue or self._in_pool or is_waited_for)

    def _drop_waiting(self) -> None:
        with self._lock:
            dropped = self._queue.clear()
        self._outcomes += map(jobs.unstarted, dropped)
        for future in list(self._in_pool):
            if future.cancel():
                self._take(future)
        self._report()

    def _listen(self) -> None:
        try:
            event = self._events.get(timeout=self._patience_s())
            self._is_woken = False  # before anything is looked at: who comes later puts another token
            while True:
                if event is not None:
                    self._take(event)
                event = self._events.get_nowait()
        except Empty:
            return

    def _patience_s(self) -> float | None:
        times = [job.deadline for job in list(self._timed.values()) if job.deadline is not None]
        if self._stop_at is not None:
            times.append(self._stop_at)
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _report(self) -> None:
        if self._outcomes:
            outcomes, self._outcomes = self._outcomes, []
            self._host.completed(outcomes)

    # -- giving -------------------------------------------------------------------------------------------------------------

    def _hand_out(self) -> None:
        while self._queue and not self._is_dead:
            if not self._keeper.is_ready:
                if self._keeper.pool is not None or not self._open():
                    return  # it has not answered yet, or never will
                continue
            with self._lock:
                job = self._queue.first()
                if job is None or not self._has_room(job):
                    return
                self._queue.remove((job.call.try_id,))
            if self._prepare(job) and not self._give(job):
                return

    def _has_room(self, job: Job) -> bool:
        given = len(self._in_pool)
        if job.call.suspect:
            return not given
        if self._is_suspect_in_pool():
            return False
        free = self._keeper.capacity - len(self._held)
        if given < free:
            return True
        return given < free * MOST_AHEAD and not self._long and self._is_short(job)

    def _is_suspect_in_pool(self) -> bool:
        return len(self._in_pool) == 1 and next(iter(self._in_pool.values())).call.suspect

    def _is_short(self, job: Job) -> bool:
        return job.call.walltime is None and self._durations.get(job.key, 1.0) <= SHORT_S

    def _prepare(self, job: Job) -> bool:
        """
        Pack what is not packed yet, and say that it starts if it will do so at once; return whether it may.
        """
        if self._is_local:
            return True
        try:
            job.pack()
        except Exception as error:
            self._outcomes.append(Outcome(job.call.try_id, OutcomeKind.REFUSED, error=error, has_started=False))
            return False
        if not job.is_begun and self._begun < self._keeper.capacity - len(self._held) and self._begin(job):
            self._outcomes.append(jobs.unstarted(job))
            return False
        return True

    def _begin(self, job: Job) -> bool:
        """
        Say that a job starts, and return whether it must not.
        """
        is_refused = job.call.try_id in self._host.started((job.call.try_id,))
        job.is_begun = True
        if job.call.walltime is not None:
            job.deadline = time.monotonic() + job.call.walltime
            self._timed[job.call.try_id] = job
        return is_refused

    def _give(self, job: Job) -> bool:
        """
        Hand a job to the pool, or put it back if the pool has broken.
        """
        try:
            future = self._submitted(job)
        except Exception as error:
            with self._lock:
                self._queue.push(job)
            if threading.main_thread().is_alive():  # else the interpreter ends, and pools take nothing: wait for the stop
                self._break(error)
            return not self._is_dead and threading.main_thread().is_alive()
        job.future = future
        self._in_pool[future] = job
        job.is_long = not self._is_short(job)
        self._long += job.is_long
        if self._is_local or job.is_begun:
            self._begun += 1
        else:
            self._ahead.append(job)
        future.add_done_callback(self._events.put)
        return True

    def _submitted(self, job: Job) -> Future[Any]:
        pool = self._keeper.pool
        assert pool is not None
        if self._is_local:
            return pool.submit(self._run_here, job)
        return pool.submit(worker.run, job.order(self._label, self._wrapper))

    def _run_here(self, job: Job) -> Outcome:
        with self._host.working(_go_on):
            if self._begin(job):
                return jobs.unstarted(job)
            if job.deadline is not None:
                self._wake()
            return jobs.run_here(job, self._host, self._here)

    # -- taking -------------------------------------------------------------------------------------------------------------

    def _take(self, future: Future[Any]) -> None:
        if self._keeper.is_greeting(future):
            self._greet()
            return
        error = None if future.cancelled() else future.exception()
        if isinstance(error, BrokenExecutor) and (future in self._in_pool or future in self._held):
            self._break(error)
            return
        job = self._in_pool.pop(future, None)
        if job is not None:
            self._settle(job, future, error)
            self._advance()
        elif self._held.pop(future, None) is not None:
            self._tell_health()

    def _settle(self, job: Job, future: Future[Any], error: BaseException | None) -> None:
        self._forget(job)
        if future.cancelled():
            self._outcomes.append(jobs.unstarted(job))
        elif error is not None:
            self._outcomes.append(jobs.failed_in_pool(job, error, self._here))
        elif self._is_local:
            self._outcomes.append(future.result())
            self._learn(job, future.result().duration_s)
        elif future.result()[0] == worker.NEEDED:
            job.sends_function = True
            with self._lock:
                self._queue.push(job)
        else:
            answer = worker.Answer(*future.result())
            self._learn(job, answer.duration_s)
            self._outcomes.append(jobs.answered(job, answer, self._where(answer)))

    def _forget(self, job: Job) -> None:
        self._long -= job.is_long
        self._begun -= self._is_local or job.is_begun
        self._timed.pop(job.call.try_id, None)

    def _advance(self) -> None:
        while self._ahead and self._begun < self._keeper.capacity - len(self._held):
            job = self._ahead.popleft()
            if job.future in self._in_pool:
                self._begun += 1
                if self._begin(job) and job.future is not None:
                    job.future.cancel()  # mostly too late

    def _learn(self, job: Job, duration_s: float | None) -> None:
        known = self._durations.get(job.key)
        if duration_s is None:
            return
        if known is None and len(self._durations) >= MOST_KNOWN:
            self._durations.clear()
        self._durations[job.key] = duration_s if known is None else 0.8 * known + 0.2 * duration_s

    def _where(self, answer: worker.Answer) -> Where:
        key = answer.host, answer.pid
        where = self._wheres.get(key)
        if where is None:
            if len(self._wheres) >= MOST_KNOWN:
                self._wheres.clear()
            where = self._wheres[key] = Where(self._label, answer.host, f"{self._label}-{answer.pid}", answer.pid)
        return where

    # -- time ---------------------------------------------------------------------------------------------------------------

    def _check_times(self) -> None:
        if not self._timed:
            return
        now = time.monotonic()
        for job in list(self._timed.values()):
            if job.deadline is not None and job.deadline <= now and job.future in self._in_pool:
                self._time_out(job, job.future)

    def _time_out(self, job: Job, future: Future[Any]) -> None:
        del self._in_pool[future]
        self._forget(job)
        self._held[future] = job
        self._tell_health()
        self._outcomes.append(jobs.timed_out(job, self._here))

    def _tell_health(self) -> None:
        names = sorted({job.call.name for job in self._held.values()})
        if names:
            reason = f"{len(self._held)} of {self._keeper.capacity} slots are held by timed-out {', '.join(names)}"
            self._host.health(Health.DEGRADED, reason)
        else:
            self._host.health(Health.WORKING)

    # -- breaks -------------------------------------------------------------------------------------------------------------

    def _open(self) -> bool:
        error = self._keeper.open()
        if error is not None:
            self._false_start(error)
        return error is None or not self._is_dead

    def _greet(self) -> None:
        error = self._keeper.take_greeting()
        if error is not None:
            self._false_start(error)
        elif self._has_broken:
            self._has_broken = False
            self._host.health(Health.WORKING)

    def _false_start(self, error: BaseException) -> None:
        self._has_broken = True
        _log.warning("the pool of executor %r does not work: %r", self._label, error)
        if self._keeper.is_hopeless or not self._may_break:
            self._die(f"its pool does not work: {type(error).__name__}: {error}", error)

    def _break(self, error: BaseException) -> None:
        """
        The pool has broken: what was in it and has no result is lost; the next one is made when something waits.
        """
        self._has_broken = True
        lost = self._empty_pool()
        _log.warning("the pool of executor %r broke with %d tasks in it: %r", self._label, len(lost), error)
        if not self._may_break:
            self._die(f"its pool broke: {type(error).__name__}: {error}", error, lost)
            return
        is_culprit = len(lost) == 1 and lost[0].call.suspect and not self._held
        self._held.clear()
        self._host.health(Health.WAITING, f"its pool broke ({type(error).__name__}: {error}); a new one is made")
        self._outcomes += [self._lost(job, error, len(lost), is_culprit=is_culprit) for job in lost]
        self._report()
        self._keeper.discard()

    def _lost(self, job: Job, error: BaseException, among: int, *, is_culprit: bool) -> Outcome:
        # Threads say when they start; workers elsewhere may have started with whatever the pool had.
        has_started = job.is_begun or not self._is_local
        return jobs.lost(job, error, self._here, among=among, is_culprit=is_culprit, has_started=has_started)

    def _empty_pool(self) -> list[Job]:
        """
        Settle what has ended in a broken pool, and return what has not.
        """
        given, self._in_pool = self._in_pool, {}
        self._ahead.clear()
        lost = []
        for future, job in given.items():
            if future.done() and (future.cancelled() or not isinstance(future.exception(), BrokenExecutor)):
                self._settle(job, future, None if future.cancelled() else future.exception())
            else:
                self._forget(job)
                lost.append(job)
        return lost

    def _die(self, reason: str, error: BaseException, lost: Sequence[Job] = ()) -> None:
        with self._lock:
            self._is_dead = True
            waiting = self._queue.clear()
        self._host.health(Health.DEAD, reason, error)
        self._outcomes += map(jobs.unstarted, waiting)
        self._outcomes += [self._lost(job, error, len(lost), is_culprit=False) for job in lost]
        self._report()

    # -- the end ------------------------------------------------------------------------------------------------------------

    def _close(self) -> None:
        left = [*self._in_pool.values(), *self._held.values()]
        if not self._keeper.close(is_busy=bool(left)):
            names = ", ".join(sorted({job.call.name for job in left}))
            _log.warning("%d functions still run in executor %r, whose pool cannot kill them: %s", len(left), self._label, names)
        self._outcomes += [Outcome(job.call.try_id, OutcomeKind.CANCELLED, where=self._here) for job in self._in_pool.values()]
        self._in_pool.clear()
        self._held.clear()
        self._report()


def _go_on(is_waiting: bool) -> None:
    """
    Do nothing when a task waits for a future: a foreign pool has no more threads than it has.
    """

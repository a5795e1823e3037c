"""
The running process pool.

::

    submit (any thread): serializes, queues, wakes ──> pool thread ──socket──> worker processes
                                                   <── outcomes <──socket──

One thread owns the workers: it starts them, sends calls, reads results, keeps walltimes, and sees them die by the end of their
sockets.  ``_lock`` guards what callers share with it: the queue, the cancellations, and the numbers in `load`.  A worker runs one call
at a time; a few short ones may wait in its socket, and go back to the queue if the worker dies.
"""

from __future__ import annotations

import heapq
import itertools
import selectors
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from warpbeam.contracts import (
    AppTimeout,
    Health,
    Load,
    Outcome,
    OutcomeKind,
    TryId,
    Where,
    WorkerDied,
)
from warpbeam_serializers import FunctionCache, Packed, dumps, loads, loads_error

from warpbeam_processes.frames import encode
from warpbeam_processes.process import Job, WorkerProcess, cause_of


if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from warpbeam.contracts import ExecutorHost, TaskCall

    from warpbeam_processes.executor import ProcessPoolExecutor

SHORT_S = 0.002
"""A function that takes less on average is sent ahead."""

MOST_AHEAD = 16
"""Calls that a worker has at most, the running one included."""

MOST_FALSE_STARTS = 3
"""So many workers may end before they are ready, one after the other."""


class ProcessPool:
    """
    Runs calls in worker processes, which are started on demand.
    """

    def __init__(self, description: ProcessPoolExecutor, host: ExecutorHost) -> None:
        self._description = description
        self._host = host
        self._lock = threading.RLock()
        self._functions = FunctionCache()
        self._queue: list[tuple[int, int, Job]] = []
        self._order = itertools.count()
        self._cancels: list[tuple[frozenset[TryId], bool]] = []
        self._workers: list[WorkerProcess] = []
        self._numbers = itertools.count()
        self._durations: dict[bytes, float] = {}
        self._false_starts = 0
        self._outcomes: list[Outcome] = []
        self._stop_at: float | None = None
        self._is_stopping = False
        self._is_dead = False
        self._selector: Any = None
        self._thread: threading.Thread | None = None
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)
        self._is_woken = False
        self._is_closed = False

    # -- contract -------------------------------------------------------------------------------------------------------

    def submit(self, calls: Sequence[TaskCall]) -> None:
        """
        Serialize the calls and queue them.
        """
        jobs, refused = [], []
        for call in calls:
            try:
                jobs.append(self._job(call))
            except Exception as error:
                refused.append(Outcome(call.try_id, OutcomeKind.REFUSED, error=error, has_started=False))
        with self._lock:
            if self._is_stopping or self._is_dead:
                raise RuntimeError(f"executor {self._description.label!r} has been stopped")
            for job in jobs:
                heapq.heappush(self._queue, (job.call.priority, next(self._order), job))
            self._start_thread()
            self._wake()
        if refused:
            self._host.completed(refused)

    def cancel(self, tries: Collection[TryId], *, kill: bool) -> None:
        """
        Drop tries that have not started; with ``kill`` kill the workers of running ones.
        """
        with self._lock:
            if self._thread is not None:
                self._cancels.append((frozenset(tries), kill))
                self._wake()

    def load(self) -> Load:
        """
        Return how busy the workers are.
        """
        with self._lock:
            running = sum(bool(worker.jobs) for worker in self._workers)
            ahead = sum(len(worker.jobs) for worker in self._workers) - running
            return Load(len(self._queue) + ahead, running, self._description.max_workers)

    def stop(self, *, deadline: float | None) -> None:
        """
        Drop what has not started (unless the deadline is None), give the rest its time, kill what is left.
        """
        with self._lock:
            self._is_stopping = True
            end = None if deadline is None else time.monotonic() + deadline
            if end is not None:
                self._stop_at = end if self._stop_at is None else min(end, self._stop_at)
            self._wake()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        with self._lock:
            if not self._is_closed and thread is not threading.current_thread():
                self._is_closed = True
                self._wake_reader.close()
                self._wake_writer.close()

    # -- callers' side ------------------------------------------------------------------------------------------------------

    def _job(self, call: TaskCall) -> Job:
        with self._lock:
            packed = self._functions.pack(call.function, call.name)
        if not call.kwargs and not call.args:
            return Job(call, packed.digest, packed.packed, _NO_ARGUMENTS)
        return Job(call, packed.digest, packed.packed, _pack_arguments(call))

    def _wake(self) -> None:
        if not self._is_woken and not self._is_closed:
            self._is_woken = True
            self._wake_writer.send(b"x")

    def _start_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"warpbeam-{self._description.label}", daemon=True)
            self._thread.start()

    # -- the pool's thread --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        with selectors.DefaultSelector() as self._selector:
            self._selector.register(self._wake_reader, selectors.EVENT_READ, None)
            while not self._is_over():
                for key, mask in self._selector.select(self._patience_s()):
                    if key.data is None:
                        self._hear()
                    else:
                        self._serve(key.data, mask)
                self._check_times()
                self._apply_cancels()
                self._hand_out()
                self._report()
        for worker in list(self._workers):
            worker.connection.close()
            self._bury(worker)
        self._report()

    def _is_over(self) -> bool:
        with self._lock:
            if not self._is_stopping:
                return False
            if self._stop_at is not None:
                dropped, self._queue = [entry[2] for entry in self._queue], []
                self._settle_cancelled(dropped)
            is_idle = not self._queue and not any(worker.jobs for worker in self._workers)
        self._report()
        return is_idle

    def _patience_s(self) -> float | None:
        times = [worker.deadline for worker in self._workers if worker.deadline is not None]
        if self._stop_at is not None:
            times.append(self._stop_at)
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _hear(self) -> None:
        with self._lock:
            self._is_woken = False
            try:
                self._wake_reader.recv(64)
            except BlockingIOError:
                pass

    def _report(self) -> None:
        if self._outcomes:
            outcomes, self._outcomes = self._outcomes, []
            self._host.completed(outcomes)

    # -- sending ------------------------------------------------------------------------------------------------------------

    def _hand_out(self) -> None:
        with self._lock:
            while self._queue:
                worker = self._free_worker(self._queue[0][2])
                if worker is None:
                    return
                self._give(worker, heapq.heappop(self._queue)[2])

    def _free_worker(self, job: Job) -> WorkerProcess | None:
        idle = next((worker for worker in self._workers if not worker.jobs and worker.is_ready), None)
        if idle is not None:
            return idle
        if len(self._workers) < self._description.max_workers:
            starting = sum(not worker.is_ready for worker in self._workers)
            if starting < len(self._queue) and not self._is_dead:
                self._start_worker()
        if job.call.suspect or job.call.walltime is not None or self._durations.get(job.digest, 1.0) > SHORT_S:
            return None
        ready = [worker for worker in self._workers if worker.is_ready and self._takes_more(worker)]
        return min(ready, key=lambda worker: len(worker.jobs), default=None)

    def _takes_more(self, worker: WorkerProcess) -> bool:
        return len(worker.jobs) < MOST_AHEAD and all(
            not job.call.suspect and self._durations.get(job.digest, 1.0) <= SHORT_S for job in worker.jobs
        )

    def _start_worker(self) -> None:
        worker = WorkerProcess(f"{self._description.label}-{next(self._numbers)}", str(self._host.run.directory))
        self._workers.append(worker)
        wrapper = dumps(self._host.wrapper, what="the task wrapper") if self._host.wrapper is not None else None
        head = ("start", worker.name, self._description.label, sys.path, (wrapper.tag, 1) if wrapper else None)
        worker.sender.add(encode(head, wrapper.frames if wrapper else ()))
        self._selector.register(worker.connection, selectors.EVENT_READ, worker)
        self._flush(worker)

    def _give(self, worker: WorkerProcess, job: Job) -> None:
        worker.jobs.append(job)
        function, frames = None, list(job.arguments.frames)
        if job.digest not in worker.functions:
            worker.functions.add(job.digest)
            function = (job.function.tag, len(job.function.frames))
            frames = [*job.function.frames, *frames]
        head = ("call", tuple(job.call.try_id), job.call.name, job.digest, function, job.arguments.tag)
        worker.sender.add(encode(head, frames))
        if len(worker.jobs) == 1:
            self._begin(worker)
        self._flush(worker)

    def _begin(self, worker: WorkerProcess) -> None:
        """
        The worker's first job starts now, as far as can be known here.
        """
        job = worker.jobs[0]
        if job.call.try_id in self._host.started((job.call.try_id,)):
            worker.sender.add(encode(("drop", tuple(job.call.try_id))))
        job.is_started = True
        worker.deadline = time.monotonic() + job.call.walltime if job.call.walltime is not None else None

    def _flush(self, worker: WorkerProcess) -> None:
        try:
            is_done = worker.sender.flush(worker.connection)
        except OSError:
            is_done = True  # it has died; reading will say so
        events = selectors.EVENT_READ | (0 if is_done else selectors.EVENT_WRITE)
        self._selector.modify(worker.connection, events, worker)

    # -- receiving ----------------------------------------------------------------------------------------------------------

    def _serve(self, worker: WorkerProcess, mask: int) -> None:
        if worker not in self._workers:
            return
        if mask & selectors.EVENT_WRITE:
            self._flush(worker)
        if mask & selectors.EVENT_READ:
            try:
                is_alive = worker.decoder.read(worker.connection)
            except BlockingIOError:
                return
            except OSError:
                is_alive = False
            for head, frames in worker.decoder.messages():
                self._take(worker, head, frames)
            if not is_alive:
                self._selector.unregister(worker.connection)
                self._bury(worker)

    def _take(self, worker: WorkerProcess, head: tuple[Any, ...], frames: list[Any]) -> None:
        if head[0] == "hello":
            worker.is_ready = True
            self._false_starts = 0
            return
        with self._lock:
            job = worker.jobs.popleft()
        worker.deadline = None
        assert tuple(job.call.try_id) == head[1], "a worker answered out of order"
        self._outcomes.append(self._outcome(worker, job, head, frames))
        if worker.jobs:
            self._begin(worker)

    def _outcome(self, worker: WorkerProcess, job: Job, head: tuple[Any, ...], frames: list[Any]) -> Outcome:
        try_id = job.call.try_id
        if head[0] == "dropped":
            return Outcome(try_id, OutcomeKind.CANCELLED, has_started=False)
        _, _, tag, duration_s, events_tag, count = head
        known = self._durations.get(job.digest)
        self._durations[job.digest] = duration_s if known is None else 0.8 * known + 0.2 * duration_s
        where = self._where(worker)
        outcome = Outcome(try_id, OutcomeKind.RETURNED, where=where, duration_s=duration_s)
        try:
            if count:
                outcome.events = loads(Packed(events_tag, frames[-count:]))
                del frames[-count:]
            if head[0] == "returned":
                outcome.value = loads(Packed(tag, frames))
                return outcome
            error = loads_error(frames)
        except Exception as own:
            error = own
        outcome.kind, outcome.error = OutcomeKind.RAISED, _told_where(error, where, try_id)
        return outcome

    def _where(self, worker: WorkerProcess) -> Where:
        return Where(self._description.label, _HOST, worker.name, worker.process.pid)

    # -- ends ---------------------------------------------------------------------------------------------------------------

    def _bury(self, worker: WorkerProcess) -> None:
        """
        A worker has ended: settle what it ran, queue again what it had not started.
        """
        code = worker.reap()
        tail = worker.log_tail()
        with self._lock:
            self._workers.remove(worker)
            jobs, worker.jobs = list(worker.jobs), type(worker.jobs)()
            for job in jobs[1:]:
                heapq.heappush(self._queue, (job.call.priority, next(self._order), job))
        if jobs:
            self._outcomes.append(self._end(worker, jobs[0], code, tail))
        if not worker.is_ready and not self._is_stopping:
            self._count_false_start(code, tail)

    def _end(self, worker: WorkerProcess, job: Job, code: int, tail: str) -> Outcome:
        call, where = job.call, self._where(worker)
        if job.ending == "walltime":
            message = f"App {call.name} exceeded walltime: {call.walltime:g} seconds"
            error = AppTimeout(message, app_name=call.name, walltime=call.walltime)
            return Outcome(call.try_id, OutcomeKind.TIMED_OUT, error=error, where=where)
        if job.ending == "cancel":
            return Outcome(call.try_id, OutcomeKind.CANCELLED, where=where)
        cause, name = cause_of(code)
        how = f"was killed by {name}" if name else f"ended with exit code {code}"
        died = WorkerDied(
            f"worker {worker.name} (pid {worker.process.pid}) {how} while it ran {call.name}, task {call.try_id.task}"
            + f"; it wrote:\n{tail}" * bool(tail),
            host=_HOST,
            worker=worker.name,
            exitcode=None if name else code,
            signal=name,
            log_tail=tail,
        )
        return Outcome(call.try_id, OutcomeKind.LOST, error=died, cause=cause, where=where)

    def _count_false_start(self, code: int, tail: str) -> None:
        self._false_starts += 1
        if self._false_starts < MOST_FALSE_STARTS:
            return
        error = WorkerDied(f"workers cannot start: exit code {code}; the last one wrote:\n{tail}", exitcode=code, log_tail=tail)
        with self._lock:
            self._is_dead = True
            jobs, self._queue = [entry[2] for entry in self._queue], []
        self._host.health(Health.DEAD, str(error), error)
        self._settle_cancelled(jobs)

    def _check_times(self) -> None:
        now = time.monotonic()
        for worker in list(self._workers):
            is_over = worker.deadline is not None and worker.deadline <= now
            if is_over or (self._stop_at is not None and self._stop_at <= now and worker.jobs):
                self._kill(worker, "walltime" if is_over else "cancel")

    def _kill(self, worker: WorkerProcess, ending: str) -> None:
        if not worker.jobs[0].ending:
            worker.jobs[0].ending = ending
            worker.deadline = None
            worker.kill()

    def _apply_cancels(self) -> None:
        with self._lock:
            cancels, self._cancels = self._cancels, []
            for tries, kill in cancels:
                dropped = [entry[2] for entry in self._queue if entry[2].call.try_id in tries]
                if dropped:
                    self._queue = [entry for entry in self._queue if entry[2].call.try_id not in tries]
                    heapq.heapify(self._queue)
                    self._settle_cancelled(dropped)
                for worker in self._workers:
                    self._cancel_on(worker, tries, kill=kill)

    def _cancel_on(self, worker: WorkerProcess, tries: frozenset[TryId], *, kill: bool) -> None:
        for index, job in enumerate(worker.jobs):
            if job.call.try_id in tries and index:
                worker.sender.add(encode(("drop", tuple(job.call.try_id))))
                self._flush(worker)
            elif job.call.try_id in tries and kill:
                self._kill(worker, "cancel")

    def _settle_cancelled(self, jobs: Sequence[Job]) -> None:
        self._outcomes += [Outcome(job.call.try_id, OutcomeKind.CANCELLED, has_started=False) for job in jobs]


_HOST = socket.gethostname()
_NO_ARGUMENTS = dumps(((), {}))


def _pack_arguments(call: TaskCall) -> Packed:
    try:
        return dumps((call.args, dict(call.kwargs)), name=call.name)
    except Exception:
        for index, value in enumerate(call.args):
            dumps(value, name=call.name, what=f"args[{index}]")
        for name, value in call.kwargs.items():
            dumps(value, name=call.name, what=f"kwargs[{name!r}]")
        raise


def _told_where(error: BaseException, where: Where, try_id: TryId) -> BaseException:
    error.add_note(f"raised in task {try_id.task}, try {try_id.attempt}, on {where}")
    return error

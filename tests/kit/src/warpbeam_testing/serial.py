"""
The plainest executor that keeps the whole contract: one thread, one call at a time.

For tests of other plugins, and as an example to read.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from typing import TYPE_CHECKING

import attrs
from warpbeam.contracts import AppExited, AppTimeout, Health, Load, Outcome, OutcomeKind, Where
from warpbeam.remote import TaskContext, running


if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from warpbeam.contracts import ExecutorHost, Resources, TaskCall, TryId


@attrs.frozen(kw_only=True)
class SerialExecutor:
    """
    Runs tasks one after another in one thread of this process.

    Args:
        label: name in the kernel.
    """

    label: str = "serial"

    @property
    def capabilities(self) -> frozenset[str]:
        """
        What it can do.
        """
        return frozenset({"local", "priority", "resources:priority"})

    def refuse(self, resources: Resources, walltime: float | None) -> str | None:
        """
        Refuse nothing.
        """
        del resources, walltime
        return None

    def start(self, host: ExecutorHost) -> RunningSerial:
        """
        Return the running half; its thread starts with the first call.
        """
        return RunningSerial(self, host)


class RunningSerial:
    """
    The running half: a queue and a thread.

    A function that exceeds its walltime cannot be killed: its thread is given up, and another one takes its place when it ends.
    """

    def __init__(self, description: SerialExecutor, host: ExecutorHost) -> None:
        self.description = description
        self.host = host
        self.turn = threading.Lock()  # of those who stop it
        self.changed = threading.Condition()
        self.queue: list[tuple[int, int, TaskCall]] = []
        self.ages = itertools.count()
        self.current: TaskCall | None = None
        self.overdue: TaskCall | None = None
        self.thread: threading.Thread | None = None
        self.timers: set[threading.Timer] = set()
        self.is_stopping = False

    # -- contract -------------------------------------------------------------------------------------------------------

    def submit(self, calls: Sequence[TaskCall]) -> None:
        """
        Take the calls.
        """
        calls = list(calls)
        with self.changed:
            if self.is_stopping:
                raise RuntimeError(f"executor {self.description.label!r} has been stopped")
            for call in calls:
                heapq.heappush(self.queue, (call.priority, next(self.ages), call))
            if self.thread is None:
                self.thread = threading.Thread(target=self.work, name=f"serial-{self.description.label}", daemon=True)
                self.thread.start()
            self.changed.notify_all()

    def cancel(self, tries: Collection[TryId], *, kill: bool) -> None:
        """
        Drop those of the tries that have not started.
        """
        del kill  # threads cannot be killed
        self.drop(lambda call: call.try_id in tries)

    def load(self) -> Load:
        """
        Return how busy the thread is.
        """
        with self.changed:
            lost = int(self.overdue is not None)
            return Load(len(self.queue), int(self.current is not None), 1 - lost, lost)

    def stop(self, *, deadline: float | None) -> None:
        """
        Drop what waits, unless the deadline is None, give what runs its time, and leave it behind if it does not end.
        """
        with self.turn:
            self.end(deadline)

    def end(self, deadline: float | None) -> None:
        """
        Stop, one thread after the other.
        """
        with self.changed:
            self.is_stopping = True
            self.changed.notify_all()
        if deadline is not None:
            self.drop(lambda _: True)
        with self.changed:
            self.changed.wait_for(lambda: self.current is None and not self.queue, deadline)
            left, self.current = self.current, None
            self.overdue = self.overdue or left
            is_busy = self.overdue is not None
        if left is not None:
            self.complete(left, OutcomeKind.CANCELLED)
        if self.thread is not None and self.thread is not threading.current_thread() and not is_busy:
            self.thread.join()
        for timer in list(self.timers):
            timer.cancel()
            timer.join()

    def drop(self, is_wanted: object) -> None:
        """
        Cancel the queued calls that are wanted.
        """
        with self.changed:
            dropped = [entry[2] for entry in self.queue if is_wanted(entry[2])]  # type: ignore[operator]
            self.queue = [entry for entry in self.queue if entry[2] not in dropped]
            heapq.heapify(self.queue)
            self.changed.notify_all()
        self.host.completed([Outcome(call.try_id, OutcomeKind.CANCELLED, has_started=False) for call in dropped])

    # -- the thread ---------------------------------------------------------------------------------------------------------

    def work(self) -> None:
        """
        Run calls until the executor stops.
        """
        with self.host.working(lambda _is_waiting: None):
            while (call := self.next_call()) is not None:
                if call.try_id in self.host.started((call.try_id,)):
                    outcome = Outcome(call.try_id, OutcomeKind.CANCELLED, has_started=False)
                else:
                    outcome = self.run(call)
                self.finish(call, outcome)

    def next_call(self) -> TaskCall | None:
        """
        Wait for a call; None when the executor stops.
        """
        with self.changed:
            self.changed.wait_for(lambda: self.queue or self.is_stopping)
            if not self.queue:
                return None
            self.current = heapq.heappop(self.queue)[2]
            if self.current.walltime is not None:
                self.watch(self.current)
            return self.current

    def run(self, call: TaskCall) -> Outcome:
        """
        Run a call in this thread.
        """
        outcome = Outcome(call.try_id, OutcomeKind.RETURNED, where=Where(executor=self.description.label))
        context = TaskContext(call.try_id.task, call.try_id.attempt, call.name, "", self.description.label)
        wrapper = self.host.wrapper
        try:
            with running(context):
                if wrapper is None:
                    outcome.value = call.function(*call.args, **call.kwargs)
                else:
                    outcome.value = wrapper(lambda: call.function(*call.args, **call.kwargs))
        except SystemExit as error:
            outcome.kind = OutcomeKind.RAISED
            outcome.error = AppExited(f"{call.name} called sys.exit({error.code!r})", app_name=call.name, code=error.code)
        except BaseException as error:  # whatever user code raises is the task's
            outcome.kind, outcome.error = OutcomeKind.RAISED, error
        outcome.events = context.events
        return outcome

    def finish(self, call: TaskCall, outcome: Outcome) -> None:
        """
        Hand in an outcome, unless the try has had one.
        """
        with self.changed:
            is_current = self.current is call
            if is_current:
                self.current = None
            was_overdue, self.overdue = self.overdue is call, None
            self.changed.notify_all()
        if is_current:
            self.host.completed([outcome])
        if was_overdue:
            self.host.health(Health.WORKING)

    # -- walltime -----------------------------------------------------------------------------------------------------------

    def watch(self, call: TaskCall) -> None:
        """
        Have the call end when its time is over.
        """
        assert call.walltime is not None
        timer = threading.Timer(call.walltime, self.time_out, (call,))
        timer.daemon = True
        self.timers = {one for one in self.timers if one.is_alive()} | {timer}
        timer.start()

    def time_out(self, call: TaskCall) -> None:
        """
        End a call that still runs.
        """
        with self.changed:
            if self.current is not call:
                return
            self.current, self.overdue = None, call
        self.host.health(Health.DEGRADED, f"its only slot is held by timed-out {call.name}")
        message = f"App {call.name} exceeded walltime: {call.walltime:g} seconds"
        self.complete(call, OutcomeKind.TIMED_OUT, AppTimeout(message, app_name=call.name, walltime=call.walltime))

    def complete(self, call: TaskCall, kind: OutcomeKind, error: BaseException | None = None) -> None:
        """
        Hand in an outcome of a call that was running.
        """
        self.host.completed([Outcome(call.try_id, kind, error=error, where=Where(executor=self.description.label))])

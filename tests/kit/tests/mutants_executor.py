"""
Executors that break one sentence of the contract each; the key is the test that must notice.
"""

from __future__ import annotations

import pickle
import subprocess
import threading
from pathlib import Path

import attrs
from warpbeam.contracts import Load, LossCause, Outcome, OutcomeKind, WorkerDied
from warpbeam_testing import RecordingHost, SerialExecutor, tasks
from warpbeam_testing.serial import RunningSerial


MUTANTS = {}


def caught_by(test, *capabilities):
    """Enter a running half into the table, with what its description declares beside the usual."""

    def enter(running):
        MUTANTS.setdefault(test, []).append(Mutant(running=running, more=frozenset(capabilities)))
        return running

    return enter


def description(test):
    """Enter a description into the table."""

    def enter(cls):
        MUTANTS.setdefault(test, []).append(cls())
        return cls

    return enter


@attrs.frozen(kw_only=True)
class Mutant(SerialExecutor):
    running: type = RunningSerial
    more: frozenset = frozenset()

    @property
    def capabilities(self):
        return super().capabilities | self.more

    def start(self, host):
        return self.running(self, host)


# -- descriptions ----------------------------------------------------------------------------------------------------------


@description("test_is_an_executor")
@attrs.frozen(kw_only=True)
class UnknownResource(SerialExecutor):
    @property
    def capabilities(self):
        return frozenset({"resources:corse"})


@description("test_description")
@attrs.define(kw_only=True)
class Changeable:
    label: str = "changeable"
    capabilities = frozenset()
    refuse = SerialExecutor.refuse
    start = SerialExecutor.start


@description("test_refuse")
@attrs.frozen(kw_only=True)
class RefusesAll(SerialExecutor):
    def refuse(self, resources, walltime):
        return "no"


@description("test_refuse")
@attrs.frozen(kw_only=True)
class AnswersByMood(SerialExecutor):
    asked: list = attrs.field(factory=list)

    def refuse(self, resources, walltime):
        self.asked.append(resources)
        return None if len(self.asked) < 4 else "enough"


@description("test_starts_several_times_at_once")
@attrs.frozen(kw_only=True)
class StartsOnce(SerialExecutor):
    made: list = attrs.field(factory=list, repr=False)

    def start(self, host):
        if not self.made:
            self.made.append(RunningSerial(self, host))
        return self.made[0]


@description("test_works_behind_proxies")
@attrs.frozen(kw_only=True)
class AsksForTheClass(SerialExecutor):
    def start(self, host):
        assert isinstance(host, RecordingHost), "what a strange host"
        return RunningSerial(self, host)


# -- calls -----------------------------------------------------------------------------------------------------------------


class Changed(RunningSerial):
    """Changes each outcome."""

    def run(self, call):
        return self.change(super().run(call), call)


@caught_by("test_calls_run")
class DropsKeywords(RunningSerial):
    def run(self, call):
        return super().run(attrs.evolve(call, kwargs={}))


@caught_by("test_where_it_ran_is_said")
class SaysNothing(Changed):
    def change(self, outcome, call):
        outcome.where = None
        return outcome


@caught_by("test_what_is_raised_comes_back")
class WrapsErrors(Changed):
    def change(self, outcome, call):
        if outcome.error is not None:
            outcome.error = RuntimeError(f"task failed: {outcome.error}")
        return outcome


@caught_by("test_exits_are_the_tasks")
class EndsWithTheTask(Changed):
    def change(self, outcome, call):
        if call.function in (tasks.leave, tasks.interrupt):
            outcome.kind, outcome.error = OutcomeKind.RETURNED, None
        return outcome


@caught_by("test_each_try_has_one_outcome")
class TellsTwice(RunningSerial):
    def finish(self, call, outcome):
        super().finish(call, outcome)
        if call.args == (7,):
            self.host.completed([outcome])


@caught_by("test_each_try_has_one_outcome")
class LosesOne(RunningSerial):
    def finish(self, call, outcome):
        if call.args == (7,):
            self.current = None
        else:
            super().finish(call, outcome)


@caught_by("test_many_threads_submit_at_once")
class ServesOneThread(RunningSerial):
    owner = None

    def submit(self, calls):
        self.owner = self.owner or calls[0].args
        if self.owner == calls[0].args and len(self.queue) < 2:
            super().submit(calls)


@caught_by("test_submit_within_completed")
class DropsNestedCalls(RunningSerial):
    def submit(self, calls):
        if threading.current_thread() is not self.thread:
            super().submit(calls)


@caught_by("test_submit_does_not_wait_for_room")
class BlocksWhenFull(RunningSerial):
    def submit(self, calls):
        with self.changed:
            self.changed.wait_for(lambda: len(self.queue) < 1000)
        super().submit(calls)


@caught_by("test_a_stopped_executor_takes_none")
class SwallowsAfterTheStop(RunningSerial):
    def submit(self, calls):
        if not self.is_stopping:
            super().submit(calls)


@caught_by("test_a_batch_that_cannot_be_read_is_not_taken")
class TakesOneByOne(RunningSerial):
    def submit(self, calls):
        for call in calls:
            super().submit([call])


@caught_by("test_what_cannot_travel_is_refused", "ships_code")
@caught_by("test_a_result_that_cannot_travel_fails", "ships_code")
class ShipsNothing(RunningSerial):
    pass


@caught_by("test_an_exception_that_cannot_be_read_is_told")
class HidesErrors(Changed):
    def change(self, outcome, call):
        if outcome.error is not None:
            outcome.error = RuntimeError("something went wrong")
        return outcome


@caught_by("test_code_travels")
class TravelsByName(RunningSerial):
    def run(self, call):
        try:
            pickle.dumps(call.function)
        except Exception as error:
            return Outcome(call.try_id, OutcomeKind.RAISED, error=error)
        return super().run(call)


@caught_by("test_starts_are_said_once")
class NeverSaysStarts(RunningSerial):
    def __init__(self, description, host):
        super().__init__(description, host)
        host.started = lambda tries: ()


@caught_by("test_a_refused_start_does_not_run")
@caught_by("test_cancel_while_submit_runs")
class IgnoresTheAnswer(RunningSerial):
    def __init__(self, description, host):
        super().__init__(description, host)
        ask = host.started
        host.started = lambda tries: ask(tries) and ()


@caught_by("test_the_context_is_the_tasks")
class ForgetsTheAttempt(RunningSerial):
    def run(self, call):
        return super().run(attrs.evolve(call, try_id=call.try_id._replace(attempt=0)))


@caught_by("test_emitted_events_arrive")
class DropsEvents(Changed):
    def change(self, outcome, call):
        outcome.events = ()
        return outcome


@caught_by("test_the_wrapper_runs_round_the_call")
class IgnoresTheWrapper(RunningSerial):
    def run(self, call):
        self.host.wrapper = None
        return super().run(call)


@caught_by("test_priorities")
class FirstComeFirstServed(RunningSerial):
    def submit(self, calls):
        super().submit([attrs.evolve(call, priority=0) for call in calls])


# -- ends ------------------------------------------------------------------------------------------------------------------


@caught_by("test_what_waits_is_cancelled")
class CancelsNothing(RunningSerial):
    def cancel(self, tries, *, kill):
        self.host.refused.clear()


@caught_by("test_what_waits_is_cancelled")
class SaysItHadStarted(RunningSerial):
    def drop(self, is_wanted):
        with self.changed:
            dropped = [entry[2] for entry in self.queue if is_wanted(entry[2])]
            self.queue = [entry for entry in self.queue if entry[2] not in dropped]
        self.host.completed([Outcome(call.try_id, OutcomeKind.CANCELLED) for call in dropped])


class EndsWhatRuns(RunningSerial):
    """Reports what runs as cancelled, though it goes on."""

    def end_current(self):
        with self.changed:
            call, self.current = self.current, None
            self.overdue = call
        if call is not None:
            self.complete(call, OutcomeKind.CANCELLED)


@caught_by("test_what_runs_ends_as_it_ends")
class CancelsWhatRuns(EndsWhatRuns):
    def cancel(self, tries, *, kill):
        self.end_current()


@caught_by("test_what_runs_is_killed", "can_kill")
class KillsNothing(RunningSerial):
    pass


@caught_by("test_settled_and_unknown_tries_are_ignored")
class KnowsNoSettledTries(RunningSerial):
    def cancel(self, tries, *, kill):
        self.host.completed([Outcome(try_id, OutcomeKind.CANCELLED, has_started=False) for try_id in tries])


@caught_by("test_walltime")
class KnowsNoTime(RunningSerial):
    def watch(self, call):
        pass


@caught_by("test_walltime")
class CountsNoLostSlots(RunningSerial):
    def load(self):
        load = super().load()
        return Load(load.queued, load.running, 1)


@caught_by("test_load")
class CountsNothing(RunningSerial):
    def load(self):
        return Load(0, 0, 1)


@caught_by("test_stop_that_waits")
class NeverWaits(RunningSerial):
    def end(self, deadline):
        super().end(0)


@caught_by("test_stop_at_once")
class ForgetsAtTheStop(RunningSerial):
    def drop(self, is_wanted):
        with self.changed:
            self.queue.clear()


@caught_by("test_stop_at_once")
class RunsEverythingAtTheStop(RunningSerial):
    def drop(self, is_wanted):
        with self.changed:
            calls = [entry[2] for entry in self.queue]
            self.queue.clear()
        self.host.completed([self.run(call) for call in calls])


@caught_by("test_stop_with_a_deadline")
class KnowsNoDeadline(RunningSerial):
    def end(self, deadline):
        super().end(deadline and 0)


@caught_by("test_stop_again")
class StopsOnce(RunningSerial):
    def end(self, deadline):
        assert not self.is_stopping, "stopped already"
        super().end(deadline)


@caught_by("test_stop_again")
class ReturnsEarly(RunningSerial):
    def stop(self, *, deadline):
        if not self.is_stopping:
            with self.turn:
                self.is_stopping = True
                self.changed.acquire()
                self.changed.wait(0.2)
                self.changed.release()
                self.end(deadline)


@caught_by("test_stop_before_the_first_call")
class StopsItsThread(RunningSerial):
    def end(self, deadline):
        self.thread.join(0)
        super().end(deadline)


@caught_by("test_a_worker_that_dies_by_its_task", "survives_worker_loss")
class BlamesOthers(RunningSerial):
    def run(self, call):
        if call.function in (tasks.die, tasks.crash):
            error = WorkerDied("the worker is gone")
            return Outcome(call.try_id, OutcomeKind.LOST, error=error, cause=LossCause.WORKER_KILLED)
        return super().run(call)


@caught_by("test_a_worker_that_is_killed", "survives_worker_loss")
class BlamesTheTask(RunningSerial):
    def run(self, call):
        if call.function is not tasks.hold:
            return super().run(call)
        with subprocess.Popen(["sleep", "60"]) as worker:
            draft = Path(call.args[0], "draft")
            draft.write_text(str(worker.pid))
            draft.rename(Path(call.args[0], "hold.started"))
        error = WorkerDied("the worker is gone")
        return Outcome(call.try_id, OutcomeKind.LOST, error=error, cause=LossCause.WORKER_FAULT)

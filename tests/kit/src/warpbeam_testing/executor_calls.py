"""
The executor's contract: what becomes of calls.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from warpbeam.contracts import OutcomeKind, TaskCall

from warpbeam_testing import tasks
from warpbeam_testing.contract import Contract, says
from warpbeam_testing.trial import within


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from warpbeam.contracts import Outcome

    from warpbeam_testing.trial import Trial


class CallsContract(Contract):
    """
    Calls run, and each try has one outcome.
    """

    @says("submit: Take the calls.", "start: Start it and return the running object.")
    def test_calls_run(self, trial: Trial) -> None:
        """Positional and keyword arguments arrive, and the value comes back."""
        tries = trial.send([trial.call(tasks.echo, number, kwargs={"word": "x" * number}) for number in range(5)])
        values = [trial.value(try_id) for try_id in tries]
        assert values == [((number,), {"word": "x" * number}) for number in range(5)]

    def test_where_it_ran_is_said(self, trial: Trial) -> None:
        """The outcome names the executor."""
        where = trial.outcome(trial.submit(tasks.echo)).where
        assert where is not None
        assert where.executor == trial.executor.label

    def test_what_is_raised_comes_back(self, trial: Trial) -> None:
        """An exception is the outcome's error, with its type and text; the executor goes on."""
        outcome = trial.outcome(trial.submit(tasks.fail, "as planned"))
        assert outcome.kind is OutcomeKind.RAISED
        assert isinstance(outcome.error, ValueError)
        assert str(outcome.error) == "as planned"
        assert trial.value(trial.submit(tasks.echo, 1)) == ((1,), {})

    @pytest.mark.parametrize(("function", "args"), [(tasks.leave, (3,)), (tasks.interrupt, ())])
    def test_exits_are_the_tasks(self, trial: Trial, function: Any, args: tuple[Any, ...]) -> None:
        """A task that calls sys.exit, or raises KeyboardInterrupt, fails; the executor goes on."""
        assert trial.outcome(trial.submit(function, *args)).kind is OutcomeKind.RAISED
        assert trial.value(trial.submit(tasks.echo, 1)) == ((1,), {})

    @says("submit: From then on each try gets exactly one Outcome.")
    def test_each_try_has_one_outcome(self, trial: Trial) -> None:
        """Of many calls in batches of several sizes none is lost and none told twice, also after the stop."""
        batches = [[trial.call(tasks.echo, number) for number in range(size)] for size in (1, 2, 50, 1, 17)]
        tries = [try_id for batch in batches for try_id in trial.send(batch)]
        assert {outcome.kind for outcome in trial.outcomes(tries)} == {OutcomeKind.RETURNED}
        trial.stop(deadline=0)
        assert len(trial.host.outcomes) == len(tries)

    @says("submit: Called from any thread, also from several at once and from within ``completed``.")
    def test_many_threads_submit_at_once(self, trial: Trial) -> None:
        """Calls of several threads all run."""
        tries: list[Any] = []
        assert trial.running

        def send() -> None:
            for number in range(25):
                tries.extend(trial.send([trial.call(tasks.echo, number)]))

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(self.patience_s)
        assert len(trial.outcomes(tries)) == 100

    @says("submit: Called from any thread, also from several at once and from within ``completed``.")
    def test_submit_within_completed(self, trial: Trial) -> None:
        """Whoever hands in an outcome can be given the next call at once."""
        calls = [trial.call(tasks.echo, number) for number in range(20)]
        trial.host.expect([call.try_id for call in calls])
        rest = iter(calls)

        def submit_next(_outcomes: Sequence[Outcome]) -> None:
            call = next(rest, None)
            if call is not None:
                trial.running.submit([call])

        trial.host.on_completed = submit_next
        submit_next(())
        assert len(trial.outcomes(call.try_id for call in calls)) == 20
        trial.host.on_completed = None

    @says("submit: Never blocks on a network or on a full queue.")
    def test_submit_does_not_wait_for_room(self, trial: Trial) -> None:
        """Calls are taken while every worker is busy, however many."""
        busy = trial.occupy()
        tries = trial.send([trial.call(tasks.echo, number) for number in range(2000)])
        tries += [trial.submit(tasks.echo) for _ in range(20)]
        assert trial.running.load().queued > 0
        trial.release()
        assert len(trial.outcomes([*busy, *tries])) == len(busy) + 2020

    @says("submit: Takes all calls, or raises and has taken none.")
    def test_a_stopped_executor_takes_none(self, trial: Trial) -> None:
        """After the stop a batch is refused as a whole."""
        trial.value(trial.submit(tasks.echo))
        trial.stop(deadline=0)
        with pytest.raises(Exception, match=r"stop|clos|shut|end"):
            trial.send([trial.call(tasks.echo), trial.call(tasks.echo)])

    @says("submit: Takes all calls, or raises and has taken none.")
    def test_a_batch_that_cannot_be_read_is_not_taken(self, trial: Trial) -> None:
        """A batch that fails half-way leaves nothing behind that would run, or it is taken as a whole."""
        first, second = trial.call(tasks.echo, 1), trial.call(tasks.echo, 2)
        assert trial.running

        class Broken(list[TaskCall]):
            def __iter__(self) -> Iterator[TaskCall]:
                yield first
                raise OSError("the batch breaks")

        with pytest.raises(OSError, match="the batch breaks"):
            within(self.patience_s, "submit", lambda: trial.running.submit(Broken([first, second])))
        assert trial.value(trial.submit(tasks.echo, 3)) == ((3,), {})
        assert first.try_id not in trial.host.outcomes

    @says(
        "submit: What is wrong with one call (it cannot be serialized, say) is that call's Outcome, ``REFUSED``, and does not "
        "disturb the others."
    )
    def test_what_cannot_travel_is_refused(self, trial: Trial) -> None:
        """An argument that cannot be serialized fails its call, never started, and no other."""
        if "ships_code" not in trial.capabilities:
            pytest.skip("its calls do not travel (no capability ships_code)")
        calls = [trial.call(tasks.echo, 1), trial.call(tasks.echo, tasks.Unsendable()), trial.call(tasks.echo, 2)]
        good, bad, other = trial.outcomes(trial.send(calls))
        assert bad.kind is OutcomeKind.REFUSED
        assert not bad.has_started
        assert (good.value, other.value) == (((1,), {}), ((2,), {}))

    def test_a_result_that_cannot_travel_fails(self, trial: Trial) -> None:
        """A result that cannot be sent back fails its task, and the executor goes on."""
        if "ships_code" not in trial.capabilities:
            pytest.skip("its results do not travel (no capability ships_code)")
        outcome = trial.outcome(trial.submit(tasks.unsendable))
        assert outcome.kind in (OutcomeKind.RAISED, OutcomeKind.REFUSED)
        assert trial.value(trial.submit(tasks.echo, 1)) == ((1,), {})

    def test_an_exception_that_cannot_be_read_is_told(self, trial: Trial) -> None:
        """An exception that cannot be unpickled arrives as an error that names its type."""
        outcome = trial.outcome(trial.submit(tasks.fail_unreadably))
        assert outcome.kind is OutcomeKind.RAISED
        told = f"{type(outcome.error).__name__}: {outcome.error}"
        assert "UnreadableError" in told
        assert trial.value(trial.submit(tasks.echo, 1)) == ((1,), {})

    def test_code_travels(self, trial: Trial) -> None:
        """Functions of no module, with what they close over, run."""
        offset = 40
        assert trial.value(trial.submit(lambda number: number + offset, 2)) == 42

    @says("started: To be said once for each try; a try that is said to start again is among those returned.")
    def test_starts_are_said_once(self, trial: Trial) -> None:
        """The host hears of each start once, and not after the outcome."""
        tries = trial.send([trial.call(tasks.echo, number) for number in range(10)])
        trial.outcomes(tries)
        assert sorted(trial.host.begun) == tries

    @says("started: Say that tries are about to run, and return those that must not, because they were cancelled meanwhile.")
    def test_a_refused_start_does_not_run(self, trial: Trial) -> None:
        """A try that the host refuses is not run by an executor of the same process."""
        if "local" not in trial.capabilities:
            pytest.skip("it may learn of a start too late (no capability local)")
        call = trial.call(tasks.touch, str(trial.directory / "ran"))
        trial.host.refused.add(call.try_id)
        outcome = trial.outcomes(trial.send([call]))[0]
        assert outcome.kind is OutcomeKind.CANCELLED
        assert not outcome.has_started
        assert not (trial.directory / "ran").exists()

    def test_the_context_is_the_tasks(self, trial: Trial) -> None:
        """``warpbeam.remote.context()`` names task, attempt, app and executor."""
        call = trial.call(tasks.describe, attempt=3)
        told = trial.value(trial.send([call])[0])
        assert told == {"task": call.try_id.task, "attempt": 3, "name": "describe", "executor": trial.executor.label}

    def test_emitted_events_arrive(self, trial: Trial) -> None:
        """What a task emits comes with its outcome, or before it through the host."""
        call = trial.call(tasks.emit, "kit.seen", 42)
        outcome = trial.outcomes(trial.send([call]))[0]
        if "streams_events" in trial.capabilities:
            assert ("kit.seen", {"value": 42}, call.try_id.task) in trial.host.events
        else:
            assert [(kind, dict(data)) for kind, data in outcome.events] == [("kit.seen", {"value": 42})]

    def test_the_wrapper_runs_round_the_call(self, trial: Trial) -> None:
        """The host's wrapper runs on the worker, and the value goes through it."""
        trial.host.wrapper = tasks.Wrapper(str(trial.directory))
        assert trial.value(trial.submit(tasks.echo, 1)) == ((1,), {})
        assert (trial.directory / "wrapper.before").exists()
        assert (trial.directory / "wrapper.after").exists()

    @says("priority: the smaller, the sooner; an executor without the capability ``priority`` ignores it.")
    def test_priorities(self, trial: Trial) -> None:
        """Of what waits, the most urgent starts first."""
        if "priority" not in trial.capabilities:
            pytest.skip("it knows no priorities (no capability priority)")
        busy = trial.occupy()
        late = trial.send([trial.call(tasks.echo, number, priority=5) for number in range(3)])
        urgent = trial.submit(tasks.echo, priority=-5)
        trial.release()
        trial.outcomes([*busy, *late, urgent])
        assert next(try_id for try_id in trial.host.begun if try_id not in busy) == urgent

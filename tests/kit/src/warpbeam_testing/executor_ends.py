"""
The executor's contract: cancelling, time limits, load, the stop.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from warpbeam.contracts import AppTimeout, Health, Load, OutcomeKind, TryId

from warpbeam_testing import tasks
from warpbeam_testing.contract import Contract, says
from warpbeam_testing.trial import within


if TYPE_CHECKING:
    from collections.abc import Iterator

    from warpbeam.contracts import TaskCall

    from warpbeam_testing.trial import Trial


class CancelContract(Contract):
    """
    Cancelling, and limits of time.
    """

    @says(
        "cancel: End the tries that have not started; with ``kill``, and the capability ``can_kill``, the running ones too.",
        "cancel: A cancelled try still gets its Outcome, ``CANCELLED``; one that was running and is not killed ends as it ends.",
    )
    def test_what_waits_is_cancelled(self, trial: Trial) -> None:
        """A queued try never runs, and its outcome says that it never began."""
        busy = trial.occupy()
        waiting = trial.submit(tasks.touch, str(trial.directory / "ran"))
        trial.cancel([waiting])
        trial.release()
        outcome = trial.outcome(waiting)
        assert outcome.kind is OutcomeKind.CANCELLED
        assert not outcome.has_started
        trial.outcomes([*busy, trial.submit(tasks.echo)])
        assert not (trial.directory / "ran").exists()

    @says(
        "cancel: A cancelled try still gets its Outcome, ``CANCELLED``; one that was running and is not killed ends as it ends."
    )
    def test_what_runs_ends_as_it_ends(self, trial: Trial) -> None:
        """Without kill a running function goes on to its end."""
        running = trial.hold()
        trial.cancel([running])
        trial.release()
        assert trial.value(running) == "hold"

    @says("cancel: End the tries that have not started; with ``kill``, and the capability ``can_kill``, the running ones too.")
    def test_what_runs_is_killed(self, trial: Trial) -> None:
        """With kill a running function ends at once, and the executor goes on."""
        running = trial.hold()
        trial.cancel([running], kill=True)
        if "can_kill" not in trial.capabilities:
            trial.release()
            assert trial.value(running) == "hold"
        else:
            assert trial.outcome(running).kind is OutcomeKind.CANCELLED
        assert trial.value(trial.submit(tasks.echo, 1)) == ((1,), {})

    @says("cancel: Called from any thread.", "cancel: Tries that are settled or unknown are ignored.")
    def test_settled_and_unknown_tries_are_ignored(self, trial: Trial) -> None:
        """Cancelling what has ended, or what never was, does nothing."""
        done = trial.submit(tasks.echo)
        trial.outcome(done)
        for kill in (False, True):
            trial.cancel([done, TryId(999_999, 0)], kill=kill)
        assert trial.value(trial.submit(tasks.echo, 1)) == ((1,), {})
        assert len(trial.host.outcomes) == 2

    @says("cancel: May come before ``submit`` has returned, and still counts.")
    def test_cancel_while_submit_runs(self, trial: Trial) -> None:
        """A cancel that comes while the batch is still being taken keeps its try from running."""
        busy = trial.occupy()
        path = str(trial.directory / "ran")
        first, second = trial.call(tasks.echo, 1), trial.call(tasks.touch, path)

        class Slow(list["TaskCall"]):
            def __iter__(self) -> Iterator[TaskCall]:
                yield first
                trial.cancel([second.try_id])
                yield second

        trial.host.expect([first.try_id, second.try_id])
        within(self.patience_s, "submit", lambda: trial.running.submit(Slow([first, second])))
        trial.release()
        outcomes = trial.outcomes([*busy, first.try_id, second.try_id])
        if outcomes[-1].kind is OutcomeKind.CANCELLED:
            trial.value(trial.submit(tasks.echo))
            assert not (trial.directory / "ran").exists()
        else:
            assert "local" not in trial.capabilities, f"{outcomes[-1]} though it was cancelled before it was taken"

    @says("walltime: seconds after which the executor must end the try with ``TIMED_OUT``, or None.")
    def test_walltime(self, trial: Trial) -> None:
        """A function that exceeds its time is TIMED_OUT; who cannot kill it says that the slot is lost."""
        held = trial.submit(tasks.hold, str(trial.directory), "late", walltime=0.2)
        outcome = trial.outcome(held)
        assert outcome.kind is OutcomeKind.TIMED_OUT
        assert isinstance(outcome.error, AppTimeout)
        if "can_kill" not in trial.capabilities:
            assert trial.running.load().lost_slots == 1
            assert trial.host.wait_for(lambda: trial.host.states, self.patience_s)
            assert trial.host.states[-1][0] is Health.DEGRADED
            trial.release("late")
            assert trial.host.wait_for(lambda: trial.running.load().lost_slots == 0, self.patience_s)
        assert trial.value(trial.submit(tasks.echo, 1, walltime=self.patience_s)) == ((1,), {})

    @says("load: Return how busy it is; called from any thread, does no I/O and takes no lock that is held during I/O.")
    def test_load(self, trial: Trial) -> None:
        """Queued, running and capacity are counted."""
        busy = trial.occupy()
        queued = trial.send([trial.call(tasks.echo) for _ in range(7)])
        load = trial.running.load()
        assert isinstance(load, Load)
        assert (load.running, load.queued, load.lost_slots) == (len(busy), 7, 0)
        assert load.capacity >= len(busy)
        trial.release()
        trial.outcomes([*busy, *queued])
        idle = trial.host.wait_for(lambda: trial.running.load().running + trial.running.load().queued == 0, self.patience_s)
        assert idle, f"nothing is left to do, and yet {trial.running.load()}"


class StopContract(Contract):
    """
    The stop.
    """

    @says(
        "stop: End it: when this returns, every try has had its Outcome, and no thread, process, socket or file of it is left.",
        "stop: ``None`` waits for all that has been taken, ``0`` waits for nothing.",
    )
    def test_stop_that_waits(self, trial: Trial) -> None:
        """Without a deadline everything that was taken runs to its end."""
        held = trial.hold()
        tries = trial.send([trial.call(tasks.echo, number) for number in range(20)])
        stopping = threading.Thread(target=trial.running.stop, kwargs={"deadline": None}, name="stopping")
        stopping.start()
        trial.release()
        stopping.join(self.patience_s)
        assert not stopping.is_alive(), "the stop does not end"
        assert not trial.host.missing()
        assert {trial.host.outcomes[one].kind for one in [held, *tries]} == {OutcomeKind.RETURNED}

    @says(
        "stop: End it: when this returns, every try has had its Outcome, and no thread, process, socket or file of it is left.",
        "stop: ``None`` waits for all that has been taken, ``0`` waits for nothing.",
        "stop: Tries that have not started end as ``CANCELLED`` unless the deadline is None.",
    )
    def test_stop_at_once(self, trial: Trial) -> None:
        """With deadline 0 what waits is cancelled, and what runs is killed or left behind; all have outcomes."""
        busy = trial.occupy()
        tries = trial.send([trial.call(tasks.echo, number) for number in range(20)])
        trial.stop(deadline=0)
        assert not trial.host.missing()
        assert {trial.host.outcomes[try_id].kind for try_id in tries} == {OutcomeKind.CANCELLED}
        assert not any(trial.host.outcomes[try_id].has_started for try_id in tries)
        assert OutcomeKind.RETURNED not in {trial.host.outcomes[try_id].kind for try_id in busy}
        trial.release()

    @says(
        "stop: ``deadline`` is the number of seconds that running functions are given to end by themselves; then they are killed, "
        "or, where that is impossible, left behind and reported."
    )
    def test_stop_with_a_deadline(self, trial: Trial) -> None:
        """What ends within the deadline has its result."""
        held = trial.hold()
        stopping = threading.Thread(target=trial.running.stop, kwargs={"deadline": self.patience_s}, name="stopping")
        stopping.start()
        trial.release()
        stopping.join(self.patience_s)
        assert not stopping.is_alive(), "the stop does not end when nothing runs any more"
        assert trial.host.outcomes[held].kind is OutcomeKind.RETURNED

    @says("stop: May be called several times, from any thread; later calls return when the first has done its work.")
    def test_stop_again(self, trial: Trial) -> None:
        """Stopping twice, also at once from several threads, is harmless, and each returns when all is done."""
        trial.occupy()
        wrong: list[object] = []

        def stop() -> None:
            try:
                trial.running.stop(deadline=0)
            except Exception as error:
                wrong.append(error)
            wrong.extend(trial.host.missing())

        threads = [threading.Thread(target=stop, name="stopping") for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(self.patience_s)
        assert not any(thread.is_alive() for thread in threads), "a stop does not end"
        assert not wrong, f"a stop raised, or returned before these had their outcomes: {wrong}"
        trial.stop(deadline=0)
        trial.release()

    @says("stop: End it: when this returns, every try has had its Outcome, and no thread, process, socket or file of it is left.")
    def test_stop_before_the_first_call(self, trial: Trial) -> None:
        """An executor that ran nothing stops."""
        within(self.patience_s, "stop", lambda: trial.running.stop(deadline=None))
        assert not trial.host.outcomes


class WorkerLossContract(Contract):
    """
    The death of one worker fails one try; for executors with the capability ``survives_worker_loss``.
    """

    @pytest.mark.parametrize("death", [tasks.die, tasks.crash])
    def test_a_worker_that_dies_by_its_task(self, trial: Trial, death: object) -> None:
        """The try is lost by a worker's fault, and no other is disturbed."""
        _skip_unless_it_survives(trial)
        from warpbeam.contracts import LossCause, TaskLost

        tries = trial.send([trial.call(tasks.echo, 1), trial.call(death, suspect=False), trial.call(tasks.echo, 2)])  # type: ignore[arg-type]
        first, lost, last = trial.outcomes(tries)
        assert (first.kind, last.kind) == (OutcomeKind.RETURNED, OutcomeKind.RETURNED)
        assert lost.kind is OutcomeKind.LOST
        assert lost.cause is LossCause.WORKER_FAULT
        assert isinstance(lost.error, TaskLost)
        assert trial.value(trial.submit(tasks.echo, 3)) == ((3,), {})

    def test_a_worker_that_is_killed(self, trial: Trial) -> None:
        """A worker killed from outside is not its task's fault, and a new one takes its place."""
        _skip_unless_it_survives(trial)
        import os
        import signal

        from warpbeam.contracts import LossCause

        held = trial.hold()
        os.kill(int(trial.await_file("hold.started").read_text()), signal.SIGKILL)
        outcome = trial.outcome(held)
        assert outcome.kind is OutcomeKind.LOST
        assert outcome.cause in (LossCause.WORKER_KILLED, LossCause.OUT_OF_MEMORY)
        assert trial.value(trial.submit(tasks.echo, 3)) == ((3,), {})


def _skip_unless_it_survives(trial: Trial) -> None:
    if "survives_worker_loss" not in trial.capabilities:
        pytest.skip("it has no workers that can die alone (no capability survives_worker_loss)")

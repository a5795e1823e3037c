"""
The contract of executors.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from warpbeam.contracts import Executor, Resources

from warpbeam_testing import tasks
from warpbeam_testing.contract import Contract, says
from warpbeam_testing.executor_calls import CallsContract
from warpbeam_testing.executor_ends import CancelContract, StopContract, WorkerLossContract
from warpbeam_testing.host import RecordingHost
from warpbeam_testing.proxy import Proxy
from warpbeam_testing.trial import Trial, within


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class DescriptionContract(Contract):
    """
    What the user writes down.
    """

    def test_is_an_executor(self, executor: Executor) -> None:
        """It has the required members, of the required types."""
        assert isinstance(executor, Executor)
        assert isinstance(executor.label, str)
        assert executor.label
        assert isinstance(executor.capabilities, frozenset)
        assert all(isinstance(name, str) for name in executor.capabilities)
        keys = {name.partition(":")[2] for name in executor.capabilities if name.startswith("resources:")}
        known = {field.name for field in attrs.fields(Resources)}
        assert keys <= known, f"unknown resource keys {sorted(keys - known)}; known are {sorted(known)}"

    @says("class: A description: frozen, keyword-only, cheap, without thread, socket or file; its fields are its options.")
    def test_description(self, executor: Any) -> None:
        """It is a frozen attrs class with keyword-only fields, and making another leaves nothing behind."""
        assert attrs.has(type(executor)), "a description is an attrs class, so that its options can be listed"
        fields = attrs.fields(type(executor))
        assert all(field.kw_only for field in fields if field.init), "its fields are keyword-only"
        with pytest.raises(AttributeError):
            executor.label = "changed"
        assert attrs.evolve(executor, label="other").label == "other"

    @says(
        "refuse: Return why such a call can never run here, or None.",
        "refuse: Pure; called from any thread, before the call is accepted.",
    )
    def test_refuse(self, executor: Executor) -> None:
        """It answers with a text or None, the same from any thread, and does not refuse a call that asks for nothing."""
        assert executor.refuse(Resources(), None) is None
        wanted = [Resources(), Resources(cores=10**6), Resources(memory="1 PB"), Resources(gpus=10**6)]
        answers = [executor.refuse(one, 3600.0) for one in wanted]
        assert all(answer is None or isinstance(answer, str) for answer in answers)
        others: list[str | None] = []
        within(self.patience_s, "refuse", lambda: others.extend(executor.refuse(one, 3600.0) for one in wanted))
        assert others == answers

    @says(
        "start: Called once for each kernel, in the thread that loads it.",
        "start: Returns quickly: workers may still be starting.",
    )
    def test_starts_several_times_at_once(self, executor: Executor, tmp_path: Path) -> None:
        """One description serves several kernels at the same time, and is not changed by it."""
        before = repr(executor)
        trials = [Trial(executor, _directory(tmp_path, name), self.patience_s) for name in ("one", "two")]
        try:
            tries = [trial.submit(tasks.echo, number) for number, trial in enumerate(trials)]
            assert [trial.value(one)[0] for trial, one in zip(trials, tries, strict=True)] == [(0,), (1,)]
        finally:
            for trial in trials:
                trial.close()
        assert repr(executor) == before
        again = Trial(executor, _directory(tmp_path, "three"), self.patience_s)
        assert again.value(again.submit(tasks.echo, 1)) == ((1,), {})
        again.close()

    def test_works_behind_proxies(self, executor: Executor, tmp_path: Path) -> None:
        """A host, and a description, that are wrapped by a transparent object do as well."""
        host = RecordingHost(tmp_path)
        trial = Trial(Proxy(executor), tmp_path, self.patience_s, host)
        host.expect([(call := trial.call(tasks.echo, 1)).try_id])
        running = trial.executor.start(Proxy(host))
        Proxy(running).submit([call])
        assert trial.value(call.try_id) == ((1,), {})
        within(self.patience_s, "stop", lambda: Proxy(running).stop(deadline=0))
        assert not host.violations
        host.close()


def _directory(parent: Path, name: str) -> Path:
    path = parent / name
    path.mkdir()
    return path


class ExecutorContract(DescriptionContract, CallsContract, CancelContract, StopContract, WorkerLossContract):
    """
    Every sentence of `warpbeam.contracts.Executor` and `warpbeam.contracts.RunningExecutor`, as tests.

    A subclass, named ``Test...``, gives the fixture ``executor``: a description whose executor can run at least one task.  What
    it declares in ``capabilities`` is tested; what it does not declare is skipped with a reason.

    Attributes:
        patience_s: seconds that a test waits for what should happen at once.
    """

    @pytest.fixture
    def executor(self) -> Executor:
        """
        Return a description; to be given by the subclass.
        """
        raise NotImplementedError(f"{type(self).__name__} lacks the fixture `executor`, which returns a description")

    @pytest.fixture
    def trial(self, executor: Executor, tmp_path: Path) -> Iterator[Trial]:
        """
        The executor with a recording host; stopped, and asked for violations, after the test.
        """
        trial = Trial(executor, tmp_path, self.patience_s)
        yield trial
        trial.close()
        threads = [thread for thread in threading.enumerate() if thread.name.startswith("trial-")]
        assert not threads, f"calls of the executor have not returned: {threads}"

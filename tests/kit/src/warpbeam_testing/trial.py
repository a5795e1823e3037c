"""
One executor under test, with what tests do to it.
"""

from __future__ import annotations

import itertools
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from warpbeam.contracts import Outcome, TaskCall, TryId

from warpbeam_testing import tasks
from warpbeam_testing.host import RecordingHost


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from warpbeam.contracts import Executor, RunningExecutor


@attrs.define(eq=False)
class Trial:
    """
    A started executor with its recording host; every wait of it ends.

    Args:
        executor: the description.
        directory: where tasks write their files.
        patience_s: seconds that a wait takes at most.
        host: what the executor is started with; made for the directory if None.
    """

    executor: Executor
    directory: Path
    patience_s: float
    host: RecordingHost = attrs.field(default=None)
    _running: RunningExecutor | None = None
    _ids: Any = attrs.field(factory=itertools.count)
    _released: set[str] = attrs.field(factory=set)

    def __attrs_post_init__(self) -> None:
        if self.host is None:
            self.host = RecordingHost(self.directory)

    @property
    def running(self) -> RunningExecutor:
        """
        The running executor, started at first use.
        """
        if self._running is None:
            self._running = self.executor.start(self.host)
        return self._running

    @property
    def capabilities(self) -> frozenset[str]:
        """
        What the executor says it can do.
        """
        return self.executor.capabilities

    # -- calls --------------------------------------------------------------------------------------------------------------

    def call(self, function: Callable[..., Any], *args: Any, kwargs: Any = None, **options: Any) -> TaskCall:
        """
        Return a call of a new task.
        """
        try_id = TryId(next(self._ids), options.pop("attempt", 0))
        return TaskCall(try_id, function, args, kwargs or {}, getattr(function, "__name__", "call"), **options)

    def send(self, calls: Sequence[TaskCall]) -> list[TryId]:
        """
        Submit calls as one batch, and return their tries.
        """
        tries = [call.try_id for call in calls]
        self.host.expect(tries)
        try:
            within(self.patience_s, "submit", lambda: self.running.submit(calls))
        except Exception:
            self.host.forget(tries)  # an executor that raises has taken none
            raise
        return tries

    def submit(self, function: Callable[..., Any], *args: Any, **options: Any) -> TryId:
        """
        Submit one call, and return its try.
        """
        return self.send([self.call(function, *args, **options)])[0]

    def cancel(self, tries: Collection[TryId], *, kill: bool = False) -> None:
        """
        Cancel tries, which from now on are refused at their start, as the kernel does.
        """
        self.host.refused |= set(tries)
        within(self.patience_s, "cancel", lambda: self.running.cancel(tries, kill=kill))

    def stop(self, deadline: float | None) -> None:
        """
        Stop the executor.
        """
        within(self.patience_s, "stop", lambda: self.running.stop(deadline=deadline))

    # -- what came of it ------------------------------------------------------------------------------------------------------

    def outcome(self, try_id: TryId) -> Outcome:
        """
        Wait for the outcome of a try.
        """
        arrived = self.host.wait_for(lambda: try_id in self.host.outcomes, self.patience_s)
        assert arrived, f"{try_id} has no outcome after {self.patience_s:g} s"
        return self.host.outcomes[try_id]

    def outcomes(self, tries: Iterable[TryId]) -> list[Outcome]:
        """
        Wait for the outcomes of tries.
        """
        return [self.outcome(try_id) for try_id in tries]

    def value(self, try_id: TryId) -> Any:
        """
        Wait for the value that a try returned.
        """
        outcome = self.outcome(try_id)
        assert outcome.kind.name == "RETURNED", f"{try_id} did not return: {outcome}"
        return outcome.value

    # -- functions that wait ----------------------------------------------------------------------------------------------------

    def hold(self, name: str = "hold", **options: Any) -> TryId:
        """
        Submit a function that waits for `release`, and wait until it has begun.
        """
        try_id = self.submit(tasks.hold, str(self.directory), name, **options)
        self.await_file(f"{name}.started")
        return try_id

    def occupy(self) -> list[TryId]:
        """
        Keep every worker busy.
        """
        first = self.hold("slot-0")
        capacity = self.running.load().capacity
        return [first, *(self.hold(f"slot-{number}") for number in range(1, capacity))]

    def release(self, name: str | None = None) -> None:
        """
        Let the function go on that waits under the name, or all.
        """
        names = [name] if name is not None else [path.stem for path in self.directory.glob("*.started")]
        for one in names:
            Path(self.directory, f"{one}.release").touch()

    def await_file(self, name: str) -> Path:
        """
        Wait for a file that a task writes.
        """
        path = self.directory / name
        assert self.host.wait_for(path.exists, self.patience_s), f"no task has written {name} after {self.patience_s:g} s"
        return path

    def close(self) -> None:
        """
        Release what waits, stop the executor, and report what broke the contract.
        """
        if self._running is not None:
            for path in self.directory.glob("*.started"):
                path.with_suffix(".release").touch()
            self.stop(deadline=0)
            self.host.close()
        missing = self.host.missing()
        assert not missing, f"no outcome of {missing} though the executor has stopped"
        assert not self.host.violations, "; ".join(self.host.violations)


def within(timeout_s: float, name: str, work: Callable[[], Any]) -> None:
    """
    Do the work in a thread of its own, and fail if it takes longer; what it raises is raised here.
    """
    raised: list[BaseException] = []

    def do() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=do, name=f"trial-{name}", daemon=True)
    thread.start()
    thread.join(timeout_s)
    assert not thread.is_alive(), f"{name} has not returned after {timeout_s:g} s"
    if raised:
        raise raised[0]

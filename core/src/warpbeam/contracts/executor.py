"""
What an executor is: something that runs calls and says how each of them ended.

Life of one: the user's description is constructed (cheap, no side effect); ``start(host)`` gives the running object; ``submit``
and ``cancel`` come from any thread; ``stop`` ends it.  The same description may be started many times, also at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from warpbeam.contracts.records import Health


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from contextlib import AbstractContextManager

    from warpbeam.contracts.ids import TaskId, TryId
    from warpbeam.contracts.records import Load, Outcome, RunInfo, TaskCall
    from warpbeam.contracts.resources import Resources
    from warpbeam.contracts.wrapper import TaskWrapper


@runtime_checkable
class Executor(Protocol):
    """
    A description: frozen, keyword-only, cheap, without thread, socket or file; its fields are its options.

    Attributes:
        label: its name in the kernel, unique there.  An executor that is named by its entry point has that name as label.
        capabilities: what it can do, an open set.  Known so far: ``can_kill`` (ends a running function from outside),
            ``priority`` (starts smaller priorities first), ``drains``, ``multi_node``, ``streams_events``,
            ``survives_worker_loss`` (one worker's death fails one try), ``ships_code`` (functions travel to other processes),
            ``local`` (runs in the driver's process), and ``resources:KEY`` for each resource key that it honours.
    """

    @property
    def label(self) -> str: ...

    @property
    def capabilities(self) -> frozenset[str]: ...

    def refuse(self, resources: Resources, walltime: float | None) -> str | None:
        """
        Return why such a call can never run here, or None.

        Pure; called from any thread, before the call is accepted.  Keys that ``capabilities`` does not declare are refused by
        the kernel already.
        """
        ...

    def start(self, host: ExecutorHost) -> RunningExecutor:
        """
        Start it and return the running object.

        Called once for each kernel, in the thread that loads it.  Returns quickly: workers may still be starting.  What cannot
        work at all is raised here, as `warpbeam.errors.ConfigurationError`.
        """
        ...


@runtime_checkable
class RunningExecutor(Protocol):
    """
    What ``start`` returned.
    """

    def submit(self, calls: Sequence[TaskCall]) -> None:
        """
        Take the calls.

        Called from any thread, also from several at once and from within ``completed``.  Never blocks on a network or on a full
        queue.  Takes all calls, or raises and has taken none.  From then on each try gets exactly one Outcome.  What is wrong
        with one call (it cannot be serialized, say) is that call's Outcome, ``REFUSED``, and does not disturb the others.
        """
        ...

    def cancel(self, tries: Collection[TryId], *, kill: bool) -> None:
        """
        End the tries that have not started; with ``kill``, and the capability ``can_kill``, the running ones too.

        Called from any thread.  May come before ``submit`` has returned, and still counts.  Tries that are settled or unknown
        are ignored.  A cancelled try still gets its Outcome, ``CANCELLED``; one that was running and is not killed ends as it ends.
        """
        ...

    def load(self) -> Load:
        """
        Return how busy it is; called from any thread, does no I/O and takes no lock that is held during I/O.
        """
        ...

    def stop(self, *, deadline: float | None) -> None:
        """
        End it: when this returns, every try has had its Outcome, and no thread, process, socket or file of it is left.

        May be called several times, from any thread; later calls return when the first has done its work.  ``deadline`` is the
        number of seconds that running functions are given to end by themselves; then they are killed, or, where that is
        impossible, left behind and reported.  ``None`` waits for all that has been taken, ``0`` waits for nothing.  Tries that
        have not started end as ``CANCELLED`` unless the deadline is None.
        """
        ...


class ExecutorHost(Protocol):
    """
    What a running executor may ask of its kernel.

    Attributes:
        run: the run that it belongs to.
        wrapper: the composed task wrapper, or None; the executor calls ``wrapper(call)`` on the worker in place of ``call()``.
    """

    run: RunInfo
    wrapper: TaskWrapper | None

    def completed(self, outcomes: Sequence[Outcome]) -> None:
        """
        Hand in outcomes, as many at once as there are.

        Callable from any thread, also within ``submit`` and ``stop``; a call that arrives while its thread is in the kernel is
        queued there, so nothing recurses.  Never raises.  An Outcome of a try that is not current is dropped and counted.
        """
        ...

    def started(self, tries: Sequence[TryId]) -> Collection[TryId]:
        """
        Say that tries are about to run, and return those that must not, because they were cancelled meanwhile.

        To be said once for each try; a try that is said to start again is among those returned.
        Callable from any thread.  An executor that learns of the start too late to stop it may ignore the answer.
        """
        ...

    def emit(self, kind: str, data: Mapping[str, Any], *, task: TaskId | None = None) -> None:
        """
        Add an event to the run's stream; the kind begins with the name of the plugin's distribution.
        """
        ...

    def health(self, state: Health, reason: str = "", error: BaseException | None = None) -> None:
        """
        Say how the executor is; health is pushed, never polled.  ``DEAD`` fails its tasks with the reason and the error.
        """
        ...

    def resolve(self, kind: str, name: object) -> Any:
        """
        Return the plugin object of that kind and name; an object that is no string is returned as it is.
        """
        ...

    def shared(self, name: str, factory: Callable[[], Any]) -> Any:
        """
        Return the object of that name that all executors of the run share, made by the first who asks.

        If the object has a ``close`` method, it is called when the run ends, after the executors have stopped.
        """
        ...

    def working(self, give_up: Callable[[bool], None]) -> AbstractContextManager[None]:
        """
        Mark the calling thread, while the context lasts, as one that runs tasks in the driver's process.

        When a task in it waits for an unfinished future of the kernel, ``give_up(True)`` is called before the wait and
        ``give_up(False)`` after it, so that the executor can let another thread run meanwhile.
        """
        ...

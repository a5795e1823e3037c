"""
The kernel: takes app calls, keeps the graph, hands tries to executors, settles their outcomes.

::

    any thread            app(...) -> Kernel.submit -> frame: _launch -> executor.submit
    executor's thread     host.completed -> frame: _settle (one lock hold) -> _launch what became ready -> set results
    clock thread          retry delays, watchdog, closing asked for by a callback
    memo thread           keys, look-ups and puts of memoized apps
    driver threads        bodies of join apps, lifted access

There is one lock, ``_lock``.  No user code and no executor is called under it.  What a frame is, and why interrupts lose nothing,
stands in `warpbeam.dataflow.frames`.

A task is live while it is in ``_tasks``.  A future of this kernel that is not there has its outcome in ``_result`` or ``_exception``,
perhaps not yet made visible: children are launched before the parents' futures wake their waiters.
"""

from __future__ import annotations

import copy
import os
import threading
import time
import uuid
import weakref
from collections import Counter
from concurrent.futures import CancelledError, Future
from concurrent.futures._base import CANCELLED_AND_NOTIFIED, FINISHED
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from warpbeam.bus import Bus
from warpbeam.config import Config
from warpbeam.contracts import (
    Health,
    LossCause,
    MemoItem,
    Outcome,
    OutcomeKind,
    RunInfo,
    TaskCall,
    TaskInfo,
    TaskState,
    TryId,
)
from warpbeam.dataflow import frames, lifecycle, policies
from warpbeam.dataflow.files import File
from warpbeam.dataflow.frames import thread
from warpbeam.dataflow.futures import AppFuture, DataFuture
from warpbeam.dataflow.graph import Graph
from warpbeam.dataflow.lifecycle import Effect
from warpbeam.dataflow.task import AppSpec, Special, Task
from warpbeam.engine import closing, joins, judge, patience, prepare, run_directory, run_log, startup
from warpbeam.engine.clock import Clock
from warpbeam.engine.driver_threads import LABEL as DRIVER
from warpbeam.engine.driver_threads import DriverThreads
from warpbeam.engine.slots import Router, Slot, choose
from warpbeam.errors import (
    DependencyError,
    MemoError,
    TaskLost,
    WouldDeadlockError,
)


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from types import TracebackType

    from warpbeam.contracts import Executor, RunningExecutor
    from warpbeam.engine.reasons import Reason

live_kernels: weakref.WeakSet[Kernel] = weakref.WeakSet()
"""Kernels that are not closed, for the end of the interpreter."""

WATCH_S = 1.0
"""Seconds between two looks of the watchdog."""

SILENT_S = 60.0
"""Seconds without progress after which the watchdog warns."""


class _Work:
    """
    What follows from a settlement, to be done outside the lock.
    """

    __slots__ = ("ended", "failures", "impossible", "items", "joins", "ready")

    def __init__(self) -> None:
        self.ready: list[Task] = []
        self.impossible: list[tuple[Task, BaseException, str]] = []
        self.ended: list[AppFuture[Any]] = []
        self.failures: list[tuple[Task, Outcome]] = []
        self.joins: list[tuple[Task, Any]] = []
        self.items: list[tuple[Task, MemoItem]] = []


class Kernel:
    """
    Runs apps on the executors of a configuration; use it in a ``with`` statement.

    Args:
        config: the configuration; None is ``Config()``.

    Attributes:
        config: the configuration in force, after site policy.
        run: id, directory and name of this run.

    Raises:
        ConfigurationError: the configuration cannot be used.
        PluginError: a plugin that it names is missing or broken.
    """

    when_closed: Callable[[Kernel], None] = staticmethod(lambda _: None)
    """Called when a kernel has closed; set by `warpbeam.loading`, so that the loaded kernel is forgotten."""

    def __init__(self, config: Config | None = None) -> None:
        self._lock = threading.RLock()
        self._stage = closing.Stage.OPEN
        self._ids = count()
        self._tasks: dict[int, Task] = {}
        self._graph = Graph()
        self._startable: dict[TryId, Task] = {}  # tries that executors have and that have neither started nor ended
        self._foreign: dict[Future[Any], int] = {}
        self._foreign_ids = count(-1, -1)
        self._ended: Counter[TaskState] = Counter()
        self._dropped = 0
        self._progress = 0
        self._retrying = 0
        self._router = Router()
        self._shared: dict[str, Any] = {}
        self._share_lock = threading.RLock()
        self._started_at = time.monotonic()
        self._seen_progress: tuple[object, float, bool] = (None, self._started_at, False)
        self._nested: dict[int, Future[Any]] = {}  # what tasks in threads of ours wait for
        self.silent_s = SILENT_S
        self.bus = Bus()
        self.hooks = startup.Hooks(config)
        self.config = self.hooks.amended(config if config is not None else Config())
        self._room = threading.Condition(self._lock) if self.config.max_outstanding is not None else None
        self.resolver = startup.resolver(self.config)
        self._may_cache, self._caches_by_default = self.config.app_cache, self.config.cache
        directory = run_directory.make(Path(self.config.run_dir), naming=self.config.run_dir_naming)
        self.run = RunInfo(run_id=str(uuid.uuid4()), directory=directory, name=run_directory.workflow_name(), config=self.config)
        self.log = run_log.NoLog()
        self.retry_policy = self.hooks.retry_policy(self.run)
        self._memo = startup.memo_desk(self)
        self._clock = Clock("warpbeam-clock")
        self._closing = closing.Closing(self)
        driver = DriverThreads(partial(frames.enter, self._settle), self._started, self._nested)
        self._driver = Slot(None, DRIVER, frozenset({"local"}), driver)  # type: ignore[arg-type]
        live_kernels.add(self)
        try:
            if self.config.initialize_logging:
                self.log = run_log.RunLog(self.run)
            self.hooks.run_starting(self.run)
            self.add_executors(startup.executors(self.config))
        except BaseException as error:
            self._closing.close("cancel", error=error)
            raise
        self._clock.after(WATCH_S, self._watch)

    # -- submission -----------------------------------------------------------------------------------------------------

    def submit(self, spec: AppSpec, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> AppFuture[Any]:
        """
        Take a call of an app and return its future; what `warpbeam.App` objects do when they are called.

        Raises:
            KernelClosedError: the kernel takes no calls any more.
            UnknownExecutorError, InvalidResourcesError: no executor can ever run it.
            TypeError, ValueError: a reserved argument is wrong.
        """
        if self._stage is not closing.Stage.OPEN:
            self._closing.check_open()
        if self._room is not None:
            self._wait_for_room(self._room)
        state = thread
        is_outermost = not state.in_kernel
        future: AppFuture[Any] = AppFuture(self, next(self._ids), spec)
        task = Task(future.tid, spec, args, kwargs, future, time.monotonic())
        try:
            future._task = task
            if prepare.is_special(spec, kwargs):
                prepare.special(self, task)
            if task.special is not None or spec not in self._router.routes:
                self._check_route(task)
            if self._register(task, self._scan(task) if args or task.kwargs else ()):
                state.queue.append((self._launch_one, task))
            if is_outermost:
                frames.drain()
        except BaseException:
            self._withdraw(task, is_outermost=is_outermost)
            raise
        return future

    def lift(self, future: AppFuture[Any], function: Callable[[Any, Any], Any], key: Any) -> AppFuture[Any]:
        """
        Return a future of ``function(result, key)``: lifted access.
        """
        return self.submit(startup.LIFTED[function], (future, key), {})

    def _check_route(self, task: Task) -> None:
        if task.spec.kind in ("python", "bash"):
            self._router.allowed(task.spec, *self._limits(task))

    def _scan(self, task: Task) -> Sequence[Future[Any]]:
        found = startup.arguments.scan(self.resolver, task.args, task.kwargs)
        if not found:
            return ()
        if any(isinstance(leaf, File) for leaf in found):
            directory = os.getcwd()
            task.args, task.kwargs = startup.arguments.substitute(
                self.resolver,
                task.args,
                task.kwargs,
                lambda leaf: prepare.locate(leaf, directory) if isinstance(leaf, File) else leaf,
            )
        futures = [leaf for leaf in found if isinstance(leaf, Future)]
        task.has_futures = bool(futures)
        return futures

    def _register(self, task: Task, futures: Sequence[Future[Any]]) -> bool:
        """
        Make a task live, and return whether it is ready.
        """
        if not futures:
            with self._lock:
                if self._stage is not closing.Stage.OPEN:
                    self._closing.check_open()
                self._tasks[task.id] = task
            return True
        done = {future: joins.failure_of(future) for future in futures if not self._is_own(future) and future.done()}
        waited: list[tuple[Future[Any], int]] = []
        with self._lock:
            if self._stage is not closing.Stage.OPEN:
                self._closing.check_open()
            parents, failures = self._parents(futures, done, waited)
            self._tasks[task.id] = task
            if failures:
                thread.queue.append((self._fail_at_once, (task, failures)))
            is_ready = not failures and (not parents or self._graph.add(task.id, parents))
        for future, node in waited:
            future.add_done_callback(partial(self._foreign_done, node))
        return is_ready

    def _is_own(self, future: Future[Any]) -> bool:
        owner = future.parent if isinstance(future, DataFuture) else future
        return isinstance(owner, AppFuture) and owner._kernel is self

    def _parents(
        self,
        futures: Iterable[Future[Any]],
        done: Mapping[Future[Any], BaseException | None],
        waited: list[tuple[Future[Any], int]],
    ) -> tuple[set[int], list[tuple[BaseException, str]]]:
        parents: set[int] = set()
        failures: list[tuple[BaseException, str]] = []
        for future in futures:
            owner = future.parent if isinstance(future, DataFuture) else future
            if future in done:
                error = done[future]
            elif not self._is_own(future):
                node = self._foreign.get(future)
                if node is None:
                    node = self._foreign[future] = next(self._foreign_ids)
                    waited.append((future, node))
                parents.add(node)
                continue
            elif owner.tid in self._tasks:  # type: ignore[attr-defined]
                parents.add(owner.tid)  # type: ignore[attr-defined]
                continue
            else:
                error = owner._exception
            if error is not None:
                failures.append((error, joins.name_of(future)))
        return parents, failures

    def _withdraw(self, task: Task, *, is_outermost: bool) -> None:
        # The caller never got the future, so nothing can depend on the task.
        with self._lock:
            if task.state is TaskState.pending and self._tasks.pop(task.id, None) is not None:
                self._graph.remove(task.id)
        if is_outermost:
            thread.in_kernel = False
            frames.drain()

    def _wait_for_room(self, room: threading.Condition) -> None:
        if thread.in_kernel or thread.give_up is not None:
            return  # callbacks, joins and tasks are what makes room
        most = self.config.max_outstanding
        assert most is not None
        with room:
            while len(self._tasks) >= most and self._stage is closing.Stage.OPEN:
                room.wait()

    # -- launching --------------------------------------------------------------------------------------------------------

    def _limits(self, task: Task) -> tuple[Any, float | None]:
        special = task.special
        return (task.spec.resources, task.spec.walltime) if special is None else (special.resources, special.walltime)

    def _is_memoized(self, task: Task) -> bool:
        wanted = task.spec.cache
        if wanted is None:
            wanted = self._caches_by_default
        return wanted and self._may_cache and task.spec.kind != "lifted"

    def arguments_of(self, task: Task) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """
        Return a task's arguments with futures replaced by their results.
        """
        if not task.has_futures:
            return task.args, task.kwargs
        return startup.arguments.substitute(self.resolver, task.args, task.kwargs, _result_of)

    def _launch_one(self, task: Task) -> None:
        """
        Hand a ready task to an executor; the short way for the task that was just submitted.
        """
        if task.special is not None or task.has_futures or self._is_memoized(task):
            self._launch((task,))
            return
        spec = task.spec
        slots = self._router.routes.get(spec, ())
        if len(slots) != 1 or slots[0].health is Health.DEAD:
            self._launch((task,))
            return
        try_id = TryId(task.id, task.attempt)
        call = TaskCall(try_id, spec.function, task.args, task.kwargs, spec.name, spec.resources, spec.walltime, spec.priority)
        self._hand_over(slots[0], ((task, call),))

    def _launch(self, tasks: Sequence[Task]) -> None:
        """
        Hand ready tasks to executors, one batch each.
        """
        batches: dict[Slot, list[tuple[Task, TaskCall]]] = {}
        for task in tasks:
            if task.state is not TaskState.pending:
                continue
            if lifecycle.ready(task, is_memoized=self._is_memoized(task)) is Effect.ASK_MEMO:
                self._ask_memo(task)
                continue
            try:
                slot, call = self._slot_for(task), self._call(task)
            except Exception as error:
                self._refuse(task, error)
            else:
                batches.setdefault(slot, []).append((task, call))
        for slot, batch in batches.items():
            self._hand_over(slot, batch)

    def _slot_for(self, task: Task) -> Slot:
        if task.spec.kind in ("join", "lifted"):
            return self._driver
        slots = self._router.allowed(task.spec, *self._limits(task))
        if task.special is not None and task.special.executor:
            slots = tuple(slot for slot in slots if slot.label == task.special.executor) or slots
        return choose(slots)

    def _call(self, task: Task) -> TaskCall:
        spec, special = task.spec, task.special
        args, kwargs = self.arguments_of(task)
        function, (resources, walltime) = spec.function, self._limits(task)
        if special is not None and special.settings is not None:
            settings = copy.copy(special.settings)
            settings.attempt = task.attempt
            assert spec.remote is not None
            function, args = spec.remote, (settings, *args)
            if spec.kind == "bash" and walltime is not None:
                walltime += 2.0  # the command is killed on the worker, in time; this is for a function that hangs
        priority = (resources.priority if resources is not None else 0) or spec.priority
        return TaskCall(
            TryId(task.id, task.attempt),
            function,
            args,
            kwargs,
            spec.name,
            resources,
            walltime,
            priority,
            policies.is_suspect(task.trouble),
        )

    def _hand_over(self, slot: Slot, batch: Sequence[tuple[Task, TaskCall]]) -> None:
        calls: list[TaskCall] = []
        try:
            with self._lock:
                for task, call in batch:
                    if task.state is TaskState.pending:
                        lifecycle.launch(task, slot)
                        self._startable[call.try_id] = task
                        slot.outstanding += 1
                        calls.append(call)
            if calls:
                slot.running.submit(calls)
        except Exception as error:
            self._settle([Outcome(call.try_id, OutcomeKind.REFUSED, error=error) for call in calls])
        except BaseException:  # an interrupt: whether the executor has them is not known
            slot.running.cancel([call.try_id for call in calls], kill=False)
            recalled = [_recalled(call.try_id) for _, call in batch]
            thread.queue.append((self._settle, recalled))
            raise

    def _started(self, tries: Sequence[TryId]) -> Collection[TryId]:
        # Without the lock, which the threads of an executor would fight for: taking a try out of a dict is one step, and who gets
        # it out, the start or a cancel, has won.
        refused: tuple[TryId, ...] = ()
        for try_id in tries:
            task = self._startable.pop(try_id, None)
            if task is None:
                refused = (*refused, try_id)
            else:
                lifecycle.start(task)
        return refused

    # -- settling ---------------------------------------------------------------------------------------------------------

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        """
        Settle a batch of outcomes under one lock hold, then do what follows from it.
        """
        work = _Work()
        if thread.is_main:
            with self._lock:
                self._settle_all(work, outcomes)
        else:
            patience.acquire(self._lock)
            try:
                self._settle_all(work, outcomes)
            finally:
                self._lock.release()
        self._carry_out(work)

    def _settle_all(self, work: _Work, outcomes: Sequence[Outcome]) -> None:
        self._progress += 1
        for outcome in outcomes:
            task = self._tasks.get(outcome.try_id.task)
            if task is None or not lifecycle.is_current(task, outcome):
                self._dropped += 1
                continue
            task.slot.outstanding -= 1
            self._startable.pop(outcome.try_id, None)
            effect = lifecycle.settle(task, outcome, is_memoized=self._is_memoized(task))
            if effect is Effect.RESOLVE:
                self._end(work, task, TaskState.exec_done, outcome.value, None)
            elif effect is Effect.JUDGE:
                work.failures.append((task, outcome))
            elif effect is Effect.JOIN:
                work.joins.append((task, outcome.value))
            else:
                work.items.append((task, MemoItem(outcome.value)))

    def _end(self, work: _Work, task: Task, state: TaskState, value: Any, error: BaseException | None) -> None:
        """
        End a task and all that its failure makes impossible.  Under the lock.
        """
        self._end_one(work, task, state, value, error)
        while work.impossible:
            child, cause, name = work.impossible.pop()
            failure = DependencyError([(cause, name)], child.id, app_name=child.spec.name)
            self._end_one(work, child, TaskState.dep_fail, None, failure)

    def _end_one(self, work: _Work, task: Task, state: TaskState, value: Any, error: BaseException | None) -> None:
        lifecycle.move(task, state)
        future = task.future
        future._result = value
        future._exception = error
        future._final_state = state
        del self._tasks[task.id]
        self._ended[state] += 1
        tasks = self._tasks
        if error is None:
            for child in self._graph.finish(task.id):
                work.ready.append(tasks[child])
        else:
            for child in self._graph.fail(task.id):
                work.impossible.append((tasks[child], error, joins.name_in(tasks[child], future)))
        work.ended.append(future)
        if self._room is not None:
            self._room.notify()

    def _carry_out(self, work: _Work) -> None:
        if work.ready:
            self._launch(work.ready)
        for future in work.ended:
            _show(future)
        for task, outcome in work.failures:
            self._judge(task, outcome)
        for task, value in work.joins:
            self._join(task, value)
        for task, item in work.items:
            self._remember(task, item)

    def _conclude(self, task: Task, state: TaskState, value: Any = None, error: BaseException | None = None) -> None:
        """
        End one task from outside a settlement, if it is still live.
        """
        work = _Work()
        with self._lock:
            if task.id in self._tasks:
                self._progress += 1
                self._end(work, task, state, value, error)
        self._carry_out(work)

    def _fail_at_once(self, argument: tuple[Task, list[tuple[BaseException, str]]]) -> None:
        task, failures = argument
        error = DependencyError(failures, task.id, app_name=task.spec.name)
        self._conclude(task, TaskState.dep_fail, error=error)

    def _refuse(self, task: Task, error: BaseException) -> None:
        self._conclude(task, TaskState.failed, error=error)

    def _foreign_done(self, node: int, future: Future[Any]) -> None:
        frames.enter(self._settle_foreign, (node, future))

    def _settle_foreign(self, argument: tuple[int, Future[Any]]) -> None:
        node, future = argument
        error = joins.failure_of(future)
        work = _Work()
        with self._lock:
            self._progress += 1
            self._foreign.pop(future, None)
            if error is None:
                work.ready.extend(self._tasks[child] for child in self._graph.finish(node))
            for child in self._graph.fail(node) if error is not None else ():
                failure = DependencyError([(error, joins.name_of(future))], child)  # type: ignore[list-item]
                self._end(work, self._tasks[child], TaskState.dep_fail, None, failure)
        self._carry_out(work)

    # -- failures -----------------------------------------------------------------------------------------------------------

    def _judge(self, task: Task, outcome: Outcome) -> None:
        if outcome.kind is OutcomeKind.CANCELLED:
            if self.is_ending():
                self._conclude(task, TaskState.cancelled, error=CancelledError())
                return
            outcome = _recalled(outcome.try_id)  # the executor gave it back unasked: it is being removed
        if isinstance(outcome.error, TaskLost):
            outcome.error.task, outcome.error.name = task.id, task.spec.name
        verdict = judge.judge(self, task, outcome)
        if verdict.retry is not None:
            self._retry(task, verdict.retry)
        elif outcome.kind is OutcomeKind.RAISED and self._is_memoized(task) and task.memo_key is not None:
            self._remember(task, MemoItem(error=verdict.error))
        else:
            self._conclude(task, TaskState.failed, error=verdict.error)

    def _retry(self, task: Task, retry: Any) -> None:
        with self._lock:
            if task.id not in self._tasks:
                return
            lifecycle.retry(task)
            if retry.resources is not None or retry.executor is not None:
                resources, walltime = self._limits(task)
                special = task.special = task.special or Special(resources=resources, walltime=walltime)
                special.resources = retry.resources or special.resources
                special.executor = retry.executor or special.executor
            if retry.kwargs:
                task.kwargs = {**task.kwargs, **retry.kwargs}
            self._retrying += retry.delay_s > 0
        if retry.delay_s > 0:
            task.waits = ("retry delay", f"tried again {retry.delay_s:g} s after failure {task.attempt + 1}")
            self._clock.after(retry.delay_s, partial(frames.enter, self._again_later, task))
        else:
            self._again(task)

    def _again_later(self, task: Task) -> None:
        with self._lock:
            self._retrying -= 1
        self._again(task)

    def _again(self, task: Task) -> None:
        with self._lock:
            if task.id not in self._tasks or task.state is not TaskState.fail_retryable:
                return
            lifecycle.again(task)
        self._launch((task,))

    # -- memoization and joins ----------------------------------------------------------------------------------------------

    def _ask_memo(self, task: Task) -> None:
        task.is_asked = True
        task.waits = ("memo", "the memo store is being asked")
        self._memo.ask(task)

    def _memo_answered(self, answers: list[tuple[Task, MemoItem | BaseException | None]]) -> None:
        frames.enter(self._take_answers, answers)

    def _take_answers(self, answers: list[tuple[Task, MemoItem | BaseException | None]]) -> None:
        work = _Work()
        with self._lock:
            for task, answer in answers:
                task.waits = None
                if task.id not in self._tasks:
                    continue
                if answer is None:
                    work.ready.append(task)
                elif isinstance(answer, BaseException):
                    self._end(work, task, TaskState.failed, None, answer)
                else:
                    task.future._from_memo = True
                    self._end(work, task, TaskState.memo_done, answer.value, answer.error)
        self._carry_out(work)

    def _remember(self, task: Task, item: MemoItem) -> None:
        task.waits = ("memo", "its result is being stored")
        self._memo.remember(task, item)

    def _memo_remembered(self, items: list[tuple[Task, MemoItem, BaseException | None]]) -> None:
        frames.enter(self._take_remembered, items)

    def _take_remembered(self, items: list[tuple[Task, MemoItem, BaseException | None]]) -> None:
        work = _Work()
        with self._lock:
            for task, item, failure in items:
                if task.id not in self._tasks:
                    continue
                error = item.error
                if failure is not None and error is None:
                    error = MemoError(f"the result of task {task.id} ({task.spec.name}) cannot be stored: {failure}")
                    error.__cause__ = failure
                state = TaskState.exec_done if error is None else TaskState.failed
                self._end(work, task, state, item.value if error is None else None, error)
        self._carry_out(work)

    def _join(self, task: Task, value: Any) -> None:
        try:
            futures = joins.futures_in(task, value)
        except Exception as error:
            self._conclude(task, TaskState.failed, error=error)
            return
        task.joined = (value, futures)
        joins.Gathering(futures, partial(frames.enter, self._joined, task))

    def _joined(self, task: Task) -> None:
        try:
            value, error = joins.result(task)
        except Exception as own:  # putting the results into the value's shape failed
            value, error = None, own  # type: ignore[assignment]
        if error is not None:
            self._conclude(task, TaskState.failed, error=error)
        elif self._is_memoized(task):
            self._remember(task, MemoItem(value))
        else:
            self._conclude(task, TaskState.exec_done, value)

    # -- what users ask -------------------------------------------------------------------------------------------------------

    def cancel(self, future: AppFuture[Any], *, kill: bool = False) -> bool:
        """
        Cancel a task; see `AppFuture.cancel`.
        """
        frames.enter(self._cancel, (future, kill))
        return future.cancelled() or isinstance(future._exception, CancelledError)

    def _cancel(self, argument: tuple[AppFuture[Any], bool]) -> None:
        future, kill = argument
        work = _Work()
        slot: Slot | None = None
        try_id: TryId | None = None
        inner: tuple[Future[Any], ...] = ()
        with self._lock:
            task = self._tasks.get(future.tid)
            if task is None:
                return
            can_kill = kill and (task.state is TaskState.joining or "can_kill" in getattr(task.slot, "capabilities", ()))
            has_started = task.state is TaskState.launched and self._startable.pop(TryId(task.id, task.attempt), None) is None
            if not can_kill and (has_started or not lifecycle.can_cancel(task)):
                return
            if task.state in (TaskState.launched, TaskState.running):
                slot, try_id = task.slot, TryId(task.id, task.attempt)
                slot.outstanding -= 1
            if task.joined is not None:
                inner = tuple(task.joined[1])
            self._end(work, task, TaskState.cancelled, None, CancelledError())
        if slot is not None and try_id is not None:
            slot.running.cancel([try_id], kill=kill)
        for one in inner:
            if isinstance(one, AppFuture | DataFuture):
                one.cancel(kill=kill)
            else:
                one.cancel()
        self._carry_out(work)

    def why(self, future: Future[Any]) -> Reason:
        """
        Return what a future is waiting for.
        """
        from warpbeam.engine import reasons

        return reasons.why(self, future)

    def wait(self, timeout: float | None = None) -> bool:
        """
        Wait until the tasks that are live now have ended, and return whether they have.

        Args:
            timeout: seconds, or None without limit.
        """
        if thread.in_kernel:
            raise WouldDeadlockError("waiting for the kernel's tasks in a callback would block what completes them")
        end = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            futures = [task.future for task in self._tasks.values()]
        for future in futures:
            if not future.done():
                try:
                    future.exception(None if end is None else max(0.0, end - time.monotonic()))
                except CancelledError:
                    continue
                except TimeoutError:
                    return False
        return True

    @property
    def task_counts(self) -> Mapping[TaskState, int]:
        """
        How many tasks are, or have ended, in each state.
        """
        with self._lock:
            return Counter(task.state for task in self._tasks.values()) + self._ended

    def task_info(self, future: AppFuture[Any]) -> TaskInfo:
        """
        Return a snapshot of what is known of a future's task.
        """
        from warpbeam.engine import reasons

        return reasons.task_info(self, future)

    # -- executors ------------------------------------------------------------------------------------------------------------

    @property
    def executors(self) -> Mapping[str, RunningExecutor]:
        """
        The running executors by label.
        """
        return {label: slot.running for label, slot in self._router.slots.items()}

    def add_executors(self, executors: Sequence[str | Executor]) -> None:
        """
        Start more executors.

        Raises:
            ConfigurationError: a label is taken, or an executor cannot start.
        """
        for slot in startup.slots(self, executors):
            slot.running = slot.description.start(startup.host(self, slot))
            self._router.add(slot)
            self.log.info("executor %s has started: %r", slot.label, slot.description)

    def remove_executor(self, label: str, *, deadline: float | None = 0) -> None:
        """
        Stop an executor; what it has not started goes to others, what runs is given ``deadline`` seconds.

        Raises:
            UnknownExecutorError: there is none of that label.
        """
        startup.remove(self, label, deadline)

    def _health_changed(self, argument: tuple[Slot, Health, str, BaseException | None]) -> None:
        slot = argument[0]
        _, slot.health, slot.reason, slot.error = argument
        self.log.info("executor %s is %s: %s", slot.label, slot.health.name.lower(), slot.reason or "all is well")
        if slot.health is not Health.DEAD:
            return
        work = _Work()
        with self._lock:
            for task in [task for task in self._tasks.values() if task.slot is slot]:
                if task.state in (TaskState.launched, TaskState.running):
                    slot.outstanding -= 1
                    self._startable.pop(TryId(task.id, task.attempt), None)
                    self._end(work, task, TaskState.failed, None, slot.death())
        self._carry_out(work)

    def resolve(self, kind: str, name: object) -> Any:
        """
        Return the plugin object of that kind and name; an object that is no string is returned as it is.
        """
        return startup.resolve(kind, name)

    def _share(self, name: str, factory: Callable[[], Any]) -> Any:
        with self._share_lock:
            if name not in self._shared:
                self._shared[name] = factory()
            return self._shared[name]

    def auto_log(self, task: Task, name: str) -> Any:
        """
        Return where a task's stdout or stderr goes for ``AUTO_LOGNAME``.
        """
        if self.config.std_autopath is not None:
            return self.config.std_autopath(self.task_info(task.future), name)
        return prepare.default_log_path(self, task, name)

    # -- the end ---------------------------------------------------------------------------------------------------------------

    def is_ending(self) -> bool:
        """
        Return whether tasks are being cancelled because the run ends.
        """
        return self._stage not in (closing.Stage.OPEN, closing.Stage.DRAINING)

    def is_foreign_process(self) -> bool:
        """
        Return whether this is a child that was forked while the kernel was open.
        """
        return self._stage is closing.Stage.FORKED

    def close(self) -> None:
        """
        End the run: wait for its tasks, or cancel them, as ``Config.exit_mode`` says, and stop the executors.

        Called in a callback or a task, it asks for that and returns.  Closing a closed kernel does nothing.
        """
        mode = self.config.exit_mode
        self._closing.close("wait" if mode == "skip" else mode)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._closing.leave(error)

    def __repr__(self) -> str:
        states = ", ".join(f"{number} {state.name}" for state, number in sorted(self.task_counts.items()))
        return f"<Kernel {self.run.directory} {self._stage.value}: {states or 'no tasks'}>"

    def _watch(self) -> None:
        from warpbeam.engine import watchdog

        watchdog.look(self)
        if self._stage is not closing.Stage.CLOSED:
            self._clock.after(WATCH_S, self._watch)


def _recalled(try_id: TryId) -> Outcome:
    error = TaskLost("the executor gave the try back before it was started")
    return Outcome(try_id, OutcomeKind.LOST, error=error, cause=LossCause.RECALLED, has_started=False)


def _result_of(leaf: Any) -> Any:
    if isinstance(leaf, DataFuture):
        return copy.copy(leaf._located)
    if isinstance(leaf, AppFuture):
        return leaf._result  # it may not be visible yet
    return leaf.result() if isinstance(leaf, Future) else leaf


def _show(future: AppFuture[Any]) -> None:
    """
    Make an outcome visible: of the files first, then of the task.
    """
    future._task = None
    state = CANCELLED_AND_NOTIFIED if isinstance(future._exception, CancelledError) else FINISHED
    files: list[Any] = [*future._outputs, *(one for one in (future._stdout, future._stderr) if type(one) is DataFuture)]
    for file in files:
        file._result, file._exception = file.file_obj, future._exception
        file._finish(state)
    future._finish(state)

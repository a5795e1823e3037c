"""
The end of a run: open, draining, closing, closed.

A draining kernel still takes calls while any task lives.  What closes it is one thread at a time; the others wait for it.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from concurrent.futures import CancelledError
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Literal

from warpbeam.contracts import RunSummary, TaskState
from warpbeam.dataflow.frames import thread
from warpbeam.errors import KernelClosedError
from warpbeam.log import logger


if TYPE_CHECKING:
    from warpbeam.engine.slots import Slot
    from warpbeam.kernel import Kernel

_log = logger("warpbeam.kernel")

Mode = Literal["wait", "cancel"]


class Stage(Enum):
    """
    Where a kernel is in its life.
    """

    OPEN = "open"
    DRAINING = "draining"
    """Waits for its tasks; takes calls while any lives."""
    CLOSING = "closing"
    """Cancels what is left and stops the executors."""
    CLOSED = "closed"
    FORKED = "forked"
    """A copy in a forked child: dead."""


class Closing:
    """
    Closes one kernel.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._turn = threading.Lock()
        self._is_closed = threading.Event()

    def check_open(self) -> None:
        """
        Raise unless the kernel takes calls.
        """
        kernel = self._kernel
        if kernel._stage is Stage.FORKED:
            raise KernelClosedError("this process was forked while the kernel was open; load a kernel of its own here")
        if kernel._stage is Stage.DRAINING and kernel._tasks:
            return
        if kernel._stage is not Stage.OPEN:
            raise KernelClosedError(f"the kernel of {kernel.run.directory} is {kernel._stage.value} and takes no calls")

    def leave(self, error: BaseException | None) -> None:
        """
        Leave a ``with`` block.
        """
        mode = self._kernel.config.exit_mode
        if error is not None:
            self.close("cancel", error=error)
        elif mode != "skip":
            self.close(mode)

    def close(self, mode: Mode, *, error: BaseException | None = None) -> None:
        """
        Close, or, in a callback or a task, ask the clock's thread to and return.
        """
        kernel = self._kernel
        if kernel._stage in (Stage.CLOSED, Stage.FORKED):
            return
        if thread.in_kernel or thread.give_up is not None:
            kernel._stage = Stage.DRAINING if kernel._stage is Stage.OPEN else kernel._stage
            kernel._clock.after(0, partial(self._close, mode, error))
            return
        try:
            self._close(mode, error)
        except KeyboardInterrupt as interrupt:
            # The first interrupt ends the wait, the second one the grace of running tasks.
            self._end_by_interrupt(interrupt)
            raise

    def _end_by_interrupt(self, interrupt: BaseException) -> None:
        grace = self._kernel.config.exit_grace if self._kernel._stage is not Stage.CLOSING else 0.0
        try:
            self._close("cancel", interrupt, grace=grace)
        except KeyboardInterrupt:
            self._close("cancel", interrupt, grace=0.0)
            raise

    def _close(self, mode: Mode, error: BaseException | None, *, grace: float | None = None) -> None:
        with self._turn:
            if self._is_closed.is_set():
                return
            kernel = self._kernel
            if mode == "wait":
                self._drain()
            kernel._stage = Stage.CLOSING
            kernel.log.info("the run ends (%s)%s", mode, f" after {error!r}" if error is not None else "")
            if grace is None:
                grace = kernel.config.exit_grace
            self._cancel_waiting()
            self._stop_executors(time.monotonic() + grace, error)
            self._fail_the_rest()
            self._stop_parts(error)
            kernel._stage = Stage.CLOSED
            self._is_closed.set()

    def _drain(self) -> None:
        kernel = self._kernel
        while True:
            kernel._stage = Stage.DRAINING
            kernel.wait()
            with kernel._lock:
                if not kernel._tasks:
                    kernel._stage = Stage.CLOSING
                    return

    def _cancel_waiting(self) -> None:
        kernel = self._kernel
        with kernel._lock:
            waiting = [task for task in kernel._tasks.values() if task.state is not TaskState.running]
            if kernel._room is not None:
                kernel._room.notify_all()
        for task in reversed(waiting):  # dependents first, so that each is cancelled and not failed
            if task.state in (TaskState.pending, TaskState.fail_retryable, TaskState.joining):
                kernel._conclude(task, TaskState.cancelled, error=CancelledError())

    def _stop_executors(self, end: float, error: BaseException | None) -> None:
        kernel = self._kernel
        slots: list[Slot] = [*kernel._router.slots.values(), kernel._driver]
        for slot in slots:
            if slot.running is None:
                continue
            try:
                slot.running.stop(deadline=max(0.0, end - time.monotonic()))
            except Exception as fault:
                _log.exception("executor %r failed to stop", slot.label)
                error = error or fault
            if slot is not kernel._driver:
                kernel.hooks.executor_stopped(kernel.run, slot, error)

    def _fail_the_rest(self) -> None:
        kernel = self._kernel
        for task in list(kernel._tasks.values()):
            where = task.slot.label if task.slot is not None else "no executor"
            message = f"the kernel closed while task {task.id} ({task.spec.name}) was {task.state.name} on {where}"
            kernel._conclude(task, TaskState.failed, error=KernelClosedError(message))

    def _stop_parts(self, error: BaseException | None) -> None:
        from warpbeam.kernel import live_kernels

        kernel = self._kernel
        kernel._memo.stop()
        for shared in kernel._shared.values():
            close = getattr(shared, "close", None)
            if close is not None:
                close()
        summary = RunSummary(
            counts=dict(kernel._ended),
            duration_s=time.monotonic() - kernel._started_at,
            error=error,
            dropped_outcomes=kernel._dropped,
        )
        kernel.hooks.run_finished(kernel.run, summary)
        kernel.bus.stop()
        kernel._clock.stop()
        kernel.log.close(summary)
        live_kernels.discard(kernel)
        kernel.when_closed(kernel)


def _at_exit() -> None:
    from warpbeam.kernel import live_kernels

    for kernel in list(live_kernels):
        if kernel._stage is Stage.FORKED:
            continue
        names = sorted({task.spec.name for task in list(kernel._tasks.values())})
        if names:
            _log.warning(
                "the interpreter ends while %d tasks are not done (%s): they are cancelled; use `with warpbeam.load(...)`",
                len(kernel._tasks),
                ", ".join(names[:10]),
            )
        kernel._closing.close("cancel")


def _after_fork() -> None:
    from warpbeam.kernel import live_kernels

    for kernel in list(live_kernels):
        kernel._stage = Stage.FORKED
    thread.in_kernel = False
    thread.is_main = True  # the thread that forked is the only one here
    thread.queue.clear()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

"""
What a thread is doing for a kernel: the frame that keeps call stacks flat.

Work that arises while a thread is inside a kernel (a completion within ``submit``, a failed dependency, an app call from a
callback) is queued in the thread's frame and done by the outermost call, so stack depth does not depend on the graph.  The frame
is shared by all kernels of the process: a callback of one may call apps of another.

Interrupts: a KeyboardInterrupt may be raised between any two lines of the main thread.  Work is taken from the queue only after it
is done, and each piece can be done again harmlessly, so an interrupt loses nothing: the rest is done first, then it is raised.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from warpbeam.log import logger
from warpbeam.remote import context


if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

_log = logger("warpbeam.kernel")


class ThreadState(threading.local):
    """
    State of one thread.

    Attributes:
        in_kernel: a frame is open in this thread.
        is_main: it is the main thread, the one in which interrupts are raised.
        queue: work for the frame, as pairs of a callable and its argument.
        give_up: set in threads that run tasks: told of the future that the task waits for, and None after the wait.
    """

    in_kernel: bool = False
    give_up: Callable[[Future[Any] | None], None] | None = None

    def __init__(self) -> None:
        self.is_main = threading.current_thread() is threading.main_thread()
        self.queue: deque[tuple[Callable[[Any], None], Any]] = deque()


thread = ThreadState()


def enter(work: Callable[[Any], None], argument: Any) -> None:
    """
    Do ``work(argument)`` now, with all that arises from it, or queue it if this thread is in a frame already.
    """
    state = thread
    state.queue.append((work, argument))
    if not state.in_kernel:
        drain()


def drain() -> None:
    """
    Open a frame and do what is queued; an interrupt is raised when the queue is empty.
    """
    state = thread
    queue = state.queue
    interrupt: BaseException | None = None
    try:
        state.in_kernel = True
        while queue:
            try:
                work, argument = queue[0]
                work(argument)
                queue.popleft()
            except Exception:
                _log.exception("a fault in warpbeam or a plugin; please report it")
                queue.popleft()  # doing it again would not end
            except BaseException as error:
                interrupt = error
    finally:
        state.in_kernel = False
    if interrupt is not None:
        raise interrupt


class Working:
    """
    Marks a thread as one that runs tasks; see `warpbeam.contracts.ExecutorHost.working`.

    Args:
        give_up: told True before a wait and False after it.
        nested: where the future is entered that a task waits for, by the task's id.
    """

    __slots__ = ("_before", "_give_up", "_nested")

    def __init__(self, give_up: Callable[[bool], None], nested: dict[int, Future[Any]]) -> None:
        self._give_up = give_up
        self._nested = nested

    def __enter__(self) -> None:
        self._before = thread.give_up
        thread.give_up = self._wait

    def __exit__(self, *_: object) -> None:
        thread.give_up = self._before

    def _wait(self, future: Future[Any] | None) -> None:
        task = context().task
        if future is None:
            self._nested.pop(task, None)
        else:
            self._nested[task] = future
        self._give_up(future is not None)

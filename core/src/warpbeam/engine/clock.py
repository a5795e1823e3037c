"""
The kernel's one thread: timers, the watchdog, and work that must not be done where it was asked for.

It sleeps until the next timer is due.  It is no part of the task path.
"""

from __future__ import annotations

import heapq
import threading
import time
from itertools import count
from typing import TYPE_CHECKING

from warpbeam.log import logger


if TYPE_CHECKING:
    from collections.abc import Callable

_log = logger("warpbeam.kernel")


class Clock:
    """
    Calls functions at monotonic times, in a daemon thread of its own.
    """

    def __init__(self, name: str) -> None:
        self._changed = threading.Condition()
        self._timers: list[tuple[float, int, Callable[[], object]]] = []
        self._order = count()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def after(self, delay_s: float, function: Callable[[], object]) -> None:
        """
        Call a function after so many seconds; 0 means as soon as possible.
        """
        with self._changed:
            heapq.heappush(self._timers, (time.monotonic() + delay_s, next(self._order), function))
            if self._timers[0][2] is function:
                self._changed.notify()

    def stop(self) -> None:
        """
        Drop what is not yet due and end the thread; from the thread itself it ends when the present call returns.
        """
        with self._changed:
            self._is_stopping = True
            self._timers.clear()
            self._changed.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def is_own_thread(self) -> bool:
        """
        Return whether the caller is a timer.
        """
        return threading.current_thread() is self._thread

    def _run(self) -> None:
        while (function := self._next()) is not None:
            try:
                function()
            except Exception:
                _log.exception("a timer of the kernel failed; please report it")
            del function

    def _next(self) -> Callable[[], object] | None:
        with self._changed:
            while not self._is_stopping:
                wait_s = self._timers[0][0] - time.monotonic() if self._timers else None
                if wait_s is not None and wait_s <= 0:
                    return heapq.heappop(self._timers)[2]
                self._changed.wait(wait_s)
            return None

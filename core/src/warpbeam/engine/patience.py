"""
Taking a lock that many threads use for a few microseconds each, without a convoy.

A thread that blocks on a lock is given it while it still waits for the interpreter.  Whoever runs then finds the lock taken, blocks,
and is given it in the same way: from the first collision on, threads change at each use of the lock, which costs several times the
work itself.  So a thread that delivers outcomes does not block: it finds the lock taken, sleeps for a moment, and asks again.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    import threading

NAP_S = 0.0001
"""Seconds between two tries; short against the interpreter's own switching interval (5 ms)."""

MOST_NAPS = 100
"""Naps after which the thread blocks after all, so that it cannot starve."""


def acquire(lock: threading.RLock) -> None:
    """
    Take a lock.

    Not for the main thread: an interrupt right after this call would leave the lock taken.
    """
    for _ in range(MOST_NAPS):
        if lock.acquire(blocking=False):
            return
        time.sleep(NAP_S)
    lock.acquire()

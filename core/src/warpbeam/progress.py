"""
A progress bar for a terminal, a line now and then elsewhere.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, as_completed
from typing import Any, Self, TextIO

from warpbeam.contracts import FINAL_FAILURE_STATES, FINAL_STATES
from warpbeam.kernel import Kernel


_WIDTH = 30
_REDRAW_S = 0.1
_LINE_S = 10.0


def progress(of: Kernel | Iterable[Future[Any]], *, stream: TextIO | None = None, title: str = "") -> Progress:
    """
    Show how far futures, or all tasks of a kernel, are.

    Args:
        of: futures, which can then be iterated over as they complete; or a kernel, to be used in a ``with`` statement.
        stream: where to draw; None is stderr.
        title: a word in front.

    Returns:
        Something to iterate over (the futures as they complete), or to use in a ``with`` statement.
    """
    return Progress(of, stream if stream is not None else sys.stderr, title)


class Progress:
    """
    Draws a bar in a thread of its own while it is used.
    """

    def __init__(self, of: Kernel | Iterable[Future[Any]], stream: TextIO, title: str) -> None:
        self._kernel = of if isinstance(of, Kernel) else None
        self._futures = [] if isinstance(of, Kernel) else list(of)
        self._stream = stream
        self._title = title
        self._is_terminal = stream.isatty()
        self._stopped = threading.Event()
        self._started_at = 0.0
        self._thread: threading.Thread | None = None

    def __iter__(self) -> Iterator[Future[Any]]:
        """
        Yield the futures as they complete.
        """
        with self:
            yield from as_completed(self._futures)

    def __enter__(self) -> Self:
        self._started_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="warpbeam-progress", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(_REDRAW_S if self._is_terminal else _LINE_S):
            self._draw("\r" if self._is_terminal else "", "" if self._is_terminal else "\n")
        self._draw("\r" if self._is_terminal else "", "\n")

    def _draw(self, before: str, after: str) -> None:
        try:
            self._stream.write(before + self.text() + after)
            self._stream.flush()
        except (OSError, ValueError):  # a closed terminal must not end the run
            self._stopped.set()

    def counts(self) -> tuple[int, int, int]:
        """
        Return how many are done, have failed, and are in all.
        """
        if self._kernel is not None:
            counts = self._kernel.task_counts
            done = sum(number for state, number in counts.items() if state in FINAL_STATES)
            failed = sum(number for state, number in counts.items() if state in FINAL_FAILURE_STATES)
            return done, failed, sum(counts.values())
        ended = [future for future in self._futures if future.done()]
        failed = sum(future.cancelled() or future.exception() is not None for future in ended)
        return len(ended), failed, len(self._futures)

    def text(self) -> str:
        """
        Return the line as it is now.
        """
        done, failed, total = self.counts()
        elapsed_s = max(time.monotonic() - self._started_at, 1e-3)
        filled = _WIDTH * done // total if total else 0
        rate = done / elapsed_s
        left = f", {(total - done) / rate:.0f} s left" if 0 < done < total else ""
        bar = "#" * filled + "-" * (_WIDTH - filled)
        failures = f", {failed} failed" if failed else ""
        return f"{self._title}{' ' if self._title else ''}[{bar}] {done}/{total}{failures}, {rate:.0f}/s{left}   "

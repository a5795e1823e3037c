"""
The event stream of a run: what happened, to whom it concerns.

An event is made only while somebody listens: ``if bus.listeners`` finds an empty tuple otherwise, and that is all an event then
costs.  Listeners are called by one flusher thread, in batches, in the order of the events, so that a slow one never slows a task; one
that raises is told about once and left out.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from warpbeam.log import logger


_log = logger("warpbeam.bus")

BATCH_S = 0.1
"""Seconds that events may wait for others before they are handed out."""


@attrs.frozen(kw_only=True)
class Event:
    """
    Something that happened.

    Attributes:
        kind: a dotted name; ``task.``, ``try.``, ``executor.`` and ``run.`` are ours, a plugin's begin with its distribution's name.
        schema: version of the data's form.
        number: counted within the run.
        time_s: seconds since the epoch.
        task: the task's id, or None.
        data: a flat mapping.
    """

    kind: str
    number: int
    time_s: float
    task: int | None = None
    schema: int = 1
    data: Mapping[str, Any] = attrs.field(factory=dict)


Listener = Callable[[Sequence[Event]], object]


class Bus:
    """
    Fans events out to listeners.

    Attributes:
        listeners: who listens; an empty tuple when nobody does.
    """

    def __init__(self) -> None:
        self.listeners: tuple[Listener, ...] = ()
        self._queue: deque[Event] = deque()
        self._changed = threading.Condition()
        self._count = 0
        self._thread: threading.Thread | None = None
        self._is_stopping = False

    def listen(self, listener: Listener) -> None:
        """
        Call ``listener(events)`` from now on, on the flusher's thread.
        """
        with self._changed:
            self.listeners = (*self.listeners, listener)
            if self._thread is None:
                self._thread = threading.Thread(target=self._flush, name="warpbeam-bus", daemon=True)
                self._thread.start()

    def emit(self, kind: str, data: Mapping[str, Any] | None = None, *, task: int | None = None) -> None:
        """
        Add an event, if anybody listens.
        """
        if not self.listeners:
            return
        with self._changed:
            event = Event(kind=kind, number=self._count, time_s=time.time(), task=task, data=data or {})
            self._count += 1
            self._queue.append(event)
            if len(self._queue) == 1:
                self._changed.notify()

    def stop(self) -> None:
        """
        Hand out what is queued and end the flusher.
        """
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _flush(self) -> None:
        while True:
            with self._changed:
                while not self._queue and not self._is_stopping:
                    self._changed.wait()
                if self._queue and not self._is_stopping:
                    self._changed.wait(BATCH_S)
                batch, self._queue = list(self._queue), deque()
                if not batch and self._is_stopping:
                    return
            if batch:
                self._hand_out(batch)

    def _hand_out(self, batch: Sequence[Event]) -> None:
        for listener in self.listeners:
            try:
                listener(batch)
            except Exception:
                _log.exception("a listener of events failed and gets no more: %r", listener)
                self.listeners = tuple(other for other in self.listeners if other is not listener)

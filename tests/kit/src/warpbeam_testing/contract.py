"""
What all contract classes share: the guard against overriding, the leak check, and the link from tests to sentences.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_S = 20.0
"""Seconds that a test waits for something that should happen at once."""

LASTING = ("resource_tracker", "forkserver")
"""Helpers of the standard library that serve a whole interpreter, and end with it."""


def says(*sentences: str) -> Callable[[Any], Any]:
    """
    Mark a test as the proof of sentences of the contract: each is its place (``submit``), a colon, and its exact text.
    """

    def mark(test: Any) -> Any:
        test.sentences = sentences
        return test

    return mark


class Contract:
    """
    Base of the contract classes.

    A subclass may add tests and fixtures.  It may replace a test of the contract only by one that is marked
    ``pytest.mark.xfail(reason=...)``, so that what a plugin does not fulfil stands in its tests with the reason.

    Raises:
        TypeError: a subclass replaces a test without saying why.
    """

    patience_s = PATIENCE_S

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__.partition(".")[0] == __name__.partition(".")[0]:
            return  # the kit's own classes, which make a contract of parts
        for name, value in vars(cls).items():
            if name.startswith("test_") and any(hasattr(base, name) for base in cls.__mro__[1:]) and not _has_reason(value):
                message = f"{cls.__name__}.{name} replaces a test of the contract; mark it pytest.mark.xfail(reason=...)"
                raise TypeError(message)

    @pytest.fixture(autouse=True)
    def _leaves_nothing_behind(self) -> Iterator[None]:
        before = leftovers()
        yield
        end = time.monotonic() + self.patience_s
        while (left := leftovers() - before) and time.monotonic() < end:
            time.sleep(0.01)
        assert not left, f"left behind: {', '.join(sorted(left))}"


def _has_reason(test: Any) -> bool:
    marks = getattr(test, "pytestmark", ())
    return any(mark.name == "xfail" and mark.kwargs.get("reason") for mark in marks)


def leftovers() -> set[str]:
    """
    Return what this process has of threads, child processes and sockets, each in words.
    """
    me = psutil.Process()
    found = {f"thread {thread.name} ({thread.ident})" for thread in threading.enumerate()}
    for child in me.children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            command = " ".join(child.cmdline())
            if not any(name in command for name in LASTING):
                found.add(f"process {child.pid} {command}")
    return found | {f"socket {one.fd} {one.laddr or one.type}" for one in me.net_connections("all")}

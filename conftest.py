"""
What holds for every test of the workspace: it leaves no thread, no process, no socket and no kernel behind.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest


PATIENCE_S = 5.0
# Threads and processes that serve a whole interpreter, and end with it.
LASTING_THREADS = ("warpbeam-stderr",)
LASTING_PROCESSES = ("resource_tracker",)


def _command(process: str) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _processes() -> set[str]:
    """
    Children of every thread: a thread that has ended gives its children to another one.
    """
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    children = {child for path in tasks for child in _read(path).split()}
    return {child for child in children if not any(name in _command(child) for name in LASTING_PROCESSES)}


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the thread has ended meanwhile
        return ""


def _sockets() -> set[str]:
    links = set()
    for path in Path("/proc/self/fd").glob("*"):
        try:
            links.add(os.readlink(path))
        except OSError:  # closed meanwhile, as the one that lists this directory
            continue
    return {link for link in links if link.startswith("socket:")}


def _threads() -> set[str]:
    return {f"{one.name} ({one.ident})" for one in threading.enumerate() if not one.name.startswith(LASTING_THREADS)}


CHECKS = {"threads": _threads, "processes": _processes, "sockets": _sockets}


def _left(before: dict[str, set[str]]) -> dict[str, set[str]]:
    return {what: left for what, seen in CHECKS.items() if (left := seen() - before[what])}


@pytest.fixture(autouse=True)
def _leaves_nothing_behind(tmp_path, monkeypatch):
    """
    Run in a directory of its own, and fail a test that leaves something behind.
    """
    monkeypatch.chdir(tmp_path)
    before = {what: seen() for what, seen in CHECKS.items()}
    yield
    end = time.monotonic() + PATIENCE_S
    while (left := _left(before)) and time.monotonic() < end:
        time.sleep(0.01)
    if "processes" in left:
        left["processes"] = {f"{process} {_command(process)}" for process in left["processes"]}
    assert not left, f"the test leaves behind: {left}"


@pytest.fixture(autouse=True)
def _no_kernel_stays_loaded():
    """
    Forget a kernel that a failed test has left loaded.
    """
    yield
    from warpbeam import loading

    kernel = loading._current
    loading.clear()
    if kernel is not None:
        kernel._closing.close("cancel")
        pytest.fail("a kernel stayed loaded")

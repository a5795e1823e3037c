"""
What holds for every test of the workspace: it leaves no thread, no process and no kernel behind.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest


PATIENCE_S = 5.0
LASTING = ("warpbeam-stderr",)


def _children() -> set[int]:
    path = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    return {int(text) for text in path.read_text().split()} if path.exists() else set()


def _threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if not thread.name.startswith(LASTING)}


@pytest.fixture(autouse=True)
def _leaves_nothing_behind(tmp_path, monkeypatch):
    """
    Run in a directory of its own, and fail a test that leaves threads or processes.
    """
    monkeypatch.chdir(tmp_path)
    threads, children = _threads(), _children()
    yield
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and (_threads() - threads or _children() - children):
        time.sleep(0.01)
    assert not _threads() - threads, "threads are left"
    assert not _children() - children, "processes are left"


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

"""
The contract of executors, on foreign pools of several makes.
"""

from __future__ import annotations

import concurrent.futures
import functools
import multiprocessing

import loky
import pytest
from warpbeam_futures import FuturesExecutor
from warpbeam_testing import ExecutorContract


FORKSERVER = multiprocessing.get_context("forkserver")


class TestLoky(ExecutorContract):
    @pytest.fixture
    def executor(self):
        return FuturesExecutor(factory=lambda: loky.ProcessPoolExecutor(max_workers=2))


class TestStandardProcesses(ExecutorContract):
    @pytest.fixture
    def executor(self):
        return FuturesExecutor(factory=lambda: concurrent.futures.ProcessPoolExecutor(2, FORKSERVER))


class TestStandardThreads(ExecutorContract):
    @pytest.fixture
    def executor(self):
        return FuturesExecutor(factory=functools.partial(concurrent.futures.ThreadPoolExecutor, 2))


class TestBorrowedProcesses(ExecutorContract):
    @pytest.fixture
    def executor(self):
        with concurrent.futures.ProcessPoolExecutor(2, FORKSERVER) as pool:
            yield FuturesExecutor(executor=pool)


class TestBorrowedThreads(ExecutorContract):
    @pytest.fixture
    def executor(self):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            yield FuturesExecutor(executor=pool)

"""
The kit's own fakes keep the contracts that it tests.
"""

from __future__ import annotations

import pytest
from warpbeam import hookimpl
from warpbeam_testing import DictMemo, ExecutorContract, HookContract, MemoContract, SerialExecutor


class TestSerialExecutor(ExecutorContract):
    @pytest.fixture
    def executor(self):
        return SerialExecutor()


class TestDictMemo(MemoContract):
    @pytest.fixture
    def memo(self):
        return DictMemo()


class Observer:
    @hookimpl
    def warpbeam_run_starting(self, run) -> None:
        """Observe."""


class TestObserver(HookContract):
    @pytest.fixture
    def plugin(self):
        return Observer()

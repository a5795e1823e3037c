"""
The contract of executors, on the threads executor.
"""

from __future__ import annotations

import pytest
from warpbeam_testing import ExecutorContract
from warpbeam_threads import ThreadPoolExecutor


class TestThreadPoolExecutor(ExecutorContract):
    @pytest.fixture
    def executor(self):
        return ThreadPoolExecutor(max_threads=2)

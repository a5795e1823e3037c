"""
The contract of executors, on the processes executor.
"""

from __future__ import annotations

import pytest
from warpbeam_processes import ProcessPoolExecutor
from warpbeam_testing import ExecutorContract


class TestProcessPoolExecutor(ExecutorContract):
    @pytest.fixture
    def executor(self):
        return ProcessPoolExecutor(max_workers=2)

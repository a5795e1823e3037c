"""
The contract of memo stores, on the store in memory.
"""

from __future__ import annotations

import pytest
from warpbeam_memo import MemoryMemo
from warpbeam_testing import MemoContract


class TestMemoryMemo(MemoContract):
    @pytest.fixture
    def memo(self):
        return MemoryMemo()

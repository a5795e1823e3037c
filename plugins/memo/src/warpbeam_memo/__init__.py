"""
Stores of results, and what makes two arguments the same.
"""

from __future__ import annotations

from warpbeam_memo.identity import id_for_memo
from warpbeam_memo.memory import MemoryMemo


__all__ = ["MemoryMemo", "id_for_memo"]

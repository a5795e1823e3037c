"""
How tasks, tries and runs are named.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias


TaskId: TypeAlias = int
"""Number of a task, counted by its kernel from 0."""

RunId: TypeAlias = str
"""Name of a run, unique over all runs of all users (a UUID)."""


class TryId(NamedTuple):
    """
    One attempt at one task; the key of `TaskCall`, `Outcome` and ``cancel``.
    """

    task: TaskId
    attempt: int
    """Counted from 0."""

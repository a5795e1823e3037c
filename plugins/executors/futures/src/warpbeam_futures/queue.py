"""
The tries that wait for room in the pool.
"""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Collection

    from warpbeam.contracts import TryId

    from warpbeam_futures.job import Job


class JobQueue:
    """
    Jobs by suspicion, priority and age: suspects first, since right after a break the pool is empty, as they need it.

    Whoever uses it holds a lock.
    """

    def __init__(self) -> None:
        self._jobs: dict[TryId, Job] = {}
        self._order: list[tuple[bool, int, int, TryId]] = []  # with entries of jobs that are gone
        self._ages = itertools.count()
        self.packed_bytes = 0

    def __len__(self) -> int:
        return len(self._jobs)

    def push(self, job: Job) -> None:
        """
        Add a job.
        """
        call = job.call
        self._jobs[call.try_id] = job
        self.packed_bytes += job.packed_bytes
        heapq.heappush(self._order, (not call.suspect, call.priority, next(self._ages), call.try_id))

    def first(self) -> Job | None:
        """
        Return the job whose turn it is, and leave it here.
        """
        while self._order:
            job = self._jobs.get(self._order[0][3])
            if job is not None:
                return job
            heapq.heappop(self._order)
        return None

    def remove(self, tries: Collection[TryId]) -> list[Job]:
        """
        Take out those of the tries that are here.
        """
        jobs = [job for try_id in tries if (job := self._jobs.pop(try_id, None)) is not None]
        self.packed_bytes -= sum(job.packed_bytes for job in jobs)
        return jobs

    def clear(self) -> list[Job]:
        """
        Take out all.
        """
        return self.remove(list(self._jobs))

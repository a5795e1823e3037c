"""
The foreign pool itself: made when it is needed, tried out, thrown away when it breaks, ended if it is ours.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from warpbeam.contracts import ConfigurationError

from warpbeam_futures import foreign
from warpbeam_futures.worker import hello


if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor, Future

    from warpbeam_futures.executor import FuturesExecutor

MOST_FALSE_STARTS = 3
"""So many pools of a factory may break, one after the other, before one has answered."""


class Keeper:
    """
    Keeps one pool.  Used by one thread; `capacity` is read by all.

    Before it is given any task, a pool has to answer a call of ours.  So a pool that cannot work (its workers cannot start, or lack
    our package) costs no task anything, and the walltime of the first tasks does not run while workers start.
    """

    def __init__(self, description: FuturesExecutor, tell: Callable[[Any], None]) -> None:
        self._factory = description.factory
        self._borrowed = description.executor
        self._max_workers = description.max_workers
        self._tell = tell
        self._hello: Future[tuple[int, int]] | None = None
        self._false_starts = 0
        self.pool: Executor | None = None
        self.is_ready = False
        self.capacity = self._max_workers or foreign.guess_workers(self._borrowed)

    @property
    def is_hopeless(self) -> bool:
        """
        Whether there is no sense in opening another pool.
        """
        return self._false_starts >= (MOST_FALSE_STARTS if self._borrowed is None else 1)

    @property
    def waits_for_busy(self) -> bool:
        """
        Whether functions that run can only be waited for when the pool is ended.
        """
        return self._borrowed is None and self.pool is not None and not foreign.can_kill(self.pool)

    def open(self) -> BaseException | None:
        """
        Make a pool and greet it, or return why that is impossible.
        """
        try:
            self.pool = self._borrowed if self._factory is None else self._factory()
            self._hello = self.pool.submit(hello)  # type: ignore[union-attr]
        except Exception as error:
            self._false_starts += 1
            self.discard()
            return error
        self._hello.add_done_callback(self._tell)
        return None

    def is_greeting(self, future: Future[Any]) -> bool:
        """
        Return whether the future is the one of the greeting.
        """
        return future is self._hello

    def take_greeting(self) -> BaseException | None:
        """
        Begin with a pool that has answered, or return what is wrong with it.
        """
        assert self._hello is not None
        assert self.pool is not None
        future, self._hello = self._hello, None
        try:
            version = future.result()
            if tuple(version) != sys.version_info[:2]:
                theirs, ours = (".".join(map(str, one)) for one in (version, sys.version_info[:2]))
                raise ConfigurationError(f"its workers run Python {theirs}, and code cannot travel to them from Python {ours}")
            self.capacity = self._max_workers or foreign.count_workers(self.pool)
        except BaseException as error:  # a cancelled future's is none of Exception
            self._false_starts += 1
            self.discard()
            return error
        self._false_starts = 0
        self.is_ready = True
        return None

    def discard(self) -> None:
        """
        Throw a broken pool away.
        """
        pool, self.pool, self._hello, self.is_ready = self.pool, None, None, False
        if self._borrowed is None and pool is not None:
            foreign.kill(pool)

    def close(self, *, is_busy: bool) -> bool:
        """
        End the pool if it is ours; return whether what ran in it has ended.
        """
        pool, self.pool, self.is_ready = self.pool, None, False
        if self._borrowed is not None or pool is None:
            return not is_busy
        if is_busy or self._hello is not None:
            foreign.kill(pool)
            return foreign.can_kill(pool)
        foreign.end(pool)
        return True

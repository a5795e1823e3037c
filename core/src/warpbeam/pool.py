"""
Kernels and executors as `concurrent.futures.Executor`.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

from warpbeam.apps import App, python_app
from warpbeam.config import Config
from warpbeam.kernel import Kernel


T = TypeVar("T")


class KernelPool(Executor):
    """
    A kernel as a standard executor; futures may be given as arguments.

    Args:
        kernel: a kernel to use, which the pool does not close.
        config: or a configuration, for a kernel of the pool's own.
        executors: labels of the executors to use, or ``"all"``.

    Raises:
        ValueError: both or neither of ``kernel`` and ``config`` are given.
    """

    def __init__(
        self, kernel: Kernel | None = None, *, config: Config | None = None, executors: str | Iterable[str] = "all"
    ) -> None:
        if kernel is not None and config is not None:
            raise ValueError("Specify only one of config or kernel")
        if kernel is None and config is None:
            raise ValueError("Must specify one of config or kernel")
        self._is_own = kernel is None
        self._kernel = kernel if kernel is not None else Kernel(config)
        self._executors = executors
        self._apps: dict[Callable[..., Any], App[Any, Any]] = {}
        self._futures: set[Future[Any]] = set()
        self._lock = threading.Lock()
        self._is_shut = False
        self._max_workers = sum(running.load().capacity for running in self._kernel.executors.values()) or os.cpu_count()

    @property
    def app_count(self) -> int:
        """
        How many different functions have been submitted.
        """
        return len(self._apps)

    def get_app(self, fn: Callable[..., Any]) -> App[Any, Any]:
        """
        Return the app of a function, one for each function.
        """
        try:
            return self._apps[fn]
        except KeyError:
            made = python_app(executors=self._executors, kernel=self._kernel)(fn)
            return self._apps.setdefault(fn, made)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """
        Submit a call and return its `AppFuture`.

        Raises:
            RuntimeError: the pool has been shut down.
        """
        if self._is_shut:
            raise RuntimeError("Executor has been shut down.")
        future: Future[T] = self.get_app(fn)(*args, **kwargs)
        with self._lock:
            self._futures.add(future)
        future.add_done_callback(self._forget)
        return future

    def _forget(self, future: Future[Any]) -> None:
        with self._lock:
            self._futures.discard(future)

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[T]:
        """
        Return an iterator over ``fn`` of the items, in order.

        Args:
            fn: the function.
            iterables: its arguments.
            timeout: seconds from the call until a result must be there.
            chunksize: items that travel in one task.
            buffersize: tasks submitted ahead of the one whose result is awaited; None submits all at once.

        Raises:
            ValueError: a size is less than 1.
        """
        if chunksize < 1:
            raise ValueError(f"chunksize={chunksize} must be at least 1")
        if buffersize is not None and buffersize < 1:
            raise ValueError(f"buffersize={buffersize} must be at least 1, or None")
        end = None if timeout is None else time.monotonic() + timeout
        chunks = _chunks(zip(*iterables, strict=False), chunksize)
        pending = deque(self.submit(_apply, fn, chunk) for chunk in itertools.islice(chunks, buffersize))
        return self._results(fn, chunks, pending, end)

    def _results(
        self, fn: Callable[..., T], chunks: Iterator[Any], pending: deque[Future[list[T]]], end: float | None
    ) -> Iterator[T]:
        try:
            while pending:
                results = pending[0].result(None if end is None else max(0.0, end - time.monotonic()))
                pending.popleft()
                pending.extend(self.submit(_apply, fn, chunk) for chunk in itertools.islice(chunks, 1))
                yield from results
        finally:
            for future in pending:
                future.cancel()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """
        Take no more calls; close the kernel if the pool made it.

        Args:
            wait: return when all calls have ended.
            cancel_futures: cancel what has not started.
        """
        self._is_shut = True
        with self._lock:
            futures = list(self._futures)
        if cancel_futures:
            for future in futures:
                future.cancel()
        if self._is_own and wait:
            self._kernel.close()
        elif self._is_own:
            threading.Thread(target=self._kernel.close, name="warpbeam-pool-shutdown", daemon=True).start()
        elif wait:
            for future in futures:
                if not future.cancelled():
                    future.exception()


def _chunks(items: Iterator[tuple[Any, ...]], size: int) -> Iterator[list[tuple[Any, ...]]]:
    while chunk := list(itertools.islice(items, size)):
        yield chunk


def _apply(fn: Callable[..., T], chunk: list[tuple[Any, ...]]) -> list[T]:
    return [fn(*args) for args in chunk]


class ExecutorPool(KernelPool):
    """
    One executor, without a kernel of yours, as a standard executor.

    Args:
        executor: the executor's name or description.
        options: of `Config`.
    """

    def __init__(self, executor: Any, **options: Any) -> None:
        super().__init__(config=Config(executors=[executor], **options))

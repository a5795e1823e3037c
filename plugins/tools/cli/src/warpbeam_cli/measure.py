"""
Measuring how many tasks a second a kernel runs.
"""

from __future__ import annotations

import operator
import time
from typing import TYPE_CHECKING, Any

import attrs
from warpbeam import python_app


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from warpbeam import Kernel

_FIRST = 10
_MOST = 10_000_000
_LONG_ENOUGH = 0.75
"""The part of the wanted time that the last round takes at least."""


@attrs.frozen(kw_only=True)
class Round:
    """
    One round of the measurement.

    Attributes:
        tasks: how many.
        submit_s: seconds until all were submitted.
        total_s: seconds until all had ended.
    """

    tasks: int
    submit_s: float
    total_s: float

    @property
    def rate(self) -> float:
        """
        Tasks a second.
        """
        return self.tasks / self.total_s


def sizes(how: str) -> Callable[[list[Round], float], int | None]:
    """
    Return what chooses the size of the next round from those that were, and the wanted time in seconds.

    Args:
        how: ``"estimate"`` aims at the wanted time by the last rate, ``"exponential"`` doubles, ``"10,100"`` is a list of sizes.

    Raises:
        ValueError: it is none of these.
    """
    if how == "estimate":
        return _estimate
    if how == "exponential":
        return lambda rounds, time_s: None if rounds and rounds[-1].total_s > time_s else _FIRST * 2 ** len(rounds)
    fixed = [int(text) for text in how.split(",")]
    if min(fixed) < 1:
        raise ValueError("a round has at least one task")
    return lambda rounds, _time_s: fixed[len(rounds)] if len(rounds) < len(fixed) else None


def _estimate(rounds: list[Round], time_s: float) -> int | None:
    if not rounds:
        return _FIRST
    last = rounds[-1]
    if last.total_s >= _LONG_ENOUGH * time_s or last.tasks >= _MOST:
        return None
    # The first rounds are short and say little: grow by a factor of ten at most.
    return min(max(round(last.rate * time_s), last.tasks + 1), last.tasks * 10, _MOST)


def measure(kernel: Kernel, how: str, *, time_s: float, argument_bytes: int, resources: Any = None) -> Iterator[Round]:
    """
    Yield rounds of tasks that do nothing.

    Args:
        kernel: what runs them.
        how: see `sizes`.
        time_s: seconds that the last round is to take.
        argument_bytes: size of each task's argument.
        resources: what each task asks for.
    """
    app = python_app(kernel=kernel)(operator.truth)  # importable on every worker
    app = app.options(resources=resources) if resources else app
    choose, rounds = sizes(how), list[Round]()
    while (tasks := choose(rounds, time_s)) is not None:
        rounds.append(_round(app, tasks, argument_bytes))
        yield rounds[-1]


def _round(app: Any, tasks: int, argument_bytes: int) -> Round:
    begin = time.perf_counter()
    futures = [app(bytes(argument_bytes)) for _ in range(tasks)]
    submitted = time.perf_counter()
    for future in futures:
        future.result()
    return Round(tasks=tasks, submit_s=submitted - begin, total_s=time.perf_counter() - begin)

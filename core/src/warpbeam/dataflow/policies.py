"""
What a failure is charged to, and whether there is another try.

The table is the whole rule; a test walks each cell.  The kind and the cause decide, exception classes never do.
"""

from __future__ import annotations

from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING

from warpbeam.contracts import LossCause, OutcomeKind


if TYPE_CHECKING:
    from collections.abc import Mapping

    from warpbeam.contracts import Outcome
    from warpbeam.dataflow.task import Trouble

MOST_LOSSES = 10
"""After so many losses of any kind a task ends."""

DEATHS_OF_A_SUSPECT = 2
"""A task whose worker died so often is run alone, and named as suspect."""


class Charge(Enum):
    """
    What pays for another try.
    """

    RETRIES = auto()
    """``retries``."""
    LOST_RETRIES = auto()
    """``lost_retries``."""
    FREE = auto()
    """Nothing, as long as the task has had fewer than `MOST_LOSSES` losses."""
    NEVER = auto()
    """There is no other try."""


_K, _C = OutcomeKind, LossCause

CHARGES: Mapping[tuple[OutcomeKind, LossCause | None], Charge] = MappingProxyType(
    {
        (_K.RAISED, None): Charge.RETRIES,
        (_K.TIMED_OUT, None): Charge.RETRIES,
        (_K.REFUSED, None): Charge.NEVER,
        (_K.CANCELLED, None): Charge.NEVER,
        (_K.LOST, _C.WORKER_FAULT): Charge.RETRIES,
        (_K.LOST, _C.OUT_OF_MEMORY): Charge.RETRIES,
        (_K.LOST, _C.WORKER_KILLED): Charge.LOST_RETRIES,
        (_K.LOST, _C.MANAGER): Charge.LOST_RETRIES,
        (_K.LOST, _C.INTERCHANGE): Charge.LOST_RETRIES,
        (_K.LOST, _C.BLOCK_ENDED): Charge.FREE,
        (_K.LOST, _C.RECALLED): Charge.FREE,
        (_K.LOST, _C.UNKNOWN): Charge.FREE,
    }
)
"""What each kind of failure is charged to."""

_WORKER_DIED = frozenset({_C.WORKER_FAULT, _C.OUT_OF_MEMORY, _C.WORKER_KILLED})


def charge_of(outcome: Outcome) -> Charge:
    """
    Return what a failed try is charged to; a lost try that had not started costs nothing.
    """
    if outcome.kind is OutcomeKind.LOST:
        if not outcome.has_started:
            return Charge.FREE
        # A cause that a newer executor knows and we do not is taken for a loss from outside.
        return CHARGES.get((outcome.kind, outcome.cause), Charge.LOST_RETRIES)
    return CHARGES[outcome.kind, None]


def record(trouble: Trouble, outcome: Outcome, charge: Charge, cost: float) -> None:
    """
    Enter a failed try into the task's account.
    """
    trouble.count += 1
    trouble.history.append(f"{outcome.kind.name.lower()}: {type(outcome.error).__name__}: {outcome.error}"[:500])
    del trouble.history[:-20]
    if charge is Charge.RETRIES:
        trouble.cost += cost
    if outcome.kind is OutcomeKind.LOST:
        trouble.losses += 1
        trouble.lost += charge is Charge.LOST_RETRIES
        trouble.deaths += outcome.has_started and outcome.cause in _WORKER_DIED
        if outcome.has_started and outcome.cause is LossCause.UNKNOWN:
            trouble.deaths += DEATHS_OF_A_SUSPECT  # run it alone at once: only so is the culprit found


def may_retry(trouble: Trouble, charge: Charge, *, retries: int, lost_retries: int) -> bool:
    """
    Return whether the account allows another try.
    """
    if charge is Charge.NEVER or trouble.losses >= MOST_LOSSES:
        return False
    if charge is Charge.RETRIES:
        return trouble.cost <= retries
    if charge is Charge.LOST_RETRIES:
        return trouble.lost <= lost_retries
    return True


def is_suspect(trouble: Trouble | None) -> bool:
    """
    Return whether the task must be run alone.
    """
    return trouble is not None and trouble.deaths >= DEATHS_OF_A_SUSPECT

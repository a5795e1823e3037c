"""
The charge table, cell by cell.
"""

from __future__ import annotations

import pytest
from warpbeam.contracts import LossCause, Outcome, OutcomeKind, TryId
from warpbeam.dataflow import policies
from warpbeam.dataflow.policies import Charge
from warpbeam.dataflow.task import Trouble


K, C = OutcomeKind, LossCause

EXPECTED = {
    (K.RAISED, None): (Charge.RETRIES, 3),
    (K.TIMED_OUT, None): (Charge.RETRIES, 3),
    (K.REFUSED, None): (Charge.NEVER, 1),
    (K.CANCELLED, None): (Charge.NEVER, 1),
    (K.LOST, C.WORKER_FAULT): (Charge.RETRIES, 3),
    (K.LOST, C.OUT_OF_MEMORY): (Charge.RETRIES, 3),
    (K.LOST, C.WORKER_KILLED): (Charge.LOST_RETRIES, 4),
    (K.LOST, C.MANAGER): (Charge.LOST_RETRIES, 4),
    (K.LOST, C.INTERCHANGE): (Charge.LOST_RETRIES, 4),
    (K.LOST, C.BLOCK_ENDED): (Charge.FREE, 10),
    (K.LOST, C.RECALLED): (Charge.FREE, 10),
    (K.LOST, C.UNKNOWN): (Charge.FREE, 10),
}


def tries(outcome, *, retries=2, lost_retries=3):
    """How often a task that always ends so is tried."""
    trouble, count = Trouble(), 0
    while True:
        count += 1
        charge = policies.charge_of(outcome)
        policies.record(trouble, outcome, charge, 1)
        if not policies.may_retry(trouble, charge, retries=retries, lost_retries=lost_retries):
            return count


class TestCharges:
    def test_the_table_is_whole(self):
        """Every kind of failure and every cause has a cell."""
        kinds = {(kind, None) for kind in K if kind not in (K.RETURNED, K.LOST)}
        assert set(policies.CHARGES) == kinds | {(K.LOST, cause) for cause in C}

    @pytest.mark.parametrize(("cell", "expected"), EXPECTED.items(), ids=str)
    def test_each_cell(self, cell, expected):
        """The charge and the number of tries with retries=2 and lost_retries=3 are those of the design."""
        outcome = Outcome(TryId(0, 0), cell[0], error=ValueError(), cause=cell[1])
        assert (policies.charge_of(outcome), tries(outcome)) == expected

    @pytest.mark.parametrize("cause", C)
    def test_a_try_that_had_not_started_is_free(self, cause):
        """Only a try that had started is charged."""
        outcome = Outcome(TryId(0, 0), K.LOST, error=ValueError(), cause=cause, has_started=False)
        assert policies.charge_of(outcome) is Charge.FREE
        assert tries(outcome, retries=0, lost_retries=0) == policies.MOST_LOSSES

    def test_a_task_whose_worker_died_twice_is_suspect(self):
        """Two deaths make a suspect; one of unknown cause does at once."""
        trouble = Trouble()
        died = Outcome(TryId(0, 0), K.LOST, error=ValueError(), cause=C.WORKER_KILLED)
        policies.record(trouble, died, Charge.LOST_RETRIES, 1)
        assert not policies.is_suspect(trouble)
        policies.record(trouble, died, Charge.LOST_RETRIES, 1)
        assert policies.is_suspect(trouble)
        other = Trouble()
        policies.record(other, Outcome(TryId(0, 0), K.LOST, error=ValueError(), cause=C.UNKNOWN), Charge.FREE, 1)
        assert policies.is_suspect(other)
        assert not policies.is_suspect(None)

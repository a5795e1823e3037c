"""
The contract of serializers, on each method.
"""

from __future__ import annotations

import fractions

import pytest
from warpbeam.registry import find
from warpbeam_testing import SerializerContract


class TestPickle(SerializerContract):
    samples = (fractions.Fraction(1, 3), slice(1, 2))

    @pytest.fixture
    def serializer(self):
        return find("serializer", "pickle")()


class TestCloudpickle(SerializerContract):
    samples = (fractions.Fraction(1, 3), slice(1, 2))

    @pytest.fixture
    def serializer(self):
        return find("serializer", "cloudpickle")()

    def test_local_functions(self, serializer):
        """A function of no module, with what it closes over."""
        offset = 40
        function = serializer.loads([bytes(frame) for frame in serializer.dumps(lambda number: number + offset)])
        assert function(2) == 42


class TestDill(TestCloudpickle):
    @pytest.fixture
    def serializer(self):
        return find("serializer", "dill")()

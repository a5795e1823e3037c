"""
The contracts catch what breaks them.
"""

from __future__ import annotations

import mutants_executor
import mutants_others as others
import pytest
from mutation import CAUGHT, contract_tests, pairs, run
from warpbeam.contracts import RunInfo
from warpbeam_testing import (
    ConfigReaderContract,
    ExecutorContract,
    HookContract,
    MemoContract,
    SerializerContract,
    Trial,
)
from warpbeam_testing.memo import MemoHost


def nothing():
    """Close nothing."""


class Impatient(ExecutorContract):
    patience_s = 0.5


class TestExecutors:
    def test_each_test_has_a_mutant(self):
        """A test that no mutant fails may be one that cannot fail."""
        assert sorted(mutants_executor.MUTANTS) == contract_tests(ExecutorContract)

    @pytest.mark.parametrize(("name", "mutant"), pairs(mutants_executor.MUTANTS))
    def test_the_mutant_is_caught(self, name, mutant, tmp_path):
        """The test fails on the mutant."""

        def fixtures(directory):
            trial = Trial(mutant, directory, Impatient.patience_s)
            return {"trial": trial, "executor": mutant}, trial.close

        with pytest.raises(CAUGHT):
            run(getattr(Impatient(), name), tmp_path, fixtures)


class Samples(SerializerContract):
    samples = (1 + 2j,)


class TestPlainPickle(Samples):
    @pytest.fixture
    def serializer(self):
        return others.PlainPickle()


class TestSerializers:
    def test_each_test_has_a_mutant(self):
        """As above."""
        assert sorted(others.SERIALIZERS) == contract_tests(SerializerContract)

    @pytest.mark.parametrize(("name", "mutant"), pairs(others.SERIALIZERS))
    def test_the_mutant_is_caught(self, name, mutant, tmp_path):
        """The test fails on the mutant."""
        with pytest.raises(CAUGHT):
            run(getattr(Samples(), name), tmp_path, lambda _: ({"serializer": mutant}, nothing))


class TestMemoStores:
    def test_each_test_has_a_mutant(self):
        """As above."""
        assert sorted(others.MEMOS) == contract_tests(MemoContract)

    @pytest.mark.parametrize(("name", "mutant"), pairs(others.MEMOS))
    def test_the_mutant_is_caught(self, name, mutant, tmp_path):
        """The test fails on the mutant."""

        def fixtures(directory):
            if name == "test_starts_several_times":
                return {"memo": mutant}, nothing
            store = mutant.start(MemoHost(RunInfo(run_id="one", directory=directory)))
            return {"memo": mutant, "store": store}, store.stop

        with pytest.raises(CAUGHT):
            run(getattr(MemoContract(), name), tmp_path, fixtures)


class JsonFiles(ConfigReaderContract):
    suffix = ".json"
    valid = '{"retries": 3}'
    several_problems = '{"retries": "three", "retrys": 1}'
    broken = "{"


class TestReaders(JsonFiles):
    @pytest.fixture
    def reader(self):
        return others.JsonReader()

    @pytest.mark.xfail(reason="the reader is not installed for its suffix", strict=True)
    def test_load_reads_the_file(self, tmp_path):
        """As in the contract."""
        JsonFiles().test_load_reads_the_file(tmp_path)

    def test_each_test_has_a_mutant(self):
        """As above; what `load` finds is shown by removing the reader."""
        assert sorted([*others.READERS, "test_load_reads_the_file"]) == contract_tests(ConfigReaderContract)

    @pytest.mark.parametrize(("name", "mutant"), pairs(others.READERS))
    def test_the_mutant_is_caught(self, name, mutant, tmp_path):
        """The test fails on the mutant."""
        with pytest.raises((*CAUGHT, others.ConfigurationError)):
            run(getattr(JsonFiles(), name), tmp_path, lambda _: ({"reader": mutant}, nothing))

    def test_a_reader_that_is_not_installed(self, tmp_path):
        """The test of `load` fails when no entry point reads the suffix."""
        with pytest.raises(Exception, match="json"):
            run(JsonFiles().test_load_reads_the_file, tmp_path, lambda _: ({}, nothing))


class TestHooks:
    @pytest.mark.parametrize(("name", "mutant"), pairs(others.HOOKS))
    def test_the_mutant_is_caught(self, name, mutant, tmp_path):
        """The test fails on the mutant."""
        with pytest.raises(Exception):  # noqa: B017, PT011  (PluginError and its like)
            run(getattr(HookContract(), name), tmp_path, lambda _: ({"plugin": mutant()}, nothing))

    def test_each_test_has_a_mutant(self):
        """As above; that hooks are not called for tasks is the kernel's doing, which no plugin can change."""
        assert sorted([*others.HOOKS, "test_is_not_called_for_tasks"]) == contract_tests(HookContract)

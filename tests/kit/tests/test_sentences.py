"""
Each sentence of the contracts' docstrings has a test in the kit, or a reason why it needs none.
"""

from __future__ import annotations

import inspect
import re

import pytest
import warpbeam_testing
from warpbeam import contracts


CONTRACTS = {
    "ExecutorContract": (contracts.Executor, contracts.RunningExecutor),
    "SerializerContract": (contracts.Serializer,),
    "MemoContract": (contracts.Memo, contracts.RunningMemo),
    "ConfigReaderContract": (contracts.ConfigReader,),
}

WITHOUT_A_TEST = {
    "class: What ``start`` returned.": "says what the class is",
    "class: An open store.": "says what the class is",
    "class: All calls but ``stop`` come from one thread of the kernel, and may block it.": "a promise of the kernel",
    "class: Runs on the driver and on workers: its module imports no more than its own requirements.": (
        "the wheel is tested alone, in the lane test-matrix"
    ),
    "class: Reads configuration files of one suffix; the entry point's name is the suffix without its dot.": (
        "a matter of the package, tested by test_load_reads_the_file"
    ),
    "refuse: Keys that ``capabilities`` does not declare are refused by the kernel already.": "a promise of the kernel",
    "start: What cannot work at all is raised here, as `warpbeam.errors.ConfigurationError`.": (
        "what cannot work differs from executor to executor: its own tests show it"
    ),
}


def sentences(protocol):
    """Yield what the docstrings of a class and its methods say before their sections, sentence by sentence."""
    places = {"class": protocol, **{name: getattr(protocol, name) for name in vars(protocol) if not name.startswith("_")}}
    for place, thing in places.items():
        text = inspect.getdoc(thing) or "" if place == "class" or inspect.isfunction(thing) else ""
        body = re.split(r"^(?:Args|Attributes|Returns|Raises):$", text, flags=re.MULTILINE)[0]
        for sentence in re.split(r"(?<=[.])\s+(?=[A-Z`])", " ".join(body.split())):
            if sentence:
                yield f"{place}: {sentence}"


def claimed(contract):
    """Return the sentences that tests of a contract class claim to prove."""
    tests = [getattr(contract, name) for name in dir(contract) if name.startswith("test_")]
    return {sentence for test in tests for sentence in getattr(test, "sentences", ())}


@pytest.mark.parametrize("name", CONTRACTS)
class TestSentences:
    def test_each_has_a_test(self, name):
        """A sentence that is added or changed in a docstring needs its test."""
        said = {sentence for protocol in CONTRACTS[name] for sentence in sentences(protocol)}
        missing = said - claimed(getattr(warpbeam_testing, name)) - set(WITHOUT_A_TEST)
        assert not missing, "no test claims: " + "\n".join(sorted(missing))

    def test_each_claim_is_a_sentence(self, name):
        """What a test claims stands in a docstring, word by word."""
        modules = {inspect.getmodule(protocol) for protocol in CONTRACTS[name]} | {inspect.getmodule(contracts.TaskCall)}
        text = " ".join(" ".join(inspect.getsource(module) for module in modules).split())
        wrong = [one for one in claimed(getattr(warpbeam_testing, name)) if one.partition(": ")[2] not in text]
        assert not wrong, "in no docstring: " + "\n".join(wrong)

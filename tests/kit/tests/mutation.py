"""
Runs one test of a contract on one object.
"""

from __future__ import annotations

import inspect

import pytest


CAUGHT = (AssertionError, RuntimeError, TypeError, AttributeError, LookupError, OSError, ValueError, pytest.fail.Exception)
"""What a test raises on a mutant."""


def contract_tests(contract):
    """Return the names of a contract's tests."""
    return sorted(name for name in dir(contract) if name.startswith("test_"))


def pairs(mutants):
    """Return a parameter for each test and mutant."""
    return [
        pytest.param(name, mutant, id=f"{name}-{number}") for name, some in mutants.items() for number, mutant in enumerate(some)
    ]


def parametrizations(test):
    """Return the arguments that ``pytest.mark.parametrize`` gives to a test."""
    for mark in getattr(test, "pytestmark", ()):
        if mark.name == "parametrize":
            names = [mark.args[0]] if isinstance(mark.args[0], str) else mark.args[0]
            values = [value if len(names) > 1 else (value,) for value in mark.args[1]]
            return [dict(zip(names, one, strict=True)) for one in values]
    return [{}]


def run(test, directory, fixtures):
    """
    Run a test in each of its parametrizations; ``fixtures`` returns, for a directory, the fixtures and what closes them.
    """
    for number, arguments in enumerate(parametrizations(test)):
        here = directory / str(number)
        here.mkdir()
        given, close = fixtures(here)
        given = {**given, "tmp_path": here, **arguments}
        try:
            test(**{parameter: given[parameter] for parameter in inspect.signature(test).parameters})
        finally:
            close()

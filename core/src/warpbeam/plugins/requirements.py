"""
Whether a version fits a requirement, as far as a plugin's bound on core needs it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable

Release = tuple[int, ...]

_CLAUSE = re.compile(r"(~=|>=|<=|==|!=|<|>)\s*v?([0-9]+(?:\.[0-9]+)*)(\.\*)?")

# Release numbers only: what an installer has resolved, with pre-releases and markers, is not resolved again here.
_COMPARE: dict[str, Callable[[Release, Release], bool]] = {
    ">=": lambda have, want: have >= want,
    ">": lambda have, want: have > want,
    "<=": lambda have, want: have <= want,
    "<": lambda have, want: have < want,
    "==": lambda have, want: have == want,
    "!=": lambda have, want: have != want,
}


def normalized(name: str) -> str:
    """
    Return a distribution's name as installers compare it.

    >>> normalized("Warpbeam_Core")
    'warpbeam-core'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def is_about(requirement: str, distribution: str) -> bool:
    """
    Return whether a requirement such as ``"warpbeam-core<1,>=0.1"`` is one on that distribution.

    >>> is_about("warpbeam_core>=0.1", "warpbeam-core"), is_about("warpbeam-corexit", "warpbeam-core")
    (True, False)
    """
    match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", requirement)
    return match is not None and normalized(match[1]) == distribution


def is_satisfied(requirement: str, version: str) -> bool:
    """
    Return whether a version fits a requirement.

    >>> is_satisfied("warpbeam-core<1,>=0.1", "0.1.0"), is_satisfied("warpbeam-core<1,>=0.1", "1.0")
    (True, False)
    >>> is_satisfied("warpbeam-core~=0.1", "0.4"), is_satisfied("warpbeam-core==0.*", "0.4"), is_satisfied("warpbeam-core", "9")
    (True, True, True)
    """
    clauses = _CLAUSE.findall(requirement.partition(";")[0])
    return all(_fits(sign, number, bool(star), release(version)) for sign, number, star in clauses)


def _fits(sign: str, number: str, is_prefix: bool, have: Release) -> bool:
    want = tuple(map(int, number.split(".")))
    if sign == "~=":
        return have >= release(number) and _begin(have, len(want) - 1) == want[:-1]
    if is_prefix:
        return (_begin(have, len(want)) == want) == (sign == "==")
    return _COMPARE[sign](have, release(number))


def _begin(have: Release, length: int) -> Release:
    return (*have, *[0] * length)[:length]


def release(version: str) -> Release:
    """
    Return the release numbers of a version, without zeros at the end.

    >>> release("1.2.0rc1"), release("1.0"), release("unknown")
    ((1, 2), (1,), (0,))
    """
    match = re.match(r"v?([0-9]+(?:\.[0-9]+)*)", version)
    numbers = [int(part) for part in match[1].split(".")] if match else [0]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)

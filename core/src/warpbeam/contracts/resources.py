"""
What a task asks for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

from warpbeam.errors import InvalidResourcesError


_UNITS = {"": 1, "b": 1}
_UNITS |= {letter + ending: 1000**power for power, letter in enumerate("kmgtp", 1) for ending in ("", "b")}
_UNITS |= {letter + ending: 1024**power for power, letter in enumerate("kmgtp", 1) for ending in ("i", "ib")}

_PARSL_KEYS = {
    "num_nodes": "nodes",
    "num_ranks": "ranks",
    "memory_mb": "memory",
    "gpu": "gpus",
    "num_gpus": "gpus",
    "num_cpus": "cores",
}


def parse_bytes(value: str | float) -> int:
    """
    Return a size in bytes from a number of bytes or a text such as ``"4 GB"`` (10^9) or ``"4 GiB"`` (2^30).

    Raises:
        InvalidResourcesError: the text is no size, or the size is negative.

    >>> parse_bytes("4 GB"), parse_bytes("1.5 KiB"), parse_bytes(17)
    (4000000000, 1536, 17)
    """
    if isinstance(value, str):
        match = re.fullmatch(r"\s*([0-9.]+)\s*([a-zA-Z]*)\s*", value)
        if match is None or match[2].lower() not in _UNITS:
            message = f"{value!r} is no size; write a number of bytes or a text such as '4 GB' or '512 MiB'"
            raise InvalidResourcesError(message)
        return round(float(match[1]) * _UNITS[match[2].lower()])
    if isinstance(value, bool) or value < 0:
        raise InvalidResourcesError(f"{value!r} is no size; write a number of bytes or a text such as '4 GB'")
    return int(value)


def _optional_bytes(value: str | float | None) -> int | None:
    return None if value is None else parse_bytes(value)


def _at_least(least: float) -> Any:
    def check(_instance: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value < least):
            raise InvalidResourcesError(f"resources: {attribute.name}={value!r} must be a number of at least {least}")

    return check


@attrs.frozen(kw_only=True)
class Resources:
    """
    What one task needs; ``None`` means: whatever one worker has.

    Args:
        cores: processor cores; fractions share one.
        memory: bytes, or a text with a unit (``"4 GB"``, ``"512 MiB"``).
        disk: bytes on the local disk, in the same form.
        gpus: accelerators.
        nodes: whole nodes, for tasks that span several.
        ranks: processes of a multi-node task.
        ranks_per_node: processes on each of its nodes.
        priority: the smaller, the sooner; 0 is usual.
        labels: names that the worker must carry.

    Raises:
        InvalidResourcesError: a value is out of range; the message names it.
    """

    cores: float | None = attrs.field(default=None, validator=_at_least(0))
    memory: int | None = attrs.field(default=None, converter=_optional_bytes)
    disk: int | None = attrs.field(default=None, converter=_optional_bytes)
    gpus: int | None = attrs.field(default=None, validator=_at_least(0))
    nodes: int | None = attrs.field(default=None, validator=_at_least(1))
    ranks: int | None = attrs.field(default=None, validator=_at_least(1))
    ranks_per_node: int | None = attrs.field(default=None, validator=_at_least(1))
    priority: int = attrs.field(default=0, validator=_at_least(float("-inf")))
    labels: frozenset[str] = attrs.field(default=frozenset(), converter=frozenset)

    @classmethod
    def of(cls, value: Resources | Mapping[str, Any] | None) -> Resources | None:
        """
        Return resources from resources, from a dict of our keys or Parsl's, or from None.

        An empty dict asks for nothing and gives None.

        Raises:
            InvalidResourcesError: a key is unknown (``.invalid_keys``), or a value is out of range.
        """
        if value is None or isinstance(value, Resources):
            return value
        if not isinstance(value, Mapping):
            raise InvalidResourcesError(f"resources must be warpbeam.Resources or a dict, not {value!r}")
        known = {_PARSL_KEYS.get(key, key): key for key in value}
        invalid = frozenset(map(str, known.values())) - set(_PARSL_KEYS) - set(RESOURCE_KEYS)
        if invalid:
            message = f"unknown resource {', '.join(sorted(invalid))}; known are {', '.join(RESOURCE_KEYS)}"
            raise InvalidResourcesError(message, invalid_keys=invalid)
        return cls(**{ours: _converted(key, value[key]) for ours, key in known.items()}) if value else None

    def asked(self) -> Mapping[str, Any]:
        """
        Return the keys that ask for something, with their values.
        """
        return MappingProxyType({key: getattr(self, key) for key in RESOURCE_KEYS if getattr(self, key)})


RESOURCE_KEYS: tuple[str, ...] = tuple(field.name for field in attrs.fields(Resources))
"""Every key of `Resources`."""


def _converted(key: str, value: Any) -> Any:
    # Work Queue users write plain memory in MB as `memory`; ours is bytes, so only Parsl's explicit key is scaled.
    return value * 10**6 if key == "memory_mb" else value

"""
The arguments of a call: what is in them, and what takes its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warpbeam.dataflow.traverse import DEEP, shape_of


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from warpbeam.contracts import DependencyResolver


def scan(resolver: DependencyResolver, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
    """
    Return the futures and files in the arguments.
    """
    found: list[Any] = []
    for value in args:
        if resolver is not DEEP or shape_of(type(value)) is not None:
            resolver.gather(value, found.append)
    for name, value in kwargs.items():
        if name == "inputs" and isinstance(value, list):
            for item in value:
                resolver.gather(item, found.append)
        elif resolver is not DEEP or shape_of(type(value)) is not None:
            resolver.gather(value, found.append)
    return found


def substitute(
    resolver: DependencyResolver,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    result: Callable[[Any], Any],
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """
    Return the arguments with each future and file replaced by ``result`` of it.
    """
    replace = resolver.replace
    new = {name: replace(value, result) for name, value in kwargs.items() if name != "inputs"}
    if "inputs" in kwargs:
        inputs = kwargs["inputs"]
        is_list = isinstance(inputs, list)
        new["inputs"] = [replace(item, result) for item in inputs] if is_list else replace(inputs, result)
    return tuple(replace(value, result) for value in args), new

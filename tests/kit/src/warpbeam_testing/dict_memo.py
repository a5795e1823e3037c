"""
The plainest memo store that keeps the whole contract: a dict.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import attrs
from warpbeam.contracts import MemoItem, MemoKey, UnhashableArgumentError


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warpbeam.contracts import MemoCall, MemoHost

PLAIN = (bool, int, float, complex, str, bytes, type(None))


@attrs.frozen(kw_only=True)
class DictMemo:
    """
    Remembers results of calls whose arguments are plain values and containers of them.
    """

    def start(self, host: MemoHost) -> RunningDictMemo:
        """
        Return an empty store.
        """
        del host
        return RunningDictMemo()


class RunningDictMemo:
    """
    The running half.
    """

    def __init__(self) -> None:
        self.items: dict[MemoKey, MemoItem] = {}
        self.unwritten: set[MemoKey] = set()

    def key(self, call: MemoCall) -> MemoKey:
        """
        Return the texts of all arguments as they are bound.

        Raises:
            UnhashableArgumentError: an argument is no plain value.
        """
        bound = inspect.signature(call.function).bind(*call.args, **call.kwargs)
        bound.apply_defaults()
        parts = {"app": f"{call.module}.{call.name}"}
        for name, value in bound.arguments.items():
            if name not in call.ignored:
                parts[f"arg {name}"] = text_of(value, name)
        return MemoKey("\n".join(f"{name}={text}" for name, text in parts.items()), parts)

    def get(self, keys: Sequence[MemoKey]) -> Mapping[MemoKey, MemoItem]:
        """
        Return what is known.
        """
        return {key: self.items[key] for key in keys if key in self.items}

    def put(self, items: Mapping[MemoKey, MemoItem]) -> None:
        """
        Remember.
        """
        self.items.update(items)
        self.unwritten.update(items)

    def checkpoint(self) -> int:
        """
        Forget that something is not written, and say how much it was.
        """
        count = len(self.unwritten)
        self.unwritten.clear()
        return count

    def stop(self) -> None:
        """
        Do nothing: there is no file.
        """


def text_of(value: Any, name: str) -> str:
    """
    Return a text that is the same for equal values.

    Raises:
        UnhashableArgumentError: the value, or one inside, is no plain one.
    """
    kind = type(value).__name__
    if isinstance(value, PLAIN):
        return f"{kind} {value!r}"
    if isinstance(value, list | tuple):
        return f"{kind} [{', '.join(text_of(one, name) for one in value)}]"
    if isinstance(value, set | frozenset):
        return f"{kind} [{', '.join(sorted(text_of(one, name) for one in value))}]"
    if isinstance(value, dict):
        pairs = sorted((text_of(key, name), text_of(one, name)) for key, one in value.items())
        return f"{kind} {pairs}"
    raise UnhashableArgumentError(f"argument {name!r} has no stable identity: {value!r}")

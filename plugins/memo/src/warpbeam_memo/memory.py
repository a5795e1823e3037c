"""
The store in memory.
"""

from __future__ import annotations

import functools
import inspect
from collections import OrderedDict
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import attrs
from warpbeam.contracts import ConfigurationError, MemoItem, MemoKey

from warpbeam_memo.identity import digest


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warpbeam.contracts import MemoCall, MemoHost


def _most(_instance: object, _attribute: object, value: Any) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ConfigurationError(f"MemoryMemo(max_items={value!r}) must be a whole number of at least 1, or None")


@attrs.frozen(kw_only=True)
class MemoryMemo:
    """
    Remembers results in memory, within a run.

    Args:
        max_items: how many; the oldest are forgotten beyond it.  None is no limit.
    """

    max_items: int | None = attrs.field(default=None, validator=_most)

    def start(self, host: MemoHost) -> MemoryStore:
        """
        Return an empty store.
        """
        del host
        return MemoryStore(self.max_items)


class MemoryStore:
    """
    A dict of items, oldest first.
    """

    def __init__(self, max_items: int | None) -> None:
        self._max_items = max_items
        self._items: OrderedDict[MemoKey, MemoItem] = OrderedDict()

    def key(self, call: MemoCall) -> MemoKey:
        """
        Return the key of a call.
        """
        return key_of(call)

    def get(self, keys: Sequence[MemoKey]) -> Mapping[MemoKey, MemoItem]:
        """
        Return what is remembered of these keys.
        """
        return {key: self._items[key] for key in keys if key in self._items}

    def put(self, items: Mapping[MemoKey, MemoItem]) -> None:
        """
        Remember.
        """
        for key, item in items.items():
            self._items.pop(key, None)
            self._items[key] = item
        while self._max_items is not None and len(self._items) > self._max_items:
            self._items.popitem(last=False)

    def checkpoint(self) -> int:
        """
        Write nothing: there is nowhere to write to.
        """
        return 0

    def stop(self) -> None:
        """
        Forget everything.
        """
        self._items.clear()


@functools.lru_cache(maxsize=1024)
def _signature(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


def key_of(call: MemoCall) -> MemoKey:
    """
    Return the key of a call: name, module and arguments as bound to the signature.
    """
    parts = {"app": f"{call.module}.{call.name}"}
    for name, value in _bound(call).items():
        if name not in call.ignored:
            parts[f"arg {name}"] = digest(value, name)
    text = "\0".join(f"{name}={parts[name]}" for name in sorted(parts))
    return MemoKey(blake2b(text.encode(), digest_size=20).hexdigest(), parts)


def _bound(call: MemoCall) -> dict[str, Any]:
    signature = _signature(call.function)
    if signature is not None:
        try:
            bound = signature.bind(*call.args, **call.kwargs)
        except TypeError:  # the call is wrong, and its task will say so
            pass
        else:
            bound.apply_defaults()
            return _spread(signature, bound.arguments)
    return {**{f"args[{index}]": value for index, value in enumerate(call.args)}, **call.kwargs}


def _spread(signature: inspect.Signature, arguments: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in arguments.items():
        kind = signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            found.update({f"{name}[{index}]": item for index, item in enumerate(value)})
        elif kind is inspect.Parameter.VAR_KEYWORD:
            found.update(value)
        else:
            found[name] = value
    return found

"""
What remembers results of memoized apps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import attrs


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warpbeam.contracts.records import RunInfo


@attrs.frozen
class MemoCall:
    """
    A call of a memoized app, as its key is made from it.

    Attributes:
        name: name of the app.
        module: module of its function; for a script the file's name.
        function: the user's function, for its signature.
        args: positional arguments, futures replaced.
        kwargs: keyword arguments, likewise.
        ignored: names of parameters that do not count.
    """

    name: str
    module: str
    function: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    ignored: frozenset[str] = frozenset()


@attrs.frozen
class MemoKey:
    """
    Identity of a memoized call.

    Attributes:
        digest: what is compared.
        parts: digest of each named part (``"app"``, ``"arg x"``), to explain a miss.
    """

    digest: str
    parts: Mapping[str, str] = attrs.field(factory=dict, eq=False, hash=False)


@attrs.frozen
class MemoItem:
    """
    A remembered end of a call: a value or an error.

    Attributes:
        value: the result.
        error: the exception, or None; kept within a run only.
    """

    value: Any = None
    error: BaseException | None = None


class MemoHost(Protocol):
    """
    What a memo store may ask of its kernel.

    Attributes:
        run: the run that it belongs to.
    """

    run: RunInfo


@runtime_checkable
class Memo(Protocol):
    """
    A description of a memo store: frozen, cheap; its fields are its options.
    """

    def start(self, host: MemoHost) -> RunningMemo:
        """
        Open the store for one kernel.
        """
        ...


@runtime_checkable
class RunningMemo(Protocol):
    """
    An open store.  All calls but ``stop`` come from one thread of the kernel, and may block it.
    """

    def key(self, call: MemoCall) -> MemoKey:
        """
        Return the key of a call: equal for calls that must give the same result, in this process and the next.

        Arguments are bound to the function's signature, so that ``f(1)``, ``f(x=1)`` and defaults agree.  Ignored names that the
        call lacks do no harm.

        Raises:
            UnhashableArgumentError: an argument has no stable identity; names it.
        """
        ...

    def get(self, keys: Sequence[MemoKey]) -> Mapping[MemoKey, MemoItem]:
        """
        Return what is remembered of these keys; unknown ones are left out.
        """
        ...

    def put(self, items: Mapping[MemoKey, MemoItem]) -> None:
        """
        Remember; when this returns, the items are as durable as the store's mode says.  A later item replaces an earlier one.
        """
        ...

    def checkpoint(self) -> int:
        """
        Write what is not yet written, and return how many items that were.
        """
        ...

    def stop(self) -> None:
        """
        Write and close; may be called several times.
        """
        ...

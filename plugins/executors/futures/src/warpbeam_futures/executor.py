"""
The description of a foreign pool.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

import attrs
from warpbeam.contracts import ConfigurationError

from warpbeam_futures import foreign


if TYPE_CHECKING:
    from warpbeam.contracts import ExecutorHost, Resources

    from warpbeam_futures.pool import FuturesPool


def _optional_count(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ConfigurationError(f"FuturesExecutor({attribute.name}={value!r}) must be a whole number of at least 1, or None")


def _optional_factory(_instance: object, _attribute: attrs.Attribute[Any], value: Any) -> None:
    if isinstance(value, Executor):
        raise ConfigurationError(
            f"FuturesExecutor(factory={value!r}) is a pool; give it as executor=, or a function that makes one"
        )
    if value is not None and not callable(value):
        raise ConfigurationError(
            f"FuturesExecutor(factory={value!r}) must be a function that returns a concurrent.futures.Executor"
        )


def _optional_pool(_instance: object, _attribute: attrs.Attribute[Any], value: Any) -> None:
    if isinstance(value, type):
        message = f"FuturesExecutor(executor={value.__name__}) is a class; give an object of it, or give it as factory="
        raise ConfigurationError(message)
    if value is not None and not callable(getattr(value, "submit", None)):
        raise ConfigurationError(f"FuturesExecutor(executor={value!r}) must be a concurrent.futures.Executor; it has no submit")


@attrs.frozen(kw_only=True)
class FuturesExecutor:
    """
    Runs tasks on a `concurrent.futures.Executor` of any make.  Takes exactly one of ``factory`` and ``executor``.

    Args:
        factory: a function without arguments that returns a new pool.  It is called when the first task comes, and again when the
            pool has broken.  What it returns is ended with the run.
        executor: a pool of yours, which is never shut down here.  When it breaks, this executor is dead.
        label: name in the kernel.
        max_workers: how many tasks the pool runs at once, so how many it is given; None asks the pool.
        local: whether its workers are threads of this process, for which nothing is serialized; None finds it out for the thread
            pools of the standard library, and serializes for all others.
        storage_access: stagers for this executor, in place of the configuration's.
        working_dir: where staged files go.

    Raises:
        ConfigurationError: an option is wrong.
    """

    factory: Callable[[], Executor] | None = attrs.field(default=None, validator=_optional_factory)
    executor: Executor | None = attrs.field(default=None, validator=_optional_pool)
    label: str = "futures"
    max_workers: int | None = attrs.field(default=None, validator=_optional_count)
    local: bool | None = None
    storage_access: Any = None
    working_dir: str | None = None

    def __attrs_post_init__(self) -> None:
        if (self.factory is None) == (self.executor is None):
            how = "neither" if self.factory is None else "both"
            raise ConfigurationError(
                f"FuturesExecutor(factory=, executor=): give one of them, not {how}: a function that makes a pool, or a pool"
            )

    @property
    def is_local(self) -> bool:
        """
        Whether tasks run in threads of this process.
        """
        if self.local is not None:
            return self.local
        made = self.factory.func if isinstance(self.factory, functools.partial) else self.factory
        return foreign.has_threads(made if made is not None else type(self.executor))

    @property
    def capabilities(self) -> frozenset[str]:
        """
        What it can do.
        """
        return frozenset({"priority", "resources:priority", "local" if self.is_local else "ships_code"})

    def refuse(self, resources: Resources, walltime: float | None) -> str | None:
        """
        Refuse nothing beyond what the capabilities do.
        """
        del resources, walltime
        return None

    def start(self, host: ExecutorHost) -> FuturesPool:
        """
        Return the running pool; the factory is called when the first task comes.
        """
        from warpbeam_futures.pool import FuturesPool

        return FuturesPool(self, host)

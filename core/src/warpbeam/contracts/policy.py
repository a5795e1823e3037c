"""
What decides: retry policies and dependency resolvers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import attrs


if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from warpbeam.contracts.records import LossCause, OutcomeKind, TaskInfo
    from warpbeam.contracts.resources import Resources


@attrs.frozen(kw_only=True)
class Failure:
    """
    A failed try, as a retry policy sees it.

    Attributes:
        task: the task, with its history.
        kind: how the try ended.
        cause: for ``LOST``.
        error: the exception.
        would_retry: what the kernel would do by ``retries`` and ``lost_retries``.
    """

    task: TaskInfo
    kind: OutcomeKind
    cause: LossCause | None
    error: BaseException
    would_retry: bool


@attrs.frozen(kw_only=True)
class Retry:
    """
    Try again.

    Attributes:
        delay_s: after so many seconds.
        resources: with these resources, if not None.
        executor: on the executor of this label, if not None.
        kwargs: with these keyword arguments changed.
    """

    delay_s: float = 0.0
    resources: Resources | None = None
    executor: str | None = None
    kwargs: dict[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Fail:
    """
    Do not try again.

    Attributes:
        error: fail with this exception instead, if not None.
    """

    error: BaseException | None = None


@runtime_checkable
class RetryPolicy(Protocol):
    """
    Decides about failed tries; named in ``Config(retry_policy=)`` or made by the hook ``warpbeam_make_retry_policy``.
    """

    def decide(self, failure: Failure, /) -> Retry | Fail | None:
        """
        Return what to do; None leaves it to ``retries`` and ``lost_retries``.

        Called in whatever thread delivers the outcome, one failure at a time; must return promptly.  If it raises, the task fails
        with that exception.  Never asked about dependency failures, errors of the call itself and cancelled tasks.
        """
        ...


@runtime_checkable
class DependencyResolver(Protocol):
    """
    Finds the futures in an argument, and replaces them by their results.
    """

    def gather(self, value: Any, found: Callable[[Future[Any]], None], /) -> bool:
        """
        Call ``found`` for each future inside the value; return whether there was any.
        """
        ...

    def replace(self, value: Any, result: Callable[[Future[Any]], Any], /) -> Any:
        """
        Return the value with each future replaced by ``result(future)``; the value itself is not changed.
        """
        ...

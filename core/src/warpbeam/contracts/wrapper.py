"""
What wraps tasks on the worker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol


if TYPE_CHECKING:
    from collections.abc import Callable


class TaskWrapper(Protocol):
    """
    A callable that runs round each task, on the worker.

    Runs on the worker: it is a function or a frozen object of a module that imports no more than `warpbeam.remote` and its own
    requirements, and it can be pickled by reference.
    """

    def __call__(self, call: Callable[[], Any], /) -> Any:
        """
        Run ``call()`` and return what it returns; what it raises goes through.
        """
        ...

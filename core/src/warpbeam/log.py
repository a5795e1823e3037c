"""
Loggers of warpbeam: structlog round the standard library's loggers.

Nothing is configured: what is shown, where and how, is the application's business, by the logger ``warpbeam`` and its children.  Keys
that are given with an event become attributes of the record.  structlog is imported with the first event, since it takes long.
"""

from __future__ import annotations

import logging
from typing import Any


class Logger:
    """
    A structlog logger made when it is first used; no event of warpbeam is on the path of a task.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._made: Any = None

    def __getattr__(self, method: str) -> Any:
        """
        Return a method of the structlog logger.
        """
        if self._made is None:
            self._made = _make(self._name)
        return getattr(self._made, method)


def _make(name: str) -> Any:
    import structlog

    processors: list[Any] = [
        structlog.stdlib.filter_by_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.render_to_log_kwargs,
    ]
    return structlog.wrap_logger(
        logging.getLogger(name), processors=processors, wrapper_class=structlog.stdlib.BoundLogger
    ).bind()


def logger(name: str) -> Logger:
    """
    Return a logger with structlog's interface that hands records to the standard logger of that name.
    """
    return Logger(name)

"""
Loggers of warpbeam: structlog round the standard library's loggers.

Nothing is configured: what is shown, where and how, is the application's business, by the logger ``warpbeam`` and its children.  Keys
that are given with an event become attributes of the record.
"""

from __future__ import annotations

import logging
from typing import Any

import structlog


def logger(name: str) -> Any:
    """
    Return a logger with structlog's interface that hands records to the standard logger of that name.
    """
    processors: list[Any] = [
        structlog.stdlib.filter_by_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.render_to_log_kwargs,
    ]
    return structlog.wrap_logger(
        logging.getLogger(name), processors=processors, wrapper_class=structlog.stdlib.BoundLogger
    ).bind()

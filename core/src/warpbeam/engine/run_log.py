"""
The log of a run, ``warpbeam.log`` in its directory: what it is made of, what became of its executors, and every warning.

The application's logging is left as it is: no level is changed, nothing is shown.  The life of the run is written to the file alone;
of what warpbeam and its plugins log, the file gets what the application lets through (warnings, unless it says otherwise).  Nothing is
written for a task.
"""

from __future__ import annotations

import logging
import os
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from warpbeam.contracts import RunInfo, RunSummary

NAME = "warpbeam.log"
"""Name of the file."""

FORMAT = "%(asctime)s %(levelname)s %(name)s [%(threadName)s] %(message)s"


class NoLog:
    """
    No log, as ``initialize_logging=False`` wants it.
    """

    def info(self, message: str, *arguments: object) -> None:
        """
        Write nothing.
        """

    def close(self, summary: RunSummary) -> None:
        """
        Do nothing.
        """


class _File(logging.FileHandler):
    """
    Writes the file, and shows what the standard library would show if there were no file: warnings of unconfigured programs.
    """

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        last = logging.lastResort
        if last is not None and record.levelno >= last.level and self._is_alone():
            last.handle(record)

    def _is_alone(self) -> bool:
        handlers = [*logging.getLogger("warpbeam").handlers, *logging.getLogger().handlers]
        return handlers[:1] == [self] and all(isinstance(handler, _File) for handler in handlers)


class RunLog(NoLog):
    """
    The file; its first lines say what runs, so that a log explains itself.
    """

    def __init__(self, run: RunInfo) -> None:
        self._handler = _File(run.directory / NAME, encoding="utf-8")
        self._handler.setFormatter(logging.Formatter(FORMAT))
        self._own = logging.Logger("warpbeam.run", logging.INFO)  # noqa: LOG001  (of no hierarchy, so that nothing of it is shown)
        self._own.addHandler(self._handler)
        logging.getLogger("warpbeam").addHandler(self._handler)
        self.info(
            "warpbeam %s, Python %s on %s, pid %d",
            version("warpbeam-core"),
            platform.python_version(),
            platform.node(),
            os.getpid(),
        )
        self.info("run %s of %s in %s", run.run_id, run.name, run.directory)
        self.info("%r", run.config)

    def info(self, message: str, *arguments: object) -> None:
        """
        Write a line.
        """
        self._own.info(message, *arguments)

    def close(self, summary: RunSummary) -> None:
        """
        Write how the run ended, and close the file.
        """
        counts = ", ".join(f"{number} {state.name}" for state, number in sorted(summary.counts.items())) or "no tasks"
        self.info("the run has ended after %.3f s: %s", summary.duration_s, counts)
        for logger in (logging.getLogger("warpbeam"), self._own):
            logger.removeHandler(self._handler)  # it would open the file again
        self._handler.close()

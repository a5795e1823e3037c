"""
Small helpers that configurations use.
"""

from __future__ import annotations

import os


def get_version() -> str:
    """
    Return the version of warpbeam-core.
    """
    from importlib.metadata import version

    return version("warpbeam-core")


def wtime_to_minutes(time_string: str) -> int:
    """
    Return the minutes in a walltime written ``HH:MM:SS``, rounded up.

    Raises:
        ValueError: it is not of that form.

    >>> wtime_to_minutes("01:30:00"), wtime_to_minutes("00:00:01")
    (90, 1)
    """
    try:
        hours, minutes, seconds = map(int, time_string.split(":"))
    except (AttributeError, ValueError):
        raise ValueError(f"{time_string!r} is no walltime; write HH:MM:SS, such as '01:30:00'") from None
    return hours * 60 + minutes + (seconds > 0) + max(seconds - 1, 0) // 60


def get_all_checkpoints(rundir: str = "runinfo") -> list[str]:
    """
    Return the checkpoint directories of all runs, sorted by name.
    """
    if not os.path.isdir(rundir):
        return []
    found = [os.path.join(rundir, name, "checkpoint") for name in sorted(os.listdir(rundir))]
    return [path for path in found if os.path.isdir(path)]


def get_last_checkpoint(rundir: str = "runinfo") -> list[str]:
    """
    Return the checkpoint directory of the last run that has one, by number, as a list of one or no element.
    """
    numbered = [path for path in get_all_checkpoints(rundir) if _run_name(path).isdigit()]
    return sorted(numbered, key=lambda path: int(_run_name(path)))[-1:]


def _run_name(checkpoint: str) -> str:
    return os.path.basename(os.path.dirname(checkpoint))

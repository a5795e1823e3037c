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
    Return the checkpoint directories of all runs, as absolute paths, in the order of the runs' numbers; other names come last.
    """
    if not os.path.isdir(rundir):
        return []
    found = [os.path.abspath(os.path.join(rundir, name, "checkpoint")) for name in sorted(os.listdir(rundir), key=_run_order)]
    return [path for path in found if os.path.isdir(path)]


def get_last_checkpoint(rundir: str = "runinfo") -> list[str]:
    """
    Return the checkpoint directory of the last run that has one, by number, as a list of one or no element.
    """
    return [path for path in get_all_checkpoints(rundir) if os.path.basename(os.path.dirname(path)).isdecimal()][-1:]


def _run_order(name: str) -> tuple[bool, int, str]:
    return not name.isdecimal(), int(name) if name.isdecimal() else 0, name

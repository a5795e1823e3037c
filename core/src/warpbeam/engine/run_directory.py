"""
The run's own directory.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path


def make(parent: Path, *, naming: str) -> Path:
    """
    Make and return the directory of a run: ``parent/000``, ``001``, ... by number, or ``parent`` itself if naming is "exact".

    Raises:
        OSError: it cannot be made.
    """
    parent = parent.absolute()
    if naming == "exact":
        parent.mkdir(parents=True, exist_ok=True)
        return parent
    parent.mkdir(parents=True, exist_ok=True)
    number = 1 + max((int(path.name) for path in parent.iterdir() if re.fullmatch("[0-9]+", path.name)), default=-1)
    while True:
        directory = parent / f"{number:03}"
        try:
            directory.mkdir()
        except FileExistsError:  # another run was faster
            number += 1
        else:
            return directory


def workflow_name() -> str:
    """
    Return the name of the user's script, or "unnamed" where there is none (a REPL, ``python -c``).
    """
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    return Path(path).name if path else "unnamed"

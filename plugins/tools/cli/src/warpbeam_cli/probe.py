"""
Imports one plugin in this process and prints the seconds that it takes: ``python -m warpbeam_cli.probe KIND NAME``.
"""

from __future__ import annotations

import sys
import time

from warpbeam import contracts, registry


def main(kind: str, name: str) -> float:
    """
    Return the seconds that importing a plugin takes, beyond `warpbeam.contracts`, which every plugin imports.
    """
    registry.names(kind)  # reading the entry points is not its cost either
    begin = time.perf_counter()
    try:
        registry.find(kind, name)
    except contracts.PluginError as error:
        sys.exit(str(error))
    return time.perf_counter() - begin


if __name__ == "__main__":
    sys.stdout.write(f"{main(sys.argv[1], sys.argv[2])}\n")

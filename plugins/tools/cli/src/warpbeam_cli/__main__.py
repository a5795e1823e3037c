"""
``python -m warpbeam_cli`` is the ``warpbeam`` command.
"""

from __future__ import annotations

from warpbeam_cli.main import main


if __name__ == "__main__":
    main()

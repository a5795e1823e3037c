"""
The code blocks of the manual and of every README run as they stand.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest


ROOT = Path(__file__).resolve().parents[2]
NEEDS_ITS_COMMAND = {"plugins/tools/cli/README.md"}
"""Pages whose blocks are run by a command of theirs, in the tests of their package."""

PAGES = sorted(
    page
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("plugins/**/README.md")]
    if "_build" not in page.parts and str(page.relative_to(ROOT)) not in NEEDS_ITS_COMMAND
)
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, block in enumerate(BLOCK.findall(page.read_text()))
]


class TestDocuments:
    def test_there_are_blocks(self):
        """The pattern still finds something."""
        assert len(BLOCKS) > 5

    @pytest.mark.parametrize("block", BLOCKS)
    def test_a_block_runs(self, block, tmp_path):
        """In a process and a directory of its own; what comments say is printed is printed."""
        path = tmp_path / "block.py"
        path.write_text(block)
        ended = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=50, check=False)
        assert ended.returncode == 0, ended.stderr
        expected = re.findall(r"print\(.*\)  # (.+?)(?:[:;]|$)", block, re.MULTILINE)
        printed = ended.stdout.splitlines()
        assert all(line in printed for line in expected), (expected, printed)

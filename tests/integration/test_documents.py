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


NAMED = re.compile(r"`((?:docs|examples|plugins|tests|tools|core|bundle)/[\w./-]*)`")
LINKED = re.compile(r"\]\((?!https?:)([^)#]+)")


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

    @pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
    def test_what_a_page_refers_to_exists(self, page):
        """Files and folders that it names from the top of the repository, and pages that it links to."""
        text = page.read_text()
        named = [ROOT / path for path in NAMED.findall(text)] if page.parent == ROOT else []
        linked = [page.parent / link for link in LINKED.findall(text)]
        assert [str(path) for path in [*named, *linked] if not path.exists()] == []

    def test_the_index_leads_to_every_page(self):
        """Each page of the manual stands in a table of contents."""
        pages = [page for page in PAGES if (ROOT / "docs") in page.parents]
        entries = [
            (page.parent / f"{entry}.md")
            for page in pages
            for block in re.findall(r"^```\{toctree\}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
            for entry in re.findall(r"^(\w[\w/-]*)$", block, re.MULTILINE)
        ]
        assert sorted([*entries, ROOT / "docs/index.md"]) == sorted(pages)

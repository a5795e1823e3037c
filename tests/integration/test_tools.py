"""
The scripts and checks that keep the workspace in order.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


ROOT = Path(__file__).resolve().parents[2]

ROWS = """
[[area]]
title = "Things"

[area.rows]
A-01 = "One."
A-02 = "Two."
A-03 = { text = "Three.", reason = "nobody wants it" }
A-04 = "Four."
"""
MARKED = """
import pytest

pytestmark = pytest.mark.row("A-04")

@pytest.mark.row("A-01")
class TestThing:
    @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.row("A-02"))])
    def test_it(self, x):
        pass
"""
LEAVES = """
import socket, subprocess, threading

KEPT = []
ENDED = threading.Event()

def test_thread():
    threading.Thread(target=ENDED.wait, args=(3,), daemon=True).start()

def test_process():
    KEPT.append(subprocess.Popen(["sleep", "3"]))

def test_socket():
    KEPT.append(socket.socket())

def test_nothing():
    assert threading.active_count()
"""


@pytest.fixture(name="workspace")
def _workspace(tmp_path):
    for folder in ("tools", "docs/reference", "core/tests", "plugins", "tests"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(ROOT / "tools/rows", tmp_path / "tools/rows")
    (tmp_path / "docs/reference/rows.toml").write_text(ROWS)
    (tmp_path / "core/tests/test_thing.py").write_text(MARKED)
    return tmp_path


def rows(workspace, *options):
    command = [sys.executable, str(workspace / "tools/rows"), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


class TestRows:
    def test_lists_every_mark(self, workspace):
        """Marks of modules, classes, functions and parameters count; a reason stands in their place."""
        assert rows(workspace).returncode == 0
        page = (workspace / "docs/reference/rows.md").read_text()
        test = "`core/tests/test_thing.py::TestThing::test_it`"
        assert f"| A-01 | One. | {test} |" in page
        assert f"| A-02 | Two. | {test} |" in page
        assert "| A-03 | Three. | *Not built*: nobody wants it |" in page
        assert f"| A-04 | Four. | {test} |" in page
        assert rows(workspace, "--check").returncode == 0

    def test_names_a_row_without_proof(self, workspace):
        """It fails, unless rows may wait for their tests."""
        (workspace / "core/tests/test_thing.py").write_text("")
        rows(workspace)
        checked = rows(workspace, "--check")
        assert (checked.returncode, checked.stdout) == (1, "3 rows have neither test nor reason: A-01 A-02 A-04\n")
        assert rows(workspace, "--check", "--allow-missing").returncode == 0

    def test_names_an_unknown_row(self, workspace):
        """A mark that no row has is an error."""
        (workspace / "core/tests/test_more.py").write_text("import pytest\n@pytest.mark.row('B-01')\ndef test_b(): pass\n")
        rows(workspace)
        assert "core/tests/test_more.py::test_b marks B-01" in rows(workspace, "--check").stdout

    def test_notices_an_old_page(self, workspace):
        """The page has to be written again when tests change."""
        rows(workspace)
        (workspace / "core/tests/test_more.py").write_text("import pytest\n@pytest.mark.row('A-01')\ndef test_a(): pass\n")
        assert "out of date" in rows(workspace, "--check").stdout


class TestLeakChecks:
    def test_name_what_is_left(self, tmp_path):
        """A test that leaves a thread, a process or a socket fails; another does not."""
        text = (ROOT / "conftest.py").read_text()
        assert "PATIENCE_S = 5.0" in text
        (tmp_path / "conftest.py").write_text(text.replace("PATIENCE_S = 5.0", "PATIENCE_S = 0.05"))
        (tmp_path / "test_leaves.py").write_text(LEAVES)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:randomly",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(tmp_path),
        ]
        ended = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, timeout=50, check=False)
        assert "4 passed, 3 errors" in ended.stdout
        for what in ("threads", "processes", "sockets"):
            assert f"the test leaves behind: {{'{what}'" in ended.stdout


class TestPackages:
    def test_are_all_checked_for_their_imports(self):
        """The import contracts name every package of the workspace."""
        listed = subprocess.run([str(ROOT / "tools/packages")], capture_output=True, text=True, timeout=30, check=True)
        contracts = (ROOT / "pyproject.toml").read_text()
        names = [path.name for package in listed.stdout.split() for path in (ROOT / package / "src").glob("*/")]
        assert len(names) > 8
        assert [name for name in names if f'"{name}"' not in contracts] == []


class TestDocuments:
    @pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "GOVERNANCE.md", "SECURITY.md"])
    def test_name_paths_that_exist(self, page):
        """What looks like a path of this repository is one."""
        paths = re.findall(r"`((?:core|bundle|plugins|tests|docs|examples|tools|\.ci)/[\w./-]*)`", (ROOT / page).read_text())
        assert [path for path in paths if not (ROOT / path).exists()] == []

    def test_name_targets_that_exist(self):
        """Each `make` command of the documents is a target."""
        text = (ROOT / "README.md").read_text() + (ROOT / "CONTRIBUTING.md").read_text()
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        named = set(re.findall(r"(?:`|    )make ([a-z-]+)", text))
        assert len(named) > 8
        assert named - set(targets) == set()

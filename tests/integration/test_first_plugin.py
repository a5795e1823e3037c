"""
The page on a first executor plugin: its files, as they are printed, make a plugin that passes the kit.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/how-to/first-executor.md"
BLOCK = re.compile(r"^```\{code-block\} (\w+)\n:caption: (\S+)\n\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MOST_LINES = 60


def files():
    """
    Return the language and the text of each file of the page, by its name.
    """
    return {name: (language, text) for language, name, text in BLOCK.findall(PAGE.read_text())}


def run(*command, cwd):
    """
    Run a command that knows nothing of this environment, and return what it prints.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "VIRTUAL_ENV"))}
    ended = subprocess.run([*map(str, command)], cwd=cwd, env=kept, capture_output=True, text=True, timeout=100, check=False)
    assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


class TestPage:
    def test_is_short(self):
        """Less than 60 lines of Python, all blocks together."""
        lines = [line for language, text in files().values() if language == "python" for line in text.splitlines()]
        assert 20 < len(lines) < MOST_LINES

    @pytest.mark.timeout(150)
    def test_makes_a_plugin_that_passes_the_kit(self, tmp_path):
        """From wheels alone: it is built, installed, tested, used, and listed."""
        plugin, wheels, uv = tmp_path / "plugin", tmp_path / "wheels", ROOT / "tools/uv"
        for name, (_, text) in files().items():
            path = plugin / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        run(ROOT / "tools/wheels", wheels, cwd=tmp_path)
        run(uv, "build", "--quiet", "--no-sources", "--wheel", "--out-dir", tmp_path / "dist", plugin, cwd=tmp_path)
        (wheel,) = (tmp_path / "dist").glob("*.whl")
        run(uv, "venv", "--quiet", "--no-project", "--python", sys.executable, tmp_path / "venv", cwd=tmp_path)
        python = tmp_path / "venv/bin/python"

        def install(*names):
            ours = ("--no-sources", "--python", python, "--overrides", wheels / "ours.txt")
            run(uv, "pip", "install", "--quiet", *ours, *names, cwd=tmp_path)

        install(wheel, "warpbeam-testing", "pytest")
        assert str(ROOT) not in run(python, "-c", "import sys, warpbeam; print(sys.path, warpbeam.__file__)", cwd=tmp_path)
        report = run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", cwd=plugin)
        assert re.search(r"^\d\d passed, \d+ skipped in", report, re.MULTILINE), report
        assert run(python, "program.py", cwd=plugin) == "81\n"
        install("warpbeam-cli")
        listed = run(tmp_path / "venv/bin/warpbeam", "plugins", cwd=tmp_path)
        assert re.search(r"polite.*executor.*0\.1\.0.*warpbeam-polite", listed), listed

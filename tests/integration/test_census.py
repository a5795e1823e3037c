"""
The census example counts exactly the files there are.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


ROOT = Path(__file__).resolve().parents[2]


class TestCensus:
    @pytest.mark.parametrize("executor", ["processes", "threads"])
    def test_the_total_is_that_of_find(self, tmp_path, executor):
        """For a folder made here, with the files that cannot work; each of these is a row with its reason."""
        folder = tmp_path / "sources"
        for number in range(12):
            place = folder / f"package{number % 3}"
            place.mkdir(parents=True, exist_ok=True)
            (place / f"module{number}.py").write_text(f"def function{number}(x):\n    return x if x else {number}\n")
        (folder / "package0" / "note.txt").write_text("not counted")
        folders = [str(folder), str(ROOT / "examples" / "data" / "broken")]
        found = subprocess.run(["find", *folders, "-name", "*.py"], capture_output=True, text=True, check=True)
        total = len(found.stdout.splitlines())
        command = [sys.executable, str(ROOT / "examples" / "source_census.py"), "--executor", executor, *folders]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=55, check=False, cwd=tmp_path)
        assert ended.returncode == 0, ended.stderr
        assert f"{total} source files in " in ended.stdout.splitlines()[-1]
        assert f"{total - 5} files counted, 5 not, {total} in all" in ended.stdout
        for name in ("bad_encoding", "syntax_error", "empty", "unreadable", "kills_its_worker"):
            assert f"{name}.py: " in ended.stdout

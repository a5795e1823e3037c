"""
What `pip install warpbeam` gives.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib.metadata import distribution, requires

import pytest
import warpbeam


@warpbeam.python_app
def double(x):
    return 2 * x


class TestBundle:
    def test_holds_no_code(self):
        """Its files are metadata only."""
        files = [str(path) for path in distribution("warpbeam").files or () if "dist-info" not in str(path)]
        assert [path for path in files if not path.endswith(".pth")] == []

    def test_what_it_names_is_installed(self):
        """Each requirement of the bundle is a distribution of ours, and there."""
        names = [re.split(r"[<>=]", requirement)[0] for requirement in requires("warpbeam") or ()]
        assert len(names) > 5
        assert all(name.startswith("warpbeam-") for name in names)
        assert {distribution(name).version for name in names} == {"0.1.0"}

    @pytest.mark.row("CFG-01")
    def test_runs_without_configuration(self):
        """The default executor is one that the bundle brings."""
        with warpbeam.load() as kernel:
            assert double(21).result(timeout=30) == 42
            assert list(kernel.executors) == ["processes"]

    def test_brings_the_command(self):
        """`warpbeam` is on the path of the environment."""
        command = shutil.which("warpbeam", path=str(distribution("warpbeam-cli").locate_file("../../../bin")))
        listed = subprocess.run([str(command), "plugins"], capture_output=True, text=True, timeout=30, check=True)
        assert "processes" in listed.stdout

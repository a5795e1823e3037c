"""
The page for Parsl's users names what is not built, with reasons that hold.
"""

from __future__ import annotations

import re
import threading
import tomllib
from pathlib import Path

import pytest
import warpbeam
from warpbeam import Config, join_app, python_app
from warpbeam.errors import ConfigurationError


DOCS = Path(__file__).resolve().parents[2] / "docs"
NOT_BUILT = {"CFG-06", "CFG-15", "CFG-16", "CFG-20", "JOIN-07", "USE-01", "USE-02", "USE-03"}


def reasons():
    """
    Return what the page says of each row, by its id.
    """
    lines = re.findall(r"^\| ((?:[A-Z]+-\d+(?:, )?)+) \| (.+) \| (.+) \|$", (DOCS / "migration.md").read_text(), re.MULTILINE)
    return {row: reason for rows, _, reason in lines for row in rows.split(", ")}


@python_app
def same(x):
    return x


class TestMigration:
    def test_each_row_that_is_not_built_has_its_reason(self):
        """On the page, and in the list of rows."""
        listed = tomllib.loads((DOCS / "reference/rows.toml").read_text())["area"]
        rows = {row: entry for area in listed for row, entry in area["rows"].items()}
        assert reasons().keys() == NOT_BUILT
        assert all(len(reason) > 20 for reason in reasons().values())
        assert all("reason" in rows[row] for row in NOT_BUILT)

    @pytest.mark.parametrize("option", ["usage_tracking", "project_name"])
    def test_usage_tracking_is_refused_with_the_reason(self, option):
        """The option is named, and so is why there is none."""
        with pytest.raises(ConfigurationError, match=rf"{option}=.*never reports anything"):
            Config(**{option: 1})
        assert not hasattr(Config(), "get_usage_information")

    def test_the_size_of_the_internal_pool_has_no_effect(self):
        """More bodies of join apps wait at once than it has threads, and all end."""
        met = threading.Barrier(3, timeout=20)

        @join_app
        def meet(x):
            met.wait()
            return same(x)

        with warpbeam.load(executors=["threads"], internal_tasks_max_threads=1):
            assert [future.result(20) for future in [meet(number) for number in range(3)]] == [0, 1, 2]

    def test_names_of_the_page_exist(self):
        """What the page writes as a name of warpbeam's can be imported."""
        names = set(re.findall(r"warpbeam\.(\w+)\b(?!\.)(?=[(`])", (DOCS / "migration.md").read_text()))
        assert {"load", "clear", "current_kernel", "Kernel"} <= names
        assert all(hasattr(warpbeam, name) for name in names)

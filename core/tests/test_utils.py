"""
Small helpers that configurations use.
"""

from __future__ import annotations

from importlib.metadata import version

import pytest
import warpbeam
from warpbeam import utils


@pytest.fixture(name="runs")
def _runs(tmp_path):
    """
    Directories of runs, some with checkpoints, past the number where names sort wrongly.
    """
    for name in ("000", "002", "999", "1000", "note"):
        (tmp_path / "runinfo" / name / "checkpoint").mkdir(parents=True)
    for name in ("001", "1001"):
        (tmp_path / "runinfo" / name).mkdir()
    (tmp_path / "runinfo" / "file").write_text("")
    return tmp_path / "runinfo"


@pytest.mark.row("UTL-03")
class TestVersion:
    def test_it_is_the_cores(self):
        """The version of the distribution, which the root shows as well."""
        assert utils.get_version() == version("warpbeam-core") == warpbeam.__version__


@pytest.mark.row("UTL-03")
class TestWalltimes:
    @pytest.mark.parametrize(
        ("text", "minutes"),
        [("01:30:00", 90), ("00:00:00", 0), ("00:00:01", 1), ("00:01:00", 1), ("00:01:59", 2), ("100:00:00", 6000), ("0:5:0", 5)],
    )
    def test_in_minutes(self, text, minutes):
        """Hours, minutes and seconds; a part of a minute is a whole one, so that no job is cut short."""
        assert utils.wtime_to_minutes(text) == minutes

    @pytest.mark.parametrize("wrong", ["", "90", "1:30", "1:2:3:4", "a:b:c", None, 90])
    def test_other_forms_are_refused(self, wrong):
        """The error shows what was given and what is right."""
        with pytest.raises(ValueError, match=r"is no walltime; write HH:MM:SS"):
            utils.wtime_to_minutes(wrong)


@pytest.mark.row("UTL-03")
class TestCheckpoints:
    def test_all(self, runs):
        """Absolute paths in the order of the runs' numbers; runs without a checkpoint are left out."""
        expected = [str(runs / name / "checkpoint") for name in ("000", "002", "999", "1000", "note")]
        assert utils.get_all_checkpoints(str(runs)) == expected
        assert utils.get_all_checkpoints() == expected

    def test_the_last(self, runs):
        """That of the highest number that has one."""
        assert utils.get_last_checkpoint() == [str(runs / "1000" / "checkpoint")]

    def test_none(self, tmp_path):
        """Empty lists, also where there is no such directory."""
        assert utils.get_all_checkpoints(str(tmp_path / "nowhere")) == []
        assert utils.get_last_checkpoint(str(tmp_path / "nowhere")) == []
        (tmp_path / "runinfo" / "000").mkdir(parents=True)
        assert utils.get_last_checkpoint() == []

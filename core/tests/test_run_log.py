"""
The log of a run.
"""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest
import warpbeam
from warpbeam import python_app
from warpbeam.contracts import Health


class TestRunLog:
    @pytest.mark.row("CFG-17")
    def test_explains_itself(self, manual_type, tmp_path):
        """It begins with version, run and configuration, and ends with what became of the tasks."""
        with warpbeam.load(executors=[manual_type()], run_dir=str(tmp_path), retries=7) as kernel:
            future = python_app(int)("1")
            kernel.executors["manual"].run_all()
            assert future.result() == 1
            kernel.executors["manual"].host.health(Health.DEGRADED, "one slot is lost")
        text = (kernel.run.directory / "warpbeam.log").read_text()
        for expected in (warpbeam.__version__, kernel.run.run_id, "retries=7", "is degraded: one slot is lost", "1 exec_done"):
            assert expected in text

    @pytest.mark.row("CFG-17")
    def test_may_be_left_out(self, manual_type, tmp_path):
        """initialize_logging=False writes no file."""
        with warpbeam.load(executors=[manual_type()], run_dir=str(tmp_path), initialize_logging=False) as kernel:
            pass
        assert not (kernel.run.directory / "warpbeam.log").exists()

    def test_warnings_are_in_the_log_of_the_run(self, manual_type, tmp_path):
        """What warpbeam warns of is in the file, and not after the end."""
        with warpbeam.load(executors=[manual_type()], run_dir=str(tmp_path)) as kernel:
            logging.getLogger("warpbeam.test").warning("look here")
        logging.getLogger("warpbeam.test").warning("too late")
        text = (kernel.run.directory / "warpbeam.log").read_text()
        assert "look here" in text
        assert "too late" not in text

    def test_the_applications_logging_is_left_alone(self, manual_type, tmp_path, capfd, caplog):
        """No level changes, nothing is printed, no handler stays, and no record of the log's own reaches the application."""
        logger = logging.getLogger("warpbeam")
        before = (logger.level, [*logger.handlers], logger.propagate, logging.getLogger().level)
        with caplog.at_level(logging.INFO, logger="other"), warpbeam.load(executors=[manual_type()], run_dir=str(tmp_path)):
            pass
        assert (logger.level, [*logger.handlers], logger.propagate, logging.getLogger().level) == before
        assert not caplog.records
        assert capfd.readouterr() == ("", "")

    def test_what_comes_too_late_is_not_written(self, manual_type, tmp_path):
        """An executor that speaks after the end does not open the file again."""
        with warpbeam.load(executors=[manual_type()], run_dir=str(tmp_path)) as kernel:
            host = kernel.executors["manual"].host
        host.health(Health.DEGRADED, "too late")
        assert "too late" not in (kernel.run.directory / "warpbeam.log").read_text()

    def test_warnings_of_unconfigured_programs_are_still_shown(self, tmp_path):
        """The file takes nothing away from stderr, also with two kernels; each warning is shown once."""
        program = """
import logging, warpbeam
from warpbeam_testing import SerialExecutor
with warpbeam.Kernel(warpbeam.Config(executors=[SerialExecutor()])), warpbeam.Kernel(warpbeam.Config(executors=[SerialExecutor()])):
    logging.getLogger("warpbeam.test").warning("look here")
    logging.getLogger("warpbeam.test").info("not here")
"""
        run = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=30
        )
        assert run.stderr == "look here\n"

    def test_a_kernel_that_cannot_start_closes_its_log(self, manual_type, tmp_path):
        """A failed start leaves no handler."""
        before = [*logging.getLogger("warpbeam").handlers]
        with pytest.raises(warpbeam.contracts.ConfigurationError):
            warpbeam.load(executors=[manual_type(), manual_type()], run_dir=str(tmp_path))
        assert logging.getLogger("warpbeam").handlers == before

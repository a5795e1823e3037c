"""
The contract of readers of configuration files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import warpbeam
from warpbeam.contracts import ConfigReader, ConfigurationError

from warpbeam_testing.contract import Contract, says
from warpbeam_testing.serial import SerialExecutor


if TYPE_CHECKING:
    from collections.abc import Mapping


class ConfigReaderContract(Contract):
    """
    Every sentence of `warpbeam.contracts.ConfigReader`, as tests.

    A subclass gives ``reader``, and the texts of files as class attributes.
    """

    suffix: str
    """What the files' names end with, with the dot."""
    valid: str
    """A file that sets ``retries`` to 3 and no other option."""
    several_problems: str
    """A file in which ``retries`` has the wrong type and ``retrys`` is no option."""
    broken: str
    """What is no file of this format."""

    @pytest.fixture
    def reader(self) -> ConfigReader:
        """
        Return a reader; to be given by the subclass.
        """
        raise NotImplementedError(f"{type(self).__name__} lacks the fixture `reader`")

    def read(self, reader: ConfigReader, directory: Path, text: str) -> Mapping[str, object]:
        """
        Write a file of the text, and read it.
        """
        path = directory / f"some{self.suffix}"
        path.write_text(text)
        return reader.read(path)

    @says("read: Return the keyword arguments of `warpbeam.Config` that the file gives, components as descriptions.")
    def test_options_are_read(self, reader: ConfigReader, tmp_path: Path) -> None:
        """What the file says, and no more, is what a Config is made of."""
        assert isinstance(reader, ConfigReader)
        options = self.read(reader, tmp_path, self.valid)
        assert dict(options) == {"retries": 3}
        assert warpbeam.Config(**options).retries == 3

    @says("read: Called in the thread that calls ``warpbeam.load``.")
    def test_load_reads_the_file(self, tmp_path: Path) -> None:
        """``warpbeam.load`` finds the reader by the file's suffix."""
        path = tmp_path / f"some{self.suffix}"
        path.write_text(self.valid)
        with warpbeam.load(path, executors=[SerialExecutor()], run_dir=str(tmp_path / "runs")) as kernel:
            assert kernel.config.retries == 3

    def test_each_problem_has_its_line(self, reader: ConfigReader, tmp_path: Path) -> None:
        """All problems are told at once, each with file, key and, for a misspelling, the right word."""
        with pytest.raises(ConfigurationError) as caught:
            self.read(reader, tmp_path, self.several_problems)
        lines = str(caught.value).splitlines()
        assert len([line for line in lines if f"some{self.suffix}" in line]) >= 2
        assert any("retrys" in line and "retries" in line for line in lines)

    def test_a_broken_file_is_named(self, reader: ConfigReader, tmp_path: Path) -> None:
        """What cannot be read at all is a ConfigurationError with the file's name."""
        with pytest.raises(ConfigurationError, match=f"some{self.suffix}"):
            self.read(reader, tmp_path, self.broken)

    def test_a_missing_file_is_named(self, reader: ConfigReader, tmp_path: Path) -> None:
        """A file that is not there is a ConfigurationError with its name."""
        with pytest.raises(ConfigurationError, match="missing"):
            reader.read(tmp_path / f"missing{self.suffix}")

"""
The contract of configuration readers, on TOML.
"""

from __future__ import annotations

import pytest
from warpbeam_config import TomlReader
from warpbeam_testing import ConfigReaderContract


class TestTomlReader(ConfigReaderContract):
    suffix = ".toml"
    valid = "retries = 3"
    several_problems = 'retries = "three"\nretrys = 1'
    broken = "= = ="

    @pytest.fixture
    def reader(self):
        return TomlReader()

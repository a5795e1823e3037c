"""
The contract of plugins with hooks, on the command line's own.
"""

from __future__ import annotations

import pytest
import warpbeam_cli.hooks
from warpbeam_testing import HookContract


class TestCommandLine(HookContract):
    @pytest.fixture
    def plugin(self):
        return warpbeam_cli.hooks

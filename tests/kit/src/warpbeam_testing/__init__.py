"""
The conformance kit: what a plugin of warpbeam must do, as test classes, and the fakes that they need.
"""

from __future__ import annotations

import pytest


_WITH_ASSERTS = ("configfile", "contract", "executor", "executor_calls", "executor_ends", "hooks", "memo", "serializer", "trial")

pytest.register_assert_rewrite(*(f"{__name__}.{part}" for part in _WITH_ASSERTS))

# ruff: noqa: E402  (asserts are rewritten before the modules are imported)
from warpbeam_testing.configfile import ConfigReaderContract
from warpbeam_testing.contract import Contract, says
from warpbeam_testing.dict_memo import DictMemo
from warpbeam_testing.executor import ExecutorContract
from warpbeam_testing.hooks import HookContract
from warpbeam_testing.host import RecordingHost
from warpbeam_testing.memo import MemoContract
from warpbeam_testing.proxy import Proxy
from warpbeam_testing.serial import SerialExecutor
from warpbeam_testing.serializer import SerializerContract
from warpbeam_testing.trial import Trial


__all__ = [
    "ConfigReaderContract",
    "Contract",
    "DictMemo",
    "ExecutorContract",
    "HookContract",
    "MemoContract",
    "Proxy",
    "RecordingHost",
    "SerialExecutor",
    "SerializerContract",
    "Trial",
    "says",
]

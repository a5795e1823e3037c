"""
Objects, functions and exceptions as frames of bytes.
"""

from __future__ import annotations

from warpbeam_serializers.errors import dumps_error, loads_error
from warpbeam_serializers.functions import FunctionCache, LoadedFunctions
from warpbeam_serializers.library import Packed, dumps, loads, register
from warpbeam_serializers.methods import CloudpickleSerializer, DillSerializer, PickleSerializer


__all__ = [
    "CloudpickleSerializer",
    "DillSerializer",
    "FunctionCache",
    "LoadedFunctions",
    "Packed",
    "PickleSerializer",
    "dumps",
    "dumps_error",
    "loads",
    "loads_error",
    "register",
]

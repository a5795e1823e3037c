"""
Tables of a configuration file become descriptions of plugins.

A component is a name, or a table with ``type`` and the options of what it names.  Options are the fields of the description's attrs
class, of ours and of strangers alike.  Every problem is collected with its key path.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from typing import Any

import attrs
from cattrs import Converter, transform_error
from warpbeam import registry
from warpbeam.contracts import PluginError, WarpbeamError


Problems = list[str]


def _exactly(kind: type, value: Any, _: Any) -> Any:
    # cattrs would turn 3 into "3" and "no" into True.
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise TypeError(f"{value!r} is {type(value).__name__}, and must be {kind.__name__}")
    return value


@functools.cache
def converter() -> Converter:
    """
    Return what makes descriptions of tables.
    """
    made = Converter(forbid_extra_keys=True, detailed_validation=True, prefer_attrib_converters=True)
    for kind in (int, str, float, bool):
        made.register_structure_hook(kind, functools.partial(_exactly, kind))
    return made


def component(kind: str, value: Any, key: str, problems: Problems) -> Any:
    """
    Return what a name or a table means; a problem is noted and gives None.

    Args:
        kind: the kind of plugin.
        value: what the file says.
        key: its key path, for problems.
        problems: where problems are noted.
    """
    if isinstance(value, str):
        return _named(kind, value, key, problems)
    if not isinstance(value, Mapping):
        problems.append(f"{key}: {value!r} is {type(value).__name__}; give the name of a {kind}, or a table with type = ")
        return None
    options = dict(value)
    name = options.pop("type", None)
    if not isinstance(name, str):
        names = ", ".join(registry.names(kind)) or "none"
        problems.append(f"{key}.type: missing; name a {kind}, installed are {names}")
        return None
    description = _find(kind, name, f"{key}.type", problems)
    if description is None:
        return None
    if "label" in _fields(description) and name.islower():
        options.setdefault("label", name.rpartition(":")[2])
    return _structure(description, options, key, problems)


def _named(kind: str, name: str, key: str, problems: Problems) -> Any:
    return name if _find(kind, name, key, problems) is not None else None


def _find(kind: str, name: str, key: str, problems: Problems) -> Any:
    try:
        return registry.find(kind, name)
    except PluginError as error:
        problems.append(f"{key}: {error}")
        return None


def _fields(description: Any) -> list[str]:
    return [field.name for field in getattr(description, "__attrs_attrs__", ())]


def _structure(description: Any, options: dict[str, Any], key: str, problems: Problems) -> Any:
    known = _fields(description)
    unknown = [option for option in options if option not in known]
    for option in unknown:
        close = difflib.get_close_matches(option, known, 1)
        hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(known)}"
        problems.append(f"{key}.{option}: {description.__name__} has no such option; {hint}")
    try:
        if not attrs.has(description):
            return description(**options) if not unknown else None
        made = converter().structure({name: options[name] for name in options if name in known}, description)
    except Exception as error:
        problems.extend(_explained(error, key))
        return None
    return made if not unknown else None


def _explained(error: Exception, key: str) -> list[str]:
    if not hasattr(error, "exceptions"):
        return [f"{key}: {error}"]
    told = []
    for line in transform_error(error, path="", format_exception=_format):
        text, _, path = line.rpartition(" @ ")
        told.append(f"{key}{path}: {text}")
    return told


def _format(error: BaseException, kind: type | None) -> str:
    if isinstance(error, KeyError):
        return f"required option {error.args[0]} is missing"
    if isinstance(error, WarpbeamError | TypeError | ValueError):
        return str(error)
    return f"{error!r} (a {kind} is wanted)"

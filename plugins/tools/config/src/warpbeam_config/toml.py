"""
``warpbeam.toml``: the options of `warpbeam.Config` as keys, components as names or tables.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from warpbeam import Config
from warpbeam.contracts import ConfigurationError

from warpbeam_config.components import component


if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LISTS = {"executors": "executor"}
"""Options that hold components of a kind."""

SINGLES = {"memo": "memo", "memoizer": "memo"}
"""Options that are one component."""


class TomlReader:
    """
    Reads TOML files.
    """

    def read(self, path: Path) -> Mapping[str, Any]:
        """
        Return the keyword arguments of `warpbeam.Config` that a file gives.

        Raises:
            ConfigurationError: the file cannot be read, or something in it is wrong; one line for each problem, with file, key
                path, value and suggestion.
        """
        values = _parse(path)
        problems: list[str] = []
        options = {key: _option(key, value, problems) for key, value in values.items()}
        for key, value in options.items():
            if value is not None:
                _try(key, value, problems)
        if not problems:
            _try_all(options, problems)
        if problems:
            raise ConfigurationError("\n".join(f"{path}: {problem}" for problem in problems))
        return options


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: this is no TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: this is no UTF-8 text: {error}") from error
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from error


def _option(key: str, value: Any, problems: list[str]) -> Any:
    if key in SINGLES:
        return component(SINGLES[key], value, key, problems)
    if key in LISTS:
        items = value if isinstance(value, list) else [value]
        made = [component(LISTS[key], item, f"{key}[{index}]", problems) for index, item in enumerate(items)]
        return None if None in made else made
    return value


def _try(key: str, value: Any, problems: list[str]) -> None:
    try:
        Config(**{key: value})
    except ConfigurationError as error:
        problems.append(f"{key}: {error}")


def _try_all(options: dict[str, Any], problems: list[str]) -> None:
    try:
        Config(**options)
    except ConfigurationError as error:
        problems.append(str(error))

"""
Reading the configuration that ``--config`` names.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from warpbeam import Config, registry
from warpbeam.contracts import ConfigurationError


if TYPE_CHECKING:
    from collections.abc import Callable

option: Callable[[Any], Any] = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    help="Configuration file: .toml, .py, or another suffix that a plugin reads.",
)
"""The option ``--config FILE``."""


def read(path: Path) -> Config:
    """
    Return the configuration of a file.

    A Python file defines ``config`` or a function ``fresh_config``; other suffixes are read by plugins.

    Raises:
        ConfigurationError: the file is missing or wrong.
        PluginError: no plugin reads it.
    """
    if not path.is_file():
        raise ConfigurationError(f"there is no configuration file {str(path)!r} (looked for in {Path.cwd()})")
    if path.suffix == ".py":
        return _from_python(path)
    if not path.suffix:
        raise ConfigurationError(f"{str(path)!r} is no configuration file: it has no suffix such as .toml")
    found = registry.find("config", path.suffix.removeprefix("."))
    reader = found() if isinstance(found, type) else found
    return Config(**reader.read(path))


def _from_python(path: Path) -> Config:
    try:
        defined = runpy.run_path(str(path))
    except ConfigurationError:
        raise
    except Exception as error:
        raise ConfigurationError(f"{path} cannot be run: {type(error).__name__}: {error}") from error
    made = defined["fresh_config"]() if "fresh_config" in defined else defined.get("config")
    if not isinstance(made, Config):
        raise ConfigurationError(f"{path} defines {made!r} as config; it must define config = warpbeam.Config(...)")
    return made

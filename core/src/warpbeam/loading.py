"""
The kernel that apps run on unless they are bound to another: loading, finding, forgetting it.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from warpbeam.config import Config
from warpbeam.errors import ConfigurationError, NoKernelLoadedError
from warpbeam.kernel import Kernel
from warpbeam.plugins import registry


_lock = threading.RLock()
_current: Kernel | None = None


def load(config: Config | str | Path | None = None, /, **parameters: Any) -> Kernel:
    """
    Start a kernel and make it the one that apps run on.

    Args:
        config: a `Config`; the path of a configuration file such as ``"warpbeam.toml"``; None for the defaults.
        parameters: options of `Config`, in place of the configuration's.

    Returns:
        The kernel; use it in a ``with`` statement.

    Raises:
        ConfigurationError: a kernel is loaded already, or the configuration cannot be used.
        PluginError: a plugin that it names is missing or broken.
    """
    global _current  # noqa: PLW0603
    with _lock:
        if _current is not None and not _current.is_ending():
            message = f"a kernel has already been loaded ({_current!r}); close it, or make a second one with Kernel(config)"
            raise ConfigurationError(message)
        _current = Kernel(read(config, parameters))
        return _current


def read(config: Config | str | Path | None, parameters: dict[str, Any]) -> Config:
    """
    Return the configuration that the arguments of `load` mean.
    """
    if config is None:
        return Config(**parameters)
    if isinstance(config, Config):
        return config.replace(**parameters) if parameters else config
    if not isinstance(config, str | Path):
        message = f"load() takes a Config or the path of a configuration file, not {type(config).__name__} ({config!r})"
        raise ConfigurationError(message)
    path = Path(config)
    if not path.suffix:
        message = f"{str(config)!r} is no configuration file: it has no suffix such as .toml"
        raise ConfigurationError(message)
    reader = registry.find("config", path.suffix.removeprefix("."))
    found = reader() if isinstance(reader, type) else reader
    return Config(**{**found.read(path), **parameters})


def clear() -> None:
    """
    Forget the loaded kernel; it is not closed by that.
    """
    global _current  # noqa: PLW0603
    with _lock:
        _current = None


def current_kernel() -> Kernel:
    """
    Return the loaded kernel.

    Raises:
        NoKernelLoadedError: none is loaded.
    """
    kernel = _current
    if kernel is None:
        raise NoKernelLoadedError("no kernel is loaded; call warpbeam.load() first")
    return kernel


def wait_for_current_tasks() -> None:
    """
    Wait until the tasks that the loaded kernel has now are done.
    """
    current_kernel().wait()


def _forget(kernel: Kernel) -> None:
    global _current  # noqa: PLW0603
    with _lock:
        if _current is kernel:
            _current = None


Kernel.when_closed = staticmethod(_forget)

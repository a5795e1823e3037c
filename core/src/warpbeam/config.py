"""
The configuration: frozen data, valid or refused at construction.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor as ForeignExecutor
from typing import Any, Literal

import attrs

from warpbeam.errors import ConfigurationError


Resolve = Callable[[str, object], Any]

_NOT_BUILT = {
    "usage_tracking": "warpbeam never reports anything to anybody",
    "project_name": "warpbeam never reports anything to anybody",
    "strategy": "scaling belongs to the executors that have blocks; it is an option of theirs",
    "strategy_period": "scaling belongs to the executors that have blocks; it is an option of theirs",
    "max_idletime": "scaling belongs to the executors that have blocks; it is an option of theirs",
}


def _wrong(option: str, value: Any, right: str) -> ConfigurationError:
    return ConfigurationError(f"Config({option}={value!r}): it is {type(value).__name__}, and must be {right}")


def _number(right: str, kinds: Any, least: float, *, optional: bool = False) -> Any:
    def check(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        if optional and value is None:
            return
        if isinstance(value, bool) or not isinstance(value, kinds) or value < least:
            raise _wrong(attribute.name, value, right + ", or None" * optional)

    return check


def _one_of(*choices: str, objects: str = "") -> Any:
    def check(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        if objects and all(hasattr(value, name) for name in objects.split()):
            return
        if not isinstance(value, str) or value not in choices:
            names = ", ".join(map(repr, choices)) + f", or an object with {objects}" * bool(objects)
            close = difflib.get_close_matches(value, choices, 1) if isinstance(value, str) else []
            raise _wrong(attribute.name, value, f"one of {names}" + "".join(f"; did you mean {one!r}?" for one in close))

    return check


def _flag(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, bool):
        raise _wrong(attribute.name, value, "True or False")


def _callable(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value is not None and not callable(value):
        raise _wrong(attribute.name, value, "a function, or None")


def _path(value: Any) -> Any:
    if not isinstance(value, str | os.PathLike):
        raise _wrong("run_dir", value, "a path")
    return os.fspath(value)


def _components(option: str, value: Any) -> tuple[Any, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        value = [value]
    for item in value:
        if isinstance(item, type):
            message = f"Config({option}=...): {item.__name__} is a class; give {item.__name__}(...), or its name as a str"
            raise ConfigurationError(message)
    return tuple(value)


def _executors(value: Any) -> tuple[Any, ...] | None:
    if isinstance(value, Iterable) and not isinstance(value, str):
        value = tuple(value)
    return None if value is None else _components("executors", value)


def _plugins(value: Any) -> tuple[Any, ...]:
    return _components("plugins", value)


def _exit_mode(value: Any) -> Any:
    return "cancel" if value == "cleanup" else value


@attrs.frozen(kw_only=True, init=False)
class Config:
    """
    How a kernel runs apps.  Every option has a default, so ``Config()`` works.

    Args:
        executors: names or descriptions of the executors; None is the best that is installed.
        run_dir: directory in which each run gets one of its own.
        run_dir_naming: ``"numbered"`` makes ``000``, ``001``, ... in it; ``"exact"`` takes it as it is.
        retries: how much the failures of a task may cost, beyond the first try; see `retry_handler`.
        lost_retries: how many losses of what a task ran on are made good.
        retry_handler: gives the cost of a failure from the exception and the task (`TaskInfo`); a failure costs 1 without it.  If
            it raises, the task fails with that exception.
        retry_policy: an object with ``decide(failure)``, which may choose delay, resources and executor of the next try.
        exit_mode: what leaving the ``with`` block does: ``"wait"`` for all tasks, ``"cancel"`` what has not started (``"cleanup"``
            is another name for it), ``"skip"`` leaves the kernel running.
        exit_grace: seconds that running tasks are given when a run is cancelled.
        dependency_resolver: where futures are looked for: ``"deep"`` inside arguments, ``"shallow"`` arguments themselves and
            ``inputs``, or an object with ``gather`` and ``replace``.
        max_outstanding: most tasks that are live at once; calls beyond it wait.  None is no limit.
        memo: name or description of the store of results (``memoizer`` is another name for the option).
        cache: default of apps' ``cache=``.
        app_cache: False turns caching off whatever apps say.
        plugins: names or objects of plugins whose hooks may touch tasks.
        std_autopath: chooses the files for ``AUTO_LOGNAME`` from the task and ``"stdout"`` or ``"stderr"``.
        garbage_collect: accepted for Parsl's users; ended tasks are always forgotten.
        internal_tasks_max_threads: accepted for Parsl's users; there is no internal pool.
        initialize_logging: write the log of the run into its directory.

    Raises:
        ConfigurationError: an option is unknown, or its value is wrong; names it and says what would be right.
    """

    executors: tuple[Any, ...] | None = attrs.field(default=None, converter=_executors)
    run_dir: str = attrs.field(default="runinfo", converter=_path)
    run_dir_naming: Literal["numbered", "exact"] = attrs.field(default="numbered", validator=_one_of("numbered", "exact"))
    retries: int = attrs.field(default=0, validator=_number("a whole number of at least 0", int, 0))
    lost_retries: int = attrs.field(default=3, validator=_number("a whole number of at least 0", int, 0))
    retry_handler: Callable[..., float] | None = attrs.field(default=None, validator=_callable)
    retry_policy: Any = None
    exit_mode: Literal["wait", "cancel", "skip"] = attrs.field(
        default="wait", converter=_exit_mode, validator=_one_of("wait", "cancel", "skip")
    )
    exit_grace: float = attrs.field(default=10.0, validator=_number("a number of seconds", int | float, 0))
    dependency_resolver: Any = attrs.field(default="deep", validator=_one_of("deep", "shallow", objects="gather replace"))
    max_outstanding: int | None = attrs.field(
        default=None, validator=_number("a whole number of at least 1", int, 1, optional=True)
    )
    memo: Any = "memory"
    cache: bool = attrs.field(default=False, validator=_flag)
    app_cache: bool = attrs.field(default=True, validator=_flag)
    plugins: tuple[Any, ...] = attrs.field(default=(), converter=_plugins)
    std_autopath: Callable[..., Any] | None = attrs.field(default=None, validator=_callable)
    garbage_collect: bool = attrs.field(default=True, validator=_flag)
    internal_tasks_max_threads: int = attrs.field(default=10, validator=_number("a whole number of at least 1", int, 1))
    initialize_logging: bool = attrs.field(default=True, validator=_flag)
    _set_by_user: frozenset[str] = attrs.field(default=frozenset(), repr=False, eq=False)

    def __init__(self, **options: Any) -> None:
        if "memoizer" in options:
            options["memo"] = options.pop("memoizer")
        known = [field.name for field in attrs.fields(Config) if not field.name.startswith("_")]
        for option, value in options.items():
            if option not in known:
                raise ConfigurationError(_unknown(option, value, known))
        self.__attrs_init__(**options, set_by_user=frozenset(options))

    def __attrs_post_init__(self) -> None:
        if self.retry_handler is not None and self.retry_policy is not None:
            raise ConfigurationError("Config(retry_handler=, retry_policy=): give one of them, not both")
        if self.retry_policy is not None and not hasattr(self.retry_policy, "decide"):
            raise _wrong("retry_policy", self.retry_policy, "an object with decide(failure)")
        if self.executors is not None and not self.executors:
            raise _wrong("executors", [], "a list of at least one executor, or None for the default")
        labels = [label_of(executor) for executor in self.executors or ()]
        doubled = {label for label in labels if labels.count(label) > 1}
        if doubled:
            message = f"Config(executors=...): label {doubled.pop()!r} is used twice; give one of them another label="
            raise ConfigurationError(message)

    @property
    def set_by_user(self) -> frozenset[str]:
        """
        The options that were given, which hooks do not change.
        """
        return self._set_by_user

    def options(self) -> dict[str, Any]:
        """
        Return every option with its value.
        """
        return {field.name: getattr(self, field.name) for field in attrs.fields(Config) if not field.name.startswith("_")}

    def replace(self, **changes: Any) -> Config:
        """
        Return a configuration with some options changed.
        """
        given = {name: value for name, value in self.options().items() if name in self._set_by_user}
        return Config(**{**given, **changes})


def _unknown(option: str, value: Any, known: Sequence[str]) -> str:
    if option in _NOT_BUILT:
        return f"Config({option}={value!r}): there is no such option: {_NOT_BUILT[option]}"
    close = difflib.get_close_matches(option, known, 1)
    hint = f"did you mean {close[0]}?" if close else f"the options are {', '.join(known)}"
    return f"Config({option}={value!r}): there is no such option; {hint}"


def label_of(executor: Any) -> str:
    """
    Return the label of an executor given by name or description.
    """
    if isinstance(executor, str):
        return executor.rpartition(":")[2]
    return str(getattr(executor, "label", type(executor).__name__))


def resolve_executors(executors: Sequence[Any], resolve: Resolve) -> list[Any]:
    """
    Return descriptions for executors given by name or description.

    Raises:
        ConfigurationError: something is no executor.
    """
    return [_executor(executor, resolve) for executor in executors]


def _executor(executor: Any, resolve: Resolve) -> Any:
    if isinstance(executor, str):
        found = resolve("executor", executor)
        return found(label=label_of(executor)) if isinstance(found, type) else found
    if isinstance(executor, ForeignExecutor):
        return resolve("executor", "futures")(executor=executor)
    missing = [name for name in ("label", "capabilities", "refuse", "start") if not hasattr(executor, name)]
    if missing:
        message = f"Config(executors=[{executor!r}]): {type(executor).__name__} is no executor: it lacks {', '.join(missing)}"
        raise ConfigurationError(message)
    return executor

"""
Decorators that make apps of functions.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, Literal, ParamSpec, TypeVar, overload

import attrs

from warpbeam import loading
from warpbeam.contracts import Resources
from warpbeam.dataflow.futures import AppFuture
from warpbeam.dataflow.task import AppSpec
from warpbeam.engine.prepare import AUTO_LOGNAME, check_walltime
from warpbeam.kernel import Kernel
from warpbeam.remote import BashCall, PythonCall


P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

Executors = str | Iterable[str]
_STREAM_DEFAULTS = ("stdout", "stderr", "walltime", "resources", "parsl_resource_specification", "outputs", "inputs")
_WORKDIRS = ("shared", "task")


class App(Generic[P, R]):
    """
    A function whose calls are tasks; made by `python_app`, `bash_app` and `join_app`.
    """

    def __init__(self, spec: AppSpec, kernel: Kernel | None = None) -> None:
        self._spec = spec
        self._kernel = kernel
        functools.update_wrapper(self, spec.function, updated=())
        self.__name__ = spec.name

    @property
    def func(self) -> Callable[P, R]:
        """
        The user's function.
        """
        return self._spec.function

    @property
    def executors(self) -> Sequence[str] | Literal["all"]:
        """
        Labels of the executors that it may run on, or ``"all"``.
        """
        return "all" if self._spec.executors is None else list(self._spec.executors)

    @property
    def cache(self) -> bool:
        """
        Whether results are remembered.
        """
        return bool(self._spec.cache)

    @property
    def ignore_for_cache(self) -> Sequence[str]:
        """
        Parameters that do not count for that.
        """
        return sorted(self._spec.ignore_for_cache)

    @property
    def kwargs(self) -> dict[str, Any]:
        """
        The defaults that become keyword arguments of each call.
        """
        return {name: value for name, (_, value) in self._spec.defaults.items()}

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> AppFuture[R]: ...

    @overload
    def __call__(self, *args: Any, **kwargs: Any) -> AppFuture[R]: ...

    def __call__(self, *args: Any, **kwargs: Any) -> AppFuture[R]:
        """
        Submit a task and return its future at once.
        """
        kernel = self._kernel
        if kernel is None:
            kernel = loading._current
            if kernel is None:
                kernel = loading.current_kernel()  # raises
        return kernel.submit(self._spec, args, kwargs)

    def options(
        self,
        *,
        executors: Executors | None = None,
        resources: Resources | dict[str, Any] | None = None,
        priority: int | None = None,
        retries: int | None = None,
        lost_retries: int | None = None,
        walltime: float | None = None,
        name: str | None = None,
        tags: Iterable[str] | None = None,
        workdir: str | None = None,
    ) -> App[P, R]:
        """
        Return the app with other options.

        Args:
            executors: labels that it may run on, or ``"all"``.
            resources: what each call asks for.
            priority: the smaller, the sooner.
            retries: in place of ``Config(retries=)``.
            lost_retries: in place of ``Config(lost_retries=)``; 0 for what must not run twice.
            walltime: limit of one try in seconds.
            name: what it is called in logs and errors.
            tags: your own words, seen in `TaskInfo` and monitoring.
            workdir: ``"shared"`` (the driver's directory), ``"task"`` (a fresh one for each try) or a path.

        Raises:
            TypeError, ValueError: an option is wrong; names it.
        """
        own = name or self._spec.name
        changes: dict[str, Any] = {}
        if executors is not None:
            changes["executors"] = _labels(own, executors)
        if resources is not None:
            changes["resources"] = Resources.of(resources)
        if walltime is not None:
            changes["walltime"] = check_walltime(own, walltime)
        if tags is not None:
            changes["tags"] = tuple(tags)
        if workdir is not None:
            changes["workdir"] = str(workdir)
        for key, number in (("priority", priority), ("retries", retries), ("lost_retries", lost_retries)):
            if number is not None:
                changes[key] = _whole(own, key, number, least=None if key == "priority" else 0)
        if name is not None:
            changes["name"] = name
        spec = attrs.evolve(self._spec, **changes)
        return type(self)(attrs.evolve(spec, **_derived(spec)), self._kernel)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """
        Bind to an instance, so that apps can be methods.
        """
        return self if instance is None else functools.partial(self, instance)

    def __reduce__(self) -> Any:
        # An app that travels to a worker inside a function calls the plain function there.
        return _same, (self._spec.function,)

    def __repr__(self) -> str:
        return f"<{self._spec.kind}_app {self._spec.name}>"


def _same(function: T) -> T:
    return function


def _derived(spec: AppSpec) -> dict[str, Any]:
    is_plain = spec.kind != "bash" and not spec.defaults and spec.workdir == "shared"
    makers = {"bash": BashCall, "python": PythonCall}
    maker = makers.get(spec.kind)
    return {
        "is_plain": is_plain and spec.resources is None and spec.walltime is None,
        "remote": maker(spec.function, spec.name) if maker else None,
    }


def _make(
    kind: str,
    function: Callable[..., Any],
    kernel: Kernel | None,
    executors: Executors,
    cache: bool | None,
    ignore_for_cache: Iterable[str] | None,
) -> App[Any, Any]:
    if not callable(function):
        raise TypeError(f"{kind}_app takes a function, not {type(function).__name__} ({function!r})")
    function = function.func if isinstance(function, App) else function
    name = _name(kind, function)
    if kernel is not None and not isinstance(kernel, Kernel):
        raise TypeError(f"{kind}_app {name!r}: kernel= must be a warpbeam.Kernel, not {kernel!r}")
    if cache is not None and not isinstance(cache, bool):
        raise TypeError(f"{kind}_app {name!r}: cache= must be True or False, not {cache!r}")
    defaults, accepted = _signature(kind, function)
    spec = AppSpec(
        function=function,
        name=name,
        kind=kind,
        executors=_labels(name, executors),
        cache=cache,
        ignore_for_cache=_names(name, ignore_for_cache),
        defaults=defaults,
        accepted=accepted,
    )
    return App(attrs.evolve(spec, **_derived(spec)), kernel)


def _name(kind: str, function: Callable[..., Any]) -> str:
    name = getattr(function, "__name__", None)
    if name is None and isinstance(function, functools.partial):
        name = getattr(function.func, "__name__", None)
    if name is None:
        raise TypeError(f"{kind}_app: {function!r} has no __name__; give it one, or wrap it in a function")
    return str(name)


def _signature(kind: str, function: Callable[..., Any]) -> tuple[dict[str, tuple[int, Any]], frozenset[str] | None]:
    """
    Return the defaults that become keyword arguments, with their positions, and the names of keyword parameters.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # builtins without a signature
        return {}, None
    defaults = {
        parameter.name: (index if parameter.kind is not parameter.KEYWORD_ONLY else len(parameters), parameter.default)
        for index, parameter in enumerate(parameters)
        if parameter.default is not parameter.empty
        and parameter.kind is not parameter.POSITIONAL_ONLY
        and (kind == "bash" or parameter.name in _STREAM_DEFAULTS)
    }
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return defaults, None
    return defaults, frozenset(parameter.name for parameter in parameters)


def _labels(name: str, executors: Executors) -> tuple[str, ...] | None:
    if isinstance(executors, str):
        if executors != "all":
            message = (
                f"app {name!r}: executors= must be 'all' or a list of labels, not {executors!r}; did you mean [{executors!r}]?"
            )
            raise TypeError(message)
        return None
    return (
        tuple(sorted(_names(name, executors, "executors"))) if not isinstance(executors, Sequence) else _checked(name, executors)
    )


def _checked(name: str, executors: Sequence[str]) -> tuple[str, ...]:
    _names(name, executors, "executors")
    if not executors:
        raise ValueError(f"app {name!r}: executors=[] allows none; give labels, or 'all'")
    return tuple(executors)


def _names(name: str, values: Iterable[str] | None, option: str = "ignore_for_cache") -> frozenset[str]:
    if isinstance(values, str) or not isinstance(values, Iterable | None):
        raise TypeError(f"app {name!r}: {option}= must be a list of names, not {values!r}")
    found = list(values or ())
    wrong = [value for value in found if not isinstance(value, str)]
    if wrong:
        raise TypeError(f"app {name!r}: {option}= must hold names, not {wrong[0]!r}")
    return frozenset(found)


def _whole(name: str, option: str, value: Any, *, least: int | None) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or (least is not None and value < least):
        raise TypeError(f"app {name!r}: {option}={value!r} must be a whole number" + " of at least 0" * (least == 0))
    return value


# -- the decorators ------------------------------------------------------------------------------------------------------


@overload
def python_app(function: Callable[P, R], /) -> App[P, R]: ...
@overload
def python_app(
    *,
    executors: Executors = "all",
    cache: bool | None = None,
    ignore_for_cache: Iterable[str] | None = None,
    kernel: Kernel | None = None,
) -> Callable[[Callable[P, R]], App[P, R]]: ...
def python_app(
    function: Callable[..., Any] | None = None,
    *,
    executors: Executors = "all",
    cache: bool | None = None,
    ignore_for_cache: Iterable[str] | None = None,
    kernel: Kernel | None = None,
) -> Any:
    """
    Make an app of a function: a call returns an `AppFuture` at once, and the function runs on an executor.

    Args:
        function: the function; left out when the decorator is given options.
        executors: labels of the executors that it may run on, or ``"all"``.
        cache: remember results; None as ``Config(cache=)`` says.
        ignore_for_cache: names of parameters that do not count for that.
        kernel: the kernel to run on; None is the loaded one, looked up at each call.

    Raises:
        TypeError: an option is wrong; names it.
    """
    if function is None:
        return lambda function: _make("python", function, kernel, executors, cache, ignore_for_cache)
    return _make("python", function, kernel, executors, cache, ignore_for_cache)


@overload
def bash_app(function: Callable[P, str], /) -> App[P, int]: ...
@overload
def bash_app(
    *,
    executors: Executors = "all",
    cache: bool | None = None,
    ignore_for_cache: Iterable[str] | None = None,
    kernel: Kernel | None = None,
) -> Callable[[Callable[P, str]], App[P, int]]: ...
def bash_app(
    function: Callable[..., Any] | None = None,
    *,
    executors: Executors = "all",
    cache: bool | None = None,
    ignore_for_cache: Iterable[str] | None = None,
    kernel: Kernel | None = None,
) -> Any:
    """
    Make an app of a function that returns a command line, which bash runs on the worker; the result is the exit code 0.

    The options are those of `python_app`.
    """
    if function is None:
        return lambda function: _make("bash", function, kernel, executors, cache, ignore_for_cache)
    return _make("bash", function, kernel, executors, cache, ignore_for_cache)


@overload
def join_app(function: Callable[P, Any], /) -> App[P, Any]: ...
@overload
def join_app(
    *,
    cache: bool | None = None,
    ignore_for_cache: Iterable[str] | None = None,
    kernel: Kernel | None = None,
) -> Callable[[Callable[P, Any]], App[P, Any]]: ...
def join_app(
    function: Callable[..., Any] | None = None,
    *,
    cache: bool | None = None,
    ignore_for_cache: Iterable[str] | None = None,
    kernel: Kernel | None = None,
) -> Any:
    """
    Make an app of a function that calls other apps and returns their futures, alone or in lists, tuples, sets, dicts, records.

    The body runs in a thread of the driver.  The app's result has the shape of what it returned, with results for futures; no
    worker is occupied meanwhile.  The options are those of `python_app`.
    """
    if function is None:
        return lambda function: _make("join", function, kernel, "all", cache, ignore_for_cache)
    return _make("join", function, kernel, "all", cache, ignore_for_cache)


__all__ = ["AUTO_LOGNAME", "App", "bash_app", "join_app", "python_app"]

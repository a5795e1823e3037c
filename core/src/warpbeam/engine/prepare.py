"""
What a call needs besides its plain arguments: files, streams, limits, reserved keyword arguments.

Nothing here runs for a call that has none of them.
"""

from __future__ import annotations

import os
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from warpbeam.contracts import Resources
from warpbeam.dataflow import traverse
from warpbeam.dataflow.files import File
from warpbeam.dataflow.futures import DataFuture
from warpbeam.dataflow.task import Special
from warpbeam.errors import CallError
from warpbeam.remote import Settings


if TYPE_CHECKING:
    from collections.abc import Mapping

    from warpbeam.dataflow.task import AppSpec, Task
    from warpbeam.kernel import Kernel

AUTO_LOGNAME = -1
"""Given as ``stdout=`` or ``stderr=``: the kernel chooses a path under the run's directory."""

RESERVED = frozenset(
    {
        "inputs",
        "outputs",
        "stdout",
        "stderr",
        "stdin",
        "walltime",
        "resources",
        "parsl_resource_specification",
        "label",
    }
)
"""Keyword arguments that mean something to warpbeam."""


def is_special(spec: AppSpec, kwargs: Mapping[str, Any]) -> bool:
    """
    Return whether a call needs `special`.
    """
    return not (spec.is_plain and (not kwargs or RESERVED.isdisjoint(kwargs)))


def special(kernel: Kernel, task: Task) -> None:
    """
    Read the reserved arguments of a call, and make its paths absolute.

    Raises:
        TypeError, ValueError: a reserved argument is wrong; names it.
    """
    spec, directory = task.spec, os.getcwd()
    kwargs = {name: value for name, (index, value) in spec.defaults.items() if index >= len(task.args)}
    kwargs.update(task.kwargs)
    call = Special(resources=_resources(spec, kwargs), walltime=_walltime(spec, kwargs), label=str(kwargs.get("label") or ""))
    task.special = call
    if "inputs" in kwargs:
        kwargs["inputs"] = list(_sequence(spec, "inputs", kwargs["inputs"]))
    streams = {name: _stream(kernel, task, name, kwargs, directory) for name in ("stdout", "stderr")}
    outputs = _outputs(task, kwargs, directory)
    if spec.kind == "bash" or (spec.kind == "python" and (outputs or spec.workdir != "shared")):
        call.settings = Settings(
            name=spec.name,
            directory=directory,
            walltime=call.walltime,
            workdir=spec.workdir,
            outputs=tuple(outputs),
            task=task.id,
            run_directory=str(kernel.run.directory),
            **streams,
        )
    if spec.accepted is not None:
        for name in (RESERVED & kwargs.keys()) - spec.accepted:
            del kwargs[name]
    task.kwargs = kwargs


def _sequence(spec: AppSpec, name: str, value: Any) -> Any:
    if value is None:
        return ()
    if isinstance(value, str | bytes | File | Future) or not hasattr(value, "__iter__"):
        message = f"app {spec.name!r}: {name}= must be a list of things, not {type(value).__name__} ({value!r})"
        raise TypeError(message)
    return value


def _resources(spec: AppSpec, kwargs: dict[str, Any]) -> Resources | None:
    for name in ("resources", "parsl_resource_specification"):
        if kwargs.get(name) is not None:
            asked = Resources.of(kwargs[name])
            return asked if asked is not None else spec.resources
    return spec.resources


def _walltime(spec: AppSpec, kwargs: dict[str, Any]) -> float | None:
    walltime = kwargs.get("walltime")
    if walltime is None:
        return spec.walltime
    return check_walltime(spec.name, walltime)


def check_walltime(name: str, walltime: Any) -> float:
    """
    Return a limit in seconds.

    Raises:
        TypeError, ValueError: it is no positive number.
    """
    if isinstance(walltime, bool) or not isinstance(walltime, int | float):
        raise TypeError(f"app {name!r}: walltime={walltime!r} must be a number of seconds")
    if not walltime > 0:
        raise ValueError(f"app {name!r}: walltime={walltime!r} must be more than 0 seconds")
    return walltime


# -- files ---------------------------------------------------------------------------------------------------------------


def locate(file: File, directory: str) -> File:
    """
    Return a task's own copy of a file, with an absolute path.

    Raises:
        CallError: it is no local file, and nothing that moves files is configured.
    """
    if file.scheme != "file":
        raise CallError(f"no stager for {file.url!r}: only local files (file:) can be used without one")
    return file.absolute(directory)


def absolute_files(value: Any) -> Any:
    """
    Return arguments with each `File` in them replaced by the task's own copy, with an absolute path.
    """
    directory = os.getcwd()
    return traverse.replace(value, lambda leaf: locate(leaf, directory) if isinstance(leaf, File) else leaf)


def _outputs(task: Task, kwargs: dict[str, Any], directory: str) -> list[File]:
    if "outputs" not in kwargs:
        return []
    files = list(_sequence(task.spec, "outputs", kwargs["outputs"]))
    for file in files:
        if not isinstance(file, File):
            message = f"app {task.spec.name!r}: outputs= must hold warpbeam.File objects, not {file!r}"
            raise TypeError(message)
    located = [locate(file, directory) for file in files]
    task.future._outputs = [DataFuture(task.future, file, copy) for file, copy in zip(files, located, strict=True)]
    kwargs["outputs"] = located
    return located


# -- streams -------------------------------------------------------------------------------------------------------------


def _stream(kernel: Kernel, task: Task, name: str, kwargs: dict[str, Any], directory: str) -> Any:
    given = kwargs.get(name)
    if given is None:
        return None
    assert task.special is not None
    if isinstance(given, int) and given == AUTO_LOGNAME:
        given = kernel.auto_log(task, name)
        task.special.ignored |= {name}
    if isinstance(given, File):
        copy = locate(given, directory)
        future: Any = DataFuture(task.future, given, copy)
        setattr(task.future, f"_{name}", future)
        kwargs[name] = copy
        return (copy.filepath, "w")
    setattr(task.future, f"_{name}", given)
    kwargs[name] = _absolute(given, directory)
    return kwargs[name]


def _absolute(given: Any, directory: str) -> Any:
    # What is no path here is refused on the worker as BadStdStreamFile, in the future, with the value.
    if isinstance(given, str | os.PathLike):
        return os.path.join(directory, os.fspath(given))
    if isinstance(given, tuple) and given and isinstance(given[0], str | os.PathLike):
        return (os.path.join(directory, os.fspath(given[0])), *given[1:])
    return given


def default_log_path(kernel: Kernel, task: Task, name: str) -> str:
    """
    Return the path of a task's automatic log: ``<run>/task_logs/<id // 10000>/task_<id>_<app>[_<label>].<stdout|stderr>``.
    """
    label = task.special.label if task.special else ""
    file = f"task_{task.id:04}_{task.spec.name}" + f"_{label}" * bool(label) + f".{name}"
    return str(kernel.run.directory / "task_logs" / f"{task.id // 10000:04}" / file.replace("/", "_"))

"""
What ``warpbeam doctor`` looks at, one function a check; each returns problems, none when all is well.

Facts are ``path`` (of the configuration file, or None), ``config`` (read from it, the default, or None where it is wrong),
``config_error`` (why) and ``patience_s`` (how long a task may take).
"""

from __future__ import annotations

import operator
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warpbeam import Kernel, python_app, registry
from warpbeam.contracts import Problem, Severity


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from warpbeam import Config

_SEVERITIES = {"disabled": Severity.NOTE}


def problem(text: str, severity: Severity = Severity.ERROR, *, remedy: str = "") -> Problem:
    """
    Return a problem from a message of ours, whose last part, after a semicolon, is the remedy if none is given.
    """
    text = " ".join(text.split())
    message, _, last = text.rpartition("; ")
    if remedy or not message:
        return Problem(message=text, remedy=remedy, severity=severity)
    return Problem(message=message, remedy=last, severity=severity)


def plugins(facts: Mapping[str, Any]) -> Iterator[Problem]:
    """
    Every installed plugin can be imported and fits this core.
    """
    del facts
    for row in registry.rows(load=True):
        if row.state != "ok":
            text = f"{row.kind} {row.name!r} of {row.distribution} {row.version} is {row.state}: {row.reason}"
            yield problem(text, _SEVERITIES.get(row.state, Severity.WARNING))


def hooks(facts: Mapping[str, Any]) -> Iterable[Problem]:
    """
    Every installed plugin implements hooks that there are.
    """
    del facts
    return registry.hooks().problems


def configuration(facts: Mapping[str, Any]) -> Iterator[Problem]:
    """
    The configuration can be read, and plugins agree with it.
    """
    if facts["config_error"] is not None:
        for line in str(facts["config_error"]).splitlines():
            yield problem(line, remedy=f"correct {facts['path']}")
        return
    manager = registry.hooks(facts["config"].plugins)
    amended = manager.amend_config(facts["config"])
    for change in manager.changes:
        message = f"{change.option} is {change.new!r} in place of {change.old!r}, by plugin {change.plugin}"
        yield Problem(message=message, remedy="set the option to keep your own value", severity=Severity.NOTE)
    yield from (found for found in manager.check_config(amended) if found.severity is not Severity.ERROR)


def run_directory(facts: Mapping[str, Any]) -> Iterator[Problem]:
    """
    The run directory can be made and written to.
    """
    if facts["config"] is None:
        return
    wanted = Path(facts["config"].run_dir).absolute()
    there = wanted
    while not there.exists():
        there = there.parent
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        message = f"nothing can be written below run_dir {str(wanted)!r}: {error.strerror}: {str(there)!r}"
        yield Problem(message=message, remedy="choose another run_dir, or change the permissions of that place", key="run_dir")


def bash(facts: Mapping[str, Any]) -> Iterator[Problem]:
    """
    Bash apps can run.
    """
    del facts
    found = shutil.which("bash")
    if found is None:
        message = f"there is no bash on PATH ({os.environ.get('PATH', '')}); bash apps cannot run"
        yield Problem(message=message, remedy="install bash, or add its directory to PATH")
        return
    done = subprocess.run([found, "-c", "exit 42"], capture_output=True, text=True, timeout=30, check=False)
    if done.returncode != 42:
        message = f"{found} -c 'exit 42' ends with {done.returncode}: {done.stderr.strip()}"
        yield Problem(message=message, remedy="put a working bash on PATH")


def executors(facts: Mapping[str, Any]) -> Iterator[Problem]:
    """
    Each executor of the configuration runs a task.
    """
    if facts["config"] is None:
        return
    configured = facts["config"].executors
    with tempfile.TemporaryDirectory() as place:
        for number, executor in enumerate([None] if configured is None else configured):
            changes = {"run_dir": str(Path(place, str(number))), "exit_mode": "cancel", "exit_grace": 1, "memo": "memory"}
            chosen = {} if executor is None else {"executors": [executor]}
            found = _try(facts["config"].replace(**changes, **chosen), number, facts["patience_s"])
            if found:
                yield found


def _try(config: Config, number: int, patience_s: float) -> Problem | None:
    """
    Run a task on a kernel of its own; the operator is importable on every worker.
    """
    name = config.executors[0] if config.executors else "the default executor"
    label = name if isinstance(name, str) else getattr(name, "label", str(name))
    key = f"executors[{number}]"
    try:
        with Kernel(config) as kernel:
            future = python_app(kernel=kernel)(operator.add)(20, 22)
            try:
                answer = future.result(timeout=patience_s)
            except TimeoutError:
                if future.done():
                    raise
                why = kernel.why(future).text
                message = f"{label}: a task has not ended after {patience_s:g} s: {why}"
                return Problem(message=message, remedy="see the executor's logs, or give --patience SECONDS more", key=key)
    except Exception as error:
        cause = f", caused by {type(error.__cause__).__name__}: {error.__cause__}" if error.__cause__ else ""
        message = " ".join(f"{label}: {type(error).__name__}: {error}{cause}".split())
        return Problem(message=message, remedy=f"correct the options of {label}, or take another executor", key=key)
    if answer != 42:
        return Problem(message=f"{label}: 20 + 22 gave {answer!r}", remedy="report this to the executor's authors", key=key)
    return None

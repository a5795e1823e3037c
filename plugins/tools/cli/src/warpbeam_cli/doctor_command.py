"""
``warpbeam doctor``: one line for each thing that is wrong, with its remedy.
"""

from __future__ import annotations

import json
import logging
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click
import warpbeam
from rich.console import Console
from rich.markup import escape
from warpbeam import Config, registry
from warpbeam.contracts import Problem, Severity, WarpbeamError

from warpbeam_cli import configuration
from warpbeam_cli.checks import problem


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_COLOURS = {Severity.NOTE: "dim", Severity.WARNING: "yellow", Severity.ERROR: "red"}


@attrs.define
class Checks:
    """
    The checks that plugins have registered; see `warpbeam.contracts.CheckRegistrar`.
    """

    all: list[tuple[str, Callable[[Mapping[str, Any]], Iterable[Problem]]]] = attrs.field(factory=list)

    def add(self, name: str, check: Callable[[Mapping[str, Any]], Iterable[Problem]]) -> None:
        """
        Add a check.
        """
        self.all.append((name, check))


@click.command("doctor")
@configuration.option
@click.option("--patience", default=30.0, show_default=True, help="Seconds that a task on an executor may take.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(config_file: Path | None, patience: float, *, as_json: bool) -> None:
    """
    Find out what is wrong: versions, plugins, the configuration, the run directory, bash, and whether executors run tasks.

    The exit code is 1 if anything is an error.
    """
    # What would be logged beside the report is in it.
    logging.getLogger("warpbeam").addHandler(logging.NullHandler())
    facts = _facts(config_file, patience)
    results = [(name, _problems(check, facts)) for name, check in _checks()]
    if as_json:
        click.echo(json.dumps(_plain(facts, results), indent=2))
    else:
        _show(results)
    if any(found.severity is Severity.ERROR for _, problems in results for found in problems):
        sys.exit(1)


def _facts(path: Path | None, patience_s: float) -> dict[str, Any]:
    facts: dict[str, Any] = {"path": path, "config": None, "config_error": None, "patience_s": patience_s}
    try:
        facts["config"] = Config() if path is None else configuration.read(path)
    except (WarpbeamError, OSError) as error:
        facts["config_error"] = error
    return facts


def _checks() -> Sequence[tuple[str, Callable[[Mapping[str, Any]], Iterable[Problem]]]]:
    checks = Checks()
    registry.hooks().register_checks(checks)
    return checks.all


def _problems(check: Callable[[Mapping[str, Any]], Iterable[Problem]], facts: Mapping[str, Any]) -> list[Problem]:
    found: list[Problem] = []
    try:
        found.extend(check(facts))
    except WarpbeamError as error:
        found.append(problem(str(error)))
    except Exception as error:
        message = f"the check itself failed: {type(error).__name__}: {error}"
        found.append(Problem(message=message, remedy="report this to its authors"))
    return found


def versions() -> dict[str, str]:
    """
    Return what is installed, by name.
    """
    plugins = {row.distribution: row.version for row in registry.rows() if row.version != "?"}
    core = {"python": f"{platform.python_version()} ({sys.executable})", "platform": platform.platform()}
    return {**core, "warpbeam-core": warpbeam.__version__, **dict(sorted(plugins.items()))}


def _plain(facts: Mapping[str, Any], results: Sequence[tuple[str, list[Problem]]]) -> dict[str, Any]:
    checks = [{"name": name, "problems": [_plain_problem(found) for found in problems]} for name, problems in results]
    return {"versions": versions(), "config": str(facts["path"]) if facts["path"] else None, "checks": checks}


def _plain_problem(found: Problem) -> dict[str, str]:
    return {**attrs.asdict(found), "severity": found.severity.value}


def _show(results: Sequence[tuple[str, list[Problem]]]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for name, version in versions().items():
        console.print(f"{name:<24}{escape(version)}")
    console.print()
    for name, problems in results:
        if all(found.severity is Severity.NOTE for found in problems):
            console.print(f"[green]ok[/]       {name}")
        for found in problems:
            console.print(_line(name, found))


def _line(name: str, found: Problem) -> str:
    place = f"{name}: " + (f"{found.key}: " if found.key else "")
    remedy = f"; {found.remedy}" if found.remedy else ""
    return f"[{_COLOURS[found.severity]}]{found.severity.value:<9}[/]{escape(place + found.message + remedy)}"

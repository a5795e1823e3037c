"""
``warpbeam plugins``: what is installed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import attrs
import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from warpbeam import registry


if TYPE_CHECKING:
    from collections.abc import Sequence

_PATIENCE_S = 60
_WIDE = 200
_COLOURS = {"ok": "green", "disabled": "dim", "doubled": "yellow", "unknown": "yellow", "incompatible": "red", "broken": "red"}


@click.command("plugins")
@click.option("--timings", is_flag=True, help="Import each plugin in a process of its own and tell how long that takes.")
@click.option("--load", is_flag=True, help="Import each plugin, to find broken ones.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(*, timings: bool, load: bool, as_json: bool) -> None:
    """
    List the installed plugins: name, kind, version, distribution, state and reason.

    Nothing is imported unless --load or --timings asks for it.
    """
    found = [attrs.asdict(row) for row in registry.rows(load=load)]
    if timings:
        found = [{**record, **_timing(record)} for record in found]
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        _show(found, with_timings=timings)


def _show(records: Sequence[dict[str, Any]], *, with_timings: bool) -> None:
    table = Table("Name", "Kind", "Version", "Distribution", "State", *["Import"] * with_timings, box=None)
    for record in records:
        colour = _COLOURS.get(record["state"], "red")
        timing = [_seconds(record.get("import_s"))] * with_timings
        state = f"[{colour}]{record['state']}[/]"
        table.add_row(record["name"], record["kind"], record["version"], record["distribution"], state, *timing)
    # In a pipe there is no width to fit: one line a plugin, for grep.
    console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE)
    console.print(table)
    for record in records:
        if record["reason"]:
            console.print(escape(f"{record['kind']} {record['name']} is {record['state']}: {record['reason']}"), highlight=False)


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1000:.0f} ms"


def _timing(record: dict[str, Any]) -> dict[str, Any]:
    """
    Return how long an import takes, in a fresh process: what others have imported already does not count, and a crash is told.
    """
    if record["state"] not in ("ok", "doubled"):
        return {"import_s": None}
    row_name = f"{record['distribution']}:{record['name']}"
    asked = [sys.executable, "-m", "warpbeam_cli.probe", record["kind"], row_name]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return {"import_s": None, "state": "broken", "reason": f"its import has not ended after {_PATIENCE_S} s; report that"}
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return {"import_s": None, "state": "broken", "reason": last}
    return {"import_s": float(done.stdout.split()[-1])}

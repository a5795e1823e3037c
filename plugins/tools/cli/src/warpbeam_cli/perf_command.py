"""
``warpbeam perf``: how many tasks a second a configuration runs.
"""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING, Any

import click
from warpbeam import Config, Kernel, Resources
from warpbeam.contracts import WarpbeamError

from warpbeam_cli import configuration
from warpbeam_cli.measure import measure, sizes


if TYPE_CHECKING:
    from pathlib import Path


def _iterate(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        sizes(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is none of estimate, exponential, or a list such as 10,100,1000") from error
    return value


def _resources(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Resources | None:
    try:
        return Resources.of(ast.literal_eval(value)) if value is not None else None
    except (ValueError, SyntaxError) as error:
        raise click.BadParameter(f"{value!r}: {error}; write a dict such as {{'cores': 1, 'memory': '2 GB'}}") from error
    except WarpbeamError as error:
        raise click.BadParameter(str(error)) from error


@click.command("perf")
@configuration.option
@click.option("--time", "time_s", type=click.FloatRange(min=0, min_open=True), default=120.0, show_default=True, help="Seconds.")
@click.option("--argsize", type=click.IntRange(min=0), default=0, show_default=True, help="Bytes of each task's argument.")
@click.option("--iterate", callback=_iterate, default="estimate", show_default=True, help="estimate, exponential, or N,N,...")
@click.option("--resources", callback=_resources, help="What each task asks for, as a dict.")
def command(config_file: Path | None, time_s: float, argsize: int, iterate: str, resources: Any) -> None:
    """
    Measure how many tasks that do nothing a configuration runs in a second.

    Rounds grow until one takes the wanted time; the last line gives the rate of the last round.
    """
    try:
        config = Config() if config_file is None else configuration.read(config_file)
        with Kernel(config) as kernel:
            click.echo(f"executors: {', '.join(kernel.executors)}")
            for done in measure(kernel, iterate, time_s=time_s, argument_bytes=argsize, resources=resources):
                click.echo(f"{done.tasks:>10,} tasks  submitted in {done.submit_s:8.3f} s  ended in {done.total_s:8.3f} s")
            click.echo(f"{done.rate:,.0f} tasks/s")
    except (WarpbeamError, OSError) as error:
        click.echo(f"{type(error).__name__}: {error}", err=True)
        sys.exit(2)

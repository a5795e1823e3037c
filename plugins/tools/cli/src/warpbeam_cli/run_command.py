"""
``warpbeam run``: a script as ``__main__``, with a configuration loaded.
"""

from __future__ import annotations

import contextlib
import sys
import traceback
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, NoReturn

import click
import warpbeam
from warpbeam import registry
from warpbeam.contracts import WarpbeamError

from warpbeam_cli import configuration


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

_INTERRUPTED = 130
"""What shells give for a command that SIGINT has ended."""


@click.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@configuration.option
@click.argument("script", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(config_file: Path | None, script: Path, arguments: Sequence[str]) -> None:
    """
    Run SCRIPT with ARGUMENTS, as `python SCRIPT` would, after loading the configuration.

    Options of `warpbeam run` stand before SCRIPT.  Without --config the script loads a configuration itself.
    The exit code is the script's own; 1 if it raises, 2 if the configuration cannot be loaded, 130 after Ctrl-C.
    """
    try:
        # What the script raises goes through the kernel, which cancels what is left, before it is shown.
        with _as_main(script, arguments) as module, _loaded(config_file):
            exec(compile(script.read_bytes(), str(script), "exec"), module.__dict__)  # noqa: S102  (asked for)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        sys.exit(_INTERRUPTED)
    except Exception as error:
        _fail(error, script)


def _loaded(path: Path | None) -> AbstractContextManager[object]:
    if path is None:
        return contextlib.nullcontext()
    try:
        return warpbeam.load(configuration.read(path))
    except (WarpbeamError, OSError) as error:
        click.echo(f"{path}: {error}", err=True)
        _hint(error)
        sys.exit(2)


@contextlib.contextmanager
def _as_main(script: Path, arguments: Sequence[str]) -> Iterator[ModuleType]:
    """
    Make a module that is ``__main__`` until the kernel is closed: tasks that still wait then may have to be pickled.
    """
    module = ModuleType("__main__")
    module.__dict__.update(__file__=str(script), __builtins__=__builtins__)
    before = sys.modules["__main__"], sys.argv, sys.path[:]
    sys.modules["__main__"], sys.argv = module, [str(script), *arguments]
    sys.path.insert(0, str(script.absolute().parent))
    try:
        yield module
    finally:
        sys.modules["__main__"], sys.argv, sys.path[:] = before


def _fail(error: Exception, script: Path) -> NoReturn:
    traceback.print_exception(error.with_traceback(_from(script, error.__traceback__)), file=sys.stderr)
    _hint(error)
    sys.exit(1)


def _from(script: Path, frames: TracebackType | None) -> TracebackType | None:
    """
    Leave out the frames before the script's, which are ours.
    """
    rest = frames
    while rest is not None and rest.tb_frame.f_code.co_filename != str(script):
        rest = rest.tb_next
    return rest or frames


def _hint(error: BaseException) -> None:
    if isinstance(error, WarpbeamError):
        for hint in registry.hooks().error_hints(error):
            click.echo(f"hint: {hint}", err=True)

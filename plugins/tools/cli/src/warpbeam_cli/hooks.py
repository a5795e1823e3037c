"""
What this package adds by hooks; every kernel imports it, so that it imports next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warpbeam import hookimpl


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from warpbeam.contracts import CheckRegistrar, CommandRegistry, Problem, WarpbeamError

_COMMANDS = {
    "doctor": "Find out what is wrong with an installation or a configuration.",
    "perf": "Measure how many tasks a second a configuration runs.",
    "plugins": "List the installed plugins.",
    "run": "Run a script with a configuration.",
}
_CHECKS = {
    "plugins": "plugins",
    "hooks": "hooks",
    "configuration": "configuration",
    "run directory": "run_directory",
    "bash": "bash",
    "executors": "executors",
}
_HINTS = {
    "NoKernelLoadedError": "give a configuration with --config FILE, or call warpbeam.load() in the script",
    "PluginNotFoundError": "`warpbeam plugins` lists what is installed",
    "PluginLoadError": "`warpbeam doctor` tells what is wrong with each plugin",
    "SerializationError": "give tasks plain data, and open files, locks and connections within the task",
    "ExecutorDead": "`warpbeam doctor --config FILE` tries a task on each executor",
}


def _loader(name: str) -> Callable[[], Any]:
    def load() -> Any:
        from importlib import import_module

        return import_module(f"warpbeam_cli.{name}_command").command

    return load


def _check(name: str) -> Callable[[Mapping[str, Any]], Iterable[Problem]]:
    def check(facts: Mapping[str, Any]) -> Iterable[Problem]:
        from warpbeam_cli import checks

        found: Iterable[Problem] = getattr(checks, name)(facts)
        return found

    return check


@hookimpl
def warpbeam_register_commands(cli: CommandRegistry) -> None:
    """
    Add our subcommands.
    """
    for name, text in _COMMANDS.items():
        cli.add(name, _loader(name), help=text)


@hookimpl(tryfirst=True)
def warpbeam_register_checks(register: CheckRegistrar) -> None:
    """
    Add our checks.
    """
    for name, function in _CHECKS.items():
        register.add(name, _check(function))


@hookimpl
def warpbeam_error_hints(error: WarpbeamError) -> Iterable[str]:
    """
    Return advice that holds for the command line.
    """
    return [_HINTS[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in _HINTS][:1]

"""
Every hook: signatures and docstrings, nothing else.

An implementation is a function or method of the same name, marked with ``warpbeam.hookimpl``.  It takes the one argument of
its hook, by that name, or none.  Hooks are asked of all installed plugins (group ``warpbeam.hooks.v1``), except those that touch
tasks, which are asked only of plugins named in ``Config(plugins=[...])``.  None is ever called for each task.

Each implementation is called by itself: first those marked ``tryfirst``, then the others in the order of registration (installed
plugins by the name of their distribution, then the named ones in the order of the configuration), at last those marked
``trylast``.  Wrappers of other implementations are refused.
"""

# ruff: noqa: ARG001
from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy


if TYPE_CHECKING:
    from collections.abc import Iterable

    from warpbeam.contracts import (
        CheckRegistrar,
        CommandRegistry,
        ConfigDraft,
        ExecutorEnd,
        ExecutorStart,
        Problem,
        RetryPolicy,
        RunEnd,
        RunInfo,
        TaskWrapper,
    )
    from warpbeam.errors import WarpbeamError

hookspec = pluggy.HookspecMarker("warpbeam")
hookimpl = pluggy.HookimplMarker("warpbeam")
"""Marks a function of a plugin as the implementation of the hook of its name."""


# -- process -------------------------------------------------------------------------------------------------------------


@hookspec(historic=True)
def warpbeam_add_hooks(manager: pluggy.PluginManager) -> None:
    """
    Add hook specs of your own.

    Called: once per manager, when the plugin is registered.
    """


@hookspec
def warpbeam_register_commands(cli: CommandRegistry) -> None:
    """
    Add subcommands to ``warpbeam``.

    Called: once per command-line process.
    """


@hookspec
def warpbeam_register_checks(register: CheckRegistrar) -> None:
    """
    Add checks to ``warpbeam doctor``.

    Called: once per run of ``warpbeam doctor``.
    """


# -- configuration -------------------------------------------------------------------------------------------------------


@hookspec
def warpbeam_amend_config(draft: ConfigDraft) -> None:
    """
    Change options that the user has not set; the draft remembers who changed what.

    Called: once per run, before its directory is made.
    """


@hookspec
def warpbeam_check_config(config: object) -> Iterable[Problem]:
    """
    Report problems of a `warpbeam.Config`; a severity of error stops the run.

    Called: once per run, after the configuration was amended, and by ``warpbeam doctor``.
    """
    return ()


# -- run -----------------------------------------------------------------------------------------------------------------


@hookspec
def warpbeam_run_starting(run: RunInfo) -> None:
    """
    Observe that a run starts.

    Called: once per run, before its executors start.
    """


@hookspec(firstresult=True)
def warpbeam_make_retry_policy(run: RunInfo) -> RetryPolicy | None:
    """
    Make the policy that is asked about each failed try; only of plugins that the configuration names.

    Called: once per run, unless the configuration names a policy.
    """


@hookspec
def warpbeam_run_finished(end: RunEnd) -> None:
    """
    Observe that a run has ended.

    Called: once per run, after its executors have stopped.
    """


# -- executor ------------------------------------------------------------------------------------------------------------


@hookspec
def warpbeam_executor_starting(start: ExecutorStart) -> None:
    """
    Observe that an executor starts.

    Called: once per executor.
    """


@hookspec
def warpbeam_wrap_task(start: ExecutorStart) -> TaskWrapper | None:
    """
    Return what to run round each task on the worker, or None; only of plugins that the configuration names.

    Called: once per executor; all answers are composed into one wrapper, the first registered outermost.
    """


@hookspec
def warpbeam_executor_stopped(end: ExecutorEnd) -> None:
    """
    Observe that an executor has stopped.

    Called: once per executor.
    """


# -- failure shown to a person -------------------------------------------------------------------------------------------


@hookspec
def warpbeam_error_hints(error: WarpbeamError) -> Iterable[str]:
    """
    Return advice of one line each.

    Called: when a command shows an error to a person.
    """
    return ()

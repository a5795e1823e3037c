"""
What hooks are given: drafts, registrars, problems.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

import attrs


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from warpbeam.contracts.records import ExecutorInfo, RunInfo, RunSummary


class Severity(Enum):
    """
    How bad a problem is.
    """

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"
    """Stops the run."""


@attrs.frozen(kw_only=True)
class Problem:
    """
    Something wrong with a configuration or an installation.

    Attributes:
        severity: how bad.
        message: what is wrong, with the value and where it came from.
        remedy: what to do about it.
        key: path of the option, such as ``executors[0].max_threads``, or "".
    """

    message: str
    remedy: str = ""
    key: str = ""
    severity: Severity = Severity.ERROR


@attrs.define
class Change:
    """
    One change that a hook made to a draft: the option, the value before and after, the plugin.
    """

    option: str
    old: Any
    new: Any
    plugin: str


@attrs.define
class ConfigDraft:
    """
    A configuration that hooks may still amend.

    An option that the user has set is not changed by a hook: ``set`` returns False for it.

    Attributes:
        values: every option with its present value; read it, and change it by ``set``.
        set_by_user: the options that the user has set.
        changes: what was changed by whom, in order.
        plugin: the plugin whose hook is running; kept by the kernel.
    """

    values: dict[str, Any]
    set_by_user: frozenset[str]
    changes: list[Change] = attrs.field(factory=list)
    plugin: str = ""

    def set(self, option: str, value: Any) -> bool:
        """
        Change an option and return True, or False if the user has set it.

        Raises:
            KeyError: there is no such option.
        """
        old = self.values[option]
        if option in self.set_by_user:
            return False
        self.values[option] = value
        self.changes.append(Change(option, old, value, self.plugin))
        return True


@attrs.frozen(kw_only=True)
class RunEnd:
    """
    The end of a run, as ``warpbeam_run_finished`` gets it.

    Attributes:
        run: the run.
        summary: how it ended.
    """

    run: RunInfo
    summary: RunSummary


@attrs.frozen(kw_only=True)
class ExecutorStart:
    """
    An executor that is about to start, as ``warpbeam_executor_starting`` and ``warpbeam_wrap_task`` get it.

    Attributes:
        run: the run.
        executor: the executor.
    """

    run: RunInfo
    executor: ExecutorInfo


@attrs.frozen(kw_only=True)
class ExecutorEnd:
    """
    An executor that has stopped, as ``warpbeam_executor_stopped`` gets it.

    Attributes:
        run: the run.
        executor: the executor.
        error: what it stopped with, or None.
    """

    run: RunInfo
    executor: ExecutorInfo
    error: BaseException | None = None


class CommandRegistry(Protocol):
    """
    Where plugins register subcommands of ``warpbeam``.
    """

    def add(self, name: str, load: Callable[[], Any], help: str = "") -> None:
        """
        Add a subcommand; ``load`` returns its `click.Command` and is called only when it is used.
        """
        ...


class CheckRegistrar(Protocol):
    """
    Where plugins register checks of ``warpbeam doctor``.
    """

    def add(self, name: str, check: Callable[[Mapping[str, Any]], Iterable[Problem]]) -> None:
        """
        Add a check; it gets facts (``config``: the Config or None) and returns problems, none when all is well.
        """
        ...

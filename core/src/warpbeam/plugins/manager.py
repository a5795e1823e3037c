"""
Calls hooks: one typed method a hook, so that call sites can be found.

Observers are isolated: what one raises is logged with its name, and the others are still told.  Amending and checking hooks
propagate, as a `PluginError` that names the plugin.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import attrs
import pluggy

from warpbeam.contracts import ConfigDraft, ExecutorEnd, ExecutorStart, Problem, RunEnd, Severity
from warpbeam.errors import ConfigurationError, PluginContractError, PluginError
from warpbeam.log import logger
from warpbeam.plugins import hookspecs
from warpbeam.plugins.registration import register_all


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from warpbeam.config import Config
    from warpbeam.contracts import (
        Change,
        CheckRegistrar,
        CommandRegistry,
        ExecutorInfo,
        RetryPolicy,
        RunInfo,
        RunSummary,
        TaskWrapper,
    )
    from warpbeam.errors import WarpbeamError
    from warpbeam.plugins.registration import Participant

_log = logger("warpbeam.plugins")


@attrs.frozen
class ComposedWrapper:
    """
    Several task wrappers as one; the first is outermost.
    """

    wrappers: tuple[Any, ...]

    def __call__(self, call: Callable[[], Any], /) -> Any:
        """
        Run the call within all of them.
        """
        for wrapper in reversed(self.wrappers):
            call = _Bound(wrapper, call)
        return call()


class _Bound:
    __slots__ = ("_call", "_wrapper")

    def __init__(self, wrapper: Any, call: Callable[[], Any]) -> None:
        self._wrapper = wrapper
        self._call = call

    def __call__(self) -> Any:
        return self._wrapper(self._call)


class HookManager:
    """
    The hooks of one kernel or command.

    Args:
        named: names or objects of the plugins that the configuration names.

    Attributes:
        changes: what hooks have changed in the configuration, in order.
        problems: why installed plugins were left out.

    Raises:
        PluginNotFoundError, PluginLoadError: a named plugin is missing or broken.
    """

    def __init__(self, named: Sequence[str | object] = ()) -> None:
        self._pluggy = pluggy.PluginManager("warpbeam")
        self._pluggy.add_hookspecs(hookspecs)
        self._pluggy.hook.warpbeam_add_hooks.call_historic(kwargs={"manager": self._pluggy})
        self.changes: list[Change] = []
        self.problems: list[Problem] = register_all(self._pluggy, named)

    def monitor(self, called: Callable[[str], None]) -> Callable[[], None]:
        """
        Have ``called(hook)`` called before each call of an implementation, for tests and debugging; return what ends that.
        """
        return self._pluggy.add_hookcall_monitoring(
            lambda hook, _implementations, _arguments: called(hook), lambda _outcome, _hook, _implementations, _arguments: None
        )

    # -- asking ---------------------------------------------------------------------------------------------------------

    def _askers(self, hook: str, *, only_named: bool = False) -> Iterator[tuple[Participant, Callable[..., Any]]]:
        """
        Yield each participant that implements the hook, with a callable that asks it alone.
        """
        implementations = getattr(self._pluggy.hook, hook).get_hookimpls()
        everyone = [cast("Participant", implementation.plugin) for implementation in _in_order(implementations)]
        for participant in everyone:
            if participant.is_named or not only_named:
                others = [other for other in everyone if other is not participant]
                yield participant, _Alone(self._pluggy.subset_hook_caller(hook, others))

    def _notify(self, hook: str, **arguments: Any) -> None:
        for participant, ask in self._askers(hook):
            try:
                ask(**arguments)
            except Exception:
                _log.exception("plugin %s failed in %s; it is passed over", participant, hook)

    def _collect(self, hook: str, *, only_named: bool = False, **arguments: Any) -> Iterator[tuple[Participant, Any]]:
        for participant, ask in self._askers(hook, only_named=only_named):
            with _blaming(participant, hook):
                answer = ask(**arguments)
            yield participant, answer

    def _items(self, hook: str, kind: type, **arguments: Any) -> Iterator[Any]:
        for participant, answer in self._collect(hook, **arguments):
            with _blaming(participant, hook):
                items = [answer] if isinstance(answer, kind) else list(answer or ())  # a lone text is one item, not its letters
            for item in items:
                _check(participant, hook, item, isinstance(item, kind), f"{kind.__name__} objects")
            yield from items

    # -- one method a hook ------------------------------------------------------------------------------------------------

    def register_commands(self, cli: CommandRegistry) -> None:
        """
        Let plugins add subcommands; one that fails is logged.
        """
        self._notify("warpbeam_register_commands", cli=cli)

    def register_checks(self, register: CheckRegistrar) -> None:
        """
        Let plugins add checks; one that fails is logged.
        """
        self._notify("warpbeam_register_checks", register=register)

    def amend_config(self, config: Config) -> Config:
        """
        Return the configuration with what plugins changed.

        Raises:
            ConfigurationError: a plugin reports an error in it.
            PluginError: a plugin fails.
        """
        draft = ConfigDraft(config.options(), config.set_by_user)
        for participant, ask in self._askers("warpbeam_amend_config"):
            draft.plugin = participant.name
            with _blaming(participant, "warpbeam_amend_config"):
                ask(draft=draft)
        self.changes += draft.changes
        amended = _changed(config, draft)
        errors = [problem for problem in self.check_config(amended) if problem.severity is Severity.ERROR]
        if errors:
            raise ConfigurationError("\n".join(map(_line, errors)))
        return amended

    def check_config(self, config: Config) -> list[Problem]:
        """
        Return the problems that plugins see.
        """
        return list(self._items("warpbeam_check_config", Problem, config=config))

    def run_starting(self, run: RunInfo) -> None:
        """
        Tell observers.
        """
        self._notify("warpbeam_run_starting", run=run)

    def make_retry_policy(self, run: RunInfo) -> RetryPolicy | None:
        """
        Return the first policy that a named plugin makes, or None.
        """
        for participant, policy in self._collect("warpbeam_make_retry_policy", only_named=True, run=run):
            if policy is not None:
                _check(
                    participant, "warpbeam_make_retry_policy", policy, hasattr(policy, "decide"), "an object with decide(failure)"
                )
                return policy  # type: ignore[no-any-return]
        return None

    def run_finished(self, run: RunInfo, summary: RunSummary) -> None:
        """
        Tell observers.
        """
        self._notify("warpbeam_run_finished", end=RunEnd(run=run, summary=summary))

    def executor_starting(self, run: RunInfo, executor: ExecutorInfo) -> None:
        """
        Tell observers.
        """
        self._notify("warpbeam_executor_starting", start=ExecutorStart(run=run, executor=executor))

    def wrap_task(self, run: RunInfo, executor: ExecutorInfo) -> TaskWrapper | None:
        """
        Return the wrappers of named plugins as one, or None.
        """
        wrappers = []
        start = ExecutorStart(run=run, executor=executor)
        for participant, wrapper in self._collect("warpbeam_wrap_task", only_named=True, start=start):
            if wrapper is not None:
                _check(participant, "warpbeam_wrap_task", wrapper, callable(wrapper), "a callable")
                wrappers.append(wrapper)
        return ComposedWrapper(tuple(wrappers)) if wrappers else None

    def executor_stopped(self, run: RunInfo, executor: ExecutorInfo, error: BaseException | None) -> None:
        """
        Tell observers.
        """
        self._notify("warpbeam_executor_stopped", end=ExecutorEnd(run=run, executor=executor, error=error))

    def error_hints(self, error: WarpbeamError) -> list[str]:
        """
        Return advice; a plugin that fails gives none.
        """
        hints: list[str] = []
        for participant, ask in self._askers("warpbeam_error_hints"):
            try:
                hints += [str(hint) for hint in ask(error=error) or ()]
            except Exception:
                _log.exception("plugin %s failed in warpbeam_error_hints; it is passed over", participant)
        return hints


class _Alone:
    """
    Asks one participant; pluggy wraps the answer of a lone one in a list unless the hook wants the first.
    """

    def __init__(self, caller: pluggy.HookCaller) -> None:
        self._caller = caller

    def __call__(self, **arguments: Any) -> Any:
        answer = self._caller(**arguments)
        if self._caller.spec is not None and self._caller.spec.opts["firstresult"]:
            return answer
        return answer[0] if answer else None


def _in_order(implementations: Sequence[pluggy.HookImpl]) -> list[pluggy.HookImpl]:
    # pluggy keeps them in the order of registration, those marked trylast before and tryfirst behind the others.
    return sorted(implementations, key=lambda implementation: implementation.trylast - implementation.tryfirst)


@contextmanager
def _blaming(participant: Participant, hook: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        remedy = "report this to its authors, or leave the plugin out"
        message = f"plugin {participant} failed in {hook}: {type(error).__name__}: {error}; {remedy}"
        raise PluginError(message, **participant.about) from error


def _changed(config: Config, draft: ConfigDraft) -> Config:
    if not draft.changes:
        return config
    try:
        return config.replace(**{change.option: change.new for change in draft.changes})
    except ConfigurationError as error:
        authors = ", ".join(f"{change.option} by plugin {change.plugin}" for change in draft.changes)
        raise ConfigurationError(f"{error} (changed by hooks: {authors})") from error


def _line(problem: Problem) -> str:
    return f"{problem.key}: " * bool(problem.key) + problem.message + f"; {problem.remedy}" * bool(problem.remedy)


def _check(participant: Participant, hook: str, value: Any, is_right: bool, right: str) -> None:
    if not is_right:
        message = f"plugin {participant} answered {value!r} in {hook}; it must give {right}"
        raise PluginContractError(message, **participant.about)

"""
Calls hooks: one typed method a hook, so that call sites can be found.

Observers are isolated: what one raises is logged with its name, and the others are still told.  Amending and checking hooks
propagate, as a `PluginError` that names the plugin.
"""

from __future__ import annotations

import difflib
import logging
from typing import TYPE_CHECKING, Any

import attrs
import pluggy

from warpbeam.contracts import ConfigDraft, Problem, Severity
from warpbeam.errors import ConfigurationError, PluginContractError, PluginError, PluginLoadError, PluginNotFoundError
from warpbeam.plugins import hookspecs, registry


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from warpbeam.config import Config
    from warpbeam.contracts import (
        CheckRegistrar,
        CommandRegistry,
        ExecutorInfo,
        RetryPolicy,
        RunInfo,
        RunSummary,
        TaskWrapper,
    )
    from warpbeam.errors import WarpbeamError

_log = logging.getLogger("warpbeam.plugins")


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

    Raises:
        PluginNotFoundError, PluginLoadError: a named plugin is missing or broken.
    """

    def __init__(self, named: Sequence[str | object] = ()) -> None:
        self.pluggy = pluggy.PluginManager("warpbeam")
        self.pluggy.add_hookspecs(hookspecs)
        self.pluggy.hook.warpbeam_add_hooks.call_historic(kwargs={"manager": self.pluggy})
        self._named: set[object] = set()
        named_objects = [self._named_plugin(item) for item in named]
        for name, offer in registry.hook_plugins():
            self._add_installed(name, offer)
        for name, plugin in named_objects:
            self._add_named(name, plugin)

    # -- registration ---------------------------------------------------------------------------------------------------

    def _add_installed(self, name: str, offer: Any) -> None:
        try:
            self._register(offer.entry.load(), name)
        except Exception as error:
            _log.warning("plugin %s is left out: %s: %s; reinstall or remove it", name, type(error).__name__, error)

    def _named_plugin(self, item: str | object) -> tuple[str, object]:
        if not isinstance(item, str):
            return f"{type(item).__name__} object at {id(item):#x}", item
        wanted, _, plain = item.rpartition(":")
        offers = [
            (name, offer) for name, offer in registry.hook_plugins() if offer.name == plain and wanted in ("", offer.distribution)
        ]
        if not offers:
            there = sorted({offer.name for _, offer in registry.hook_plugins()})
            close = difflib.get_close_matches(plain, there, 1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; installed are {', '.join(there) or 'none'}"
            raise PluginNotFoundError(f"Config(plugins=[{item!r}]): no such plugin is installed{hint}", name=item)
        name, offer = offers[0]
        try:
            found = offer.entry.load()
            return name, found() if isinstance(found, type) else found
        except Exception as error:
            message = f"Config(plugins=[{item!r}]): {offer.distribution} {offer.version} cannot be imported: {error}"
            raise PluginLoadError(
                message, kind="hooks", name=offer.name, distribution=offer.distribution, version=offer.version
            ) from error

    def _add_named(self, name: str, plugin: object) -> None:
        if self.pluggy.has_plugin(name):
            self.pluggy.unregister(name=name)
        try:
            self._register(plugin, name)
        except pluggy.PluginValidationError as error:
            raise PluginLoadError(f"Config(plugins=...): {name}: {error}", kind="hooks", name=name) from error
        self._named.add(plugin)

    def _register(self, plugin: object, name: str) -> None:
        self.pluggy.register(plugin, name)
        try:
            self.pluggy.check_pending()
        except pluggy.PluginValidationError:
            self.pluggy.unregister(plugin)
            raise

    # -- asking ---------------------------------------------------------------------------------------------------------

    def _answers(self, hook: str, *, only_named: bool = False, **arguments: Any) -> Iterator[tuple[str, Any]]:
        """
        Yield each plugin's name and answer, in the order of registration.
        """
        caller = getattr(self.pluggy.hook, hook)
        for implementation in caller.get_hookimpls():
            if only_named and implementation.plugin not in self._named:
                continue
            given = {name: arguments[name] for name in implementation.argnames}
            yield implementation.plugin_name, _Asked(implementation.function, given)

    def _notify(self, hook: str, **arguments: Any) -> None:
        for name, asked in self._answers(hook, **arguments):
            try:
                asked()
            except Exception:
                _log.exception("plugin %s failed in %s; the run goes on", name, hook)

    def _collect(self, hook: str, *, only_named: bool = False, **arguments: Any) -> Iterator[tuple[str, Any]]:
        for name, asked in self._answers(hook, only_named=only_named, **arguments):
            try:
                yield name, asked()
            except Exception as error:
                raise PluginError(f"plugin {name} failed in {hook}: {type(error).__name__}: {error}", name=name) from error

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
        for name, asked in self._answers("warpbeam_amend_config", draft=draft):
            draft.plugin = name
            try:
                asked()
            except Exception as error:
                raise PluginError(f"plugin {name} failed in warpbeam_amend_config: {error}", name=name) from error
        amended = config.replace(**{change.option: change.new for change in draft.changes}) if draft.changes else config
        errors = [problem for problem in self.check_config(amended) if problem.severity is Severity.ERROR]
        if errors:
            lines = [f"{problem.key + ': ' if problem.key else ''}{problem.message}; {problem.remedy}" for problem in errors]
            raise ConfigurationError("\n".join(lines))
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
        for name, policy in self._collect("warpbeam_make_retry_policy", only_named=True, run=run):
            if policy is not None:
                _check(name, "warpbeam_make_retry_policy", policy, hasattr(policy, "decide"), "an object with decide(failure)")
                return policy  # type: ignore[no-any-return]
        return None

    def run_finished(self, run: RunInfo, summary: RunSummary) -> None:
        """
        Tell observers.
        """
        self._notify("warpbeam_run_finished", run=run, summary=summary)

    def executor_starting(self, run: RunInfo, executor: ExecutorInfo) -> None:
        """
        Tell observers.
        """
        self._notify("warpbeam_executor_starting", run=run, executor=executor)

    def wrap_task(self, run: RunInfo, executor: ExecutorInfo) -> TaskWrapper | None:
        """
        Return the wrappers of named plugins as one, or None.
        """
        wrappers = []
        for name, wrapper in self._collect("warpbeam_wrap_task", only_named=True, run=run, executor=executor):
            if wrapper is not None:
                _check(name, "warpbeam_wrap_task", wrapper, callable(wrapper), "a callable")
                wrappers.append(wrapper)
        return ComposedWrapper(tuple(wrappers)) if wrappers else None

    def executor_stopped(self, run: RunInfo, executor: ExecutorInfo, error: BaseException | None) -> None:
        """
        Tell observers.
        """
        self._notify("warpbeam_executor_stopped", run=run, executor=executor, error=error)

    def error_hints(self, error: WarpbeamError) -> list[str]:
        """
        Return advice; a plugin that fails gives none.
        """
        try:
            return list(self._items("warpbeam_error_hints", str, error=error))
        except PluginError:
            _log.exception("a plugin failed to give hints")
            return []

    def _items(self, hook: str, kind: type, **arguments: Any) -> Iterable[Any]:
        for name, answer in self._collect(hook, **arguments):
            for item in answer or ():
                _check(name, hook, item, isinstance(item, kind), f"{kind.__name__} objects")
                yield item


@attrs.frozen
class _Asked:
    function: Any
    given: dict[str, Any]

    def __call__(self) -> Any:
        return self.function(**self.given)


def _check(plugin: str, hook: str, value: Any, is_right: bool, right: str) -> None:
    if not is_right:
        raise PluginContractError(f"plugin {plugin} answered {value!r} in {hook}; it must give {right}", name=plugin)

"""
Which plugins take part in hooks, and what each of them implements.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, cast

import pluggy

from warpbeam.contracts import Problem, Severity
from warpbeam.errors import PluginLoadError
from warpbeam.log import logger
from warpbeam.plugins import hookspecs, registry


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from warpbeam.plugins.registry import Offer

_MARK = "warpbeam_impl"
_log = logger("warpbeam.plugins")


class Participant:
    """
    A plugin as pluggy sees it: its marked functions only, compared by identity.

    Plugins are often attrs records: equal ones may stand side by side, some cannot be hashed, and reading all attributes of one
    runs its properties.  pluggy minds all three.

    Attributes:
        name: what to call it in messages.
        plugin: the plugin itself.
        is_named: whether the configuration names it, so that its hooks may touch tasks.
        about: attributes of the errors that it causes.
    """

    def __init__(self, name: str, plugin: Any, *, is_named: bool, offer: Offer | None = None) -> None:
        self.name = name
        self.plugin = plugin
        self.is_named = is_named
        self.about: dict[str, Any] = {"kind": "hooks", "name": offer.name if offer else name}
        if offer is not None:
            self.about |= {"distribution": offer.distribution, "version": offer.version}
        for hook, function in _implementations(plugin):
            setattr(self, hook, function)

    def __str__(self) -> str:
        return f"{self.name} {self.about.get('version', '')}".rstrip()


def _implementations(plugin: Any) -> Iterator[tuple[str, Any]]:
    for name in dir(plugin):
        found = inspect.getattr_static(plugin, name)
        function = getattr(found, "__func__", found)
        options = getattr(function, _MARK, None)
        if options is not None:
            if options["wrapper"] or options["hookwrapper"]:
                raise _Refused(f"{name} is a wrapper, and each implementation is called by itself; write a plain one")
            yield options["specname"] or name, getattr(plugin, name)
        elif inspect.isroutine(function) and hasattr(hookspecs, name) and name.startswith("warpbeam_"):
            raise _Refused(f"{name} lacks its mark; write @warpbeam.hookimpl above it")


class _Refused(Exception):
    """
    A plugin cannot take part; the message says why.
    """


def register_all(manager: pluggy.PluginManager, named: Sequence[str | object]) -> list[Problem]:
    """
    Register all installed plugins, and those that a configuration names.

    Returns:
        Why plugins that are broken, and not named, were left out.

    Raises:
        PluginNotFoundError, PluginLoadError: a named plugin is missing or broken.
    """
    problems: list[Problem] = []
    chosen = [_named(item) for item in named]
    titles = {participant.name for participant in chosen}
    for participant in [*_installed(titles, problems), *chosen]:
        try:
            _register(manager, participant)
        except Exception as error:
            _leave_out(participant, error, problems)
    _drop_pending(manager, problems)
    for problem in problems:
        _log.warning("%s; %s", problem.message, problem.remedy)
    return problems


def _register(manager: pluggy.PluginManager, participant: Participant) -> None:
    try:
        # Two objects of one class, or the same one twice, are two participants.
        manager.register(participant, f"{participant.name} at {id(participant):#x}")
    except Exception:
        if manager.is_registered(participant):  # depends on what failed, and on the version of pluggy
            manager.unregister(participant)
        raise


def _drop_pending(manager: pluggy.PluginManager, problems: list[Problem]) -> None:
    """
    Leave out plugins that implement hooks which nobody has declared; known only when all are registered.
    """
    while True:
        try:
            manager.check_pending()
        except pluggy.PluginValidationError as error:
            manager.unregister(error.plugin)
            _leave_out(cast("Participant", error.plugin), error, problems)
        else:
            return


def _leave_out(participant: Participant, error: Exception, problems: list[Problem]) -> None:
    if participant.is_named:
        message = f"Config(plugins=...): {participant} cannot be used: {_told(error)}; report this to its authors"
        raise PluginLoadError(message, **participant.about) from error
    problems.append(_problem(str(participant), error))


def _problem(title: str, error: BaseException) -> Problem:
    return Problem(
        message=f"plugin {title} is left out: {_told(error)}",
        remedy="upgrade or remove it, or block it with WARPBEAM_DISABLE_PLUGINS",
        severity=Severity.WARNING,
    )


def _told(error: BaseException) -> str:
    if isinstance(error, pluggy.PluginValidationError):
        return " ".join(str(error).split())  # pluggy's text has several lines
    return str(error) if isinstance(error, _Refused) else f"{type(error).__name__}: {error}"


# -- from names to participants ------------------------------------------------------------------------------------------


def _installed(without: set[str], problems: list[Problem]) -> Iterator[Participant]:
    for offer in registry.offers("hooks"):
        name = _name(offer)
        if name in without:
            continue
        try:
            found = offer.load()
            # A class has options, and whoever installs it has not given them: without its defaults it waits to be named.
            if not isinstance(found, type) or _has_defaults(found):
                yield Participant(name, found() if isinstance(found, type) else found, is_named=False, offer=offer)
        except (Exception, SystemExit) as error:
            problems.append(_problem(f"{name} {offer.version}", error))


def _named(item: str | object) -> Participant:
    if not isinstance(item, str):
        return _made(type(item).__name__, item, None)
    offer = registry.find_offer("hooks", item)
    return _made(_name(offer), registry.load(offer), offer)


def _made(name: str, found: Any, offer: Offer | None) -> Participant:
    about = {"distribution": offer.distribution, "version": offer.version} if offer else {}
    try:
        plugin = found() if isinstance(found, type) else found
        return Participant(name, plugin, is_named=True, offer=offer)
    except Exception as error:
        message = f"Config(plugins=...): {name} cannot be used: {_told(error)}"
        if isinstance(found, type) and not _has_defaults(found):
            message += f"; it has options without a default: give {found.__name__}(...) in place of its name"
        raise PluginLoadError(message, kind="hooks", name=name, **about) from error


def _has_defaults(found: type) -> bool:
    parameters = inspect.signature(found).parameters.values()
    return all(
        parameter.default is not parameter.empty or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        for parameter in parameters
    )


def _name(offer: Offer) -> str:
    return f"{offer.distribution}:{offer.name}"

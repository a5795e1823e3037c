"""
Finds plugins by kind and name through entry points; the only user of importlib-metadata.

Entry points are read once, at the first look-up, and a plugin is imported only when it is named.  What is wrong with one
distribution is a row of `rows` and, when the plugin is named, a `PluginLoadError`; it never disturbs another.
"""

from __future__ import annotations

import difflib
import functools
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from warpbeam.errors import PluginLoadError, PluginNotFoundError
from warpbeam.plugins.kinds import HOOKS, KINDS
from warpbeam.plugins.requirements import is_about, is_satisfied, normalized


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from warpbeam.plugins.kinds import Kind

_CORE = "warpbeam-core"
_PREFIX = "warpbeam."
_KINDS: dict[str, Kind] = {**KINDS, HOOKS.name: HOOKS}


@attrs.frozen(kw_only=True)
class Row:
    """
    One installed plugin, as ``warpbeam plugins`` shows it.

    Attributes:
        kind: its kind, ``"hooks"``, or the group where that is unknown.
        name: its name.
        distribution: the distribution that offers it.
        version: that distribution's version.
        state: ``"ok"``, ``"disabled"``, ``"incompatible"``, ``"doubled"``, ``"unknown"`` or ``"broken"``.
        reason: why, and what to do.
    """

    kind: str
    name: str
    distribution: str
    version: str
    state: str = "ok"
    reason: str = ""


@attrs.frozen(kw_only=True)
class Offer:
    """
    One entry point of ours, not yet imported.

    Attributes:
        kind: the kind that its group names, or the group where it names none.
        name: its name.
        distribution: who offers it.
        version: that distribution's version.
        group: the entry-point group.
        contract: the group's number, or None where it has none.
        requires: the distribution's own requirements on core.
        load: imports and returns what it names.
    """

    kind: str
    name: str
    distribution: str
    version: str
    group: str
    contract: int | None
    requires: tuple[str, ...]
    load: Callable[[], Any] = attrs.field(repr=False)

    @property
    def title(self) -> str:
        """
        What to call it in a message.
        """
        return f"{self.kind} {self.name!r} of {self.distribution} {self.version}"

    def is_offered_by(self, distribution: str) -> bool:
        """
        Return whether that distribution offers it; "" is any.
        """
        return not distribution or normalized(distribution) == normalized(self.distribution)

    def is_disabled(self) -> bool:
        """
        Return whether the user has blocked it.
        """
        blocked = [text.strip() for text in os.environ.get("WARPBEAM_DISABLE_PLUGINS", "").split(",")]
        return f"{self.kind}:{self.name}" in blocked or normalized(self.distribution) in map(normalized, blocked)

    def incompatibility(self) -> str:
        """
        Return why this core cannot use it, and what to do, or "".
        """
        return _stale_contract(self) or _unmet_requirement(self)

    def is_usable(self) -> bool:
        """
        Return whether it is neither disabled nor incompatible; it may still be broken.
        """
        return not self.is_disabled() and not self.incompatibility()


# -- reading what is installed -------------------------------------------------------------------------------------------


@functools.cache
def _scan() -> tuple[tuple[Offer, ...], tuple[Row, ...]]:
    from importlib_metadata import distributions

    offers: list[Offer] = []
    damaged: list[Row] = []
    seen: set[str] = set()
    for distribution in distributions():
        try:
            found = list(_offers_of(distribution))
        except Exception as error:
            damaged.append(_damaged(distribution, error))
            continue
        name = normalized(found[0].distribution) if found else ""
        if name and name not in seen:  # the first on the path is the one that is imported
            seen.add(name)
            offers += found
    return tuple(offers), tuple(damaged)


def _offers_of(distribution: Any) -> Iterator[Offer]:
    entries = [entry for entry in distribution.entry_points if entry.group.startswith(_PREFIX)]
    if not entries:
        return
    requires = tuple(text for text in distribution.requires or () if is_about(text, _CORE))
    about: dict[str, Any] = {
        "distribution": str(distribution.metadata["Name"]),
        "version": str(distribution.version),
        "requires": requires,
    }
    for entry in entries:
        match = re.fullmatch(r"warpbeam\.([a-z_]+)\.v([0-9]+)", entry.group)
        kind, contract = (match[1], int(match[2])) if match else (entry.group, None)
        yield Offer(kind=kind, name=entry.name, group=entry.group, contract=contract, load=entry.load, **about)


def _damaged(distribution: Any, error: Exception) -> Row:
    place = str(getattr(distribution, "_path", "an unknown place"))
    reason = f"its metadata cannot be read ({type(error).__name__}: {error}); remove {place} and install it again"
    return Row(kind="?", name="?", distribution=Path(place).name, version="?", state="broken", reason=reason)


def refresh() -> None:
    """
    Read entry points anew at the next look-up; for programs that install plugins while they run.
    """
    _scan.cache_clear()
    _core_version.cache_clear()
    _loaded.clear()


@functools.cache
def known() -> dict[str, Any]:
    """
    Return the table of known plugins.
    """
    return tomllib.loads(Path(__file__).with_name("known.toml").read_text(encoding="utf-8"))


def default_executor_names() -> Sequence[str]:
    """
    Return the order in which ``load()`` looks for an executor.
    """
    names: list[str] = known()["default_executors"]
    return names


def offers(kind: str) -> list[Offer]:
    """
    Return the offers of a kind that are neither disabled nor incompatible, by distribution and name.
    """
    usable = [offer for offer in _scan()[0] if offer.kind == kind and offer.is_usable()]
    return sorted(usable, key=lambda offer: (normalized(offer.distribution), offer.name))


def names(kind: str) -> list[str]:
    """
    Return the names of usable plugins of a kind, sorted.
    """
    return sorted({offer.name for offer in offers(kind)})


# -- what is wrong with an offer -----------------------------------------------------------------------------------------


def _stale_contract(offer: Offer) -> str:
    kind = _KINDS.get(offer.kind)
    if kind is None or offer.contract is None or offer.contract == kind.version:
        return ""
    age, upgrade = ("old", offer.distribution) if offer.contract < kind.version else ("new", _CORE)
    return (
        f"its contract version {offer.contract} ({offer.group}) is too {age} for this core, "
        f"which has {kind.version}; pip install --upgrade {upgrade}"
    )


def _unmet_requirement(offer: Offer) -> str:
    core = _core_version()
    for requirement in offer.requires:
        if core and not is_satisfied(requirement, core):
            return f"it requires {requirement}, and warpbeam-core is {core}; install a version of either that fits"
    return ""


@functools.cache
def _core_version() -> str:
    from importlib_metadata import PackageNotFoundError, version

    try:
        return version(_CORE)
    except PackageNotFoundError:  # run from a source tree: nothing to compare with
        return ""


def rows(*, load: bool = False) -> list[Row]:
    """
    Return what is installed.

    Args:
        load: import each usable plugin, so that broken ones are told; otherwise nothing is imported.
    """
    usable: dict[tuple[str, str], list[Offer]] = {}
    for offer in _scan()[0]:
        if offer.is_usable():
            usable.setdefault((offer.kind, offer.name), []).append(offer)
    made = [
        _row(offer, rivals, load=load)
        for offer in sorted(_scan()[0], key=lambda offer: (offer.kind, offer.name, offer.distribution))
        if not _is_superseded(offer, rivals := usable.get((offer.kind, offer.name), []))
    ]
    return [*made, *_scan()[1]]


def _is_superseded(offer: Offer, usable: Sequence[Offer]) -> bool:
    """
    Return whether the same distribution offers the name for this core too: it serves several versions of core.
    """
    here = [other for other in usable if other.distribution == offer.distribution]
    return bool(here) and offer not in here


def _row(offer: Offer, usable: Sequence[Offer], *, load: bool) -> Row:
    state, reason = _state(offer, usable)
    if load and state in ("ok", "doubled"):
        try:
            find(offer.kind, f"{offer.distribution}:{offer.name}")
        except PluginLoadError as error:
            state, reason = "broken", str(error).removeprefix(f"{offer.title} ")
    return Row(
        kind=offer.kind,
        name=offer.name,
        distribution=offer.distribution,
        version=offer.version,
        state=state,
        reason=reason,
    )


def _state(offer: Offer, usable: Sequence[Offer]) -> tuple[str, str]:
    if offer.is_disabled():
        return "disabled", "named in the environment variable WARPBEAM_DISABLE_PLUGINS; take it out there to use it"
    if offer.kind not in _KINDS:
        return "unknown", _unknown_group(offer)
    problem = offer.incompatibility()
    if problem:
        return "incompatible", problem
    rivals = [other.distribution for other in usable if other is not offer]
    if rivals:
        return "doubled", f"also offered by {', '.join(rivals)}; name it '{offer.distribution}:{offer.name}'"
    return "ok", ""


def _unknown_group(offer: Offer) -> str:
    groups = [kind.group for kind in _KINDS.values()]
    close = difflib.get_close_matches(offer.group, groups, 1, cutoff=0.8)
    hint = f"did its author mean {close[0]!r}?" if close else f"known are {', '.join(groups)}; a newer warpbeam-core may know it"
    return f"this core knows no group {offer.group!r}; {hint}"


# -- finding one by name -------------------------------------------------------------------------------------------------

_loaded: dict[tuple[str, str, str], Any] = {}


def find(kind: str, name: str) -> Any:
    """
    Return what a plugin's entry point names, imported now.

    Args:
        kind: the kind, such as ``"executor"``.
        name: its name, or ``"distribution:name"`` where several distributions offer the name.

    Raises:
        PluginNotFoundError: nobody offers it.
        PluginLoadError: it is incompatible, doubled, or broken.
    """
    distribution, _, plain = name.rpartition(":")
    offer = find_offer(kind, name)
    key = (kind, normalized(distribution), plain)
    # No lock: a plugin's module may look up others while it is imported, and imports have locks of their own.
    if key not in _loaded:
        _loaded[key] = load(offer)
    return _loaded[key]


def find_offer(kind: str, name: str) -> Offer:
    """
    Return the one offer of that kind and name, not imported.

    Raises:
        PluginNotFoundError, PluginLoadError: as `find`.
    """
    distribution, _, plain = name.rpartition(":")
    there = [offer for offer in _scan()[0] if (offer.kind, offer.name) == (kind, plain) and offer.is_offered_by(distribution)]
    enabled = [offer for offer in there if not offer.is_disabled()]
    if not enabled:
        raise _not_found(kind, name, disabled=there)
    usable = [offer for offer in enabled if not offer.incompatibility()]
    if len(usable) > 1:
        choices = " or ".join(repr(f"{offer.distribution}:{plain}") for offer in usable)
        message = f"{kind} {plain!r} is offered by {len(usable)} distributions; name the one you mean: {choices}"
        raise PluginLoadError(message, kind=kind, name=plain)
    if not usable:
        raise _load_error(enabled[0], f"cannot be used: {enabled[0].incompatibility()}")
    return usable[0]


def _not_found(kind: str, name: str, *, disabled: Sequence[Offer]) -> PluginNotFoundError:
    if kind not in _KINDS:
        message = f"no kind of plugin is called {kind!r} in warpbeam-core {_core_version()}; the kinds are {', '.join(_KINDS)}"
    elif disabled:
        owner = disabled[0].distribution
        message = f"{kind} {name!r} of {owner} is disabled by WARPBEAM_DISABLE_PLUGINS; take it out of that variable to use it"
    else:
        message = _nobody_offers(kind, name)
    return PluginNotFoundError(message, kind=kind, name=name)


def _nobody_offers(kind: str, name: str) -> str:
    plain = name.rpartition(":")[2]
    there = names(kind)
    listed: dict[str, str] = known().get(kind, {})
    close = difflib.get_close_matches(plain, [*there, *listed], 1)
    parts = [f"no {kind} named {name!r} is installed in {sys.executable}"]
    if plain in listed and plain not in there:
        parts.append(f"it comes with: pip install {listed[plain]}")
    elif close:
        parts.append(f"did you mean {close[0]!r}?")
    return "; ".join([*parts, f"installed are {', '.join(there) or 'none'}"])


def load(offer: Offer) -> Any:
    """
    Import an offer, and check that it has what its contract requires.

    Raises:
        PluginLoadError: it cannot be imported, or lacks a member.
    """
    try:
        found = offer.load()
    except (Exception, SystemExit) as error:
        cause = f"{type(error).__name__}: {error}"
        raise _load_error(offer, f"cannot be imported: {cause}; reinstall it or report this to its authors") from error
    kind = _KINDS[offer.kind]
    missing = [member for member in kind.members if not _has(found, member)]
    if missing:
        lack = f"lacks {', '.join(missing)}, which warpbeam.contracts.{kind.protocol} requires"
        raise _load_error(offer, f"{lack}; report this to its authors")
    return found


def _has(found: Any, member: str) -> bool:
    # Fields without a default are no attributes of a class; attrs and dataclasses list them.
    fields = {field.name for field in getattr(found, "__attrs_attrs__", ())} | set(getattr(found, "__dataclass_fields__", ()))
    return hasattr(found, member) or member in fields


def _load_error(offer: Offer, what: str) -> PluginLoadError:
    return PluginLoadError(
        f"{offer.title} {what}",
        kind=offer.kind,
        name=offer.name,
        distribution=offer.distribution,
        version=offer.version,
    )

"""
Finds plugins by kind and name through entry points; the only user of importlib-metadata.

Entry points are read once, at the first look-up, and a plugin is imported only when it is named.
"""

from __future__ import annotations

import difflib
import functools
import os
import re
import sys
import threading
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from warpbeam.errors import PluginLoadError, PluginNotFoundError
from warpbeam.plugins.kinds import HOOKS_GROUP, KINDS


if TYPE_CHECKING:
    from collections.abc import Sequence

    from importlib_metadata import EntryPoint

    from warpbeam.plugins.kinds import Kind

_PREFIX = "warpbeam."
_lock = threading.RLock()
_loaded: dict[tuple[str, str, str], Any] = {}


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


@attrs.frozen
class _Offer:
    kind: str
    name: str
    distribution: str
    version: str
    contract: int
    entry: Any
    requires: tuple[str, ...]


@functools.cache
def _offers() -> tuple[_Offer, ...]:
    from importlib_metadata import distributions

    found: dict[tuple[str, str, str], _Offer] = {}
    for distribution in distributions():
        entries = [entry for entry in distribution.entry_points if entry.group.startswith(_PREFIX)]
        for entry in entries:
            offer = _offer(entry, distribution)
            found.setdefault((offer.kind, offer.name, offer.distribution), offer)
    return tuple(found.values())


def _offer(entry: EntryPoint, distribution: Any) -> _Offer:
    match = re.fullmatch(r"warpbeam\.([a-z_]+)\.v([0-9]+)", entry.group)
    name = str(distribution.metadata["Name"])
    requires = tuple(text for text in distribution.requires or () if re.match(r"warpbeam[-_]core\b", text))
    kind, number = (match[1], int(match[2])) if match else (entry.group, 0)
    return _Offer(kind, entry.name, name, distribution.version, number, entry, requires)


def refresh() -> None:
    """
    Read entry points anew at the next look-up; for programs that install plugins while they run.
    """
    with _lock:
        _offers.cache_clear()
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


def names(kind: str) -> list[str]:
    """
    Return the names of installed plugins of a kind that are not disabled, sorted.
    """
    return sorted({offer.name for offer in _offers() if offer.kind == kind and not _disabled(offer)})


def rows() -> list[Row]:
    """
    Return what is installed, without importing any of it.
    """
    return [_row(offer) for offer in sorted(_offers(), key=lambda offer: (offer.kind, offer.name))]


def _row(offer: _Offer) -> Row:
    made = functools.partial(Row, kind=offer.kind, name=offer.name, distribution=offer.distribution, version=offer.version)
    if _disabled(offer):
        return made(state="disabled", reason="named in WARPBEAM_DISABLE_PLUGINS")
    problem = _incompatibility(offer)
    if problem:
        return made(state="incompatible", reason=problem)
    if offer.kind not in KINDS and offer.kind != "hooks":
        return made(state="unknown", reason=f"group {offer.entry.group!r} is none of ours; known are {_groups()}")
    others = [other.distribution for other in _same_name(offer) if other is not offer]
    if others:
        return made(state="doubled", reason=f"also offered by {', '.join(others)}; name it '{offer.distribution}:{offer.name}'")
    return made()


def _groups() -> str:
    return ", ".join([*(kind.group for kind in KINDS.values()), HOOKS_GROUP])


def _same_name(offer: _Offer) -> list[_Offer]:
    return [other for other in _offers() if (other.kind, other.name) == (offer.kind, offer.name)]


def _disabled(offer: _Offer) -> bool:
    blocked = {text.strip() for text in os.environ.get("WARPBEAM_DISABLE_PLUGINS", "").split(",")}
    return not blocked.isdisjoint({offer.distribution, f"{offer.kind}:{offer.name}"})


def _incompatibility(offer: _Offer) -> str:
    contract = KINDS[offer.kind].version if offer.kind in KINDS else 1
    if offer.contract and offer.contract != contract:
        age = "old" if offer.contract < contract else "new"
        remedy = f"upgrade {offer.distribution}" if age == "old" else "upgrade warpbeam-core"
        return f"its contract version {offer.contract} is too {age} for this core, which has {contract}; {remedy}"
    from importlib_metadata import PackageNotFoundError, version

    try:
        core = version("warpbeam-core")
    except PackageNotFoundError:
        return ""
    for requirement in offer.requires:
        if not _satisfies(core, requirement):
            return f"it requires {requirement}, and warpbeam-core is {core}; install a version of either that fits"
    return ""


def _satisfies(version: str, requirement: str) -> bool:
    """
    Compare release numbers only; what an installer resolved is not resolved again here.

    >>> _satisfies("0.1.0", "warpbeam-core<1,>=0.1"), _satisfies("1.0", "warpbeam-core<1,>=0.1")
    (True, False)
    """
    have = _release(version)
    checks = {
        ">=": lambda want: have >= want,
        ">": lambda want: have > want,
        "<=": lambda want: have <= want,
        "<": lambda want: have < want,
        "==": lambda want: have == want,
        "!=": lambda want: have != want,
    }
    pairs = re.findall(r"(>=|<=|==|!=|<|>)\s*([0-9][0-9.]*)", requirement.partition(";")[0])
    return all(checks[sign](_release(number)) for sign, number in pairs)


def _release(version: str) -> tuple[int, ...]:
    match = re.match(r"[0-9]+(\.[0-9]+)*", version)
    numbers = [int(part) for part in match[0].split(".")] if match else [0]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


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
    wanted, _, plain = name.rpartition(":")
    with _lock:
        key = (kind, wanted, plain)
        if key not in _loaded:
            _loaded[key] = _load(KINDS[kind], _one(kind, wanted, plain))
        return _loaded[key]


def _one(kind: str, wanted: str, name: str) -> _Offer:
    offers = [offer for offer in _offers() if offer.kind == kind and offer.name == name and wanted in ("", offer.distribution)]
    usable = [offer for offer in offers if not _disabled(offer)]
    if not usable:
        raise _not_found(kind, wanted, name, is_disabled=bool(offers))
    if len(usable) > 1:
        choices = " or ".join(repr(f"{offer.distribution}:{name}") for offer in usable)
        raise PluginLoadError(f"{kind} {name!r} is offered twice; name {choices}", kind=kind, name=name)
    return usable[0]


def _not_found(kind: str, wanted: str, name: str, *, is_disabled: bool) -> PluginNotFoundError:
    asked = f"{wanted}:{name}" if wanted else name
    if is_disabled:
        message = f"{kind} {asked!r} is disabled by WARPBEAM_DISABLE_PLUGINS"
        return PluginNotFoundError(message, kind=kind, name=name)
    there = names(kind)
    parts = [f"no {kind} named {asked!r} is installed in {sys.executable}"]
    distribution = known().get(kind, {}).get(name)
    if distribution:
        parts.append(f"pip install {distribution}")
    close = difflib.get_close_matches(name, [*there, *known().get(kind, {})], 1)
    if close and not distribution:
        parts.append(f"did you mean {close[0]!r}?")
    parts.append(f"installed are {', '.join(there) or 'none'}")
    return PluginNotFoundError("; ".join(parts), kind=kind, name=name)


def _load(kind: Kind, offer: _Offer) -> Any:
    who: dict[str, Any] = {
        "kind": kind.name,
        "name": offer.name,
        "distribution": offer.distribution,
        "version": offer.version,
    }
    title = f"{kind.name} {offer.name!r} of {offer.distribution} {offer.version}"
    problem = _incompatibility(offer)
    if problem:
        raise PluginLoadError(f"{title} cannot be used: {problem}", **who)
    try:
        found = offer.entry.load()
    except Exception as error:
        message = f"{title} cannot be imported: {type(error).__name__}: {error}; reinstall or report it to its authors"
        raise PluginLoadError(message, **who) from error
    # attrs classes without slots' descriptors still list their fields here.
    fields = {field.name for field in getattr(found, "__attrs_attrs__", ())}
    missing = [member for member in kind.members if not hasattr(found, member) and member not in fields]
    if missing:
        message = f"{title} lacks {', '.join(missing)}, which the contract {kind.protocol} requires; report it to its authors"
        raise PluginLoadError(message, **who)
    return found


def hook_plugins() -> list[tuple[str, _Offer]]:
    """
    Return installed plugins that implement hooks and are not disabled, with their names.
    """
    return [
        (f"{offer.distribution}:{offer.name}", offer)
        for offer in _offers()
        if offer.kind == "hooks" and not _disabled(offer) and not _incompatibility(offer)
    ]

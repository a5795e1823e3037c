"""
The kinds of plugins that users name: one table.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs


if TYPE_CHECKING:
    from collections.abc import Mapping


@attrs.frozen(kw_only=True)
class Kind:
    """
    One kind of plugin.

    Attributes:
        name: its name.
        version: major version of its contract, the number in the group.
        protocol: its Protocol in `warpbeam.contracts`, or "" where there is none.
        members: what an object of it must have.
        runs_on: where its code runs.
        slot: the option of `Config` that names it, or "".
        contract: its test class in the conformance kit, as a dotted name.
        page: its page in the documentation, below ``docs/``.
    """

    name: str
    version: int = 1
    protocol: str = ""
    members: tuple[str, ...] = ()
    runs_on: str
    slot: str = ""
    contract: str
    page: str

    @property
    def group(self) -> str:
        """
        The entry-point group.
        """
        return f"warpbeam.{self.name}.v{self.version}"


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind(
                name="executor",
                protocol="Executor",
                members=("label", "capabilities", "refuse", "start"),
                runs_on="driver",
                slot="executors",
                contract="warpbeam_testing.ExecutorContract",
                page="reference/executor.md",
            ),
            Kind(
                name="serializer",
                protocol="Serializer",
                members=("tag", "dumps", "loads"),
                runs_on="driver and workers",
                contract="warpbeam_testing.SerializerContract",
                page="reference/serializer.md",
            ),
            Kind(
                name="memo",
                protocol="Memo",
                members=("start",),
                runs_on="driver",
                slot="memo",
                contract="warpbeam_testing.MemoContract",
                page="reference/memo.md",
            ),
            Kind(
                name="config",
                protocol="ConfigReader",
                members=("read",),
                runs_on="driver",
                contract="warpbeam_testing.ConfigReaderContract",
                page="reference/config.md",
            ),
        )
    }
)
"""Every kind of which the user names one, by name."""

HOOKS = Kind(
    name="hooks",
    runs_on="driver; a task wrapper that it returns, on workers",
    slot="plugins",
    contract="warpbeam_testing.HookContract",
    page="reference/hooks.md",
)
"""Plugins that implement hooks; all that are installed take part."""

HOOKS_GROUP = HOOKS.group
"""Group of installed plugins that implement hooks."""

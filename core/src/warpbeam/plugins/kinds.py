"""
The kinds of plugins that users name: one table.
"""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Kind:
    """
    One kind of plugin.

    Attributes:
        name: its name.
        version: major version of its contract, the number in the group.
        protocol: its Protocol in `warpbeam.contracts`.
        members: what an object of it must have.
        runs_on: where its code runs.
        slot: the option of `Config` that names it, or "".
        contract: its test class in the conformance kit.
        page: its page in the documentation.
    """

    name: str
    version: int = 1
    protocol: str
    members: tuple[str, ...]
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


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name="executor",
            protocol="Executor",
            members=("label", "capabilities", "refuse", "start"),
            runs_on="driver",
            slot="executors",
            contract="ExecutorContract",
            page="reference/executor.md",
        ),
        Kind(
            name="serializer",
            protocol="Serializer",
            members=("tag", "dumps", "loads"),
            runs_on="driver and workers",
            contract="SerializerContract",
            page="reference/serializer.md",
        ),
        Kind(
            name="memo",
            protocol="Memo",
            members=("start",),
            runs_on="driver",
            slot="memo",
            contract="MemoContract",
            page="reference/memo.md",
        ),
        Kind(
            name="config",
            protocol="ConfigReader",
            members=("read",),
            runs_on="driver",
            contract="ConfigReaderContract",
            page="reference/config.md",
        ),
    )
}
"""Every kind by name."""

HOOKS_GROUP = "warpbeam.hooks.v1"
"""Group of installed plugins that implement hooks."""

"""
The table of kinds: each has all that a kind needs.
"""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
import warpbeam
from warpbeam import contracts
from warpbeam.plugins.kinds import HOOKS, HOOKS_GROUP, KINDS


EVERY = [*KINDS.values(), HOOKS]
DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.name)
class TestKinds:
    def test_stands_under_its_name(self, kind):
        """The group carries name and version."""
        assert kind.group == f"warpbeam.{kind.name}.v{kind.version}"
        assert kind is HOOKS or KINDS[kind.name] is kind

    def test_has_a_protocol_with_its_members(self, kind):
        """What is required is in the Protocol, and nothing of the Protocol is left out."""
        if kind is HOOKS:  # hooks have specs in place of a Protocol
            assert not kind.members
            return
        protocol = getattr(contracts, kind.protocol)
        own = {name for name in {*vars(protocol), *vars(protocol).get("__annotations__", ())} if not name.startswith("_")}
        assert own == set(kind.members)

    def test_has_a_slot_in_the_configuration(self, kind):
        """The option that names it exists."""
        assert not kind.slot or kind.slot in {field.name for field in attrs.fields(warpbeam.Config)}

    def test_says_where_its_code_runs(self, kind):
        """Every kind says where its code runs."""
        assert kind.runs_on

    def test_has_a_contract_class(self, kind):
        """The conformance kit has its class."""
        module, _, name = kind.contract.rpartition(".")
        kit = pytest.importorskip(module, reason="the conformance kit is not installed")
        assert isinstance(getattr(kit, name), type)

    def test_has_a_page(self, kind):
        """The documentation has its page."""
        if not DOCS.is_dir():
            pytest.skip("the tests run outside the repository, where there is no docs/")
        assert (DOCS / kind.page).is_file()


def test_hooks_have_a_group():
    """The group of hooks is the one that the documentation names."""
    assert HOOKS_GROUP == "warpbeam.hooks.v1"

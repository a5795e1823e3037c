"""
Finding plugins by kind and name, and what is said when that fails.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
import warpbeam
from warpbeam.errors import PluginLoadError, PluginNotFoundError
from warpbeam.plugins import registry


EXECUTOR = "warpbeam.executor.v1"
GOOD = """
class Good:
    label = "good"
    capabilities = frozenset()
    def refuse(self, resources, walltime): return None
    def start(self, host): raise NotImplementedError
"""


def rows_of(distribution):
    return [row for row in registry.rows() if row.distribution == distribution]


class TestFind:
    def test_gives_what_the_entry_point_names(self, plant):
        """A planted class is found by its name."""
        plant("acme-good", groups={EXECUTOR: {"good": "acme_good:Good"}}, modules={"acme_good": GOOD})
        assert registry.find("executor", "good").__name__ == "Good"

    def test_gives_the_same_object_again(self, plant):
        """A plugin is loaded once."""
        plant("acme-good", groups={EXECUTOR: {"good": "acme_good:Good"}}, modules={"acme_good": GOOD})
        assert registry.find("executor", "good") is registry.find("executor", "good")

    def test_imports_nothing_but_what_is_named(self, plant):
        """Another plugin that raises at import does no harm."""
        plant("acme-bad", groups={EXECUTOR: {"bad": "acme_bad:Bad"}}, modules={"acme_bad": "1 / 0"})
        plant("acme-good", groups={EXECUTOR: {"good": "acme_good:Good"}}, modules={"acme_good": GOOD})
        registry.find("executor", "good")
        assert "acme_bad" not in sys.modules

    def test_lists_what_there_is(self):
        """The error names the interpreter and the installed plugins of the kind."""
        with pytest.raises(PluginNotFoundError) as caught:
            registry.find("executor", "nonsense")
        assert sys.executable in str(caught.value)
        assert "threads" in str(caught.value)
        assert (caught.value.kind, caught.value.name) == ("executor", "nonsense")

    def test_suggests_close_names(self):
        """A misspelt name gives the right one."""
        with pytest.raises(PluginNotFoundError, match="did you mean 'threads'"):
            registry.find("executor", "thread")

    def test_names_the_distribution_to_install(self):
        """A known plugin that is not installed gives the command that installs it."""
        with pytest.raises(PluginNotFoundError, match="pip install warpbeam-htex"):
            registry.find("executor", "htex")

    def test_lists_the_kinds(self):
        """A kind that there is not is named as such."""
        with pytest.raises(PluginNotFoundError, match=r"no kind of plugin is called 'nonsense'.*executor"):
            registry.find("nonsense", "x")

    def test_tells_who_raised_at_import(self, plant):
        """A plugin that raises at import gives distribution, version, cause and remedy, and keeps the cause."""
        plant("acme-bad", groups={EXECUTOR: {"bad": "acme_bad:Bad"}}, modules={"acme_bad": "1 / 0"}, version="2.5")
        with pytest.raises(PluginLoadError, match=r"acme-bad 2\.5 cannot be imported: ZeroDivisionError.*reinstall") as caught:
            registry.find("executor", "bad")
        assert (caught.value.distribution, caught.value.version) == ("acme-bad", "2.5")
        assert isinstance(caught.value.__cause__, ZeroDivisionError)

    def test_survives_a_plugin_that_exits(self, plant):
        """A plugin that calls sys.exit at import does not end the program."""
        plant("acme-exit", groups={EXECUTOR: {"exit": "acme_exit:Bad"}}, modules={"acme_exit": "import sys; sys.exit(3)"})
        with pytest.raises(PluginLoadError, match="SystemExit"):
            registry.find("executor", "exit")

    def test_tells_what_is_lacking(self, plant):
        """An object without a required member is refused by name."""
        source = GOOD.replace("def refuse", "def refuses")
        plant("acme-less", groups={EXECUTOR: {"less": "acme_less:Good"}}, modules={"acme_less": source})
        with pytest.raises(PluginLoadError, match=r"acme-less 1\.0 lacks refuse, .*contracts\.Executor"):
            registry.find("executor", "less")

    @pytest.mark.parametrize("decorator", ["attrs.frozen(kw_only=True)", "dataclasses.dataclass(kw_only=True)"])
    def test_takes_fields_without_a_default(self, plant, decorator):
        """A field that has no default is a member all the same."""
        source = "import attrs, dataclasses\n" + GOOD.replace("class Good", f"@{decorator}\nclass Good")
        source = source.replace('label = "good"', "label: str")
        plant("acme-field", groups={EXECUTOR: {"field": "acme_field:Good"}}, modules={"acme_field": source})
        assert registry.find("executor", "field")

    @pytest.mark.parametrize(("number", "age", "upgrade"), [(0, "old", "acme-stale"), (2, "new", "warpbeam-core")])
    def test_recognises_a_stale_contract_without_importing(self, plant, number, age, upgrade):
        """The number in the group decides, and the message says what to upgrade."""
        plant("acme-stale", groups={f"warpbeam.executor.v{number}": {"stale": "acme_stale:X"}}, modules={"acme_stale": "1 / 0"})
        with pytest.raises(PluginLoadError, match=f"contract version {number} .* too {age} .*--upgrade {upgrade}"):
            registry.find("executor", "stale")
        assert "acme_stale" not in sys.modules

    def test_prefers_the_contract_of_this_core(self, plant):
        """A distribution that serves two cores is one plugin here."""
        groups = {"warpbeam.executor.v0": {"good": "acme_old:X"}, EXECUTOR: {"good": "acme_good:Good"}}
        plant("acme-both", groups=groups, modules={"acme_good": GOOD, "acme_old": "1 / 0"})
        assert registry.find("executor", "good")
        assert [row.state for row in rows_of("acme-both")] == ["ok"]

    def test_holds_a_distribution_to_its_own_requirement(self, plant):
        """A plugin that asks for another core is refused with both versions."""
        groups = {EXECUTOR: {"newer": "acme_newer:Good"}}
        plant("acme-newer", groups=groups, modules={"acme_newer": GOOD}, requires=("warpbeam_core (>=7.1,<8)", "attrs"))
        with pytest.raises(PluginLoadError, match=r"requires warpbeam_core.*7\.1.*warpbeam-core is 0\."):
            registry.find("executor", "newer")

    def test_asks_which_of_two(self, plant):
        """A doubled name is an error when used, and the distribution chooses."""
        for name in ("acme-one", "acme-two"):
            module = name.replace("-", "_")
            plant(name, groups={EXECUTOR: {"twin": f"{module}:Good"}}, modules={module: GOOD})
        with pytest.raises(PluginLoadError, match=r"'acme-one:twin'.*'acme-two:twin'|'acme-two:twin'.*'acme-one:twin'"):
            registry.find("executor", "twin")
        assert registry.find("executor", "acme_one:twin").__module__ == "acme_one"
        assert registry.find("executor", "acme-two:twin").__module__ == "acme_two"

    def test_minds_what_is_disabled(self, plant, monkeypatch):
        """A distribution or one plugin can be blocked, and the error says by what."""
        groups = {EXECUTOR: {"good": "acme_good:Good", "Good": "acme_good:Good"}}
        plant("acme-good", groups=groups, modules={"acme_good": GOOD})
        monkeypatch.setenv("WARPBEAM_DISABLE_PLUGINS", "other, executor:good")
        with pytest.raises(PluginNotFoundError, match="disabled by WARPBEAM_DISABLE_PLUGINS"):
            registry.find("executor", "good")
        assert registry.find("executor", "Good")
        monkeypatch.setenv("WARPBEAM_DISABLE_PLUGINS", "Acme_Good")
        assert "Good" not in registry.names("executor")

    def test_lets_a_plugin_look_up_another_while_it_is_imported(self, plant):
        """No lock is held during an import."""
        source = "from warpbeam import registry\nInner = registry.find('executor', 'good')\n" + GOOD
        plant("acme-good", groups={EXECUTOR: {"good": "acme_good:Good"}}, modules={"acme_good": GOOD})
        plant("acme-outer", groups={EXECUTOR: {"outer": "acme_outer:Good"}}, modules={"acme_outer": source})
        assert registry.find("executor", "outer").__module__ == "acme_outer"


class TestRows:
    def test_imports_nothing(self, plant):
        """Rows come from metadata; with load=True the broken are told."""
        plant("acme-bad", groups={EXECUTOR: {"bad": "acme_bad:Bad"}}, modules={"acme_bad": "1 / 0"})
        assert [row.state for row in rows_of("acme-bad")] == ["ok"]
        assert "acme_bad" not in sys.modules
        (row,) = [row for row in registry.rows(load=True) if row.distribution == "acme-bad"]
        assert (row.state, "ZeroDivisionError" in row.reason) == ("broken", True)

    def test_hints_at_a_misspelt_group(self, plant):
        """An unknown group under our prefix is a row with the group that was meant."""
        plant("acme-typo", groups={"warpbeam.executors.v1": {"x": "acme:X"}})
        (row,) = rows_of("acme-typo")
        assert row.state == "unknown"
        assert "'warpbeam.executor.v1'" in row.reason

    def test_tells_states(self, plant, monkeypatch):
        """Disabled, incompatible and doubled plugins are told with the remedy."""
        plant("acme-off", groups={EXECUTOR: {"off": "acme:X"}})
        plant("acme-old", groups={"warpbeam.memo.v0": {"old": "acme:X"}})
        plant("acme-one", groups={EXECUTOR: {"twin": "acme:X"}})
        plant("acme-two", groups={EXECUTOR: {"twin": "acme:X"}})
        monkeypatch.setenv("WARPBEAM_DISABLE_PLUGINS", "acme-off")
        states = {row.distribution: row.state for row in registry.rows()}
        assert states["acme-off"] == "disabled"
        assert states["acme-old"] == "incompatible"
        assert states["acme-one"] == states["acme-two"] == "doubled"
        assert states["warpbeam-threads"] == "ok"

    def test_minds_the_first_of_two_versions(self, plant):
        """Of a distribution that stands on the path twice, the one that is imported counts."""
        plant("acme-same", groups={EXECUTOR: {"stale": "acme:X"}}, version="1.0")
        plant("acme-same", groups={EXECUTOR: {"fresh": "acme:X"}}, version="2.0")
        assert [(row.name, row.version) for row in rows_of("acme-same")] == [("fresh", "2.0")]

    def test_survives_damaged_metadata(self, plant):
        """A distribution whose metadata cannot be read is a row, and the others are found."""
        place = plant("acme-damaged", groups={EXECUTOR: {"x": "acme:X"}})
        (info,) = place.iterdir()
        (info / "METADATA").unlink()
        registry.refresh()
        assert registry.find("executor", "threads")
        (row,) = [row for row in registry.rows() if row.distribution == info.name]
        assert row.state == "broken"
        assert str(info) in row.reason


class TestModules:
    def test_look_up_by_that_very_name(self):
        """Class names and plain names are attributes, and dir() lists them."""
        assert warpbeam.executors.ThreadPoolExecutor is warpbeam.executors.threads
        assert "ThreadPoolExecutor" in dir(warpbeam.executors)

    def test_tell_what_to_install(self):
        """A missing attribute is an AttributeError with the registry's advice."""
        with pytest.raises(AttributeError, match="pip install warpbeam-htex"):
            _ = warpbeam.executors.HighThroughputExecutor

    @pytest.mark.parametrize("module", ["providers", "launchers"])
    def test_stand_for_kinds_to_come(self, module):
        """Names of a kind that this core does not know are told so."""
        from importlib import import_module

        loaded = import_module(f"warpbeam.{module}")
        with pytest.raises(AttributeError, match=f"no kind of plugin is called '{module.rstrip('s')}'"):
            _ = loaded.Slurm
        assert dir(loaded) == []

    def test_have_no_private_plugins(self):
        """Dunder names that tools ask for are no look-ups."""
        assert not hasattr(warpbeam.executors, "__wrapped__")


class TestImport:
    def test_costs_no_plugin(self, plant):
        """Importing warpbeam and touching every public name imports no plugin and reads no entry point."""
        place = plant("acme-hook", groups={"warpbeam.hooks.v1": {"x": "acme_hook"}}, modules={"acme_hook": "1 / 0"})
        code = (
            "import sys, warpbeam\n"
            "for name in warpbeam.__all__: getattr(warpbeam, name)\n"
            "from warpbeam.plugins import registry\n"
            "assert registry._scan.cache_info().currsize == 0\n"
            "print(sorted(name for name in sys.modules if name.startswith(('warpbeam_', 'acme', 'importlib_metadata'))))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={"PYTHONPATH": str(place)}
        )
        assert (done.stdout.strip(), done.stderr) == ("[]", "")


class TestView:
    def test_is_what_plugins_may_import(self):
        """The public view reads the registry and cannot change it."""
        from warpbeam import registry as view

        assert view.find is registry.find
        assert view.hooks().check_config(warpbeam.Config()) == []
        assert sorted(view.__all__) == ["Row", "default_executor_names", "find", "hooks", "names", "rows"]


class TestKnown:
    def test_default_executors_are_known(self):
        """Each name in the order of load() has a distribution."""
        for name in registry.default_executor_names():
            assert registry.known()["executor"][name]

    def test_agrees_with_what_is_installed(self):
        """What our installed distributions offer, the table knows."""
        ours = [row for row in registry.rows() if row.distribution.startswith("warpbeam") and row.kind in registry.KINDS]
        assert ours
        unknown = [row for row in ours if registry.known().get(row.kind, {}).get(row.name) != row.distribution]
        assert unknown == []

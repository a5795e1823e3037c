"""
``warpbeam doctor``: each planted fault gives its own line and remedy.
"""

from __future__ import annotations

import json
import sys
import time

import pytest


EXECUTOR = "warpbeam.executor.v1"
HOOKS = "warpbeam.hooks.v1"
DYING = """
import attrs
from warpbeam.contracts import Health, Load, Outcome, OutcomeKind

class Running:
    def __init__(self, host):
        self.host = host
        host.health(Health.DEAD, "the worker command ended with exit code 127: no such file")
    def submit(self, calls):
        self.host.completed([Outcome(call.try_id, OutcomeKind.CANCELLED, has_started=False) for call in calls])
    def cancel(self, tries, *, kill): pass
    def load(self): return Load(0, 0, 0)
    def stop(self, *, deadline): pass

@attrs.frozen(kw_only=True)
class Dying:
    label: str = "dying"
    capabilities: frozenset = frozenset()
    def refuse(self, resources, walltime): return None
    def start(self, host): return Running(host)
"""
SILENT = DYING.replace('host.health(Health.DEAD, "the worker command ended with exit code 127: no such file")', "self.calls = []")
SILENT = (
    SILENT.replace("self.host.completed([", "self.calls += calls; []or([").replace("Dying", "Silent").replace("dying", "silent")
)
SILENT = SILENT.replace(
    "def stop(self, *, deadline): pass",
    "def stop(self, *, deadline):\n"
    "        self.host.completed([Outcome(c.try_id, OutcomeKind.CANCELLED, has_started=False) for c in self.calls])",
)


@pytest.fixture(name="config")
def _config(tmp_path):
    """
    Write a configuration file: ``config("executors=['threads']")``.
    """

    def write(options):
        path = tmp_path / "config.py"
        path.write_text(f"from warpbeam import Config\nconfig = Config({options})\n")
        return path

    return write


def only(found, check, *parts):
    """
    Check that exactly one problem of a check has all of the parts, a remedy, and is one line; return it.
    """
    hits = [problem for problem in found[check] if all(part in json.dumps(problem, ensure_ascii=False) for part in parts)]
    assert len(hits) == 1, found[check]
    assert hits[0]["remedy"]
    assert "\n" not in hits[0]["message"] + hits[0]["remedy"]
    return hits[0]


class TestHealthy:
    def test_has_nothing_to_say_about_threads(self, warpbeam, config):
        """A sound configuration passes each check, and the versions are told."""
        result = warpbeam("doctor", "--config", config("executors=['threads']"))
        assert (result.exit_code, "error" in result.stdout) == (0, False)
        for check in ("hooks", "configuration", "run directory", "bash", "executors"):
            assert f"ok       {check}" in result.stdout
        for name in ("python", "warpbeam-core", "warpbeam-threads"):
            assert f"\n{name} " in "\n" + result.stdout

    def test_tries_process_workers(self, problems, config):
        """A task is run on workers in other processes as well."""
        assert problems("--config", config("executors=['processes']"))["executors"] == []

    def test_needs_no_configuration(self, problems):
        """Without a file the default is looked at."""
        found = problems()
        assert found["configuration"] == found["executors"] == []


class TestPlantedFaults:
    """Ten and more faults; each is planted for real."""

    def test_a_plugin_that_raises_at_import(self, plant, problems):
        """A broken plugin is told with its version and what it raised."""
        plant("acme-bad", groups={EXECUTOR: {"bad": "acme_bad:X"}}, modules={"acme_bad": "1 / 0"}, version="2.5")
        found = only(problems(), "plugins", "executor 'bad' of acme-bad 2.5 is broken", "ZeroDivisionError")
        assert "reinstall it" in found["remedy"]

    def test_damaged_metadata(self, plant, problems):
        """A dist-info folder without its metadata is told with its place."""
        place = plant("acme-damaged", groups={EXECUTOR: {"x": "acme:X"}})
        (info,) = place.iterdir()
        (info / "METADATA").unlink()
        found = only(problems(), "plugins", "metadata cannot be read")
        assert str(info) in found["remedy"]

    def test_a_disabled_plugin(self, plant, problems, monkeypatch):
        """A blocked plugin is a note, which is no error."""
        plant("acme-off", groups={EXECUTOR: {"off": "acme:X"}})
        monkeypatch.setenv("WARPBEAM_DISABLE_PLUGINS", "acme-off")
        found = only(problems(), "plugins", "acme-off", "disabled", "WARPBEAM_DISABLE_PLUGINS")
        assert found["severity"] == "note"

    def test_a_doubled_name(self, plant, problems):
        """Both distributions are told, and how to choose."""
        for name in ("acme-one", "acme-two"):
            module = name.replace("-", "_")
            plant(name, groups={EXECUTOR: {"twin": f"{module}:Dying"}}, modules={module: DYING})
        found = only(problems(), "plugins", "twin", "of acme-one", "also offered by acme-two")
        assert "'acme-one:twin'" in found["remedy"]

    def test_a_stale_contract(self, plant, problems):
        """A group of an older version is told with the command that helps."""
        plant("acme-stale", groups={"warpbeam.executor.v0": {"stale": "acme:X"}})
        assert "--upgrade acme-stale" in only(problems(), "plugins", "contract version 0", "too old")["remedy"]

    def test_a_requirement_that_is_not_met(self, plant, problems):
        """A plugin that needs another core is told with both versions."""
        plant("acme-newer", groups={EXECUTOR: {"newer": "acme:X"}}, requires=("warpbeam-core>=7,<8",))
        only(problems(), "plugins", "requires warpbeam-core>=7,<8", "warpbeam-core is 0.")

    def test_a_misspelt_group(self, plant, problems):
        """A group that nobody reads is told with the one that was meant."""
        plant("acme-typo", groups={"warpbeam.executors.v1": {"x": "acme:X"}})
        assert EXECUTOR in only(problems(), "plugins", "acme-typo")["remedy"]

    def test_a_hook_with_a_wrong_argument(self, plant, problems):
        """A hook plugin that was left out is told."""
        code = "import warpbeam\n@warpbeam.hookimpl\ndef warpbeam_run_starting(runs): pass\n"
        plant("acme-hook", groups={HOOKS: {"hook": "acme_hook"}}, modules={"acme_hook": code})
        only(problems(), "hooks", "acme-hook:hook 1.0", "warpbeam_run_starting", "runs")

    def test_a_run_directory_that_cannot_be_made(self, problems, config, tmp_path):
        """A run directory below a file is told with the place."""
        (tmp_path / "file").write_text("")
        found = problems("--config", config(f"executors=['threads'], run_dir={str(tmp_path / 'file' / 'runs')!r}"))
        assert only(found, "run directory", str(tmp_path / "file"))["key"] == "run_dir"

    def test_an_unknown_executor(self, problems, config):
        """A misspelt executor is told with the right name."""
        found = problems("--config", config("executors=['thread']"))
        assert only(found, "executors", "did you mean 'threads'")["key"] == "executors[0]"

    def test_an_option_of_the_wrong_type(self, problems, config):
        """A wrong value is told with the option and the file, and checks that need a configuration say nothing."""
        path = config("retries='many'")
        found = problems("--config", path)
        assert str(path) in only(found, "configuration", "retries='many'", "whole number")["remedy"]
        assert found["executors"] == found["run directory"] == []

    def test_a_configuration_that_is_not_there(self, problems, tmp_path):
        """A missing file is told with the directory in which it was looked for."""
        only(problems("--config", tmp_path / "none.toml"), "configuration", "there is no configuration file", str(tmp_path))

    def test_a_missing_named_plugin(self, problems, config):
        """A plugin that the configuration names and that is not installed is told."""
        only(problems("--config", config("executors=['threads'], plugins=['nonsense']")), "configuration", "no hooks named")

    def test_no_bash(self, problems, config, monkeypatch, tmp_path):
        """Without bash on PATH bash apps cannot run."""
        monkeypatch.setenv("PATH", str(tmp_path))
        assert "install bash" in only(problems("--config", config("executors=['threads']")), "bash", "no bash on PATH")["remedy"]

    def test_a_bash_that_does_not_work(self, problems, config, monkeypatch, tmp_path):
        """A bash that ends with a wrong code is told."""
        fake = tmp_path / "bash"
        fake.write_text("#!/bin/sh\nexit 3\n")
        fake.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        only(problems("--config", config("executors=['threads']")), "bash", "ends with 3")

    def test_an_executor_that_dies(self, plant, problems, config):
        """An executor whose workers cannot start is told with its own reason, and the others are tried."""
        plant("acme-dying", groups={EXECUTOR: {"dying": "acme_dying:Dying"}}, modules={"acme_dying": DYING})
        found = problems("--config", config("executors=['dying', 'threads']"))
        assert only(found, "executors", "dying", "exit code 127")["key"] == "executors[0]"
        assert len(found["executors"]) == 1

    def test_an_executor_that_says_nothing(self, plant, problems, config):
        """A task that does not end is told after the patience, and nothing hangs."""
        plant("acme-silent", groups={EXECUTOR: {"silent": "acme_silent:Silent"}}, modules={"acme_silent": SILENT})
        begin = time.monotonic()
        found = problems("--config", config("executors=['silent']"), "--patience", "0.2")
        assert time.monotonic() - begin < 5
        only(found, "executors", "has not ended after 0.2 s")

    def test_a_check_that_fails_itself(self, plant, problems, config):
        """A check of a plugin that raises is a problem of its own, and the others are made."""
        code = (
            "import warpbeam\n@warpbeam.hookimpl\ndef warpbeam_register_checks(register):\n"
            "    register.add('mine', lambda facts: 1 / 0)\n"
        )
        plant("acme-check", groups={HOOKS: {"check": "acme_check"}}, modules={"acme_check": code})
        found = problems("--config", config("executors=['threads']"))
        only(found, "mine", "the check itself failed", "ZeroDivisionError")
        assert found["executors"] == []


class TestLines:
    def test_are_one_a_problem(self, warpbeam, config, plant):
        """In text each problem is one line: severity, check, message, remedy."""
        plant("acme-bad", groups={EXECUTOR: {"bad": "acme_bad:X"}}, modules={"acme_bad": "1 / 0"})
        result = warpbeam("doctor", "--config", config("executors=['thread']"))
        lines = result.stdout.splitlines()
        assert len([line for line in lines if line.startswith("warning  plugins: executor 'bad' of acme-bad")]) == 1
        (line,) = [line for line in lines if line.startswith("error")]
        assert line.startswith("error    executors: executors[0]: thread: ")
        assert result.exit_code == 1
        assert sys.executable in line

    def test_tell_what_hooks_have_changed(self, problems, config, plant):
        """Site policy that amends the configuration is a note."""
        code = "import warpbeam\n@warpbeam.hookimpl\ndef warpbeam_amend_config(draft): draft.set('lost_retries', 9)\n"
        plant("acme-site", groups={HOOKS: {"site": "acme_site"}}, modules={"acme_site": code})
        found = problems("--config", config("executors=['threads']"))
        assert only(found, "configuration", "lost_retries is 9 in place of 3", "acme-site:site")["severity"] == "note"

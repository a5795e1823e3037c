"""
Calling hooks: who is asked, in which order, and who is blamed.
"""

from __future__ import annotations

import collections
import inspect
import logging
import pickle

import attrs
import pluggy
import pytest
import warpbeam
from warpbeam import Config, hookimpl, python_app
from warpbeam.contracts import Change, ExecutorInfo, Fail, Problem, Retry, RunInfo, RunSummary, Severity
from warpbeam.errors import ConfigurationError, PluginContractError, PluginError, PluginLoadError, PluginNotFoundError
from warpbeam.plugins import hookspecs
from warpbeam.plugins.manager import HookManager


HOOKS = "warpbeam.hooks.v1"
RUN = RunInfo(run_id="r", directory=None)
EXECUTOR = ExecutorInfo(label="here", type_name="Here", capabilities=frozenset())
SPECS = {name: spec for name, spec in vars(hookspecs).items() if name.startswith("warpbeam_")}


def source(body, name="plugin"):
    """Return a module whose one object of that name implements hooks."""
    indented = "\n".join("    " + line for line in body.splitlines())
    return f"import warpbeam\nclass Plugin:\n{indented}\n{name} = Plugin()\n"


class Witness:
    """Implements every hook and counts the calls."""

    def __init__(self):
        self.calls = collections.Counter()


def _counting(name, spec):
    (argument,) = inspect.signature(spec).parameters
    scope = {"hookimpl": hookimpl}
    exec(f"@hookimpl\ndef {name}(self, {argument}):\n    self.calls[{name!r}] += 1\n", scope)
    return scope[name]


for _name, _spec in SPECS.items():
    setattr(Witness, _name, _counting(_name, _spec))


class Wrapping:
    def __init__(self, name):
        self.name = name

    @hookimpl
    def warpbeam_wrap_task(self, start):
        return Mark(self.name + start.executor.label)


@attrs.frozen
class Mark:
    name: str

    def __call__(self, call):
        return f"{self.name}({call()})"


class TestSpecs:
    @pytest.mark.parametrize("name", SPECS)
    def test_say_when_they_are_called(self, name):
        """Each docstring is a sentence and has a line that says when the hook is called."""
        text = inspect.getdoc(SPECS[name])
        assert text.splitlines()[0].endswith(".")
        assert "\nCalled: " in text

    @pytest.mark.parametrize("name", SPECS)
    def test_take_one_argument(self, name):
        """A hook takes one context object, so that it can grow."""
        assert len(inspect.signature(SPECS[name]).parameters) == 1

    @pytest.mark.parametrize("name", SPECS)
    def test_are_called_by_a_method_of_their_own(self, name):
        """No hook that nobody calls: the manager has a typed method for each."""
        method = {"warpbeam_add_hooks": "__init__"}.get(name, name.removeprefix("warpbeam_"))
        assert inspect.isfunction(getattr(HookManager, method))


class TestRegistration:
    def test_installed_plugins_take_part(self, plant):
        """A plugin of the group is imported when a kernel is made, and asked."""
        body = "@warpbeam.hookimpl\ndef warpbeam_error_hints(self, error):\n    return ['try again']"
        plant("acme-hints", groups={HOOKS: {"hints": "acme_hints:plugin"}}, modules={"acme_hints": source(body)})
        assert "try again" in HookManager().error_hints(ValueError())

    def test_modules_and_classes_are_plugins_too(self, plant):
        """A module implements hooks by its functions; a class is made with its defaults."""
        module = "import warpbeam\n@warpbeam.hookimpl\ndef warpbeam_error_hints():\n    return ['from a module']\n"
        body = "@warpbeam.hookimpl\ndef warpbeam_error_hints(self):\n    return ['from a class']"
        groups = {HOOKS: {"module": "acme_module", "class": "acme_class:Plugin"}}
        plant("acme-forms", groups=groups, modules={"acme_module": module, "acme_class": source(body)})
        assert {"from a module", "from a class"} <= set(HookManager().error_hints(ValueError()))

    @pytest.mark.parametrize(
        ("code", "said"),
        [
            ("1 / 0", "ZeroDivisionError"),
            (source("@warpbeam.hookimpl\ndef warpbeam_error_hints(self, problem):\n    return []"), "problem"),
            (source("@warpbeam.hookimpl\ndef warpbeam_eror_hints(self, error):\n    return []"), "warpbeam_eror_hints"),
            (source("def warpbeam_error_hints(self, error):\n    return []"), "lacks its mark"),
            (source("@warpbeam.hookimpl(wrapper=True)\ndef warpbeam_error_hints(self, error):\n    yield"), "wrapper"),
        ],
        ids=["raises at import", "wrong argument", "unknown hook", "no mark", "wrapper"],
    )
    def test_broken_plugins_are_left_out_or_refused(self, plant, caplog, code, said):
        """Unnamed: a warning with distribution, version and remedy, and the others work.  Named: an error."""
        good = source("@warpbeam.hookimpl\ndef warpbeam_error_hints(self, error):\n    return ['good']")
        plant("acme-bad", groups={HOOKS: {"bad": "acme_bad:plugin"}}, modules={"acme_bad": code}, version="3.1")
        plant("acme-good", groups={HOOKS: {"good": "acme_good:plugin"}}, modules={"acme_good": good})
        assert "good" in HookManager().error_hints(ValueError())
        (record,) = [record for record in caplog.records if "acme-bad" in record.getMessage()]
        assert record.levelno == logging.WARNING
        for part in ("acme-bad:bad 3.1", said, "WARPBEAM_DISABLE_PLUGINS"):
            assert part in record.getMessage()
        with pytest.raises(PluginLoadError, match=said) as caught:
            HookManager(["bad"])
        assert (caught.value.distribution, caught.value.version) == ("acme-bad", "3.1")

    def test_disabled_plugins_are_not_imported(self, plant, monkeypatch):
        """A blocked plugin does not even get imported."""
        plant("acme-bad", groups={HOOKS: {"bad": "acme_bad:plugin"}}, modules={"acme_bad": "raise BaseException"})
        monkeypatch.setenv("WARPBEAM_DISABLE_PLUGINS", "acme-bad")
        HookManager()

    def test_unknown_names_are_told(self):
        """A named plugin that is not installed is an error."""
        with pytest.raises(PluginNotFoundError, match="no hooks named 'nonsense'"):
            HookManager(["nonsense"])

    def test_a_named_plugin_is_registered_once(self, plant):
        """Naming an installed plugin does not double it."""
        body = "@warpbeam.hookimpl\ndef warpbeam_error_hints(self, error):\n    return ['once']"
        plant("acme-hints", groups={HOOKS: {"hints": "acme_hints:plugin"}}, modules={"acme_hints": source(body)})
        assert HookManager(["acme-hints:hints"]).error_hints(ValueError()).count("once") == 1

    def test_options_without_default_ask_for_an_object(self, plant):
        """A class that needs options waits to be named, and by its mere name it is refused with advice."""
        body = "def __init__(self, account): pass\n@warpbeam.hookimpl\ndef warpbeam_error_hints(self): return ['x']"
        plant(
            "acme-site",
            groups={HOOKS: {"site": "acme_site:Plugin"}},
            modules={"acme_site": source(body, "_").rsplit("_ =", 1)[0]},
        )
        assert "x" not in HookManager().error_hints(ValueError())
        with pytest.raises(PluginLoadError, match=r"give Plugin\(\.\.\.\)"):
            HookManager(["site"])

    def test_objects_need_neither_hash_nor_difference(self):
        """Equal and unhashable records stand side by side, and properties are left alone."""

        @attrs.define
        class Advice:
            lines: list

            @property
            def trap(self):
                raise AssertionError("read")

            @hookimpl
            def warpbeam_error_hints(self, error):
                return self.lines

        same = Advice(["a"])
        assert HookManager([same, Advice(["a"]), same]).error_hints(ValueError()).count("a") == 3

    def test_plugins_may_add_hooks(self):
        """What one declares, another implements, whichever comes first."""
        asked = []

        class Declares:
            @hookimpl
            def warpbeam_add_hooks(self, manager):
                manager.add_hookspecs(Specs)
                self.manager = manager

        class Specs:
            @hookspecs.hookspec
            def acme_greet(self, name):
                """Greet."""

        class Implements:
            @hookimpl
            def acme_greet(self, name):
                asked.append(name)

        declares = Declares()
        HookManager([Implements(), declares])
        declares.manager.hook.acme_greet(name="you")
        assert asked == ["you"]


class TestCalls:
    def test_tell_every_participant(self):
        """Each typed method calls its hook."""
        witness = Witness()
        manager = HookManager([witness])
        manager.register_commands(None)
        manager.register_checks(None)
        manager.amend_config(Config())
        manager.run_starting(RUN)
        manager.make_retry_policy(RUN)
        manager.executor_starting(RUN, EXECUTOR)
        manager.wrap_task(RUN, EXECUTOR)
        manager.executor_stopped(RUN, EXECUTOR, None)
        manager.run_finished(RUN, RunSummary(counts={}, duration_s=0.0))
        manager.error_hints(ValueError())
        assert witness.calls == dict.fromkeys(SPECS, 1)

    def test_observers_are_isolated(self, caplog):
        """What one observer raises is logged with its name, and the others are told."""
        told = []

        class Bad:
            @hookimpl
            def warpbeam_run_starting(self, run):
                raise RuntimeError("mine")

        class Good:
            @hookimpl
            def warpbeam_run_starting(self, run):
                told.append(run)

        HookManager([Bad(), Good(), Bad()]).run_starting(RUN)
        assert told == [RUN]
        assert len([record for record in caplog.records if "plugin Bad failed" in record.getMessage()]) == 2

    def test_amending_hooks_are_blamed(self):
        """What an amending or checking hook raises stops the run, with the plugin's name."""

        class Bad:
            @hookimpl
            def warpbeam_amend_config(self, draft):
                draft.set("no such option", 1)

        with pytest.raises(PluginError, match=r"plugin Bad failed in warpbeam_amend_config: KeyError.*report") as caught:
            HookManager([Bad()]).amend_config(Config())
        assert isinstance(caught.value.__cause__, KeyError)

    def test_amendments_are_remembered(self):
        """A hook changes what the user left open, and who did it is kept."""

        class Policy:
            @hookimpl
            def warpbeam_amend_config(self, draft):
                assert draft.set("lost_retries", 7)
                assert not draft.set("retries", 9)

        manager = HookManager([Policy()])
        amended = manager.amend_config(Config(retries=2))
        assert (amended.retries, amended.lost_retries) == (2, 7)
        assert manager.changes == [Change("lost_retries", 3, 7, "Policy")]

    def test_a_bad_amendment_is_blamed(self):
        """An amendment that makes the configuration invalid names its author."""

        class Policy:
            @hookimpl
            def warpbeam_amend_config(self, draft):
                draft.set("retries", "many")

        with pytest.raises(ConfigurationError, match=r"retries='many'.*retries by plugin Policy"):
            HookManager([Policy()]).amend_config(Config())

    def test_errors_found_by_checks_stop_the_run(self):
        """A problem of severity error is raised with key and remedy; a warning is not."""

        class Check:
            @hookimpl
            def warpbeam_check_config(self, config):
                return [
                    Problem(message="too few", remedy="ask for more", key="retries"),
                    Problem(message="odd", severity=Severity.WARNING),
                ]

        manager = HookManager([Check()])
        with pytest.raises(ConfigurationError, match=r"^retries: too few; ask for more$"):
            manager.amend_config(Config())
        assert len(manager.check_config(Config())) == 2

    @pytest.mark.parametrize(
        ("hook", "answer", "ask"),
        [
            ("warpbeam_check_config(self, config)", ["text"], lambda manager: manager.check_config(Config())),
            ("warpbeam_make_retry_policy(self, run)", "text", lambda manager: manager.make_retry_policy(RUN)),
            ("warpbeam_wrap_task(self, start)", "text", lambda manager: manager.wrap_task(RUN, EXECUTOR)),
        ],
    )
    def test_wrong_answers_are_blamed(self, hook, answer, ask):
        """An answer of the wrong type names the plugin and what would be right."""
        scope = {"hookimpl": hookimpl, "answer": answer}
        exec(f"class Wrong:\n    @hookimpl\n    def {hook}:\n        return answer", scope)
        with pytest.raises(PluginContractError, match=r"plugin Wrong answered .* must give"):
            ask(HookManager([scope["Wrong"]()]))

    def test_order_is_by_mark_and_then_by_registration(self):
        """Those marked tryfirst come first, those marked trylast last, the others as they were named."""
        said = []

        def saying(name, **marks):
            class Says:
                @hookimpl(**marks)
                def warpbeam_run_starting(self):
                    said.append(name)

            return Says()

        HookManager([saying("d", trylast=True), saying("b"), saying("c"), saying("a", tryfirst=True)]).run_starting(RUN)
        assert said == ["a", "b", "c", "d"]


class TestTouchingTasks:
    def test_only_named_plugins_are_asked(self, plant):
        """An installed plugin that wraps tasks does so for no kernel that does not name it."""
        body = (
            "@warpbeam.hookimpl\ndef warpbeam_wrap_task(self, start):\n    return lambda call: 'wrapped'\n"
            "@warpbeam.hookimpl\ndef warpbeam_make_retry_policy(self, run):\n    raise AssertionError"
        )
        plant("acme-wrap", groups={HOOKS: {"wrap": "acme_wrap:plugin"}}, modules={"acme_wrap": source(body)})
        assert HookManager().wrap_task(RUN, EXECUTOR) is None
        assert HookManager().make_retry_policy(RUN) is None
        assert HookManager(["wrap"]).wrap_task(RUN, EXECUTOR)(lambda: 1) == "wrapped"

    def test_wrappers_nest_and_travel(self):
        """The first registered is outermost, and the composed wrapper can be pickled."""
        wrapper = HookManager([Wrapping("a@"), Wrapping("b@")]).wrap_task(RUN, EXECUTOR)
        assert wrapper(lambda: 1) == "a@here(b@here(1))"
        assert pickle.loads(pickle.dumps(wrapper)) == wrapper

    def test_the_first_policy_counts(self):
        """Of several retry policies the first named is taken."""

        class Makes:
            def __init__(self, policy):
                self.policy = policy

            @hookimpl
            def warpbeam_make_retry_policy(self, run):
                return self.policy

        class Decides:
            def decide(self, failure):
                return Fail()

        first = Decides()
        assert HookManager([Makes(None), Makes(first), Makes(Decides())]).make_retry_policy(RUN) is first


class TestKernel:
    def test_counts_do_not_depend_on_tasks(self):
        """No hook is ever called for a task: 10 and 1,000 tasks give the same counts."""

        @python_app
        def nothing():
            return None

        counts = []
        for number in (10, 1000):
            witness, seen = Witness(), collections.Counter()
            with warpbeam.load(executors=["threads"], plugins=[witness], initialize_logging=False) as kernel:
                kernel.hooks._manager.monitor(lambda hook, seen=seen: seen.update([hook]))
                for future in [nothing() for _ in range(number)]:
                    future.result()
            counts.append((witness.calls, seen))
        assert counts[0] == counts[1]
        assert counts[0][1]["warpbeam_run_finished"] == 1
        commands = {"warpbeam_register_commands", "warpbeam_register_checks", "warpbeam_error_hints"}
        assert set(counts[0][0]) == set(SPECS) - commands

    def test_a_named_policy_decides(self):
        """A retry policy that a named plugin makes is asked by the kernel."""
        tries = []

        @python_app
        def fails_once():
            tries.append(1)
            if len(tries) == 1:
                raise ValueError("first")
            return len(tries)

        class Again:
            @hookimpl
            def warpbeam_make_retry_policy(self, run):
                return self

            def decide(self, failure):
                return Retry()

        with warpbeam.load(executors=["threads"], plugins=[Again()]):
            assert fails_once().result(timeout=30) == 2


def test_hookimpl_is_pluggys():
    """The marker that authors import is the one that the manager reads."""
    assert isinstance(hookimpl, pluggy.HookimplMarker)
    assert hookimpl.project_name == hookspecs.hookspec.project_name == "warpbeam"

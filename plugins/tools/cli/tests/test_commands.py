"""
``warpbeam`` and its subcommands ``plugins``, ``run`` and ``perf``.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from warpbeam.plugins import registry
from warpbeam_cli.measure import Round, sizes


EXECUTOR = "warpbeam.executor.v1"
HOOKS = "warpbeam.hooks.v1"
SQUARES = "from warpbeam import python_app\n@python_app\ndef square(x): return x * x\n"
README = Path(__file__).parents[1] / "README.md"


def run(*arguments, **options):
    """
    Run the command in a process of its own.
    """
    asked = [sys.executable, "-m", "warpbeam_cli", *map(str, arguments)]
    return subprocess.run(asked, capture_output=True, text=True, check=False, timeout=50, **options)


@pytest.fixture(name="script")
def _script(tmp_path):
    def write(text, name="script.py"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return path

    return write


@pytest.fixture(name="threads")
def _threads(script):
    return script("from warpbeam import Config\nconfig = Config(executors=['threads'])\n", "threads.py")


class TestGroup:
    def test_lists_commands_without_importing_them(self):
        """``--help`` names ours, and imports none of their modules."""
        code = (
            "import sys; from warpbeam_cli.main import main\n"
            "main(['--help'], standalone_mode=False)\n"
            "print([name for name in sys.modules if name.endswith('_command') or name.startswith('rich')])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "[]"
        for name in ("doctor", "perf", "plugins", "run"):
            assert f"\n  {name} " in done.stdout

    def test_ours_come_by_the_hook(self, warpbeam, monkeypatch):
        """With our own hook plugin blocked there is no command left."""
        monkeypatch.setenv("WARPBEAM_DISABLE_PLUGINS", "warpbeam-cli")
        assert warpbeam("plugins").exit_code == 2

    def test_others_come_by_the_hook(self, warpbeam, plant):
        """A plugin's command is listed, loaded when used, and run."""
        code = (
            "import warpbeam\n@warpbeam.hookimpl\ndef warpbeam_register_commands(cli):\n"
            "    def load():\n        import click\n        return click.Command('greet', callback=lambda: click.echo('hello'))\n"
            "    cli.add('greet', load, help='Say hello.')\n"
            "    cli.add('bad', lambda: 1 / 0)\n    cli.add('odd', lambda: None)\n    cli.add('run', lambda: None)\n"
        )
        plant("acme-greet", groups={HOOKS: {"greet": "acme_greet"}}, modules={"acme_greet": code})
        assert "Say hello." in warpbeam("--help").output
        assert warpbeam("greet").output == "hello\n"
        assert "acme_greet cannot be loaded: ZeroDivisionError" in warpbeam("bad").output
        assert "no click.Command" in warpbeam("odd").output

    def test_tells_its_version(self, warpbeam):
        """``--version`` is core's."""
        assert re.fullmatch(r"warpbeam [0-9.]+\n", warpbeam("--version").output)


class TestPlugins:
    def test_lists_what_is_installed(self, warpbeam):
        """A line for each plugin, with distribution and state."""
        output = warpbeam("plugins").output
        assert re.search(r"threads +executor +[0-9.]+ +warpbeam-threads +ok", output)

    def test_gives_json_with_reasons(self, warpbeam, plant):
        """What is wrong is in the record; nothing is imported unasked."""
        plant("acme-bad", groups={EXECUTOR: {"bad": "acme_bad:X"}}, modules={"acme_bad": "1 / 0"})
        for options, state in (((), "ok"), (("--load",), "broken")):
            (record,) = [one for one in json.loads(warpbeam("plugins", "--json", *options).output) if one["name"] == "bad"]
            assert record["state"] == state
        assert "ZeroDivisionError" in record["reason"]
        assert set(record) == {"kind", "name", "distribution", "version", "state", "reason"}

    def test_times_imports_in_processes_of_their_own(self, warpbeam, plant, monkeypatch):
        """Each plugin has the seconds that its import takes, and one that ends its process does no harm."""
        slow = "import time\nbegin = time.perf_counter()\nwhile time.perf_counter() < begin + 0.2: pass\n"
        good = slow + "class X:\n    def start(self, host): pass\n"
        groups = {"warpbeam.memo.v1": {"slow": "acme_slow:X", "crash": "acme_crash:X"}}
        place = plant("acme-slow", groups=groups, modules={"acme_slow": good, "acme_crash": "import os; os._exit(7)"})
        monkeypatch.setenv("PYTHONPATH", str(place))
        ours = {row.distribution for row in registry.rows()} - {"acme-slow"}
        monkeypatch.setenv("WARPBEAM_DISABLE_PLUGINS", ",".join(ours - {"warpbeam-cli"}))
        found = {one["name"]: one for one in json.loads(warpbeam("plugins", "--json", "--timings").output)}
        assert 0.2 < found["slow"]["import_s"] < 5
        assert (found["crash"]["state"], found["crash"]["reason"]) == ("broken", "exit code 7")
        assert found["threads"]["import_s"] is None


class TestRun:
    @pytest.mark.parametrize("executor", ["threads", "processes"])
    def test_runs_a_script_as_main(self, script, executor):
        """The script sees its arguments, its own directory, and a loaded kernel; functions of ``__main__`` travel."""
        script("VALUE = 3\n", "beside.py")
        config = script(f"from warpbeam import Config\nconfig = Config(executors=[{executor!r}])\n", "config.py")
        path = script(SQUARES + "import sys, beside\nprint(__name__, sys.argv[1:], square(square(beside.VALUE)).result())\n")
        done = run("run", "--config", config, path, "a", "--config", "b")
        assert (done.stdout, done.stderr, done.returncode) == ("__main__ ['a', '--config', 'b'] 81\n", "", 0)

    def test_leaves_the_process_as_it_was(self, warpbeam, script):
        """Called in a process that goes on, it puts back ``__main__``, the arguments and the path."""
        before = sys.modules["__main__"], sys.argv, sys.path[:]
        assert warpbeam("run", script("import sys\nprint(sys.argv[1:])\n"), "a").output == "['a']\n"
        assert (sys.modules["__main__"], sys.argv, sys.path) == before

    def test_waits_for_tasks_that_the_script_leaves(self, script, threads):
        """Tasks that are pending when the script ends are run, with the script still being ``__main__``."""
        text = (
            SQUARES
            + "import time\n@python_app\ndef late(x):\n    print(__import__('sys').modules['__main__'].__file__)\nlate(square(2))\n"
        )
        path = script(text)
        assert run("run", "--config", threads, path).stdout == f"{path}\n"

    def test_lets_scripts_load_for_themselves(self, script):
        """Without --config the program of the design prints 81."""
        path = script(SQUARES + "import warpbeam\nwith warpbeam.load(executors=['threads']): print(square(square(3)).result())\n")
        assert run("run", path).stdout == "81\n"

    def test_shows_the_scripts_frames_only(self, script, threads):
        """An exception is shown from the script's first frame on; the exit code is 1."""
        path = script("raise ValueError('mine')\n")
        done = run("run", "--config", threads, path)
        lines = done.stderr.splitlines()
        assert done.returncode == 1
        assert lines[1] == f'  File "{path}", line 1, in <module>'
        assert lines[-1] == "ValueError: mine"

    def test_adds_hints(self, script):
        """Errors of ours end with advice from hooks."""
        done = run("run", script(SQUARES + "square(3)\n"))
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].startswith("hint: give a configuration with --config")

    @pytest.mark.parametrize(("text", "code"), [("import sys; sys.exit(5)", 5), ("import sys; sys.exit()", 0), ("1 / 0", 1)])
    def test_passes_exit_codes_on(self, script, threads, text, code):
        """The exit code is the script's own."""
        assert run("run", "--config", threads, script(text)).returncode == code

    def test_ends_with_130_after_an_interrupt(self, script, threads):
        """Ctrl-C in the script ends the run as shells expect."""
        done = run("run", "--config", threads, script("raise KeyboardInterrupt\n"))
        assert (done.returncode, done.stderr) == (130, "interrupted\n")

    def test_refuses_a_bad_configuration(self, script, tmp_path):
        """A configuration that cannot be loaded is one message and the exit code 2; the script is not run."""
        config = script("from warpbeam import Config\nconfig = Config(executors=['nonsense'])\n", "config.py")
        done = run("run", "--config", config, script("print('run')\n"))
        assert (done.returncode, done.stdout) == (2, "")
        assert "no executor named 'nonsense'" in done.stderr
        assert "hint: `warpbeam plugins`" in done.stderr

    @pytest.mark.parametrize(
        ("text", "said"),
        [("", "it must define config"), ("1 / 0", "ZeroDivisionError"), ("config = 3", "defines 3 as config")],
    )
    def test_tells_what_is_wrong_with_a_python_file(self, script, text, said):
        """A Python file that defines no configuration is told."""
        done = run("run", "--config", script(text, "config.py"), script("", "x.py"))
        assert (done.returncode, said in done.stderr) == (2, True)

    def test_runs_the_example_of_the_readme(self, tmp_path):
        """The README's program prints what the README says."""
        blocks = re.findall(r"`(\w+\.py)`:\n\n```python\n(.*?)```", README.read_text(), re.DOTALL)
        for name, text in blocks:
            (tmp_path / name).write_text(text)
        (asked, said) = re.search(r"```console\n\$ warpbeam (.*?)\n(.*?)```", README.read_text(), re.DOTALL).groups()
        assert run(*asked.split(), cwd=tmp_path).stdout == said


@pytest.mark.row("CLI-01")
class TestPerf:
    def test_measures_a_list_of_rounds(self, warpbeam, threads):
        """Rounds of the sizes asked for, and the rate at the end."""
        result = warpbeam("perf", "--config", threads, "--iterate", "5,20", "--argsize", 100, "--resources", "{'priority': 2}")
        lines = result.output.splitlines()
        assert lines[0] == "executors: threads"
        assert [int(line.split()[0]) for line in lines[1:3]] == [5, 20]
        assert re.fullmatch(r"[0-9,]+ tasks/s", lines[-1])

    def test_takes_the_config_of_a_function(self, warpbeam, script):
        """A file may define fresh_config, and the estimate ends near the wanted time."""
        path = script("from warpbeam import Config\ndef fresh_config(): return Config(executors=['threads'])\n", "fresh.py")
        result = warpbeam("perf", "--config", path, "--time", "0.05")
        assert (result.exit_code, "tasks/s" in result.output) == (0, True)

    @pytest.mark.parametrize(
        "options",
        [("--iterate", "sometimes"), ("--iterate", "0"), ("--time", "0"), ("--resources", "{"), ("--resources", "{'speed': 1}")],
    )
    def test_refuses_bad_options(self, warpbeam, threads, options):
        """A wrong option is a usage error that names its value."""
        result = warpbeam("perf", "--config", threads, *options)
        assert (result.exit_code, options[0] in result.output) == (2, True)

    def test_tells_who_cannot_honour_resources(self, warpbeam, threads):
        """A resource that no executor knows is an error of ours, not a traceback."""
        result = warpbeam("perf", "--config", threads, "--resources", "{'gpus': 1}")
        assert (result.exit_code, "gpus" in result.stderr) == (2, True)

    def test_estimates_and_doubles(self):
        """The estimate aims at the wanted time and grows tenfold at most; the other doubles until a round is too long."""

        def after(how, *times):
            rounds = [Round(tasks=tasks, submit_s=0.1, total_s=seconds) for tasks, seconds in times]
            return sizes(how)(rounds, 10.0)

        assert [after("estimate"), after("estimate", (10, 0.001)), after("estimate", (1000, 5.0))] == [10, 100, 2000]
        assert after("estimate", (1000, 8.0)) is None
        assert [after("exponential"), after("exponential", (10, 1.0)), after("exponential", (10, 11.0))] == [10, 20, None]

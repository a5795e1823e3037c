"""
Distributions that are planted for one test, and the command in this process.
"""

from __future__ import annotations

import json
import logging
import sys

import pytest
from click.testing import CliRunner
from warpbeam.plugins import registry
from warpbeam_cli.main import main


@pytest.fixture(name="plant")
def _plant(tmp_path_factory, monkeypatch):
    """
    Install a distribution for one test: ``plant(name, groups={group: {entry: "module:attr"}}, modules={name: source})``.
    """
    planted = []

    def plant(name, *, groups, modules=(), version="1.0", requires=("warpbeam-core>=0.1,<1",)):
        place = tmp_path_factory.mktemp("site")
        info = place / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        wanted = "".join(f"Requires-Dist: {text}\n" for text in requires)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{wanted}")
        entries = [f"[{group}]\n" + "".join(f"{key} = {to}\n" for key, to in named.items()) for group, named in groups.items()]
        (info / "entry_points.txt").write_text("\n".join(entries))
        for module, source in dict(modules).items():
            (place / f"{module}.py").write_text(source)
            planted.append(module)
        monkeypatch.syspath_prepend(place)
        registry.refresh()
        return place

    yield plant
    monkeypatch.undo()
    for module in planted:
        sys.modules.pop(module, None)
    registry.refresh()


@pytest.fixture(name="warpbeam")
def _warpbeam():
    """
    Run the command in this process and return its result: ``warpbeam("plugins", "--json")``.
    """
    before = logging.getLogger("warpbeam").handlers[:]
    main._registered = None
    yield lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])
    main._registered = None
    logging.getLogger("warpbeam").handlers[:] = before


@pytest.fixture(name="problems")
def _problems(warpbeam):
    """
    Run the doctor and return its problems by check: ``problems("--config", path)["bash"]``.
    """

    def run(*arguments):
        result = warpbeam("doctor", "--json", *arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        found = {check["name"]: check["problems"] for check in json.loads(result.stdout)["checks"]}
        has_error = any(problem["severity"] == "error" for problems in found.values() for problem in problems)
        assert result.exit_code == int(has_error)
        return found

    return run

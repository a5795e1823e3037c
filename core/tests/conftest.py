"""
An executor whose tries end when the test says so.
"""

from __future__ import annotations

import sys
import threading

import attrs
import pytest
import warpbeam
from warpbeam.contracts import Load, Outcome, OutcomeKind


class RunningManual:
    def __init__(self, description, host):
        self.description, self.host = description, host
        self.changed = threading.Condition()
        self.calls = {}
        self.seen = []
        self.cancelled = []
        self.begun = set()

    def submit(self, calls):
        with self.changed:
            for call in calls:
                self.calls[call.try_id] = call
                self.seen.append(call)
            self.changed.notify_all()
        if self.description.runs_inline:
            for call in calls:
                self.run(call.try_id)

    def cancel(self, tries, *, kill):
        self.cancelled += tries
        ended = [one for one in tries if one in self.calls]
        for one in ended:
            del self.calls[one]
        self.host.completed([Outcome(one, OutcomeKind.CANCELLED, has_started=False) for one in ended])

    def load(self):
        return Load(len(self.calls), 0, 1)

    def stop(self, *, deadline):
        self.cancel(list(self.calls), kill=True)

    # -- for tests

    def begin(self, try_id):
        self.begun.add(try_id)
        return self.host.started([try_id])

    def run(self, try_id):
        call = self.calls[try_id]
        if call.try_id not in self.begun and self.begin(try_id):
            return
        try:
            outcome = Outcome(try_id, OutcomeKind.RETURNED, call.function(*call.args, **call.kwargs))
        except BaseException as error:
            outcome = Outcome(try_id, OutcomeKind.RAISED, error=error)
        self.end(outcome)

    def run_all(self):
        while self.calls:
            self.run(next(iter(self.calls)))

    def end(self, outcome):
        self.calls.pop(outcome.try_id, None)
        self.host.completed([outcome])

    def only(self):
        (try_id,) = self.calls
        return try_id


@attrs.frozen(kw_only=True)
class Manual:
    label: str = "manual"
    capabilities: frozenset = frozenset({"local", "can_kill", "resources:cores"})
    runs_inline: bool = False

    def refuse(self, resources, walltime):
        return "it has 4 cores" if resources.cores is not None and resources.cores > 4 else None

    def start(self, host):
        return RunningManual(self, host)


@pytest.fixture(name="manual")
def _manual():
    with warpbeam.load(executors=[Manual()], exit_mode="cancel") as kernel:
        yield kernel.executors["manual"]


@pytest.fixture(name="inline")
def _inline():
    with warpbeam.load(executors=[Manual(runs_inline=True)]) as kernel:
        yield kernel


@pytest.fixture(name="threads")
def _threads():
    with warpbeam.load(executors=["threads"], exit_mode="cancel") as kernel:
        yield kernel


class _RunningRefusing(RunningManual):
    def submit(self, calls):
        raise RuntimeError("no room")


@attrs.frozen(kw_only=True)
class Refusing(Manual):
    def start(self, host):
        return _RunningRefusing(self, host)


@pytest.fixture(name="manual_type")
def _manual_type():
    return Manual


@pytest.fixture(name="refusing")
def _refusing():
    return Refusing()


@pytest.fixture(name="plant")
def _plant(tmp_path_factory, monkeypatch):
    """
    Install distributions for one test: ``plant(name, groups={group: {entry: "module:attr"}}, modules={name: source})``.
    """
    from warpbeam.plugins import registry

    planted = []

    def plant(name, *, groups, modules=(), version="1.0", requires=("warpbeam-core>=0.1,<1",), metadata=None):
        place = tmp_path_factory.mktemp("site")
        info = place / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        wanted = "".join(f"Requires-Dist: {text}\n" for text in requires)
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{wanted}" if metadata is None else metadata
        (info / "METADATA").write_text(text)
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

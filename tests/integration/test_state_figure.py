"""
The figure of the states of a task shows the data that the kernel goes by, all of it and nothing else.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from warpbeam.contracts import FINAL_STATES, TRANSITIONS, TaskState


DOCS = Path(__file__).resolve().parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(name="figure")
def _figure(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS / "_extensions"))
    import state_figure

    return state_figure


def arrows(drawing):
    paths = [path for path in ET.fromstring(drawing).iter(f"{SVG}path") if "data-from" in path.attrib]
    return {(path.get("data-from"), path.get("data-to")): path.get("d") for path in paths}


def boxes(drawing):
    groups = [group for group in ET.fromstring(drawing).iter(f"{SVG}g") if "data-state" in group.attrib]
    return {group.get("data-state"): group.find(f"{SVG}rect").attrib for group in groups}


def pairs(transitions):
    return {(one.name, other.name) for one, following in transitions.items() for other in following}


def ends(way):
    """
    Return the points at which a path begins and ends.
    """
    x = y = 0
    points = []
    for command, numbers in re.findall(r"([MHVQ])([\d. -]+)", way):
        values = [float(number) for number in numbers.split()]
        x, y = {"H": (values[0], y), "V": (x, values[0])}.get(command, tuple(values[-2:]))
        points.append((x, y))
    return points[0], points[-1]


def is_on_border(point, box):
    left, top, width, height = (float(box[name]) for name in ("x", "y", "width", "height"))
    is_at_side = point[0] in {left, left + width} and top <= point[1] <= top + height
    return is_at_side or (point[1] in {top, top + height} and left <= point[0] <= left + width)


class TestFigure:
    def test_shows_every_transition(self, figure):
        """One arrow for each transition in the data, and a box for each state with its name."""
        drawing = figure.draw()
        assert arrows(drawing).keys() == pairs(TRANSITIONS)
        assert boxes(drawing).keys() == {state.name for state in TaskState}
        shown = {text.text for text in ET.fromstring(drawing).iter(f"{SVG}text")}
        assert shown == {state.name for state in TaskState}

    def test_arrows_lead_from_box_to_box(self, figure):
        """Each begins at the border of the one state and ends at that of the other."""
        drawing = figure.draw()
        where = boxes(drawing)
        for (source, target), way in arrows(drawing).items():
            begin, end = ends(way)
            assert is_on_border(begin, where[source]), (source, target)
            assert is_on_border(end, where[target]), (source, target)

    def test_no_two_arrows_and_no_two_boxes_coincide(self, figure):
        """Every arrow has a way of its own, every state a place of its own."""
        drawing = figure.draw()
        ways = list(arrows(drawing).values())
        places = [(box["x"], box["y"]) for box in boxes(drawing).values()]
        assert len(set(ways)) == len(ways)
        assert len(set(places)) == len(places)

    def test_follows_the_data(self, figure):
        """A transition that is added to the table is in the figure, and one that is taken away is not."""
        changed = {state: set(following) for state, following in TRANSITIONS.items()}
        changed[TaskState.pending].remove(TaskState.memo_done)
        changed[TaskState.joining] |= {TaskState.fail_retryable, TaskState.memo_done}
        assert arrows(figure.draw(changed)).keys() == pairs(changed)

    def test_marks_what_is_final(self, figure):
        """Final states look final."""
        root = ET.fromstring(figure.draw())
        final = {
            group.get("data-state") for group in root.iter(f"{SVG}g") if "final" in (group.find(f"{SVG}rect").get("class") or "")
        }
        assert final == {state.name for state in FINAL_STATES}

    def test_has_the_colour_of_the_text(self, figure):
        """It names no colour of its own, so it can be read on light and on dark pages."""
        colours = set(re.findall(r"(?:fill|stroke): ?([a-zA-Z#]\w*)", figure.draw()))
        assert colours <= {"currentColor", "none"}

    def test_says_what_each_state_means(self, figure):
        """The sentences of the source are found for all states."""
        assert figure.sentences().keys() == set(TaskState)

    def test_stands_on_the_page(self):
        """The page on the kernel asks for the figure."""
        assert "```{task-states}\n" in (DOCS / "explanation/kernel.md").read_text()

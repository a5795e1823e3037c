"""
Draws the states of a task and the transitions between them, from the data that the kernel itself goes by.

States that something follows stand in a column, in the order in which a task comes to them; arrows between neighbours are straight,
all others have a lane of their own on the left.  Final states stand in a row below; each has a lane on the right, which every
transition to it joins.  Everything is drawn in the colour of the text around it, so it can be read on any background.
"""

from __future__ import annotations

import ast
import inspect
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from warpbeam.contracts import FINAL_FAILURE_STATES, TRANSITIONS, TaskState


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

Edge = tuple[TaskState, TaskState]

FIRST = TaskState.pending
WIDTH, HEIGHT, ROW = 122, 44, 84
LANE, PORT, CORNER = 13, 11, 9
FINAL_WIDTH, FINAL_PITCH = 88, 98
MARGIN = 12

STYLE = """
.task-states { max-width: 100%; height: auto; font: 12px monospace; color: inherit }
.task-states rect, .task-states path { fill: none; stroke: currentColor; stroke-width: 1.2 }
.task-states .final { stroke-width: 3 }
.task-states .failure { stroke-dasharray: 5 3 }
.task-states .back { stroke-dasharray: 2 3 }
.task-states text { fill: currentColor; text-anchor: middle; dominant-baseline: central }
.task-states marker path { fill: currentColor; stroke: none }
"""
ARROW = (
    '<marker id="task-states-arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0 L8 4 L0 8 Z"/></marker>'
)


class Box(NamedTuple):
    """
    Where a state stands.
    """

    left: int
    top: int
    width: int

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + HEIGHT

    @property
    def middle(self) -> int:
        return self.left + self.width // 2


class Figure:
    """
    The layout of a table of transitions.
    """

    def __init__(self, transitions: Mapping[TaskState, AbstractSet[TaskState]]) -> None:
        self.transitions = transitions
        self.column = in_order(transitions)
        self.finals = sorted(set(transitions) - set(self.column))
        self.lanes = self._lanes()
        left = MARGIN + LANE * (len(self.lanes) + 1)
        self.boxes = {state: Box(left, MARGIN + ROW * row, WIDTH) for row, state in enumerate(self.column)}
        across, below = left + WIDTH + 2 * CORNER, MARGIN + ROW * len(self.column)
        for place, state in enumerate(self.finals):
            self.boxes[state] = Box(across + FINAL_PITCH * place, below, FINAL_WIDTH)
        self.width = across + FINAL_PITCH * len(self.finals)
        self.height = below + HEIGHT + MARGIN

    def _lanes(self) -> list[Edge]:
        """
        Return the edges that have lanes on the left, the shortest, which are innermost, first.
        """
        row = {state: number for number, state in enumerate(self.column)}
        edges = [
            (one, other) for one in self.column for other in self.transitions[one] if other in row and row[other] - row[one] != 1
        ]
        return sorted(edges, key=lambda edge: (abs(row[edge[1]] - row[edge[0]]), row[edge[0]]))

    def path(self, edge: Edge) -> str:
        """
        Return the way of an arrow.
        """
        source, target = (self.boxes[state] for state in edge)
        if edge[1] in self.finals:
            height = self._port(edge, "right")
            return (
                f"M{source.right} {height} H{target.middle - CORNER} "
                f"Q{target.middle} {height} {target.middle} {height + CORNER} V{target.top}"
            )
        if edge not in self.lanes:
            return f"M{source.middle} {source.bottom} V{target.top}"
        start, end = self._port(edge, "out"), self._port(edge, "in")
        lane = source.left - LANE * (self.lanes.index(edge) + 1)
        turn = CORNER if end > start else -CORNER
        return (
            f"M{source.left} {start} H{lane + CORNER} Q{lane} {start} {lane} {start + turn} "
            f"V{end - turn} Q{lane} {end} {lane + CORNER} {end} H{target.left}"
        )

    def _port(self, edge: Edge, side: str) -> int:
        """
        Return the height at which an arrow leaves or meets the box of a state.
        """
        state = edge[1] if side == "in" else edge[0]
        box = self.boxes[state]
        if side == "right":
            return box.top + HEIGHT // 2
        ports = sorted((other for other in self.lanes if state in other), key=self._other_end(state))
        return box.top + HEIGHT // 2 + PORT * (2 * ports.index(edge) - len(ports) + 1) // 2

    def _other_end(self, state: TaskState) -> Callable[[Edge], tuple[bool, int]]:
        """
        Return how to sort arrows at a box so that they do not cross there.
        """

        def key(edge: Edge) -> tuple[bool, int]:
            other = edge[1] if edge[0] is state else edge[0]
            is_below = self.column.index(other) > self.column.index(state)
            lane = self.lanes.index(edge)
            return is_below, -lane if is_below else lane

        return key

    def edges(self) -> Iterator[Edge]:
        """
        Yield every transition.
        """
        yield from ((one, other) for one in self.column for other in sorted(self.transitions[one]))

    def is_back(self, edge: Edge) -> bool:
        """
        Return whether a transition leads to an earlier state.
        """
        return edge[1] in self.column and self.column.index(edge[1]) <= self.column.index(edge[0])


def in_order(transitions: Mapping[TaskState, AbstractSet[TaskState]]) -> list[TaskState]:
    """
    Return the states that something follows, in the order in which a task comes to them at the latest.
    """
    ranks: dict[TaskState, int] = {}

    def visit(state: TaskState, way: tuple[TaskState, ...]) -> None:
        if state in way or ranks.get(state, -1) >= len(way):
            return
        ranks[state] = len(way)
        for following in transitions[state]:
            visit(following, (*way, state))

    visit(FIRST, ())
    return sorted((state for state in transitions if transitions[state]), key=lambda state: (ranks.get(state, len(ranks)), state))


def sentences() -> dict[TaskState, str]:
    """
    Return what the source says of each state.
    """
    (enumeration,) = ast.parse(inspect.getsource(TaskState)).body
    assert isinstance(enumeration, ast.ClassDef)
    found = {}
    for member, text in zip(enumeration.body, enumeration.body[1:], strict=False):
        match member, text:
            case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(sentence))):
                found[TaskState[name]] = " ".join(sentence.split())
    return found


def draw(transitions: Mapping[TaskState, AbstractSet[TaskState]] = TRANSITIONS) -> str:
    """
    Return the figure as SVG, to stand within a page.
    """
    figure, said = Figure(transitions), sentences()
    parts = [_drawn_edge(figure, edge) for edge in figure.edges()]
    parts += [_drawn_state(figure, state, said.get(state, "")) for state in [*figure.column, *figure.finals]]
    return (
        f'<svg class="task-states" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {figure.width} {figure.height}" '
        f'width="{figure.width}" height="{figure.height}" role="img" aria-label="states of a task">\n'
        f"<style>{STYLE}</style><defs>{ARROW}</defs>\n" + "\n".join(parts) + "\n</svg>"
    )


def _drawn_edge(figure: Figure, edge: Edge) -> str:
    kind = "back" if figure.is_back(edge) else "forth"
    return (
        f'<path class="{kind}" d="{figure.path(edge)}" marker-end="url(#task-states-arrow)" '
        f'data-from="{edge[0].name}" data-to="{edge[1].name}"><title>{edge[0].name} to {edge[1].name}</title></path>'
    )


def _drawn_state(figure: Figure, state: TaskState, sentence: str) -> str:
    box = figure.boxes[state]
    kind = ("failure " if state in FINAL_FAILURE_STATES else "") + ("final" if state in figure.finals else "passing")
    return (
        f'<g data-state="{state.name}"><title>{escape(sentence)}</title>'
        f'<rect class="{kind}" x="{box.left}" y="{box.top}" width="{box.width}" height="{HEIGHT}" rx="6"/>'
        f'<text x="{box.middle}" y="{box.top + HEIGHT // 2}">{state.name}</text></g>'
    )

"""
The directives ``task-states``, the figure of the states of a task, and ``task-state-list``, what each of them means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import state_figure
from docutils import nodes
from sphinx.util.docutils import SphinxDirective


if TYPE_CHECKING:
    from sphinx.application import Sphinx


class TaskStates(SphinxDirective):
    """
    The figure.
    """

    def run(self) -> list[nodes.Node]:
        _depend_on_source(self)
        return [nodes.raw("", state_figure.draw(), format="html")]


class TaskStateList(SphinxDirective):
    """
    The states with their sentences.
    """

    def run(self) -> list[nodes.Node]:
        _depend_on_source(self)
        return [nodes.definition_list("", *map(_item, state_figure.sentences().items()))]


def _item(entry: tuple[Any, str]) -> nodes.definition_list_item:
    state, sentence = entry
    term = nodes.term("", "", nodes.literal("", state.name))
    return nodes.definition_list_item("", term, nodes.definition("", nodes.paragraph("", sentence)))


def _depend_on_source(directive: SphinxDirective) -> None:
    """
    Have the page made again when the data or the drawing changes.
    """
    for path in (state_figure.inspect.getfile(state_figure.TaskState), state_figure.__file__):
        directive.env.note_dependency(path)


def setup(app: Sphinx) -> dict[str, Any]:
    """
    Register the directives.
    """
    app.add_directive("task-states", TaskStates)
    app.add_directive("task-state-list", TaskStateList)
    return {"version": "1", "parallel_read_safe": True}

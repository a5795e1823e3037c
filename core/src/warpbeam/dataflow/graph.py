"""
The graph of dependencies: a pure state machine.

No thread, clock, socket or file, and no knowledge of what a node is.  A node is known only while it waits or is waited for; nodes
that wait for nothing cost nothing.  Each edge is touched once when made and once when its parent ends, so a graph of n nodes and m
edges costs O(n + m) however it is shaped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Graph:
    """
    Who waits for whom.

    A parent handed to `add` must not have ended: who has ended is the caller's knowledge.
    """

    __slots__ = ("_children", "_missing")

    def __init__(self) -> None:
        self._missing: dict[int, int] = {}  # how many parents a waiting node still lacks; always > 0
        self._children: dict[int, list[int]] = {}  # waiting nodes of a parent, with some that have been removed since

    def add(self, node: int, parents: Iterable[int]) -> bool:
        """
        Add a node that waits for these parents; return True if there are none, so that it is ready.
        """
        count = 0
        for parent in parents:
            self._children.setdefault(parent, []).append(node)
            count += 1
        if count:
            self._missing[node] = count
        return not count

    def finish(self, node: int) -> list[int]:
        """
        Say that a node has ended well; return the nodes that became ready.
        """
        children = self._children.pop(node, None)
        if children is None:
            return []
        missing = self._missing
        ready = []
        for child in children:
            lacking = missing.get(child)
            if lacking is None:
                continue  # removed meanwhile
            if lacking == 1:
                del missing[child]
                ready.append(child)
            else:
                missing[child] = lacking - 1
        return ready

    def fail(self, node: int) -> list[int]:
        """
        Say that a node has failed, or will never be; return the nodes that became impossible, each once.

        These are removed; say ``fail`` of each of them in turn.  A node that waits may be failed itself.
        """
        missing = self._missing
        missing.pop(node, None)
        return [child for child in self._children.pop(node, ()) if missing.pop(child, None) is not None]

    def remove(self, node: int) -> None:
        """
        Forget a node that was just added and that nothing depends on.
        """
        self._missing.pop(node, None)

    def is_waiting(self, node: int) -> bool:
        """
        Return whether the node lacks a parent.
        """
        return node in self._missing

    def children(self, node: int) -> Iterator[int]:
        """
        Return the nodes that wait for this one.
        """
        return (child for child in self._children.get(node, ()) if child in self._missing)

    def __len__(self) -> int:
        """
        Return how many nodes wait.
        """
        return len(self._missing)

"""
The graph against a naive model.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from warpbeam.dataflow.graph import Graph


@st.composite
def graphs(draw):
    """Draw the parents of each of some nodes, all parents being older."""
    size = draw(st.integers(1, 30))
    return [draw(st.sets(st.integers(0, node - 1), max_size=5)) if node else set() for node in range(size)]


class TestGraph:
    @given(graphs(), st.randoms(), st.floats(0, 1))
    def test_agrees_with_a_naive_model(self, parents, random, share_of_failures):
        """Each node becomes ready when its last parent has finished, or impossible when one fails, once."""
        graph = Graph()
        ended, failed = set(), set()
        ready = [node for node, needed in enumerate(parents) if graph.add(node, needed)]
        assert ready == [node for node, needed in enumerate(parents) if not needed]
        while ready:
            node = ready.pop(random.randrange(len(ready)))
            if random.random() < share_of_failures:
                doomed = [node]
                while doomed:
                    failed.add(doomed[-1])
                    doomed.extend(graph.fail(doomed.pop()))
            else:
                ended.add(node)
                ready.extend(graph.finish(node))
            expected = {
                child for child, needed in enumerate(parents) if needed <= ended and child not in ended and child not in failed
            }
            assert set(ready) == expected
        assert len(graph) == 0
        assert ended | failed == set(range(len(parents)))
        assert all(not (needed & failed) or child in failed for child, needed in enumerate(parents))

    def test_a_removed_node_is_not_waited_for(self):
        """A withdrawn node never becomes ready."""
        graph = Graph()
        assert not graph.add(1, [0])
        assert list(graph.children(0)) == [1]
        graph.remove(1)
        assert not graph.is_waiting(1)
        assert graph.finish(0) == []

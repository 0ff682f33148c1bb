"""In which order the triangles of a network set the datums of its baselines."""

from __future__ import annotations

import numpy as np

from rtkpos._arrays import BoolArray, IndexArray
from rtkpos.network.graph.network_graph import NetworkGraph


def closure_order(graph: NetworkGraph) -> tuple[IndexArray, IndexArray, BoolArray]:
    """Triangles in order, (m,), the baseline of each whose datum follows from it, -1 = none.

    The integers of a baseline are counted from a datum of its own; along a spanning tree all are
    free. A triangle two of whose datums are set gives that of the third, and in a plane
    triangulation without holes this reaches every baseline once.

    Third, (n_edge,): baselines whose datum nothing ties to the tree. Around a hole in the network a
    triangle must begin with a free datum, so that those that follow from it close their triangles,
    but not the way around the hole.
    """
    sides = graph.triangle_edges.tolist()
    is_set = graph.in_tree.copy()
    is_loose = np.zeros(len(is_set), np.bool_)
    order: list[int] = []
    owner: list[int] = []
    waiting = list(range(len(sides)))
    while waiting:
        number = next((t for t in waiting if np.sum(~is_set[sides[t]]) <= 1), waiting[0])
        free = [e for e in sides[number] if not is_set[e]]
        order.append(number)
        owner.append(free[0] if free else -1)
        is_loose[free] = len(free) > 1 or is_loose[sides[number]].any()
        is_set[sides[number]] = True
        waiting.remove(number)
    return np.array(order, np.int64), np.array(owner, np.int64), is_loose

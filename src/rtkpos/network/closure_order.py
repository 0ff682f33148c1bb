"""In which order the triangles of a network set the datums of its baselines."""

from __future__ import annotations

import numpy as np

from rtkpos._arrays import IndexArray
from rtkpos.network.graph import NetworkGraph


def closure_order(graph: NetworkGraph) -> tuple[IndexArray, IndexArray]:
    """Triangles in order, (m,), and the baseline of each whose datum follows from it, -1 = none.

    The integers of a baseline are counted from a datum of its own; along a spanning tree all are
    free. A triangle two of whose datums are set gives that of the third, and in a plane
    triangulation this reaches every baseline once.
    """
    sides = graph.triangle_edges.tolist()
    is_set = graph.in_tree.copy()
    order: list[int] = []
    owner: list[int] = []
    waiting = list(range(len(sides)))
    while waiting:
        number = next((t for t in waiting if np.sum(~is_set[sides[t]]) <= 1), waiting[0])
        free = [e for e in sides[number] if not is_set[e]]
        order.append(number)
        owner.append(free[0] if free else -1)
        is_set[sides[number]] = True
        waiting.remove(number)
    return np.array(order, np.int64), np.array(owner, np.int64)

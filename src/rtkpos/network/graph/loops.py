"""Closed loops of baselines: where the integers of a network must add up to zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtkpos._arrays import IndexArray
from rtkpos.network.graph.network_graph import NetworkGraph


@dataclass(frozen=True, kw_only=True, eq=False)
class Loops:
    """Closed walks over baselines, one after the other.

    The sum of sign times anything that is a difference second - first station is zero.

    Parameters
    ----------
    start : ndarray of int64
        (n_loop + 1,) where each loop begins in `edge` and `sign`.
    edge : ndarray of int64
        Baselines in walking order.
    sign : ndarray of int64
        +1 walked from its first station to its second.
    """

    start: IndexArray
    edge: IndexArray
    sign: IndexArray

    @property
    def n_loop(self) -> int:
        """Number of loops."""
        return len(self.start) - 1

    def loop(self, number: int) -> tuple[IndexArray, IndexArray]:
        """Baselines and signs of one loop.

        Parameters
        ----------
        number : int
            Number of the loop.

        Returns
        -------
        tuple[ndarray of int64, ndarray of int64]
            Baselines and their signs in walking order.
        """
        part = slice(self.start[number], self.start[number + 1])
        return self.edge[part], self.sign[part]


def triangle_loops(graph: NetworkGraph) -> Loops:
    """One loop around each triangle, in the order of the triangles.

    Parameters
    ----------
    graph : NetworkGraph
        Stations and baselines.

    Returns
    -------
    Loops
        The loops.
    """
    n = len(graph.triangles)
    return Loops(
        start=3 * np.arange(n + 1),
        edge=graph.triangle_edges.reshape(-1),
        sign=graph.triangle_signs.reshape(-1),
    )


def fundamental_loops(graph: NetworkGraph) -> Loops:
    """The loop each baseline outside the spanning tree closes with it, by rising edge number.

    They are a basis: a network whose fundamental loops close has no loop that does not, and they
    exist without triangles, too. Each begins with its own baseline, walked forwards.

    Parameters
    ----------
    graph : NetworkGraph
        Stations and baselines.

    Returns
    -------
    Loops
        The loops.
    """
    parent, depth = _rooted(graph)
    walks = [_loop_of(graph, int(edge), parent, depth) for edge in np.flatnonzero(~graph.in_tree)]
    length = np.array([len(walk) for walk in walks], np.int64)
    steps = np.array([step for walk in walks for step in walk], np.int64).reshape(-1, 2)
    start = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    return Loops(start=start, edge=steps[:, 0].copy(), sign=steps[:, 1].copy())


def _rooted(graph: NetworkGraph) -> tuple[list[int], list[int]]:
    """Parent and depth (n,) of each station in the spanning tree; roots are their own parents."""
    beside: list[list[int]] = [[] for _ in graph.names]
    for a, b in graph.edges[graph.in_tree].tolist():
        beside[a].append(b)
        beside[b].append(a)
    parent, depth = [-1] * graph.n_station, [0] * graph.n_station
    for root in range(graph.n_station):
        if parent[root] >= 0:
            continue
        parent[root], queue = root, [root]
        for station in queue:
            for other in beside[station]:
                if parent[other] < 0:
                    parent[other], depth[other] = station, depth[station] + 1
                    queue.append(other)
    return parent, depth


def _loop_of(
    graph: NetworkGraph, edge: int, parent: list[int], depth: list[int]
) -> list[tuple[int, int]]:
    """Steps (edge, sign) along a baseline and back through the tree."""
    home, away = (int(station) for station in graph.edges[edge])
    there, back = [(edge, 1)], []
    while home != away:
        if depth[away] >= depth[home]:
            there.append(_step(graph, away, parent[away]))
            away = parent[away]
        else:
            back.append(_step(graph, parent[home], home))
            home = parent[home]
    return there + back[::-1]


def _step(graph: NetworkGraph, start: int, end: int) -> tuple[int, int]:
    """The baseline from one station to another and in which sense it is walked."""
    number = graph.edge_number[min(start, end), max(start, end)]
    return number, 1 if start < end else -1

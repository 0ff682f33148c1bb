"""Triangles of baselines as loops of integers: signs, and whose datum follows from which."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtkpos._arrays import BoolArray, IndexArray


class ClosurePlan(NamedTuple):
    """Triangles in the order in which their owners' datums can be set.

    triangle : (T, 3) baselines      sign : (T, 3) so that integers rover - base sum to zero
    owner : (T,) the baseline of each triangle whose datum follows from the other two, -1 = none
    """

    triangle: IndexArray
    sign: IndexArray
    owner: IndexArray


def closure_plan(edges: IndexArray, triangles: IndexArray, is_tree: BoolArray) -> ClosurePlan:
    """Order the triangles of a network for the closure of integers.

    edges : (E, 2) stations rover, base      triangles : (T, 3) stations
    is_tree : (E,) baselines of a spanning tree, whose datums are free
    A triangle two of whose datums are set gives that of the third; in a plane triangulation this
    reaches every baseline once. A triangle none of whose baselines is free owns none (-1).
    """
    number = {tuple(sorted(edge)): e for e, edge in enumerate(edges.tolist())}
    loops = [_loop(triangle, number, edges) for triangle in triangles.tolist()]
    is_set = is_tree.copy()
    ordered, waiting = [], list(loops)
    while waiting:
        ready = [loop for loop in waiting if sum(not is_set[e] for e, _ in loop) <= 1]
        if not ready:
            ready = waiting[:1]
        for loop in ready:
            free = [e for e, _ in loop if not is_set[e]]
            ordered.append((loop, free[0] if free else -1))
            is_set[[e for e, _ in loop]] = True
            waiting.remove(loop)
            if len(free) == 1:
                break
    return ClosurePlan(
        triangle=np.array([[e for e, _ in loop] for loop, _ in ordered], np.int64).reshape(-1, 3),
        sign=np.array([[s for _, s in loop] for loop, _ in ordered], np.int64).reshape(-1, 3),
        owner=np.array([owner for _, owner in ordered], np.int64),
    )


def _loop(
    triangle: list[int], number: dict[tuple[int, ...], int], edges: IndexArray
) -> list[tuple[int, int]]:
    """The three (baseline, sign) of a triangle, walked around once."""
    loop = []
    for a, b in zip(triangle, triangle[1:] + triangle[:1], strict=True):
        e = number[tuple(sorted((a, b)))]
        loop.append((e, 1 if int(edges[e, 0]) == b else -1))
    return loop

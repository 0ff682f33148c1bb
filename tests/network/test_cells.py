"""Cells of a network: every station and baseline once, rings that hold all neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.errors import ConfigError
from rtkpos.network.graph.cells import plan_cells
from rtkpos.network.graph.graph import build_graph
from tests.network import places

GRAPH = places.network(places.lattice(15, 45.0, 1))


def test_every_station_and_baseline_has_one_cell():
    plan = plan_cells(GRAPH)
    own = np.concatenate([plan.core(cell) for cell in range(plan.n_cell)])
    edges = np.concatenate([plan.edges(cell) for cell in range(plan.n_cell)])
    assert sorted(own) == list(range(225))
    assert sorted(edges) == list(range(len(GRAPH.edges)))


@pytest.mark.parametrize("size", [1, 7, 40, 225, 1000])
def test_cells_are_nearly_equal_and_small_enough(size):
    plan = plan_cells(GRAPH, size)
    n = np.bincount(plan.cell_of)
    assert plan.n_cell == -(-225 // size)
    assert n.max() <= size
    assert n.min() >= 0.75 * n.max()


def test_ring_holds_exactly_the_neighbours_of_other_cells():
    plan = plan_cells(GRAPH)
    for cell in range(plan.n_cell):
        own = set(plan.core(cell).tolist())
        wanted = {int(k) for station in own for k in GRAPH.neighbours(station)} - own
        assert set(plan.ring(cell).tolist()) == wanted
        assert len(wanted) > 0


def test_crossing_baselines_belong_to_the_lower_cell():
    plan = plan_cells(GRAPH)
    ends = plan.cell_of[GRAPH.edges]
    assert (plan.edge_cell == ends.min(axis=1)).all()
    assert plan.n_crossing() == int((ends[:, 0] != ends[:, 1]).sum()) > 0
    assert (plan.triangle_cell == plan.cell_of[GRAPH.triangles].min(axis=1)).all()


def test_a_cell_sees_the_stations_of_all_it_computes():
    plan = plan_cells(GRAPH)
    for cell in range(plan.n_cell):
        seen = np.concatenate([plan.core(cell), plan.ring(cell)])
        assert np.isin(GRAPH.edges[plan.edges(cell)], seen).all()
        assert np.isin(GRAPH.triangles[plan.triangle_cell == cell], seen).all()


def test_cells_are_compact():
    """A ring is small against its cell: few baselines cross."""
    assert plan_cells(GRAPH).n_crossing() < 0.4 * len(GRAPH.edges)


def test_cut_does_not_depend_on_the_order_of_stations():
    names, ecef = np.array(places.named(225)), GRAPH.ecef_m
    mixed = np.random.default_rng(2).permutation(225)
    other = build_graph(names[mixed].tolist(), ecef[mixed])
    cells = [
        {frozenset(plan.graph.names[k] for k in plan.core(c)) for c in range(plan.n_cell)}
        for plan in (plan_cells(GRAPH), plan_cells(other))
    ]
    assert cells[0] == cells[1]


def test_parts_of_a_network_are_not_mixed():
    graph = places.network([(0, 0), (40, 0), (20, 30), (900, 0), (930, 20)])
    plan = plan_cells(graph)
    assert plan.n_cell == 2
    assert sorted(np.bincount(plan.cell_of)) == [2, 3]


def test_one_station_is_a_cell():
    plan = plan_cells(places.network([(0, 0)]))
    assert plan.n_cell == 1
    assert len(plan.ring(0)) == len(plan.edges(0)) == 0


def test_empty_cells_are_refused():
    with pytest.raises(ConfigError, match="at least 1 station; got 0"):
        plan_cells(GRAPH, 0)

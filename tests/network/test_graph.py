"""The graph of a network against definitions, an independent triangulation, and odd networks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import Delaunay

from rtkpos.errors import ConfigError, DataError
from rtkpos.network.graph.graph import add_station, build_graph, remove_station
from rtkpos.network.graph.network_graph import GraphLimits
from rtkpos.network.graph.triangulation import heights_over
from rtkpos.simulate.medium.ellipsoid import place_llh
from tests.network import places

WIDE = GraphLimits(edge_max_m=2e7, angle_min_deg=0.0)


def stereographic(ecef_m):
    """Plane points whose Delaunay triangulation is that on the sphere: circles stay circles."""
    unit = ecef_m / np.linalg.norm(ecef_m, axis=1)[:, None]
    pole = unit.mean(axis=0) / np.linalg.norm(unit.mean(axis=0))
    east = np.cross([0.0, 0.0, 1.0], pole)
    east /= np.linalg.norm(east)
    axes = np.stack([east, np.cross(pole, east)])
    return unit @ axes.T / (1.0 + unit @ pole)[:, None]


@pytest.mark.parametrize(("n", "seed"), [(5, 1), (40, 2), (400, 3)])
def test_triangles_are_those_of_the_conformal_plane(n, seed):
    graph = places.network(places.scattered(n, seed), limits=WIDE)
    plane = Delaunay(stereographic(graph.ecef_m)).simplices
    assert {frozenset(t) for t in graph.triangles.tolist()} == {
        frozenset(t) for t in plane.tolist()
    }


def test_no_station_stands_inside_a_circumcircle_and_triangles_turn_left():
    graph = places.network(places.scattered(60, 4), limits=WIDE)
    for corners in graph.triangles:
        others = np.setdiff1d(np.arange(60), corners)
        for other in others:
            assert heights_over(graph.unit, corners[None, :], graph.unit[other])[0] < 0.0
    corner = graph.unit[graph.triangles]
    assert (np.linalg.det(corner) > 0.0).all()


def test_closed_triangulation_satisfies_euler():
    graph = places.network(places.scattered(100, 5))
    assert len(graph.facets) == 2 * 100 - 4


def test_tree_is_the_least_one_of_all_pairs():
    """Prim's algorithm over all pairs, a naive twin, gives the same baselines."""
    graph = places.network(places.scattered(60, 6), limits=WIDE)
    apart = np.linalg.norm(graph.ecef_m[:, None] - graph.ecef_m[None], axis=2)
    reached, wanted = {0}, set()
    while len(reached) < 60:
        pairs = ((apart[a, b], a, b) for a in reached for b in range(60) if b not in reached)
        _, a, b = min(pairs)
        wanted.add((min(a, b), max(a, b)))
        reached.add(b)
    assert {tuple(edge) for edge in graph.edges[graph.in_tree].tolist()} == wanted


def test_edges_lengths_and_neighbours_agree():
    graph = places.network(places.scattered(50, 7))
    for station in range(50):
        edges = graph.edges_at(station)
        assert (graph.edges[edges] == station).any(axis=1).all()
        assert graph.neighbours(station).tolist() == sorted(
            int(k) for edge in graph.edges if station in edge for k in edge if k != station
        )
    place = graph.ecef_m[graph.edges]
    assert np.allclose(graph.length_m, np.linalg.norm(place[:, 0] - place[:, 1], axis=1))


def test_long_edges_leave_a_hole_but_no_long_baseline():
    graph = places.network(places.scattered(80, 8, 900.0), limits=GraphLimits(edge_max_m=110e3))
    assert graph.length_m.max() <= 110e3
    assert len(graph.triangles) < len(places.network(graph_points(8), limits=WIDE).triangles)


def graph_points(seed):
    return places.scattered(80, seed, 900.0)


def test_slivers_go_from_the_rim_only():
    """A flat triangle on the outline goes, the same triangle inside the network stays."""
    line = [(0, 0), (40, -3), (80, 0)]
    below = [(40, -45)]
    flat = places.network([*line, *below])
    assert len(flat.triangles) == 2  # (0, 0) (40, -3) (80, 0) would be the third
    assert frozenset({"S0000", "S0002"}) not in places.edge_names(flat)
    inner = places.network([*line, *below, (40, 45)])
    assert len(inner.triangles) == 4
    kept = places.network(line + below, limits=GraphLimits(angle_min_deg=1.0))
    assert len(kept.triangles) == 3


@pytest.mark.parametrize("order", [1, -1])
def test_order_of_stations_does_not_matter(order):
    points = places.scattered(40, 9)
    names = places.named(40)
    turned = build_graph(names[::order], places.local(points)[::order])
    assert places.edge_names(turned) == places.edge_names(places.network(points))


# --- stations that come and go -------------------------------------------------------------------


def same(one, other):
    """Whether two graphs are the same in every array."""
    assert one.names == other.names
    for field in ("edges", "triangles", "in_tree", "component", "twin_of", "facets"):
        assert np.array_equal(getattr(one, field), getattr(other, field)), field
    assert one.notes == other.notes


@pytest.mark.parametrize("n", [8, 60])
def test_leaving_and_coming_equal_a_rebuild(n):
    ecef, names = places.local(places.scattered(n, n)), places.named(n)
    graph = build_graph(names, ecef)
    for gone in range(0, n, max(1, n // 20)):
        left = [k for k in range(n) if k != gone]
        smaller = remove_station(graph, names[gone])
        same(smaller, build_graph([names[k] for k in left], ecef[left]))
        back = add_station(smaller, names[gone], ecef[gone])
        order = [*left, gone]
        same(back, build_graph([names[k] for k in order], ecef[order]))


def test_changes_do_not_fall_back_to_a_rebuild(monkeypatch):
    ecef, names = places.local(places.scattered(30, 11)), places.named(30)
    graph = build_graph(names, ecef)
    monkeypatch.setattr("rtkpos.network.graph.graph.build_graph", None)
    add_station(remove_station(graph, names[7]), names[7], ecef[7])


def test_only_the_cavity_changes():
    points = places.scattered(100, 12)
    graph = places.network(points)
    middle = int(np.argmin(np.hypot(*np.transpose(points))))
    beside = {graph.names[k] for k in (middle, *graph.neighbours(middle))}
    left = remove_station(graph, graph.names[middle])
    before, after = places.triangle_names(graph), places.triangle_names(left)
    assert [t for t in before if graph.names[middle] not in t] == [t for t in after if t in before]
    assert all(set(t) <= beside for t in after if t not in before)


def test_network_grows_from_one_station():
    points = places.local(places.scattered(12, 13, 120.0))
    graph = build_graph(["S0000"], points[:1])
    for k in range(1, 12):
        graph = add_station(graph, f"S{k:04d}", points[k])
        same(graph, build_graph(places.named(k + 1), points[: k + 1]))
    for k in range(11, 0, -1):
        graph = remove_station(graph, f"S{k:04d}")
        same(graph, build_graph(places.named(k), points[:k]))


def test_unknown_station_cannot_leave():
    with pytest.raises(DataError, match="station XX is not in the network"):
        remove_station(places.network([(0, 0), (30, 0)]), "XX")


# --- odd networks --------------------------------------------------------------------------------


def test_two_stations_are_one_baseline():
    graph = places.network([(0, 0), (40, 0)])
    assert graph.edges.tolist() == [[0, 1]]
    assert graph.in_tree.tolist() == [True]
    assert "no triangle" in graph.notes[0]


def test_stations_in_line_are_a_chain():
    graph = places.network([(30 * k, 0) for k in (0, 3, 1, 2, 4)])
    assert len(graph.triangles) == 0
    assert graph.edges.tolist() == [[0, 2], [1, 3], [1, 4], [2, 3]]
    assert graph.in_tree.all()


def test_stations_on_one_meridian_are_a_chain():
    graph = build_graph(places.named(6), places.geographic([(30 + 0.4 * k, 110) for k in range(6)]))
    assert graph.edges.tolist() == [[k, k + 1] for k in range(5)]


def test_square_of_four_has_two_triangles():
    graph = build_graph(
        places.named(4), places.geographic([(34, 112), (34, 112.4), (34.4, 112), (34.4, 112.4)])
    )
    assert len(graph.triangles) == 2
    assert len(graph.edges) == 5


def test_regular_lattice_is_covered_without_gaps():
    points = [(30.0 * i, 30.0 * k) for i in range(6) for k in range(6)]
    graph = places.network(points)
    assert len(graph.triangles) == 2 * 5 * 5
    assert len(graph.rim) == 4 * 5


def test_stations_side_by_side_hang_together():
    graph = places.network([(0, 0), (40, 0), (20, 35), (0.003, 0), (0, 0)])
    assert graph.twin_of.tolist() == [-1, -1, -1, 0, 0]
    assert {(0, 3), (0, 4)} <= {tuple(edge) for edge in graph.edges.tolist()}
    assert len(graph.triangles) == 1
    assert graph.notes[0] == "S0003 stands beside S0000 and hangs on it by one baseline."
    smaller = remove_station(graph, "S0000")
    assert smaller.twin_of.tolist() == [-1, -1, -1, 2]
    assert len(smaller.triangles) == 1


def test_stations_a_few_metres_apart_do_not_break_the_triangulation():
    points = places.scattered(20, 14, 300.0)
    points = np.vstack([points, points + np.array([0.0, 0.004])])
    graph = places.network(points, limits=GraphLimits(twin_max_m=1.0, angle_min_deg=0.0))
    assert graph.component.max() == 0
    assert graph.in_tree.sum() == 39
    ends = np.bincount(graph.edges.reshape(-1), minlength=40)
    assert (ends > 0).all()


def test_far_station_is_named_and_not_joined():
    points = [(0, 0), (40, 0), (20, 35), (900, 0), (930, 10)]
    graph = places.network(points)
    assert graph.component.tolist() == [0, 0, 0, 1, 1]
    assert "falls into 2 parts" in graph.notes[0]
    assert "S0003, S0004" in graph.notes[0]
    assert graph.length_m.max() < 50e3


@pytest.mark.parametrize("origin_deg", [(0.0, 180.0), (89.9, 20.0), (-89.9, 0.0), (0.0, 0.0)])
def test_antimeridian_and_poles_are_places_like_others(origin_deg):
    points = places.scattered(30, 15, 200.0)
    origin = np.array([*np.radians(origin_deg), 0.0])
    graph = build_graph(places.named(30), places.local(points, origin))
    usual = places.network(points)
    assert graph.in_tree.sum() == 29
    common = places.edge_names(graph) & places.edge_names(usual)
    assert len(common) >= 0.9 * len(usual.edges)  # the ellipsoid curves a little differently there


def test_network_around_the_world_is_closed():
    rng = np.random.default_rng(16)
    unit = rng.normal(size=(300, 3))
    llh = place_llh(6.4e6 * unit / np.linalg.norm(unit, axis=1)[:, None])
    graph = build_graph(
        places.named(300), places.geographic(np.degrees(llh[:, :2])), GraphLimits(edge_max_m=1.2e7)
    )
    assert len(graph.triangles) == 2 * 300 - 4
    assert len(graph.rim) == 0


def test_country_of_thousands_of_stations():
    graph = places.network(places.lattice(66, 47.0, 17))
    assert graph.n_station == 4356
    assert graph.in_tree.sum() == 4355
    whole = places.network(places.lattice(66, 47.0, 17), limits=WIDE)
    assert 4356 - len(whole.edges) + len(whole.triangles) == 1  # a disk (Euler)
    assert 0 < len(whole.triangles) - len(graph.triangles) < 4 * 66  # strips along the outline


SHAPES = {
    "anywhere": lambda rng, n: rng.uniform(-1, 1, (n, 2)),
    "line": lambda rng, n: np.stack([np.arange(n) / n, np.zeros(n)], axis=1),
    "nearly a line": lambda rng, n: rng.uniform(-1, 1, (n, 2)) * [1, 1e-9],
    "lattice with repeats": lambda rng, n: rng.integers(0, 4, (n, 2)) / 4.0,
    "pairs": lambda rng, n: np.repeat(rng.uniform(-1, 1, (n, 2)), 2, axis=0)[:n],
    "circle": lambda rng, n: np.exp(1j * rng.uniform(0, 6.3, n)).view(float).reshape(-1, 2),
    "many scales": lambda rng, n: rng.normal(size=(n, 2)) * 10.0 ** rng.uniform(-6, 0, (n, 1)),
}


@pytest.mark.parametrize("shape", list(SHAPES))
@pytest.mark.parametrize("extent_km", [0.01, 60.0, 800.0])
@pytest.mark.parametrize("origin_deg", [(34.6, 112.4), (-90.0, 0.0), (0.0, 180.0)])
def test_stations_of_any_shape_make_a_sound_graph(shape, extent_km, origin_deg):
    rng = np.random.default_rng(18)
    limits = GraphLimits(angle_min_deg=0.0, twin_max_m=1.0)
    for n in (1, 3, 4, 11):
        points = SHAPES[shape](rng, n) * extent_km
        ecef = places.local(points, np.array([*np.radians(origin_deg), 0.0]))
        graph = build_graph(places.named(n), ecef, limits)
        assert_sound(graph)
        if n > 1:
            graph = remove_station(graph, graph.names[n // 2])
            assert_sound(graph)
        assert_sound(add_station(graph, "new", places.local([(1.0, 2.0)])[0]))


def assert_sound(graph):
    """What holds for every graph: a forest, sides that are baselines, triangles that turn left."""
    assert graph.in_tree.sum() == graph.n_station - (graph.component.max() + 1)
    assert graph.length_m.max(initial=0.0) <= graph.limits.edge_max_m
    assert (graph.edges[:, 0] < graph.edges[:, 1]).all()
    sides = np.stack([graph.triangles, np.roll(graph.triangles, -1, axis=1)], axis=-1)
    assert np.array_equal(graph.edges[graph.triangle_edges], np.sort(sides, axis=-1))
    assert np.bincount(graph.triangle_edges.reshape(-1), minlength=1).max() <= 2
    assert (np.linalg.det(graph.unit[graph.triangles]) > 0.0).all()


@pytest.mark.parametrize(
    ("names", "ecef", "words"),
    [
        ([], np.empty((0, 3)), "no station"),
        (["A", "A"], places.local([(0, 0), (40, 0)]), "station A is listed twice"),
        (["A", "B"], places.local([(0, 0)]), r"shape \(2, 3\) for 2 stations; got \(1, 3\)"),
        (["A", "B"], np.vstack([places.local([(0, 0)]), np.zeros((1, 3))]), "station B at 0.0"),
        (["A"], np.full((1, 3), np.nan), "station A at nan"),
    ],
)
def test_impossible_networks_are_refused_in_a_sentence(names, ecef, words):
    with pytest.raises(DataError, match=words):
        build_graph(names, ecef)


@pytest.mark.parametrize(
    "limits", [{"edge_max_m": 0.0}, {"angle_min_deg": 60.0}, {"twin_max_m": 0.0}]
)
def test_limits_are_checked(limits):
    with pytest.raises(ConfigError, match=r"network\.\w+ must lie between"):
        GraphLimits(**limits)

"""The place of a point in a network, and loops of baselines."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Geod

from rtkpos.errors import DataError
from rtkpos.network.graph.graph import build_graph
from rtkpos.network.graph.location import locate_point
from rtkpos.network.graph.loops import fundamental_loops, triangle_loops
from rtkpos.network.graph.network_graph import GraphLimits
from rtkpos.simulate.medium.ellipsoid import place_llh
from tests.network import places


def test_random_points_lie_in_the_triangle_whose_weights_are_positive():
    """A naive twin: barycentric weights in the plane of each triangle."""
    graph = places.network(places.scattered(40, 1))
    rng = np.random.default_rng(2)
    n_inside = 0
    for point in places.local(rng.uniform(-200, 200, (100, 2))):
        found = [
            k
            for k, corners in enumerate(graph.triangles)
            if (np.linalg.solve(graph.unit[corners].T, point) >= 0).all()
        ]
        place = locate_point(graph, point)
        assert place.triangle == (found[0] if found else -1)
        assert (place.outside_m == 0.0) == bool(found)
        n_inside += bool(found)
    assert 40 < n_inside < 100


def test_triangles_do_not_overlap():
    graph = places.network(places.scattered(40, 3))
    for number, corners in enumerate(graph.triangles):
        assert locate_point(graph, graph.ecef_m[corners].mean(axis=0)).triangle == number


def test_distance_outside_is_that_to_the_outline():
    """North of a baseline on the equator: the geodesic along the meridian, by GeographicLib."""
    graph = build_graph(["A", "B", "C"], places.geographic([(0, 10), (0, 10.5), (-0.4, 10.25)]))
    point = places.geographic([(0.3, 10.2)])[0]
    _, _, wanted_m = Geod(ellps="WGS84").inv(10.2, 0.0, 10.2, 0.3)
    place = locate_point(graph, point)
    assert not place.is_inside
    assert abs(place.outside_m - wanted_m) < 0.007 * wanted_m  # the sphere is no ellipsoid
    beyond = locate_point(graph, places.geographic([(0.0, 10.9)])[0])
    assert abs(beyond.outside_m - beyond.distance_m[0]) < 1e-6
    assert graph.names[beyond.nearest[0]] == "B"


def test_antipode_is_far_outside():
    graph = places.network(places.scattered(20, 4, 200.0))
    place = locate_point(graph, -graph.ecef_m.mean(axis=0))
    assert not place.is_inside
    assert place.outside_m > 1.9e7


def test_point_in_a_hole_of_the_network_is_outside_of_it():
    ring = [(60 * np.cos(a), 60 * np.sin(a)) for a in np.radians(np.arange(0, 360, 30))]
    wide = [(95 * np.cos(a), 95 * np.sin(a)) for a in np.radians(np.arange(15, 375, 30))]
    graph = places.network(ring + wide, limits=GraphLimits(edge_max_m=60e3))
    place = locate_point(graph, places.local([(3, 0)])[0])
    assert not place.is_inside
    # Sides of the inner ring pass the centre at 60 cos 15 deg = 58, those of every second station,
    # where a triangle of the ring itself stands, at 60 cos 30 deg = 52 km; the point is 3 km off.
    assert 48e3 < place.outside_m < 56e3


@pytest.mark.parametrize(
    ("points", "wanted_m"), [([(0, 0)], 31_000.0), ([(0, 0), (60, 0)], 20_000.0)]
)
def test_degenerate_networks_give_the_distance_to_what_there_is(points, wanted_m):
    graph = places.network(points)
    point = places.local([(24, 20)])[0]
    assert abs(locate_point(graph, point).outside_m - wanted_m) < 0.02 * wanted_m


def test_station_itself_is_inside():
    graph = places.network(places.scattered(20, 5))
    place = locate_point(graph, graph.ecef_m[graph.triangles[0, 0]])
    assert place.is_inside
    assert place.distance_m[0] < 1e-6


def test_nearest_stations_are_the_nearest():
    graph = places.network(places.scattered(60, 10))
    for point in places.local([(0, 0), (33, -80), (900, 10)]):
        away = np.linalg.norm(graph.ecef_m - point, axis=1)
        assert locate_point(graph, point, 5).nearest.tolist() == np.argsort(away)[:5].tolist()
        assert len(locate_point(graph, point, 99).nearest) == 60


def test_point_off_the_earth_is_refused():
    graph = places.network([(0, 0), (60, 0)])
    with pytest.raises(DataError, match="not near the surface"):
        locate_point(graph, [34.6, 112.4, 100.0])


# --- loops ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [triangle_loops, fundamental_loops])
def test_differences_close_around_every_loop(make):
    graph = places.network(places.scattered(50, 6))
    height = np.random.default_rng(7).integers(-100, 100, 50)
    difference = height[graph.edges[:, 1]] - height[graph.edges[:, 0]]
    loops = make(graph)
    assert loops.n_loop > 0
    for number in range(loops.n_loop):
        edge, sign = loops.loop(number)
        assert len(edge) >= 3
        assert len(set(edge.tolist())) == len(edge)
        assert (sign * difference[edge]).sum() == 0
        _assert_connected_walk(graph, edge, sign)


def _assert_connected_walk(graph, edge, sign):
    start = np.where(sign > 0, graph.edges[edge, 0], graph.edges[edge, 1])
    end = np.where(sign > 0, graph.edges[edge, 1], graph.edges[edge, 0])
    assert (end == np.roll(start, -1)).all()


def test_fundamental_loops_are_a_basis():
    graph = places.network(places.scattered(50, 8))
    loops = fundamental_loops(graph)
    matrix = np.zeros((loops.n_loop, len(graph.edges)))
    for number in range(loops.n_loop):
        edge, sign = loops.loop(number)
        matrix[number, edge] = sign
    n_cycle = len(graph.edges) - graph.n_station + graph.component.max() + 1
    assert loops.n_loop == n_cycle == np.linalg.matrix_rank(matrix)


def test_wrong_integer_shows_in_the_two_triangles_of_its_edge():
    graph = places.network(places.scattered(50, 9))
    integer = np.zeros(len(graph.edges), int)
    inner = np.flatnonzero(np.bincount(graph.triangle_edges.reshape(-1)) == 2)[0]
    integer[inner] = 1
    closure = (graph.triangle_signs * integer[graph.triangle_edges]).sum(axis=1)
    assert np.abs(closure).sum() == 2
    assert closure.sum() == 0


def test_chain_has_no_loop():
    graph = places.network([(30 * k, 0) for k in range(4)])
    assert fundamental_loops(graph).n_loop == 0
    assert triangle_loops(graph).n_loop == 0


def test_llh_round_trip_of_the_helper():
    """The test networks stand where they should."""
    llh = place_llh(places.geographic([(12.5, -170.0)]))[0]
    assert np.allclose(np.degrees(llh[:2]), [12.5, -170.0])

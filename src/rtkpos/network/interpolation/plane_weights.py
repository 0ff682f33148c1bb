"""Weights by geometry alone: nearest station, inverse distance, triangle, least-squares plane.

Legend: work : GeometryWork with n stations gathered; its weight (N_STATION,) is filled, sum 1.
Sources: Fotopoulos and Cannon (2001), GPS Solutions 4(3), and Dai et al. (2003), Navigation 50(4),
compare these methods; each is a weighted sum of the stations' values.
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.network.interpolation.station_geometry import COLLINEAR, INSIDE, line_direction

AT_STATION_M = 1.0  # a station nearer than this is the point itself
_EDGE_SLACK = 1e-12  # of a barycentric weight: a point on an edge belongs to both triangles
_FLAT = 1e-12  # of the longest side squared: a triangle of less area has no inside


@kernel
def weight_nearest(n, work):
    """The nearest station alone. Returns : int  INSIDE."""
    nearest = 0
    for i in range(n):
        work.weight[i] = 0.0
        if work.distance_m[i] < work.distance_m[nearest]:
            nearest = i
    work.weight[nearest] = 1.0
    return INSIDE


@kernel
def weight_inverse_distance(n, work):
    """Weights as 1 / distance^2; a station at the point takes all. Returns : int  INSIDE.

    The square keeps far stations out: with 1 / distance, 15 stations 50 km apart and waves of
    200 km leave 40 mm, the nearest station alone 30 mm, the square 27 mm. Source: Shepard (1968),
    Proc. 23rd ACM National Conference.
    """
    total = 0.0
    for i in range(n):
        if work.distance_m[i] < AT_STATION_M:
            return weight_nearest(n, work)
        work.weight[i] = 1.0 / work.distance_m[i] ** 2
        total += work.weight[i]
    for i in range(n):
        work.weight[i] /= total
    return INSIDE


@kernel
def weight_triangle(n, work):
    """Barycentric weights of the Delaunay triangle around the point (LIM).

    Of all triangles around a point, Delaunay's has the lowest plane through the squares of the
    distances of its corners (lifting to a paraboloid; Brown 1979, Voronoi diagrams from convex
    hulls), so that no triangulation has to be kept. Outside all triangles the value is that of the
    nearest point of the hull: a plane is not carried on. work.edge_* must be that of the hull.
    Returns : int  INSIDE; COLLINEAR where stations stand on a line
    """
    best, corner_a, corner_b, corner_c = math.inf, -1, -1, -1
    share_a, share_b = 0.0, 0.0
    for a in range(n):
        for b in range(a + 1, n):
            first = work.east_m[a] * work.north_m[b] - work.north_m[a] * work.east_m[b]
            for c in range(b + 1, n):
                second = work.east_m[b] * work.north_m[c] - work.north_m[b] * work.east_m[c]
                third = work.east_m[c] * work.north_m[a] - work.north_m[c] * work.east_m[a]
                area = first + second + third
                square_a, square_b = work.distance_m[a] ** 2, work.distance_m[b] ** 2
                square_c = work.distance_m[c] ** 2
                if not abs(area) > _FLAT * (square_a + square_b + square_c):
                    continue
                at_a, at_b, at_c = second / area, third / area, first / area
                if min(at_a, at_b, at_c) < -_EDGE_SLACK:
                    continue
                lifted = at_a * square_a + at_b * square_b + at_c * square_c
                if lifted < best:
                    best, corner_a, corner_b, corner_c = lifted, a, b, c
                    share_a, share_b = at_a, at_b
    for i in range(n):
        work.weight[i] = 0.0
    if corner_a < 0:
        return _weight_on_edge(n, work)
    work.weight[corner_a] = share_a
    work.weight[corner_b] = share_b
    work.weight[corner_c] = 1.0 - share_a - share_b
    return INSIDE


@kernel
def _weight_on_edge(n, work):
    """Linear weights on the nearest edge of the hull. Returns : int  as weight_triangle."""
    work.weight[work.edge_first] += 1.0 - work.edge_share
    work.weight[work.edge_second] += work.edge_share
    is_line, _, _ = line_direction(n, work)
    if is_line:
        return COLLINEAR
    return INSIDE


@kernel
def weight_plane(n, work):
    """Value at the point of the least-squares plane through all stations (LSM), unweighted.

    Returns : int  INSIDE; COLLINEAR where the stations stand on a line
    """
    is_line, along_east, along_north = line_direction(n, work)
    if is_line:
        return _weight_on_line(n, along_east, along_north, work)
    mean_east, mean_north = 0.0, 0.0
    for i in range(n):
        mean_east += work.east_m[i] / n
        mean_north += work.north_m[i] / n
    ee, nn, en = 0.0, 0.0, 0.0
    for i in range(n):
        east, north = work.east_m[i] - mean_east, work.north_m[i] - mean_north
        ee += east * east
        nn += north * north
        en += east * north
    determinant = ee * nn - en * en
    slope_east = (nn * mean_east - en * mean_north) / determinant
    slope_north = (ee * mean_north - en * mean_east) / determinant
    for i in range(n):
        east, north = work.east_m[i] - mean_east, work.north_m[i] - mean_north
        work.weight[i] = 1.0 / n - east * slope_east - north * slope_north
    return INSIDE


@kernel
def _weight_on_line(n, along_east, along_north, work):
    """Least-squares line at the foot of the point, which stays between the outermost stations."""
    mean, low, high = 0.0, math.inf, -math.inf
    for i in range(n):
        place = work.east_m[i] * along_east + work.north_m[i] * along_north
        mean += place / n
        low, high = min(low, place), max(high, place)
    foot = min(max(0.0, low), high)
    square = 0.0
    for i in range(n):
        place = work.east_m[i] * along_east + work.north_m[i] * along_north
        square += (place - mean) ** 2
    for i in range(n):
        place = work.east_m[i] * along_east + work.north_m[i] * along_north
        slope = (place - mean) * (foot - mean) / square if square > 0.0 else 0.0
        work.weight[i] = 1.0 / n + slope
    return COLLINEAR

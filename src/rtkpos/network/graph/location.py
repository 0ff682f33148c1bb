"""Where a point stands in a network: in which triangle, or how far outside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rtkpos._arrays import FloatArray, IndexArray
from rtkpos.core.station.earth import is_on_earth
from rtkpos.errors import DataError
from rtkpos.network.graph.graph import MEAN_RADIUS_M
from rtkpos.network.graph.network_graph import NetworkGraph
from rtkpos.network.graph.triangulation import great_circle_m

_ON_EDGE = 1e-12  # sine of the angle [rad] to a side that counts as on it: 6 micrometres


@dataclass(frozen=True, kw_only=True)
class Location:
    """A point in or beside a network.

    Parameters
    ----------
    triangle : int
        Number of the triangle around it, -1 = outside of all.
    outside_m : float
        Distance to the network along the surface [m], 0 inside: to its outline or, where it has no
        triangles, to its nearest baseline or station.
    nearest : ndarray of int64
        (k,) stations by distance, nearest first.
    distance_m : ndarray of float64
        (k,) distances to them [m].
    """

    triangle: int
    outside_m: float
    nearest: IndexArray
    distance_m: FloatArray

    @property
    def is_inside(self) -> bool:
        """Whether a triangle of the network holds the point."""
        return self.triangle >= 0


def locate_point(graph: NetworkGraph, ecef_m: ArrayLike, n_nearest: int = 12) -> Location:
    """The place of a point (3,) [m] in a network; heights do not matter.

    On a side two triangles share it is the lower one's. DataError for a point not on the earth.

    Parameters
    ----------
    graph : NetworkGraph
        Stations and baselines.
    ecef_m : array_like
        (3,) the point [m].
    n_nearest : int, optional
        How many of the nearest stations are told.

    Returns
    -------
    Location
        Triangle, distance, nearest stations.
    """
    point = np.asarray(ecef_m, np.float64)
    if point.shape != (3,) or not is_on_earth(point):
        raise DataError(
            f"the point {point.tolist()} is not near the surface of the earth; wanted earth-fixed "
            "metres x, y, z."
        )
    unit = point / np.linalg.norm(point)
    nearest = _nearest(graph.unit, unit, n_nearest)
    distance_m = great_circle_m(graph.unit[nearest], unit, MEAN_RADIUS_M)
    triangle = _triangle_around(graph, unit)
    return Location(
        triangle=triangle,
        outside_m=0.0 if triangle >= 0 else _distance_outside_m(graph, unit, distance_m),
        nearest=nearest,
        distance_m=distance_m,
    )


def _nearest(unit: FloatArray, point: FloatArray, n: int) -> IndexArray:
    """The n stations nearest to a point, nearest first; all when there are fewer."""
    away = np.einsum("ij,ij->i", unit - point, unit - point)
    n = max(1, min(n, len(unit)))
    some = np.flatnonzero(away <= np.partition(away, n - 1)[n - 1])
    return some[np.argsort(away[some], kind="stable")][:n]


def _triangle_around(graph: NetworkGraph, point: FloatArray) -> int:
    """Number of the first triangle that holds a unit vector (3,), -1 = none."""
    is_left = graph.side_normals.reshape(-1, 3) @ point >= -_ON_EDGE
    for number in np.flatnonzero(is_left.reshape(-1, 3).all(axis=1)).tolist():
        # The planes of the sides of a triangle without area meet far away from it, too.
        if (graph.unit[graph.triangles[number]] @ point).min() > 0.0:
            return number
    return -1


def _distance_outside_m(graph: NetworkGraph, point: FloatArray, nearest_m: FloatArray) -> float:
    """Distance [m] from a point outside all triangles to the outline, or to baselines."""
    lines = graph.rim if len(graph.triangles) else graph.edges
    if not len(lines):
        return float(nearest_m[0])
    return float(_distances_to_arcs_m(graph.unit[lines], point).min())


def _distances_to_arcs_m(arc: FloatArray, point: FloatArray) -> FloatArray:
    """Distances (k,) [m] along the surface from a unit vector (3,) to arcs (k, 2, 3)."""
    normal = np.cross(arc[:, 0], arc[:, 1])
    normal /= np.maximum(np.linalg.norm(normal, axis=1), 1e-300)[:, None]
    past_start = np.einsum("ij,ij->i", np.cross(normal, arc[:, 0]), point[None, :]) >= 0.0
    before_end = np.einsum("ij,ij->i", np.cross(arc[:, 1], normal), point[None, :]) >= 0.0
    across_m = MEAN_RADIUS_M * np.arcsin(np.abs(np.clip(normal @ point, -1.0, 1.0)))
    ends_m = great_circle_m(arc, point, MEAN_RADIUS_M).min(axis=1)
    distance: FloatArray = np.where(past_start & before_end, across_m, ends_m)
    return distance

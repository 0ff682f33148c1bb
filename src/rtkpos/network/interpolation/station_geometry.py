"""The stations around a point: which there are, how they lie, and whether they enclose it.

Legend: work : GeometryWork; its first n entries hold the stations that have a value, in plane
coordinates relative to the point. Arrays (N_STATION,) and (N_STATION, N_STATION).
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray, record_of
from rtkpos._numba.decorator import kernel

N_STATION = 16  # more stations than this around one point change nothing
N_SET = 96  # satellites at once, and thus sets of stations that have them
LINE_RATIO = 1e-3  # of the variances across and along: below it the stations stand on a line
HULL_TOLERANCE_M = 1.0


class GeometryStatus(IntEnum):
    """How the weights of a point came about; the greater the less was asked for."""

    INSIDE = 0  # by the method asked for, the stations enclose the point
    OUTSIDE = 1  # by the method asked for, beyond the stations: see outside_m
    COLLINEAR = 2  # the stations stand on a line: a plane is not determined
    SINGLE = 3  # one station only: its value as it is
    NONE = 4  # no station has a value


INSIDE = int(GeometryStatus.INSIDE)
OUTSIDE = int(GeometryStatus.OUTSIDE)
COLLINEAR = int(GeometryStatus.COLLINEAR)
SINGLE = int(GeometryStatus.SINGLE)
NO_STATION = int(GeometryStatus.NONE)


class GeometryWork(NamedTuple):
    """Work space and results of the weights of one point.

    station : (N_STATION,) index of each station that has a value      east_m, north_m, distance_m
    weight : (N_STATION,)      to_point, right, unit : (N_STATION,) covariances, right-hand sides
    matrix : (N_STATION, N_STATION) covariance above the diagonal, its Cholesky factor below
    edge_first, edge_second, edge_share : the nearest edge's stations, and the share of the second
    place_m : (N_STATION, 2) all stations relative to the one left out
    n_slot : sets of stations so far, each a slot: slot_mask (bits), slot_weight (by index of
    station), slot_variance_m2 (zenith), slot_outside_m, slot_status : (N_SET, …)
    """

    station: IndexArray
    east_m: FloatArray
    north_m: FloatArray
    distance_m: FloatArray
    weight: FloatArray
    to_point: FloatArray
    right: FloatArray
    unit: FloatArray
    matrix: FloatArray
    edge_first: int
    edge_second: int
    edge_share: float
    place_m: FloatArray
    n_slot: int
    slot_mask: IndexArray
    slot_weight: FloatArray
    slot_variance_m2: FloatArray
    slot_outside_m: FloatArray
    slot_status: IndexArray


def around_work() -> Any:
    """A record of GeometryWork."""
    one = np.zeros(N_STATION)
    slot = np.zeros(N_SET)
    index = np.zeros(N_SET, np.int64)
    return record_of(
        GeometryWork(
            station=np.zeros(N_STATION, np.int64),
            east_m=one,
            north_m=one,
            distance_m=one,
            weight=one,
            to_point=one,
            right=one,
            unit=one,
            matrix=np.zeros((N_STATION, N_STATION)),
            edge_first=0,
            edge_second=0,
            edge_share=0.0,
            place_m=np.zeros((N_STATION, 2)),
            n_slot=0,
            slot_mask=index,
            slot_weight=np.zeros((N_SET, N_STATION)),
            slot_variance_m2=slot,
            slot_outside_m=slot,
            slot_status=index,
        )
    )


@kernel
def gather_stations(east_north_m, mask, work):
    """Stations of the mask into the work space.

    east_north_m : (n_station, 2) relative to the point [m]      mask : int, bit k for station k
    Returns : int  number of stations n
    """
    n = 0
    for k in range(east_north_m.shape[0]):
        if (mask >> k) & 1:
            east, north = east_north_m[k, 0], east_north_m[k, 1]
            work.station[n] = k
            work.east_m[n] = east
            work.north_m[n] = north
            work.distance_m[n] = math.sqrt(east * east + north * north)
            n += 1
    return n


@kernel
def outside_distance(n, work):
    """Distance from the point to the convex hull of the stations [m], 0 inside; fills the edge.

    Outside, the nearest point of the hull is on an edge of it, hence on one of all segments
    between two stations, which lie within the hull. work.edge_* names that segment, unless inside.
    """
    work.edge_first, work.edge_second, work.edge_share = 0, 0, 0.0
    if _encloses(n, work):
        return 0.0
    best = work.distance_m[0]
    for i in range(n):
        for j in range(i + 1, n):
            east, north = work.east_m[j] - work.east_m[i], work.north_m[j] - work.north_m[i]
            length2 = east * east + north * north
            share = 0.0
            if length2 > 0.0:
                share = -(work.east_m[i] * east + work.north_m[i] * north) / length2
                share = min(max(share, 0.0), 1.0)
            nearest_east = work.east_m[i] + share * east
            nearest_north = work.north_m[i] + share * north
            distance = math.sqrt(nearest_east * nearest_east + nearest_north * nearest_north)
            if distance < best or (i == 0 and j == 1):
                best = distance
                work.edge_first, work.edge_second, work.edge_share = i, j, share
    return best


@kernel
def _encloses(n, work):
    """Whether the point is strictly inside: no station has all others on one side of its ray."""
    for i in range(n):
        one_sided = True
        for j in range(n):
            cross = work.east_m[i] * work.north_m[j] - work.north_m[i] * work.east_m[j]
            if cross < 0.0:
                one_sided = False
                break
        if one_sided:
            return False
    return n > 2


@kernel
def line_direction(n, work):
    """Whether the stations stand on a line, and the direction along which they spread most.

    Returns : bool, float, float  on a line; unit vector east, north (1, 0 for one place)
    """
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
    half = 0.5 * math.sqrt((ee - nn) * (ee - nn) + 4.0 * en * en)
    middle = 0.5 * (ee + nn)
    angle = 0.5 * math.atan2(2.0 * en, ee - nn)
    is_line = not middle - half > LINE_RATIO * (middle + half)
    return is_line, math.cos(angle), math.sin(angle)

"""Where a receiver is: stations stand, vehicles drive along a path with stops and bends."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.simulate.earth import from_local, local_axes, place_llh
from rtkpos.simulate.scenario import Scenario
from rtkpos.simulate.sections import Site, Vehicle

_GRID_M = 0.5  # between the points of a smoothed path
_RATE_S = 0.05  # half of the interval a velocity is the mean of


@dataclass(frozen=True)
class Drive:
    """A drive as distance over time and place over distance.

    time_s, distance_m, speed_mps : (n,) where acceleration changes      along_m : (m,)
    place_m : (m, 3) east, north, height [m]      lap_m : length of a lap, 0 when it does not loop
    """

    time_s: FloatArray
    distance_m: FloatArray
    speed_mps: FloatArray
    along_m: FloatArray
    place_m: FloatArray
    lap_m: float

    def distance_at(self, time_s: FloatArray) -> FloatArray:
        """Distance driven [m] at times [s], with constant acceleration between the knots."""
        k = np.clip(np.searchsorted(self.time_s, time_s, "right") - 1, 0, len(self.time_s) - 2)
        span = self.time_s[k + 1] - self.time_s[k]
        change = self.speed_mps[k + 1] - self.speed_mps[k]
        rate = np.divide(change, span, out=np.zeros_like(span), where=span > 0.0)
        t = np.clip(time_s - self.time_s[k], 0.0, span)
        return self.distance_m[k] + t * (self.speed_mps[k] + 0.5 * rate * t)

    def local_at(self, time_s: FloatArray) -> FloatArray:
        """East, north, height [m] at times (n,): (n, 3); cubic between the path's points."""
        s = self.distance_at(time_s)
        s = s % self.lap_m if self.lap_m else s
        k = np.clip(np.searchsorted(self.along_m, s, "right") - 1, 0, len(self.along_m) - 2)
        length = (self.along_m[k + 1] - self.along_m[k])[:, None]
        u = (s - self.along_m[k])[:, None] / length
        slope = self._slopes
        a, b, da, db = self.place_m[k], self.place_m[k + 1], slope[k], slope[k + 1]
        cubic = (1.0 + 2.0 * u) * (1.0 - u) ** 2 * a + u * u * (3.0 - 2.0 * u) * b
        return cubic + length * u * (1.0 - u) * ((1.0 - u) * da - u * db)

    @functools.cached_property
    def _slopes(self) -> FloatArray:
        """Direction at the points of the path: (m, 3)."""
        slope: FloatArray = np.gradient(self.place_m, self.along_m, axis=0)
        if self.lap_m:
            step = self.place_m[1] - self.place_m[-2]
            length = self.along_m[1] + self.along_m[-1] - self.along_m[-2]
            slope[0] = slope[-1] = step / length
        return slope


@dataclass(frozen=True)
class Track:
    """Antenna positions of a receiver over the run.

    marker_ecef : (3,) of a station      drive : of a vehicle      offset_enu_m : (3,) marker to
    antenna, along local axes
    """

    origin_llh: FloatArray
    offset_enu_m: FloatArray
    marker_ecef: FloatArray | None = None
    drive: Drive | None = None

    def marker_at(self, time_s: FloatArray) -> FloatArray:
        """Marker (n, 3) [m] at seconds of the run (n,)."""
        if self.drive is None or self.marker_ecef is not None:
            return np.tile(np.asarray(self.marker_ecef), (len(time_s), 1))
        return from_local(self.drive.local_at(time_s), self.origin_llh)

    def antenna_at(self, time_s: FloatArray) -> FloatArray:
        """Antenna (n, 3) [m] at seconds of the run (n,)."""
        marker = self.marker_at(time_s)
        shift: FloatArray = np.einsum("i,nij->nj", self.offset_enu_m, local_axes(place_llh(marker)))
        return marker + shift

    def velocity_at(self, time_s: FloatArray) -> FloatArray:
        """Velocity of the antenna (n, 3) [m/s]: the mean over a tenth of a second."""
        if self.drive is None:
            return np.zeros((len(time_s), 3))
        step = self.antenna_at(time_s + _RATE_S) - self.antenna_at(time_s - _RATE_S)
        return step / (2.0 * _RATE_S)

    def heading_at(self, time_s: FloatArray) -> FloatArray:
        """Azimuth of the direction of travel (n,) [rad], the last one while it stands."""
        if self.drive is None:
            return np.zeros(len(time_s))
        distance = self.drive.distance_at(time_s)
        distance = distance % self.drive.lap_m if self.drive.lap_m else distance
        slope = self.drive._slopes
        east, north = (np.interp(distance, self.drive.along_m, slope[:, k]) for k in (0, 1))
        return np.arctan2(east, north)


def track_of(scenario: Scenario, receiver: Site | Vehicle) -> Track:
    """The track of a receiver."""
    origin, offset = scenario.origin.llh, np.array(receiver.antenna_enu_m)
    if isinstance(receiver, Site):
        return Track(origin, offset, marker_ecef=scenario.marker_ecef(receiver))
    return Track(origin, offset, drive=plan_drive(receiver, scenario.run.duration_s))


def plan_drive(vehicle: Vehicle, duration_s: float) -> Drive:
    """Path with rounded corners, and a speed profile that starts and ends at rest.

    Speed is the wanted one, less in bends and near stops, so that neither the acceleration along
    nor that across exceeds the vehicle's; on a loop laps are driven until the run is over.
    """
    corners = np.array(vehicle.path_enu_m)
    points = np.vstack([corners, corners[:1]]) if vehicle.loop else corners
    along, place, at_point = _rounded(points, vehicle.corner_m, vehicle.loop)
    laps = 1
    if vehicle.loop:
        laps = int(duration_s * vehicle.speed_mps / along[-1]) + 1
    limit = _speed_limit(along, place, vehicle)
    wait_s = np.zeros(len(along))
    for point, seconds in vehicle.stops:
        row = int(np.argmin(np.abs(along - at_point[int(point)])))
        limit[row], wait_s[row] = 0.0, seconds
    distance = np.concatenate([along + k * along[-1] for k in range(laps)])
    keep = np.append(np.diff(distance) > 0.0, True)
    limit, wait_s = np.tile(limit, laps)[keep], np.tile(wait_s, laps)[keep]
    wait_s[0] += vehicle.wait_s
    knots = _profile(distance[keep], limit, wait_s, vehicle.acceleration_mps2)
    return Drive(*knots, along, place, float(along[-1]) if vehicle.loop else 0.0)


def _speed_limit(along: FloatArray, place: FloatArray, vehicle: Vehicle) -> FloatArray:
    """Speed at which the acceleration across the path is the vehicle's: (m,) [m/s]."""
    ahead = np.gradient(place, along, axis=0)
    bend = np.linalg.norm(np.gradient(ahead, along, axis=0), axis=1)
    slow = np.sqrt(vehicle.acceleration_mps2 / np.maximum(bend, 1e-9))
    out: FloatArray = np.minimum(slow, vehicle.speed_mps)
    return out


def _rounded(
    points: FloatArray, corner_m: float, loop: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Path points every half metre with corners rounded by two moving means.

    Returns distance (m,), place (m, 3), and the distance at which each given point is passed.
    """
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    n = max(int(length[-1] / _GRID_M), 4)
    grid = np.linspace(0.0, length[-1], n + 1)
    place = np.stack([np.interp(grid, length, points[:, k]) for k in range(3)], axis=1)
    half = max(1, min(round(corner_m / (2.0 * _GRID_M)), n // 4))
    for _ in range(2):
        place = _moving_mean(place, half, loop)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(place, axis=0), axis=1))])
    return along, place, np.interp(length, grid, along)


def _moving_mean(place: FloatArray, half: int, loop: bool) -> FloatArray:
    """Mean over 2 half + 1 points; a path that does not close goes straight on at its ends."""
    ahead, behind = place[1 : half + 1], place[-half - 1 : -1]
    if loop:
        longer = np.vstack([behind, place, ahead])
    else:
        longer = np.vstack([2.0 * place[0] - ahead[::-1], place, 2.0 * place[-1] - behind[::-1]])
    total = np.cumsum(np.vstack([np.zeros((1, 3)), longer]), axis=0)
    width = 2 * half + 1
    mean: FloatArray = (total[width:] - total[:-width]) / width
    return mean


def _profile(
    distance: FloatArray, limit: FloatArray, wait_s: FloatArray, acceleration: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Knots of time, distance and speed along a path, from rest to rest.

    distance : (n,) [m]      limit : (n,) speed [m/s], 0 at stops      wait_s : (n,) pause there
    """
    gain = 2.0 * acceleration * np.diff(distance)
    square = limit**2
    square[0] = square[-1] = 0.0
    for k in range(1, len(square)):
        square[k] = min(square[k], square[k - 1] + gain[k - 1])
    for k in range(len(square) - 2, -1, -1):
        square[k] = min(square[k], square[k + 1] + gain[k])
    speed = np.sqrt(square)
    step_s = 2.0 * np.diff(distance) / (speed[:-1] + speed[1:])
    leave_s = np.cumsum(wait_s) + np.concatenate([[0.0], np.cumsum(step_s)])
    # Each place is reached, and left after the pause.
    time_s = np.stack([leave_s - wait_s, leave_s], axis=1).ravel()
    return time_s, np.repeat(distance, 2), np.repeat(speed, 2)

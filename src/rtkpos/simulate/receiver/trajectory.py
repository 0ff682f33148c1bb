"""Where a receiver is: stations stand, vehicles drive along a path with stops and bends."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.simulate.medium.ellipsoid import from_local, local_axes, place_llh
from rtkpos.simulate.scenario.scenario import Scenario
from rtkpos.simulate.scenario.sections import Site, Vehicle

_GRID_M = 0.5  # between the points of a smoothed path
_RATE_S = 0.05  # half of the interval a velocity is the mean of


@dataclass(frozen=True)
class Drive:
    """A drive as distance over time and place over distance.

    time_s, distance_m, speed_mps : (n,) where acceleration changes      along_m : (m,)
    place_m : (m, 3) east, north, height [m]      lap_m, lap_s : length and duration of a lap, 0
    when it does not loop; what follows the last knot repeats the lap before it
    """

    time_s: FloatArray
    distance_m: FloatArray
    speed_mps: FloatArray
    along_m: FloatArray
    place_m: FloatArray
    lap_m: float = 0.0
    lap_s: float = 0.0

    def distance_at(self, time_s: FloatArray) -> FloatArray:
        """Distance driven [m] at times [s], with constant acceleration between the knots."""
        laps = np.zeros_like(time_s)
        if self.lap_s:
            laps = np.ceil(np.maximum((time_s - self.time_s[-1]) / self.lap_s, 0.0))
            time_s = time_s - laps * self.lap_s
        k = np.clip(np.searchsorted(self.time_s, time_s, "right") - 1, 0, len(self.time_s) - 2)
        span = self.time_s[k + 1] - self.time_s[k]
        change = self.speed_mps[k + 1] - self.speed_mps[k]
        rate = np.divide(change, span, out=np.zeros_like(span), where=span > 0.0)
        t = np.clip(time_s - self.time_s[k], 0.0, span)
        return laps * self.lap_m + self.distance_m[k] + t * (self.speed_mps[k] + 0.5 * rate * t)

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
    return Track(origin, offset, drive=plan_drive(receiver))


def plan_drive(vehicle: Vehicle) -> Drive:
    """Path with rounded corners, and a speed profile that starts at rest and ends there.

    Speed is the wanted one, less in bends and near stops, so that neither the acceleration along
    nor that across exceeds the vehicle's. A loop is driven on and on: the profile has the laps
    until the speed is that of any other lap, and one more.
    """
    corners = np.array(vehicle.path_enu_m)
    points = np.vstack([corners, corners[:1]]) if vehicle.loop else corners
    along, place, at_point = _rounded(points, vehicle.corner_m, vehicle.loop)
    limit = _speed_limit(along, place, vehicle, at_point)
    wait_s = np.zeros(len(along))
    for point, seconds in vehicle.stops:
        row = int(np.argmin(np.abs(along - at_point[int(point)])))
        limit[row], wait_s[row] = 0.0, seconds
    if not vehicle.loop:
        wait_s[0] += vehicle.wait_s
        return Drive(*_profile(along, limit, wait_s, vehicle.acceleration_mps2), along, place)
    lap_m, m = float(along[-1]), len(along) - 1
    warm = math.ceil(0.5 * limit.max() ** 2 / vehicle.acceleration_mps2 / lap_m)
    laps = np.arange(2 * warm + 1)  # the last ones brake
    distance = np.append((along[:-1] + lap_m * laps[:, None]).ravel(), lap_m * len(laps))
    limit, wait_s = (np.append(np.tile(one[:-1], len(laps)), 0.0) for one in (limit, wait_s))
    wait_s[0] += vehicle.wait_s
    knots = _profile(distance, limit, wait_s, vehicle.acceleration_mps2)
    start, end = 2 * warm * m, 2 * (warm + 1) * m  # knots at which the last lap kept is entered
    lap_s = float(knots[0][end] - knots[0][start])
    time_s, driven, speed = (values[: end + 1] for values in knots)
    return Drive(time_s, driven, speed, along, place, lap_m, lap_s)


def _speed_limit(
    along: FloatArray, place: FloatArray, vehicle: Vehicle, at_point: FloatArray
) -> FloatArray:
    """Wanted speed, less where the acceleration across the path would be too large: (m,) [m/s]."""
    wanted = np.full(len(along), vehicle.speed_mps)
    for point, speed in sorted(vehicle.speeds):
        wanted[along >= at_point[int(point)] - _GRID_M] = speed
    ahead = np.gradient(place, along, axis=0)
    bend = np.linalg.norm(np.gradient(ahead, along, axis=0), axis=1)
    slow = np.sqrt(vehicle.acceleration_mps2 / np.maximum(bend, 1e-9))
    out: FloatArray = np.minimum(slow, wanted)
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
    # v^2 grows by 2 a per metre at most, from what it was before and towards what it must be next:
    # v^2 - 2 a s is its own running minimum, and from behind so is v^2 + 2 a s.
    gained = 2.0 * acceleration * distance
    square = limit**2
    square[0] = square[-1] = 0.0
    ahead = np.minimum.accumulate(square - gained) + gained
    behind = np.minimum.accumulate((square + gained)[::-1])[::-1] - gained
    speed = np.sqrt(np.clip(np.minimum(ahead, behind), 0.0, square))
    step = np.diff(distance)
    both = speed[:-1] + speed[1:]
    crawl = np.sqrt(acceleration * step)  # from stop to stop over one step
    step_s = 2.0 * step / np.where(both > 0.0, both, crawl)
    leave_s = np.cumsum(wait_s) + np.concatenate([[0.0], np.cumsum(step_s)])
    # Each place is reached, and left after the pause.
    time_s = np.stack([leave_s - wait_s, leave_s], axis=1).ravel()
    return time_s, np.repeat(distance, 2), np.repeat(speed, 2)

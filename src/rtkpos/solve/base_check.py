"""Are these coordinates those of this base? Compared with the earth and with its own codes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.core.geodesy import ecef_to_geodetic, geodetic_to_ecef
from rtkpos.errors import InputError
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.observations import ObsTable
from rtkpos.records.report import ReadReport
from rtkpos.solve.epoch import take_epochs

HEIGHT_M = (-1_000.0, 100_000.0)
# Beyond the first the coordinates are doubtful, beyond the second they are those of another place.
CODE_DOUBTFUL_M = 30.0
CODE_IMPOSSIBLE_M = 1000.0
N_CODE_EPOCH = 20


def height_of(ecef_m: FloatArray) -> float:
    """Ellipsoidal height [m] of a point (3,); NaN when it is not finite or at the centre."""
    llh = np.full(3, np.nan)
    point = np.ascontiguousarray(ecef_m, np.float64)
    if not np.isfinite(point).all() or ecef_to_geodetic(point, llh) != 0:
        return math.nan
    return float(llh[2])


def is_on_earth(ecef_m: FloatArray) -> bool:
    """True from 1 km below the ellipsoid to 100 km above it; False for NaN and 0 0 0."""
    return HEIGHT_M[0] <= height_of(ecef_m) <= HEIGHT_M[1]


def checked_coordinate(ecef_m: FloatArray | None) -> FloatArray:
    """The base coordinates as a fresh (3,) array; InputError when they cannot be a place."""
    if ecef_m is None:
        raise InputError("the base coordinate is missing; give base_ecef_m (x, y, z in metres).")
    try:
        point = np.array(ecef_m, np.float64)
    except (TypeError, ValueError):
        raise InputError(f"base_ecef_m must be three numbers [m]; got {ecef_m!r}.") from None
    if point.shape != (3,) or not np.isfinite(point).all():
        raise InputError(f"base_ecef_m must be three finite numbers [m]; got {ecef_m!r}.")
    if not is_on_earth(point):
        advice = (
            "they look like latitude, longitude, height: convert them with "
            "rtkpos.point_from_degrees"
            if looks_like_degrees(point)
            else "wanted earth-fixed metres"
        )
        raise InputError(
            f"base_ecef_m {words_of(point)} is not near the surface of the earth; {advice}."
        )
    return point


def looks_like_degrees(point: FloatArray) -> bool:
    """True when three numbers could be latitude, longitude [deg] and height [m]."""
    lat, lon, height = (float(value) for value in point)
    return abs(lat) <= 90.0 and abs(lon) <= 360.0 and -1_000.0 <= height <= 10_000.0


def code_position_of(table: ObsTable, nav: BroadcastTable) -> FloatArray | None:
    """Median code position (3,) [m] of some epochs spread over a table; None without any."""
    from rtkpos.records.config import RtkConfig
    from rtkpos.solve.run import solve

    if table.n_epoch == 0:
        return None
    index = np.unique(np.linspace(0, table.n_epoch - 1, N_CODE_EPOCH).astype(np.int64))
    try:
        points = solve(take_epochs(table, index), nav, config=RtkConfig(mode="single")).ecef_m
    except InputError:
        return None
    points = points[np.isfinite(points).all(axis=1)]
    return np.asarray(np.median(points, axis=0)) if len(points) else None


def compare_with_own_code(
    ecef_m: FloatArray, base: ObsTable, nav: BroadcastTable, force: bool, report: ReadReport
) -> None:
    """Compare the base coordinates (3,) [m] with the code positions of the base itself.

    More than 30 m apart is a warning in the report, more than 1 km InputError unless `force`.
    Without a code position there is nothing to compare with.
    """
    code_m = code_position_of(base, nav)
    if code_m is None:
        return
    text = disagreement(ecef_m, code_m)
    if not text:
        return
    if math.dist(ecef_m, code_m) > CODE_IMPOSSIBLE_M and not force:
        raise InputError(
            f"{text} ({words_of(np.round(code_m))} m){hint(ecef_m, code_m)}; "
            "correct base_ecef_m, or go on with config.base.force."
        )
    report.warn(f"{text}; the whole result is shifted if they are wrong.")


def disagreement(ecef_m: FloatArray, code_m: FloatArray) -> str:
    """How far base coordinates are from the code position, in words; "" when they agree."""
    apart_m = math.dist(ecef_m, code_m)
    if apart_m <= CODE_DOUBTFUL_M:
        return ""
    distance = f"{apart_m:.0f} m" if apart_m < CODE_IMPOSSIBLE_M else f"{apart_m / 1000:.1f} km"
    return f"the base coordinates are {distance} from the code position of the base itself"


def hint(ecef_m: FloatArray, code_m: FloatArray) -> str:
    """What mistake would explain the disagreement: ", ..." or ""."""
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            if math.dist(np.asarray(ecef_m)[list(order)] * signs, code_m) < CODE_IMPOSSIBLE_M:
                is_order = order != (0, 1, 2)
                return ", axes swapped" if is_order else ", a sign is wrong"
    llh, swapped = np.empty(3), np.empty(3)
    ecef_to_geodetic(np.ascontiguousarray(ecef_m, np.float64), llh)
    if abs(llh[1]) <= math.pi / 2.0:
        geodetic_to_ecef(llh[1], llh[0], llh[2], swapped)
        if math.dist(swapped, code_m) < CODE_IMPOSSIBLE_M:
            return ", latitude and longitude swapped"
    return ""


def words_of(numbers: Iterable[float]) -> str:
    """Numbers as they would be typed."""
    return " ".join(f"{number:.4f}".rstrip("0").rstrip(".") for number in numbers)

"""Are these coordinates those of this base? Compared with the earth and with its own codes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.core.station.earth import is_on_earth
from rtkpos.core.station.geodesy import ecef_to_geodetic, geodetic_to_ecef
from rtkpos.errors import InputError, got_words

# Beyond the first the coordinates are doubtful, beyond the second they are those of another place.
CODE_DOUBTFUL_M = 30.0
CODE_IMPOSSIBLE_M = 1000.0


def checked_coordinate(ecef_m: Any, name: str = "base_ecef_m") -> FloatArray:
    """Coordinates as a fresh (3,) array [m]; InputError when they cannot be a place.

    name : of the argument, for the message
    """
    if ecef_m is None:
        raise InputError(f"the coordinate is missing; give {name} (x, y, z in metres).")
    try:
        point = np.array(ecef_m, np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be three numbers [m]; got {got_words(ecef_m)}.") from None
    if point.shape != (3,) or not np.isfinite(point).all():
        raise InputError(f"{name} must be three finite numbers [m]; got {got_words(ecef_m)}.")
    if not is_on_earth(point):
        advice = (
            "they look like latitude, longitude, height: convert them with "
            "rtkpos.frames.point_from_degrees"
            if looks_like_degrees(point)
            else "wanted earth-fixed metres"
        )
        raise InputError(
            f"{name} {words_of(point)} is not near the surface of the earth; {advice}."
        )
    return point


def looks_like_degrees(point: FloatArray) -> bool:
    """True when three numbers could be latitude, longitude [deg] and height [m]."""
    lat, lon, height = (float(value) for value in point)
    return abs(lat) <= 90.0 and abs(lon) <= 360.0 and -1_000.0 <= height <= 10_000.0


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

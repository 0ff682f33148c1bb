"""Solutions as GeoJSON (RFC 7946): one point per epoch with a position."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from rtkpos.gnss.time import iso_gpst
from rtkpos.records.solution import Solution
from rtkpos.records.status import FixStatus, Reason


def format_geojson(solution: Solution) -> str:
    """Text of a FeatureCollection: points [lon, lat, height] with their quality as properties.

    Degrees (WGS 84, ten decimals) and ellipsoidal metres; "time" is GPST. Values that are not
    known are null; epochs without a position are left out. The member "history" tells where the
    result comes from.

    Parameters
    ----------
    solution : Solution
        The result of a run.

    Returns
    -------
    str
        The text.
    """
    llh, sigma = solution.llh(), solution.sigma_enu_m()
    rows = np.flatnonzero(np.isfinite(llh[:, 0]))
    features = [_feature(solution, int(k), llh[k], sigma[k]) for k in rows]
    body = ",\n".join(json.dumps(feature, allow_nan=False) for feature in features)
    history = json.dumps(solution.history.to_dict(), allow_nan=False)
    member = f'"history": {history}, ' if solution.history.version else ""
    return f'{{"type": "FeatureCollection", {member}"features": [\n{body}\n]}}\n'


def _feature(solution: Solution, k: int, llh: Any, sigma: Any) -> dict[str, Any]:
    """One point."""
    place = [
        round(math.degrees(llh[1]), 10),
        round(math.degrees(llh[0]), 10),
        round(float(llh[2]), 4),
    ]
    properties = {
        "time": iso_gpst(int(solution.time_ns[k])),
        "status": FixStatus(int(solution.status[k])).name,
        "reason": Reason(int(solution.reason[k])).name,
        "sigma_east_m": _number(sigma[0]),
        "sigma_north_m": _number(sigma[1]),
        "sigma_up_m": _number(sigma[2]),
        "ratio": _number(solution.ratio[k]),
        "age_s": _number(solution.age_s[k]),
        "n_sat": int(solution.n_sat[k]),
    }
    geometry = {"type": "Point", "coordinates": place}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _number(value: float) -> float | None:
    """A rounded number, None where it is not known."""
    return round(float(value), 4) if np.isfinite(value) else None

"""What a solved network says of each of its stations: data, integers, residuals, health."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray
from rtkpos.errors import DataError
from rtkpos.network.integrity.health_series import station_series
from rtkpos.network.integrity.station_health import (
    N_NEIGHBOUR,
    StationHealth,
    StationSeries,
    check_stations,
)
from rtkpos.network.interpolation.field_covariance import (
    ACTIVE_IONOSPHERE,
    WET_DELAY,
    Covariance,
    checked_covariance,
)
from rtkpos.network.interpolation.interpolate import KRIGING, interpolate_epochs
from rtkpos.network.interpolation.station_geometry import around_work
from rtkpos.network.network_records import HIGH_RAD, NetworkSolution
from rtkpos.records.broadcast import BroadcastTable


@dataclass(frozen=True, kw_only=True, eq=False)
class StationReport:
    """A station of a solved network.

    n_epoch : with data      n_sat : satellites above 15 degrees, mean of the epochs
    fixed_share : of the satellite-epochs above 15 degrees that have their integers
    n_lost : times that a satellite in view lost its integers
    nondispersive_m, dispersive_m : RMS of its corrections less what the other stations say there
    health : the verdict on it, None where it was not judged
    """

    name: str
    n_epoch: int
    n_sat: float
    fixed_share: float
    n_lost: int
    nondispersive_m: float
    dispersive_m: float
    health: StationHealth | None


def report_stations(solution: NetworkSolution, nav: BroadcastTable) -> tuple[StationReport, ...]:
    """The report of every station of a network, in its order; NaN where there is no data.

    nav : the ephemerides the network was solved with
    """
    series = station_series(
        solution.names,
        solution.ecef_m,
        solution.time_ns,
        solution.sats,
        (solution.nondispersive_m, solution.dispersive_m),
        nav,
    )
    health = _health(series)
    return tuple(
        StationReport(
            name=name,
            **_integers(solution, k),
            nondispersive_m=_left_out_m(series, k, series.nondispersive_m, WET_DELAY),
            dispersive_m=_left_out_m(series, k, series.dispersive_m, ACTIVE_IONOSPHERE),
            health=health[k],
        )
        for k, name in enumerate(solution.names)
    )


def _health(series: StationSeries) -> tuple[StationHealth | None, ...]:
    """The verdicts; None for all where the series cannot be judged."""
    try:
        return check_stations(series)
    except DataError:
        return (None,) * len(series.names)


def _integers(solution: NetworkSolution, k: int) -> dict[str, Any]:
    """Epochs, satellites and integers of a station."""
    seen = solution.elevation_rad[:, k] > HIGH_RAD
    fixed = solution.is_fixed[:, k] & seen
    has_data = seen.any(axis=1)
    lost = fixed[:-1] & seen[1:] & ~fixed[1:]
    n_epoch = int(has_data.sum())
    return {
        "n_epoch": n_epoch,
        "n_sat": float(seen.sum()) / n_epoch if n_epoch else math.nan,
        "fixed_share": float(fixed[seen].mean()) if seen.any() else math.nan,
        "n_lost": int(lost.sum()),
    }


def _left_out_m(
    series: StationSeries, k: int, value_m: FloatArray, covariance: Covariance
) -> float:
    """RMS of a station's values less what its neighbours say there [m]; its clocks taken out."""
    place = series.east_north_m
    order = np.argsort(np.hypot(*(place - place[k]).T), kind="stable")
    others = order[order != k][:N_NEIGHBOUR]
    is_wet = value_m is series.nondispersive_m
    slant = np.ascontiguousarray(series.wet_slant if is_wet else series.iono_slant)
    predicted, sigma = np.empty(slant.shape), np.empty(slant.shape)
    interpolate_epochs(
        KRIGING,
        np.ascontiguousarray(place[others] - place[k]),
        np.ascontiguousarray(value_m[:, others], dtype=np.float64),
        slant,
        checked_covariance(covariance),
        around_work(),
        predicted,
        sigma,
        np.empty(slant.shape[1], np.int64),
    )
    residual = _without_clocks(value_m[:, k] - predicted, series.system)
    known = residual[np.isfinite(residual)]
    return float(np.sqrt(np.mean(known**2))) if len(known) else math.nan


def _without_clocks(residual_m: FloatArray, system: IndexArray) -> FloatArray:
    """Residuals (n_epoch, n_sat) less the median of each epoch and system."""
    out = residual_m.copy()
    for one in np.unique(system):
        mine = system == one
        rows = np.isfinite(out[:, mine]).any(axis=1)
        part = out[np.ix_(rows, mine)]
        out[np.ix_(rows, mine)] = part - np.nanmedian(part, axis=1, keepdims=True)
    return out

"""From a network's corrections and the ephemerides to what `check_stations` asks for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from rtkpos._arrays import FloatArray, IndexArray, TimeArray
from rtkpos.constants import DEG, NS_PER_S
from rtkpos.core.station.geodesy import ecef_to_geodetic, enu_rotation
from rtkpos.errors import DataError
from rtkpos.estimate.baseline.atmosphere_states import slant_factor
from rtkpos.gnss.systems import PRN_PER_SYSTEM
from rtkpos.network.integrity.station_health import StationSeries
from rtkpos.physics.satellites import satellite_states
from rtkpos.records.broadcast import BroadcastTable

THIN_S = 30.0  # closer epochs repeat each other
MASK_RAD = 12.0 * DEG


def station_series(
    names: Sequence[str],
    ecef_m: ArrayLike,
    time_ns: TimeArray,
    sats: IndexArray,
    corrections: tuple[ArrayLike, ArrayLike],
    nav: BroadcastTable,
) -> StationSeries:
    """The series of a network, thinned to an epoch in 30 s and without low satellites.

    names : (n_station,)      ecef_m : (n_station, 3)      time_ns : (n_epoch,)      sats : (n_sat,)
    corrections : non-dispersive and dispersive part, (n_epoch, n_station, n_sat) each [m]; observed
        minus computed, the dispersive part positive where the code is late, on L1
    nav : ephemerides, for where the satellites stand
    Raises DataError for a network around the centre of the earth and shapes that do not fit.
    """
    place = np.asarray(ecef_m, dtype=np.float64)
    centre, rotation = _middle(place)
    kept = _thinned(time_ns)
    azimuth, elevation = _sky(nav, sats, time_ns[kept], centre, rotation)
    low = ~(elevation > MASK_RAD)
    parts = [np.array(np.asarray(part)[kept], dtype=np.float64) for part in corrections]
    for part in parts:
        part[np.broadcast_to(low[:, None], part.shape)] = np.nan
    factor = np.vectorize(slant_factor, otypes=[float])(np.where(low, 0.5, elevation))
    return StationSeries(
        names=tuple(names),
        east_north_m=(place - centre) @ rotation[:2].T,
        nondispersive_m=parts[0],
        dispersive_m=parts[1],
        azimuth_rad=azimuth,
        elevation_rad=elevation,
        system=np.asarray(sats, dtype=np.int64) // PRN_PER_SYSTEM,
        wet_slant=1.0 / np.sin(np.where(low, 0.5, elevation)),
        iono_slant=factor,
    )


def _middle(place_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean of the stations (3,) and the rotation (3, 3) to its east, north and up."""
    centre = place_m.mean(axis=0)
    llh, rotation = np.empty(3), np.empty((3, 3))
    if ecef_to_geodetic(centre, llh) != 0:
        raise DataError(f"the stations' middle is not on the earth: {centre.round().tolist()} m.")
    enu_rotation(llh[0], llh[1], rotation)
    return centre, rotation


def _thinned(time_ns: TimeArray) -> IndexArray:
    """Indices of epochs at least THIN_S apart."""
    slot = np.asarray(time_ns) // round(THIN_S * NS_PER_S)
    return np.asarray(np.unique(slot, return_index=True)[1], dtype=np.int64)


def _sky(
    nav: BroadcastTable,
    sats: IndexArray,
    time_ns: TimeArray,
    centre_m: FloatArray,
    rotation: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Azimuth and elevation (n_epoch, n_sat) [rad] from the middle; NaN without ephemeris."""
    states = satellite_states(nav, np.asarray(sats)[None, :], time_ns[:, None])
    line = (states.ecef_m - centre_m) @ rotation.T
    line = line.reshape(len(time_ns), len(sats), 3)
    elevation = np.arctan2(line[..., 2], np.hypot(line[..., 0], line[..., 1]))
    return np.arctan2(line[..., 0], line[..., 1]), elevation

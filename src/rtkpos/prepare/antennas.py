"""Antennas of a run: which calibration serves at each end, laid out for the kernels.

The marker's coordinates are given and reported; the offset of the header leads from there to the
antenna reference point, the calibration from there to the phase centre of each carrier. See
docs/decisions/antennas.md.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rtkpos._arrays import FloatArray, SmallArray
from rtkpos.core.station.phase_centre import GRID_STEP_DEG, N_AZIMUTH, N_ZENITH
from rtkpos.gnss.signals import carrier_hz
from rtkpos.gnss.systems import GPS, N_SYSTEM, SYSTEM_LETTERS
from rtkpos.prepare.pairing import N_SLOT
from rtkpos.records.antenna import (
    NO_RADOME,
    NULL_ANTENNA,
    Antenna,
    AntennaTable,
    null_antenna,
    split_antenna_name,
)
from rtkpos.records.report import ReadReport

N_PATTERN = N_SYSTEM * N_SLOT
ENDS = ("rover", "base")


class SiteModel(NamedTuple):
    """What leads from the marker to the phase centre, by end (0 rover, 1 base).

    offset_enu_m : (2, 3) antenna reference point minus marker [m]
    has_pattern : (2,) 1 where there is a calibration
    pco_enu_m : (2, N_PATTERN, 3) [m]      pcv_m : (2, N_PATTERN, N_AZIMUTH, N_ZENITH) [m]
    The pattern of a signal is system * N_SLOT + band slot.
    """

    offset_enu_m: FloatArray
    has_pattern: SmallArray
    pco_enu_m: FloatArray
    pcv_m: FloatArray


def no_antennas() -> SiteModel:
    """Markers and phase centres in one point, at both ends."""
    return SiteModel(
        np.zeros((2, 3)),
        np.zeros(2, np.int8),
        np.zeros((2, N_PATTERN, 3)),
        np.zeros((2, N_PATTERN, N_AZIMUTH, N_ZENITH)),
    )


def find_antenna(
    table: AntennaTable, name: str, end: str, time_ns: int | None, report: ReadReport
) -> Antenna | None:
    """The calibration of an antenna by its name; None, with a warning, when there is none.

    name : type and radome as in a header      end : "rover" or "base", for the warnings
    A radome that is not in the table is replaced by none at all (NONE), with a warning.
    """
    kind, radome = split_antenna_name(name)
    if kind == NULL_ANTENNA:
        return null_antenna()
    if not kind:
        report.warn(
            f"the {end}'s file names no antenna: no PCO/PCV there; name it with --{end}-antenna."
        )
        return None
    exact = table.receiver(kind, radome, time_ns)
    if exact is not None:
        return exact
    bare = table.receiver(kind, NO_RADOME, time_ns)
    if bare is None:
        report.warn(
            f"the {end}'s antenna {kind} {radome} is not in {table.source}: no PCO/PCV there; use "
            f"a file that has it, or name the antenna with --{end}-antenna."
        )
        return None
    report.warn(
        f"the {end}'s antenna {kind} {radome} is not in {table.source}: took {bare.name}, without "
        "radome; heights may be off by some millimetres."
    )
    return bare


def site_model(
    antennas: tuple[Antenna | None, Antenna | None], offset_enu_m: FloatArray, digit: SmallArray
) -> SiteModel:
    """Tables for the kernels.

    offset_enu_m : (2, 3) [m]      digit : (N_SYSTEM, N_SLOT) band digits of the run, 0 = none
    """
    model = no_antennas()
    model.offset_enu_m[:] = offset_enu_m
    for end, antenna in enumerate(antennas):
        if antenna is None:
            continue
        model.has_pattern[end] = 1
        for system, slot in np.argwhere(digit > 0).tolist():
            key = band_serving(antenna, system, int(digit[system, slot]))
            if key is None:
                continue
            pattern = system * N_SLOT + slot
            model.pco_enu_m[end, pattern] = antenna.patterns[key].pco_m
            model.pcv_m[end, pattern] = on_grid(antenna, key)
    return model


def band_serving(antenna: Antenna, system: int, digit: int) -> tuple[int, int] | None:
    """The carrier whose calibration serves a band; None when the antenna has none.

    The band itself; else the GPS carrier nearest to it, since antennas are calibrated on GPS first
    and best; else the nearest carrier of all.
    """
    if (system, digit) in antenna.patterns:
        return system, digit
    wanted_hz = carrier_hz(system, digit)
    known = [key for key in antenna.patterns if math.isfinite(carrier_hz(*key))]
    gps = [key for key in known if key[0] == GPS]
    return min(gps or known, key=lambda key: abs(carrier_hz(*key) - wanted_hz), default=None)


def replaced_bands(antenna: Antenna, digit: SmallArray) -> list[str]:
    """Bands of a run that another carrier's calibration serves: "E5 by G2"."""
    found = []
    for system, slot in np.argwhere(digit > 0).tolist():
        own = (system, int(digit[system, slot]))
        key = band_serving(antenna, *own)
        if key is not None and key != own:
            found.append(f"{_band_name(own)} by {_band_name(key)}")
    return found


def on_grid(antenna: Antenna, key: tuple[int, int]) -> FloatArray:
    """The variations of one carrier on the grid of the kernels: (N_AZIMUTH, N_ZENITH) [m].

    Linear between the nodes of the calibration, constant beyond its last zenith angle.
    """
    zenith_rad = np.radians(np.arange(N_ZENITH) * GRID_STEP_DEG)
    azimuth_rad = np.radians(np.arange(N_AZIMUTH) * GRID_STEP_DEG)
    values = antenna.patterns[key].pcv_m
    rows = np.array([np.interp(zenith_rad, antenna.zenith_rad, row) for row in values])
    if len(rows) == 1:
        return np.repeat(rows, N_AZIMUTH, axis=0)
    columns = [np.interp(azimuth_rad, antenna.azimuth_rad, column) for column in rows.T]
    return np.array(columns).T


def _band_name(key: tuple[int, int]) -> str:
    """System letter and digit."""
    return f"{SYSTEM_LETTERS[key[0]]}{key[1]}"

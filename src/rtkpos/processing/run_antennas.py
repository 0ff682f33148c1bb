"""The antennas at both ends of a run, from headers, configuration and calibration file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.io.products.antex import read_antex
from rtkpos.prepare.antennas import ENDS, find_antenna, replaced_bands, site_model
from rtkpos.records.antenna import Antenna, split_antenna_name
from rtkpos.records.config import RtkConfig
from rtkpos.records.observations import Station
from rtkpos.records.report import ReadReport


@dataclass(frozen=True, kw_only=True)
class SiteAntennas:
    """What is known of the antennas of rover and base.

    models : calibrations, None = no PCO/PCV      offset_enu_m : (2, 3) marker to reference point
    source : name of the calibration file, "" = none
    """

    models: tuple[Antenna | None, Antenna | None]
    offset_enu_m: FloatArray
    source: str = ""


def site_antennas(
    rover: Station | None,
    base: Station | None,
    config: RtkConfig,
    time_ns: int | None,
    report: ReadReport,
) -> SiteAntennas:
    """The antennas of a run; what is missing or replaced becomes a warning of the report.

    rover, base : what the headers say, None where there is no header or no base
    time_ns : GPST [ns] at which calibrations must be valid, None = any
    Single positions use offsets only: calibrations matter below their noise.
    Raises FileError when the calibration file cannot be read.
    """
    wanted, stations = config.antenna, (rover, base)
    named = (wanted.rover, wanted.base)
    given = (wanted.rover_offset_enu_m, wanted.base_offset_enu_m)
    offset_enu_m = np.zeros((2, 3))
    names = ["", ""]
    for end, station in enumerate(stations):
        names[end] = named[end] or (station.antenna if station is not None else "")
        if wanted.coordinates != "marker":
            continue
        if given[end]:
            offset_enu_m[end] = given[end]
        elif station is not None:
            offset_enu_m[end] = np.nan_to_num(station.antenna_enu_m)
    if not wanted.antex or config.mode == "single":
        return SiteAntennas(models=(None, None), offset_enu_m=offset_enu_m)
    table = read_antex(wanted.antex, [split_antenna_name(name)[0] for name in names])
    report.merge(table.report)
    found = [find_antenna(table, names[k], ENDS[k], time_ns, report) for k in range(2)]
    return SiteAntennas(
        models=(found[0], found[1]), offset_enu_m=offset_enu_m, source=Path(wanted.antex).name
    )


def enter_antennas(plan: Any, known: SiteAntennas) -> None:
    """Write the antennas into the record of a `RunPlan`, for the bands it has."""
    model = site_model(known.models, known.offset_enu_m, np.asarray(plan.pairing.digit))
    for name in model._fields:
        plan.site[name][:] = getattr(model, name)


def antenna_words(known: SiteAntennas, plan: Any, has_base: bool) -> tuple[str, ...]:
    """What the result says of each end: the offset applied and the calibration used."""
    words = []
    for end in range(2 if has_base else 1):
        east, north, up = known.offset_enu_m[end]
        text = f"{ENDS[end]} reference point {up:.4f} m above the marker"
        if east or north:
            text += f", {east:.4f} m east, {north:.4f} m north"
        antenna = known.models[end]
        if antenna is None:
            words.append(f"{text}; no PCO/PCV")
            continue
        text += f"; PCO/PCV of {antenna.name} ({known.source})"
        replaced = replaced_bands(antenna, np.asarray(plan.pairing.digit))
        words.append(text + (f", {', '.join(replaced)}" if replaced else ""))
    return tuple(words)

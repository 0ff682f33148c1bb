"""Recordings of a network's stations: read, cut to what is needed, compared with their codes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rtkpos.app.solve.bases import SAME_BASE_M, NetworkPlan
from rtkpos.constants import NS_PER_S
from rtkpos.errors import InputError, RinexError
from rtkpos.network.network_records import StationData
from rtkpos.network.stations.station_list import NetworkStation
from rtkpos.processing.base_check import CODE_IMPOSSIBLE_M, disagreement, hint, words_of
from rtkpos.processing.base_code import code_position_of
from rtkpos.processing.epoch import take_epochs
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.observations import ObsTable, Station, interval_s
from rtkpos.records.report import ReadReport

if TYPE_CHECKING:
    from rtkpos.batch.shared_tables import SharedTables

WARM_UP_S = 1800.0  # of the stations before a rover begins: corrections converge in minutes


@dataclass(frozen=True, kw_only=True)
class NetworkInputs:
    """Stations of a network as read.

    from_header : names of those whose coordinates are a header's      left_out : why others are not
    here, a sentence each      reports : of the readers by "base NAME"
    """

    stations: tuple[StationData, ...]
    from_header: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    reports: dict[str, ReadReport] = field(default_factory=dict)


def read_network(plan: NetworkPlan, tables: SharedTables, *, strict: bool) -> NetworkInputs:
    """Read all stations; one without a readable epoch is left out, with --strict it is an error.

    InputError when none is left, FileError for a missing file.
    """
    stations, left_out = [], list(plan.left_out)
    if strict and left_out:
        raise InputError(left_out[0].removeprefix("left out: "))
    for one in plan.stations:
        try:
            stations.append(_station(one, tables.obs(list(one.files), strict=strict)))
        except RinexError as error:
            if strict:
                raise
            left_out.append(f"{one.name} is left out: {error}")
    if not stations:
        raise InputError(f"no base can be used; {left_out[0]}")
    names = {one.name for one in stations}
    return NetworkInputs(
        stations=tuple(stations),
        from_header=tuple(s.name for s in plan.stations if s.from_header and s.name in names),
        notes=(*plan.notes, *_interval_notes(stations)),
        warnings=plan.warnings,
        left_out=tuple(left_out),
        reports={f"base {one.name}": one.table.report for one in stations},
    )


def _station(listed: NetworkStation, table: ObsTable) -> StationData:
    """A station's data; the antenna of the list replaces that of the header."""
    if listed.antenna:
        equipment = dataclasses.replace(table.station, antenna=listed.antenna)
        table = dataclasses.replace(table, station=equipment)
    return StationData(name=listed.name, table=table, ecef_m=listed.ecef_m)


def _interval_notes(stations: Sequence[StationData]) -> tuple[str, ...]:
    """A note where stations record at different intervals."""
    found = (interval_s(one.table) for one in stations)
    steps_s = {step for step in found if step is not None}
    if len(steps_s) < 2:
        return ()
    words = ", ".join(f"{step:g} s" for step in sorted(steps_s))
    return (f"stations record at different intervals ({words}): those of each epoch are used.",)


def serve_rover(inputs: NetworkInputs, rover: ObsTable) -> NetworkInputs:
    """The stations for one rover: not the rover itself, and not hours before or after it."""
    stations, warnings = [], list(inputs.warnings)
    for one in inputs.stations:
        if is_rover(one, rover.station):
            warnings.append(
                f"the rover stands at base {one.name} and has its marker: taken to be the same, "
                f"{one.name} is not used."
            )
        else:
            stations.append(dataclasses.replace(one, table=_around(one.table, rover)))
    if not stations:
        raise InputError("the rover is the only base; give other bases.")
    return dataclasses.replace(inputs, stations=tuple(stations), warnings=tuple(warnings))


def is_rover(station: StationData, rover: Station) -> bool:
    """Whether a rover has the marker and the place of a station."""
    marker = station.table.station.marker.split()[:1]
    if not marker or marker != rover.marker.split()[:1]:
        return False
    return bool(np.linalg.norm(rover.approx_ecef_m - station.ecef_m) <= SAME_BASE_M)


def _around(table: ObsTable, rover: ObsTable) -> ObsTable:
    """The epochs of a station from half an hour before a rover to its end; all when none are."""
    if not rover.n_epoch:
        return table
    margin_ns = round(60.0 * NS_PER_S)
    first = int(rover.time_ns[0]) - round(WARM_UP_S * NS_PER_S)
    wanted = (table.time_ns >= first) & (table.time_ns <= int(rover.time_ns[-1]) + margin_ns)
    if wanted.all() or not wanted.any():
        return table
    return take_epochs(table, np.flatnonzero(wanted))


def check_coordinates(inputs: NetworkInputs, nav: BroadcastTable, *, force: bool) -> NetworkInputs:
    """Compare the coordinates of each station with its code positions: warnings, or InputError.

    More than 1 km apart is an error unless `force`; stations without a code position are passed.
    """
    warnings = list(inputs.warnings)
    for one in inputs.stations:
        code_m = code_position_of(one.table, nav)
        text = "" if code_m is None else disagreement(one.ecef_m, code_m)
        if code_m is None or not text:
            continue
        text = text.replace("the base", f"{one.name}: the base", 1)
        if math.dist(one.ecef_m, code_m) > CODE_IMPOSSIBLE_M and not force:
            raise InputError(
                f"{text} ({words_of(np.round(code_m))} m){hint(one.ecef_m, code_m)}; correct its "
                "header or the list of --stations, or go on with --force."
            )
        warnings.append(f"{text}; all corrections around it are wrong if they are.")
    return dataclasses.replace(inputs, warnings=tuple(warnings))

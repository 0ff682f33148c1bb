"""Facts about one observation table or one navigation table, as plain data."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtkpos._arrays import BoolArray, FloatArray
from rtkpos.app.solve.losses import skip_lines
from rtkpos.constants import NS_PER_S
from rtkpos.core.station.geodesy import ecef_to_geodetic
from rtkpos.gnss.signals import sig_band, sig_code
from rtkpos.gnss.systems import SYSTEM_LETTERS, sat_name, systems_of
from rtkpos.gnss.time import iso_gpst
from rtkpos.records.broadcast import BroadcastTable, Message
from rtkpos.records.observations import ObsTable, interval_s

MAX_GAPS = 10


def obs_facts(table: ObsTable) -> dict[str, Any]:
    """What an observation table holds: span, gaps, equipment, place, signals, satellites."""
    station = table.station
    return {
        "kind": "observations",
        "files": list(table.source),
        "version": table.version,
        "marker": station.marker,
        "receiver": station.receiver,
        "antenna": station.antenna,
        "antenna_enu_m": station.antenna_enu_m.tolist(),
        "time_system": table.time_system,
        "epochs": table.n_epoch,
        "span_gpst": _span(table),
        "interval_s": interval_s(table),
        **gap_facts(table),
        "header_position": place(station.approx_ecef_m),
        "systems": {SYSTEM_LETTERS[s]: _system_facts(table, s) for s in observed_systems(table)},
        "warnings": list(table.report.warnings),
        "skipped": skip_lines(table.report),
    }


def nav_facts(table: BroadcastTable) -> dict[str, Any]:
    """What a navigation table holds: messages, satellites and span by system, ionosphere."""
    system = systems_of(table.sat)
    systems = {}
    for s in np.unique(system):
        rows = system == s
        messages = {
            Message(int(m)).name: int((table.message[rows] == m).sum())
            for m in np.unique(table.message[rows])
        }
        systems[SYSTEM_LETTERS[s]] = {
            "messages": messages,
            "satellites": [sat_name(int(sat)) for sat in np.unique(table.sat[rows])],
            "span_gpst": [iso_gpst(int(f(table.toe_ns[rows])), 0) for f in (np.min, np.max)],
            "unhealthy": [
                sat_name(int(sat)) for sat in np.unique(table.sat[rows & (table.healthy == 0)])
            ],
        }
    return {
        "kind": "navigation",
        "files": list(table.source),
        "ephemerides": table.n_ephemeris,
        "systems": systems,
        "ionosphere": sorted({f"{model.kind} ({model.source})" for model in table.ionosphere}),
        "leap_seconds": table.leap_seconds,
        "warnings": list(table.report.warnings),
        "skipped": skip_lines(table.report),
    }


def observed_systems(table: ObsTable) -> list[int]:
    """Systems with at least one observation, in index order."""
    return [int(s) for s in np.unique(systems_of(table.sat))]


def gap_facts(table: ObsTable) -> dict[str, Any]:
    """Number of steps longer than one and a half intervals, epochs missing, and the first ones."""
    usual = interval_s(table)
    if not usual:
        return {"gaps": 0, "missing_epochs": 0, "first_gaps": []}
    steps = np.diff(table.time_ns) / NS_PER_S
    rows = np.flatnonzero(steps > 1.5 * usual)
    first = [
        {"after_gpst": iso_gpst(int(table.time_ns[k])), "seconds": round(float(steps[k]), 3)}
        for k in rows[:MAX_GAPS]
    ]
    missing = int(np.sum(np.round(steps[rows] / usual) - 1))
    return {"gaps": len(rows), "missing_epochs": missing, "first_gaps": first}


def place(ecef_m: FloatArray) -> dict[str, Any] | None:
    """A point as ECEF [m] and latitude, longitude [deg], height [m]; None when it is missing."""
    llh = np.full(3, np.nan)
    point = np.ascontiguousarray(ecef_m, dtype=np.float64)
    if not np.isfinite(point).all() or ecef_to_geodetic(point, llh):
        return None
    degrees = [*np.degrees(llh[:2]).round(9).tolist(), round(float(llh[2]), 4)]
    return {"ecef_m": point.tolist(), "llh_deg": degrees}


def has_phase_by_band(table: ObsTable, system: int) -> dict[int, int]:
    """Number of carrier phases of a system by band digit."""
    rows = _rows(table, system) & np.isfinite(table.phase_cycle)
    digits, counts = np.unique(sig_band(table.sig[rows]), return_counts=True)
    return {int(d): int(n) for d, n in zip(digits, counts, strict=True)}


def _span(table: ObsTable) -> list[str]:
    """First and last epoch."""
    return [iso_gpst(int(t)) for t in table.time_ns[[0, -1]]] if table.n_epoch else []


def _rows(table: ObsTable, system: int) -> BoolArray:
    """Mask of the rows of a system."""
    mask: BoolArray = systems_of(table.sat) == system
    return mask


def _system_facts(table: ObsTable, system: int) -> dict[str, Any]:
    """Satellites and, for every signal, the number of code, phase, Doppler and C/N0 values."""
    rows = _rows(table, system)
    epoch_of_row = np.repeat(np.arange(table.n_epoch), np.diff(table.row_start))
    pairs = np.unique(epoch_of_row[rows] * 512 + table.sat[rows])
    signals = {}
    for sig in np.unique(table.sig[rows]):
        mine = rows & (table.sig == sig)
        columns = (table.code_m, table.phase_cycle, table.doppler_hz, table.cn0_dbhz)
        counts = (int(np.isfinite(column[mine]).sum()) for column in columns)
        signals[sig_code(int(sig))] = dict(
            zip(("code", "phase", "doppler", "cn0"), counts, strict=True)
        )
    return {
        "satellites": [sat_name(int(sat)) for sat in np.unique(table.sat[rows])],
        "mean_per_epoch": round(len(pairs) / max(table.n_epoch, 1), 1),
        "signals": signals,
        "phases_by_band": {str(d): n for d, n in has_phase_by_band(table, system).items()},
    }

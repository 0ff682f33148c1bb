"""Faults put into recordings: functions from a table to the table a faulty receiver had given.

`table` : ObsTable      `at`, `end` : first epoch with the fault and the first one without (index)
`rows` : (n_row,) mask      every function returns a new table; times, not indices, join receivers.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.gnss.signals import carrier_hz, sig_band
from rtkpos.gnss.systems import GLONASS, systems_of
from rtkpos.physics.satellites import satellite_states
from rtkpos.prepare.pairing import known_channels
from rtkpos.processing.epoch import ROW_COLUMNS, take_epochs
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.observations import ObsTable

LOST_LOCK, HALF_CYCLE = 1, 2


def part(table: ObsTable, first: int, last: int) -> ObsTable:
    """Epochs first..last-1."""
    return take_epochs(table, np.arange(first, min(last, table.n_epoch)))


def without_epochs(table: ObsTable, from_ns: int, until_ns: int) -> ObsTable:
    """The table without the epochs from_ns <= t < until_ns."""
    kept = (table.time_ns < from_ns) | (table.time_ns >= until_ns)
    return take_epochs(table, np.flatnonzero(kept))


def row_time_ns(table: ObsTable) -> np.ndarray:
    """(n_row,) time of each row."""
    return np.repeat(table.time_ns, np.diff(table.row_start))


def rows_between(table: ObsTable, from_ns: int, until_ns: int | None = None) -> np.ndarray:
    """Rows of the epochs from_ns <= t < until_ns (None: to the end)."""
    time_ns = row_time_ns(table)
    rows = time_ns >= from_ns
    return rows if until_ns is None else rows & (time_ns < until_ns)


def changed(table: ObsTable, **columns: Any) -> ObsTable:
    """A copy with columns replaced."""
    return dataclasses.replace(table, **columns)


def added(table: ObsTable, column: str, rows: np.ndarray, value: Any) -> ObsTable:
    """A copy with a value (a number, or one per row) added to the rows of a column."""
    return changed(table, **{column: getattr(table, column) + np.where(rows, value, 0.0)})


def marked(table: ObsTable, rows: np.ndarray, bit: int) -> ObsTable:
    """A copy with a loss-of-lock bit set in the rows."""
    return changed(table, lli=np.where(rows, table.lli | bit, table.lli).astype(np.uint8))


def hidden(table: ObsTable, rows: np.ndarray) -> ObsTable:
    """A copy without the rows (a receiver that lost these signals)."""
    kept = np.concatenate([[0], np.cumsum(~rows)])
    columns = {name: getattr(table, name)[~rows] for name in ROW_COLUMNS}
    return changed(table, row_start=kept[table.row_start].astype(np.int64), **columns)


def band_of_row(table: ObsTable) -> np.ndarray:
    """(n_row,) band digit."""
    digits = {int(s): sig_band(int(s)) for s in np.unique(table.sig)}
    return np.array([digits[int(s)] for s in table.sig], np.int64)


def wavelength_m(table: ObsTable, nav: BroadcastTable) -> np.ndarray:
    """(n_row,) wavelength [m]; the ephemerides name the channels of GLONASS."""
    channels = known_channels([], nav)
    key = table.sat.astype(np.int64) * 10 + band_of_row(table)
    out = np.empty(table.n_row)
    for one in np.unique(key):
        sat, band = divmod(int(one), 10)
        channel = int(channels[sat & 63]) if systems_of(sat) == GLONASS else 0
        known = channel if -7 <= channel <= 6 else 0
        out[key == one] = SPEED_OF_LIGHT_MPS / carrier_hz(systems_of(sat), band, known)
    return out


def range_rate_mps(table: ObsTable, wave_m: np.ndarray) -> np.ndarray:
    """(n_row,) change of the phase range [m/s], by differences: not every recording has Doppler."""
    phase_m = table.phase_cycle * wave_m
    seconds = row_time_ns(table) * 1e-9
    key = table.sat.astype(np.int64) * 4096 + table.sig
    out = np.zeros(table.n_row)
    for one in np.unique(key):
        rows = np.flatnonzero((key == one) & np.isfinite(phase_m))
        if len(rows) > 2:
            rate = np.gradient(phase_m[rows], seconds[rows])
            out[rows] = np.where(np.abs(rate) < 1500.0, rate, 0.0)
    return out


def satellites(rover: ObsTable, base: ObsTable, time_ns: int, step_ns: int) -> list[int]:
    """Satellites with phases on two bands at both receivers, those of strongest signal first."""
    strength: dict[int, list[float]] = {}
    for table in (rover, base):
        near = rows_between(table, time_ns - step_ns // 2, time_ns + step_ns // 2)
        rows = near & np.isfinite(table.phase_cycle)
        for sat in np.unique(table.sat[rows]):
            mine = rows & (table.sat == sat)
            if len(np.unique(band_of_row(table)[mine])) > 1:
                level = np.nan_to_num(table.cn0_dbhz[mine], nan=30.0).max()
                strength.setdefault(int(sat), []).append(float(level))
    both = {sat: sum(levels) for sat, levels in strength.items() if len(levels) == 2}
    return sorted(both, key=lambda sat: (-both[sat], sat))


def bands(table: ObsTable, sat: int) -> list[int]:
    """Band digits a satellite has phases on."""
    rows = (table.sat == sat) & np.isfinite(table.phase_cycle)
    return sorted({sig_band(int(s)) for s in np.unique(table.sig[rows])})


def slipped(
    table: ObsTable, from_ns: int, cycles: dict[tuple[int, int], float], lli: bool = False
) -> ObsTable:
    """Phases that from a time on have further cycles, by (satellite, band); told by LLI or not."""
    band, later = band_of_row(table), rows_between(table, from_ns)
    shift, first = np.zeros(table.n_row), np.zeros(table.n_row, bool)
    for (sat, digit), n in cycles.items():
        rows = later & (table.sat == sat) & (band == digit)
        shift[rows] = n
        first |= rows & (row_time_ns(table) == from_ns)
    out = changed(table, phase_cycle=table.phase_cycle + shift)
    return marked(out, first, LOST_LOCK) if lli else out


def whole_sky(table: ObsTable, time_ns: int, rng: np.random.Generator, most: int) -> dict[Any, Any]:
    """Random cycles -most..most, none of them zero, for every satellite and band at a time."""
    rows = rows_between(table, time_ns, time_ns + 1)
    keys = sorted(
        {(int(s), sig_band(int(g))) for s, g in zip(table.sat[rows], table.sig[rows], strict=True)}
    )
    size = rng.integers(1, most + 1, len(keys)) * rng.choice((-1, 1), len(keys))
    return {key: float(n) for key, n in zip(keys, size, strict=True)}


def unseen_by_geometry_free(table: ObsTable, sat: int) -> dict[tuple[int, int], float]:
    """The smallest slip of two bands that is the same on both within 2 cm."""
    first, second = bands(table, sat)[:2]
    waves = [SPEED_OF_LIGHT_MPS / carrier_hz(systems_of(sat), b) for b in (first, second)]
    for n in range(1, 200):
        m = round(n * waves[0] / waves[1])
        if m and abs(n * waves[0] - m * waves[1]) < 0.02:
            return {(sat, first): float(n), (sat, second): float(m)}
    raise ValueError("no such slip below 200 cycles")


def with_clock_steps(
    table: ObsTable, nav: BroadcastTable, clock_s: np.ndarray, on_phase: bool
) -> ObsTable:
    """The observations of a receiver whose clock is clock_s (n_epoch,) further ahead.

    It samples that much earlier: ranges of the earlier time; the code shows the clock, and so does
    the phase of a receiver that steers both.
    """
    clock = np.repeat(clock_s, np.diff(table.row_start))
    wave_m = wavelength_m(table, nav)
    earlier_m = -range_rate_mps(table, wave_m) * clock
    step_m = SPEED_OF_LIGHT_MPS * clock
    phase_m = earlier_m + (step_m if on_phase else 0.0)
    return changed(
        table,
        code_m=table.code_m + step_m + earlier_m,
        phase_cycle=table.phase_cycle + phase_m / wave_m,
    )


def moved(
    table: ObsTable, nav: BroadcastTable, span_ns: tuple[int, int], shift_m: Any, place_m: Any
) -> ObsTable:
    """What the antenna would see from a place shift_m (3,) away during from <= t < until."""
    rows = np.flatnonzero(rows_between(table, *span_ns))
    states = satellite_states(nav, table.sat[rows], row_time_ns(table)[rows])
    epoch = np.repeat(np.arange(table.n_epoch), np.diff(table.row_start))[rows]
    place = np.broadcast_to(place_m, (table.n_epoch, 3))[epoch]
    there = np.linalg.norm(states.ecef_m - (place + shift_m), axis=1)
    longer_m = np.nan_to_num(there - np.linalg.norm(states.ecef_m - place, axis=1))
    code, phase = table.code_m.copy(), table.phase_cycle.copy()
    code[rows] += longer_m
    phase[rows] += longer_m / wavelength_m(table, nav)[rows]
    return changed(table, code_m=code, phase_cycle=phase)


def urban(table: ObsTable, rng: np.random.Generator, slip_share: float, lost: float) -> ObsTable:
    """Slips of 1..20 cycles of a satellite's band, and dropouts of a satellite, at random.

    slip_share, lost : probability per (satellite, band), and per satellite, in an epoch
    """
    band, epoch = band_of_row(table), np.repeat(np.arange(table.n_epoch), np.diff(table.row_start))
    shift, gone = np.zeros(table.n_row), np.zeros(table.n_row, bool)
    for sat in np.unique(table.sat):
        mine = table.sat == sat
        gone |= mine & (rng.random(table.n_epoch) < lost)[epoch]
        for digit in np.unique(band[mine]):
            slips = (rng.random(table.n_epoch) < slip_share) * rng.integers(-20, 21, table.n_epoch)
            shift += np.where(mine & (band == digit), np.cumsum(slips)[epoch], 0)
    return hidden(changed(table, phase_cycle=table.phase_cycle + shift), gone)

"""What a pair of receivers at known places shows of its own errors, without any filter.

Ranges, satellite clocks and the other receiver are subtracted; over a short line nothing but
noise, multipath, one clock per epoch and whole cycles is left. Integers are found by rounding the
double difference of every epoch by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rtkpos.constants import OMEGA_EARTH_GPS, SPEED_OF_LIGHT_MPS
from rtkpos.gnss.signals import carrier_hz, sig_band, sig_name
from rtkpos.gnss.systems import GLONASS, systems_of
from rtkpos.physics.satellites import satellite_states
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.observations import ObsTable

LOWEST_DEG = 10.0
MOST_SLIP_GAP = 1  # epochs: over a longer gap a changed integer is a new arc


@dataclass(frozen=True)
class Signal:
    """One signal of a pair; all (n_epoch, n_sat), NaN where either receiver lacks it.

    code_m, phase_m : rover - base - geometry, less the weighted mean of the epoch
    cycle : whole double-difference cycles      cn0_dbhz, lli, seen : (2, n_epoch, n_sat)
    """

    sig: int
    sat: np.ndarray
    wavelength_m: float
    elevation_deg: np.ndarray
    code_m: np.ndarray
    phase_m: np.ndarray
    cycle: np.ndarray
    reference: np.ndarray
    cn0_dbhz: np.ndarray
    lli: np.ndarray
    seen: np.ndarray

    @property
    def name(self) -> str:
        """As in RINEX, with the system's letter."""
        return sig_name(self.sig)


@dataclass(frozen=True)
class Pair:
    """All signals of a pair and what corrects the given vector [m]."""

    interval_s: float
    signals: dict[str, Signal]
    vector_correction_m: np.ndarray


def measure_pair(rover: ObsTable, base: ObsTable, nav: BroadcastTable, places: np.ndarray) -> Pair:
    """Residuals of a pair at known places (2, 3) [m], the rover first."""
    time_ns = np.intersect1d(rover.time_ns, base.time_ns)
    raw = {}
    lines: dict[int, Any] = {}
    for system in np.unique(systems_of(rover.sat)):
        sat = np.unique(rover.sat[systems_of(rover.sat) == system])
        lines[int(system)] = _Lines(time_ns, sat, (rover, base), nav, places)
    for sig in np.intersect1d(rover.sig, base.sig):
        system = _system(int(sig))
        raw[int(sig)] = lines[system].signal(int(sig))
    correction = _vector_correction(raw, lines)
    signals = {}
    for sig, one in raw.items():
        centred = lines[_system(sig)].finished(sig, one, correction)
        signals[centred.name] = centred
    return Pair(float(np.median(np.diff(time_ns))) * 1e-9, signals, correction)


def _system(sig: int) -> int:
    """System of a signal, by its name."""
    from rtkpos.gnss.systems import SYSTEM_LETTERS

    return SYSTEM_LETTERS.index(sig_name(sig)[0])


def dense(table: ObsTable, time_ns: np.ndarray, sat: np.ndarray, sig: int) -> dict[str, np.ndarray]:
    """Columns of a signal as (n_epoch, n_sat), NaN where there is nothing."""
    epoch = np.repeat(np.arange(table.n_epoch), np.diff(table.row_start))
    mine = (table.sig == sig) & np.isin(table.time_ns[epoch], time_ns) & np.isin(table.sat, sat)
    row = np.searchsorted(time_ns, table.time_ns[epoch[mine]])
    column = np.searchsorted(sat, table.sat[mine])
    out = {}
    for name in ("code_m", "phase_cycle", "cn0_dbhz", "lli"):
        values = np.full((len(time_ns), len(sat)), np.nan)
        values[row, column] = getattr(table, name)[mine]
        out[name] = values
    return out


class _Lines:
    """Lines of sight of one system from both places."""

    def __init__(self, time_ns, sat, tables, nav, places) -> None:
        self.time_ns, self.sat, self.tables = time_ns, sat, tables
        self.model = [
            _modelled(table, time_ns, sat, nav, place)
            for table, place in zip(tables, places, strict=True)
        ]
        self.los = self.model[1][1]
        up = places[1] / np.linalg.norm(places[1])
        # Geodetic and geocentric up differ by 0.2 deg, which bins of elevation do not notice.
        self.elevation_deg = np.degrees(np.arcsin(self.los @ up))

    def signal(self, sig: int) -> dict[str, Any]:
        """Single differences before the clock and the integers are removed."""
        both = [dense(table, self.time_ns, self.sat, sig) for table in self.tables]
        wave_m = SPEED_OF_LIGHT_MPS / carrier_hz(_system(sig), int(sig_band(sig)))
        low = ~(self.elevation_deg >= LOWEST_DEG)
        code = (both[0]["code_m"] - self.model[0][0]) - (both[1]["code_m"] - self.model[1][0])
        phase = wave_m * (both[0]["phase_cycle"] - both[1]["phase_cycle"])
        phase = phase - (self.model[0][0] - self.model[1][0])
        code[low], phase[low] = np.nan, np.nan
        half = (
            np.nan_to_num(both[0]["lli"]).astype(int) | np.nan_to_num(both[1]["lli"]).astype(int)
        ) & 2
        phase[half > 0] = np.nan
        if _system(sig) == GLONASS:  # every satellite has a wavelength of its own
            phase[:] = np.nan
        return {
            "wave_m": wave_m,
            "code_m": code,
            "phase_m": phase,
            "cn0_dbhz": np.stack([one["cn0_dbhz"] for one in both]),
            "lli": np.stack([one["lli"] for one in both]),
            "seen": np.stack([np.isfinite(one["phase_cycle"]) for one in both]),
        }

    def wrapped(self, one: dict[str, Any], correction: np.ndarray) -> tuple[np.ndarray, ...]:
        """Phase less whole cycles against the highest satellite (n_epoch, n_sat), and these."""
        phase = one["phase_m"] + self.los @ correction
        height = np.where(np.isfinite(phase), self.elevation_deg, -1.0)
        reference = np.argmax(height, axis=1)
        double = phase - np.take_along_axis(phase, reference[:, None], axis=1)
        cycle = np.rint(double / one["wave_m"])
        return double - cycle * one["wave_m"], cycle, reference

    def centred(self, values: np.ndarray) -> np.ndarray:
        """Less the mean of every epoch, weighted by sin(elevation)^2."""
        weight = np.sin(np.radians(self.elevation_deg)) ** 2
        weight = np.where(np.isfinite(values), weight, 0.0)
        total = np.sum(weight, axis=1, keepdims=True)
        mean = np.sum(weight * np.nan_to_num(values), axis=1, keepdims=True)
        enough = np.sum(weight > 0.0, axis=1, keepdims=True) >= 3
        return values - mean / np.where(enough & (total > 0.0), total, np.nan)

    def finished(self, sig: int, one: dict[str, Any], correction: np.ndarray) -> Signal:
        """The signal with clock and integers removed."""
        phase, cycle, reference = self.wrapped(one, correction)
        return Signal(
            sig=sig,
            sat=self.sat,
            wavelength_m=one["wave_m"],
            elevation_deg=self.elevation_deg,
            code_m=self.centred(one["code_m"] + self.los @ correction),
            phase_m=self.centred(phase),
            cycle=cycle,
            reference=reference,
            cn0_dbhz=one["cn0_dbhz"],
            lli=one["lli"],
            seen=one["seen"],
        )


def _modelled(table, time_ns, sat, nav, place) -> tuple[np.ndarray, np.ndarray]:
    """Range less satellite clock (n_epoch, n_sat) [m] and line of sight, at a place.

    Times of transmission come from the codes themselves, so that receiver clocks do no harm.
    """
    code = np.full((len(time_ns), len(sat)), np.nan)
    for sig in np.unique(table.sig[np.isin(table.sat, sat)]):
        more = dense(table, time_ns, sat, int(sig))["code_m"]
        code = np.where(np.isfinite(code), code, more)
    model, los = np.full(code.shape, np.nan), np.full((*code.shape, 3), np.nan)
    row, column = np.nonzero(np.isfinite(code))
    flight_s = code[row, column] / SPEED_OF_LIGHT_MPS
    clock_s = np.zeros(len(row))
    for _ in range(2):
        sent_ns = time_ns[row] - np.rint((flight_s + clock_s) * 1e9).astype(np.int64)
        states = satellite_states(nav, sat[column], sent_ns)
        clock_s = np.nan_to_num(states.clock_s)  # satellites without ephemeris drop out below
    # The earth turns during the true flight, without the receiver's clock.
    angle = OMEGA_EARTH_GPS * np.linalg.norm(states.ecef_m - place, axis=1) / SPEED_OF_LIGHT_MPS
    x, y, z = states.ecef_m.T
    turned = np.stack(
        [np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x, z], axis=1
    )
    away = turned - place
    distance = np.linalg.norm(away, axis=1)
    model[row, column] = distance - SPEED_OF_LIGHT_MPS * states.clock_s
    los[row, column] = away / distance[:, None]
    return model, los


def _vector_correction(raw: dict[int, Any], lines: dict[int, Any]) -> np.ndarray:
    """What is to be added to the vector from base to rover (3,) [m], by least squares."""
    normal, right = np.zeros((3, 3)), np.zeros(3)
    for sig, one in raw.items():
        if _system(sig) == GLONASS:
            continue
        line = lines[_system(sig)]
        phase = line.centred(line.wrapped(one, np.zeros(3))[0])
        good = np.isfinite(phase) & (line.elevation_deg > 25.0)
        seen = np.where(np.isfinite(phase)[..., None], line.los, np.nan)
        design = np.stack([line.centred(seen[..., axis]) for axis in range(3)], axis=-1)[good]
        # phase = -los . correction: the model took the rover to stand elsewhere.
        normal += design.T @ design
        right -= design.T @ phase[good]
    return np.linalg.solve(normal, right)

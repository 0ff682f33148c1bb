"""The true satellites of a run: motion and clock near an epoch, from the records we broadcast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray, SatArray, TimeArray
from rtkpos.constants import NS_PER_S
from rtkpos.gnss.systems import BEIDOU, GLONASS, systems_of
from rtkpos.io.rinex._navigation.elements import (
    GLONASS_COLUMNS,
    KEPLER_COLUMNS,
    Elements,
    is_in_tilted_frame,
    named_elements,
)
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.simulate.sky.element_orbits import glonass_motion, kepler_ecef

FLIGHT_S = 0.075  # signals arrive this long after they left, to within 0.07 s
_STEP_S = 0.1  # between the three positions a parabola goes through


@dataclass(frozen=True)
class Motion:
    """Position [m] and clock [s] of satellites as parabolas around FLIGHT_S before each epoch.

    value, rate, bend : (n_epoch, n_sat, 4) x, y, z, clock, first and second derivative
    """

    sat: SatArray
    value: FloatArray
    rate: FloatArray
    bend: FloatArray

    def at(self, delta_s: FloatArray) -> FloatArray:
        """Value delta_s (n_epoch, n_sat) later: the third derivative matters below 1e-8 m."""
        d = delta_s[..., None]
        return self.value + d * (self.rate + 0.5 * d * self.bend)

    def rate_at(self, delta_s: FloatArray) -> FloatArray:
        """Rate delta_s (n_epoch, n_sat) later."""
        return self.rate + delta_s[..., None] * self.bend

    def of(self, columns: IndexArray) -> Motion:
        """The motion of some satellites."""
        parts = (self.value[:, columns], self.rate[:, columns], self.bend[:, columns])
        return Motion(self.sat[columns], *parts)


def motion_of(table: BroadcastTable, system: int, time_ns: TimeArray) -> Motion:
    """Motion of all satellites of a system around epochs (n_epoch,) GPST [ns].

    The record nearest in time to the epoch counts; its age is not limited.
    """
    mine = np.flatnonzero(systems_of(table.sat) == system)
    sats = np.unique(table.sat[mine])
    row = np.empty((len(time_ns), len(sats)), dtype=np.int64)
    for s, sat in enumerate(sats):
        rows = mine[table.sat[mine] == sat]
        age = np.abs(time_ns[:, None] - table.toe_ns[rows])
        row[:, s] = rows[np.argmin(age, axis=1)]
    orbit_s = (time_ns[:, None] - table.toe_ns[row]) / NS_PER_S - FLIGHT_S
    clock_s = (time_ns[:, None] - table.toc_ns[row]) / NS_PER_S - FLIGHT_S
    if system == GLONASS:
        return _glonass(sats, table.param[row], orbit_s)
    elements = _by_name(table.param[row], KEPLER_COLUMNS)
    before, here, after = (
        _with_clock(elements, system, orbit_s + k * _STEP_S, clock_s + k * _STEP_S)
        for k in (-1, 0, 1)
    )
    rate = (after - before) / (2.0 * _STEP_S)
    return Motion(sats, here, rate, (after - 2.0 * here + before) / _STEP_S**2)


def _by_name(param: FloatArray, columns: dict[str, int]) -> Elements:
    """Elements by name from (n_epoch, n_sat, N_PARAM)."""
    shape = param.shape[:2]
    flat = named_elements(param.reshape(-1, param.shape[2]), columns)
    return {name: values.reshape(shape) for name, values in flat.items()}


def _with_clock(
    elements: Elements, system: int, orbit_s: FloatArray, clock_s: FloatArray
) -> FloatArray:
    """Position and clock (..., 4); clock: polynomial and relativistic term, no group delay."""
    tilted = is_in_tilted_frame(elements) & (system == BEIDOU)
    place, relativity_s = kepler_ecef(elements, tilted, system, orbit_s)
    slope = elements["af1"] + elements["af2_per_s"] * clock_s
    clock = elements["af0_s"] + slope * clock_s + relativity_s
    return np.concatenate([place, clock[..., None]], axis=-1)


def _glonass(sats: SatArray, param: FloatArray, dt_s: FloatArray) -> Motion:
    elements = _by_name(param, GLONASS_COLUMNS)
    place, speed, acceleration = glonass_motion(elements, dt_s)
    gamma = elements["gamma_n"]
    clock = gamma * dt_s - elements["tau_n_s"]
    parts = ((place, clock), (speed, gamma), (acceleration, np.zeros_like(gamma)))
    return Motion(sats, *(np.concatenate([a, b[..., None]], axis=-1) for a, b in parts))

"""Phase tracking: arcs, their integers, slips, half cycles; what happened is kept as truth."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from rtkpos._arrays import BoolArray, FlagArray, FloatArray, IndexArray
from rtkpos.simulate.scenario.sections import Tracking

LLI_LOST, LLI_HALF = 1, 2
ARC_CAUSES = ("start", "slip", "flagged_slip")
_N_RANGE = 100_000  # integers of new arcs
_SLIP_MAX = 20
_FAR_PAST = -(10**12)


@dataclass(frozen=True)
class Tracked:
    """Phase state of a block, (n_epoch, n_sat, n_sig), and the changes of integers in it.

    cycle : integer, plus a half while that is unresolved      lli : loss-of-lock bits
    events : rows epoch, satellite, signal, new integer, cause (index of ARC_CAUSES)
    """

    cycle: FloatArray
    lli: FlagArray
    events: IndexArray


@dataclass
class Tracker:
    """Carries arcs over the blocks of a run.

    shape : (n_sat, n_sig)      interval_s : between epochs
    """

    given: Tracking
    shape: tuple[int, int]
    interval_s: float
    rng: Generator
    _integer: IndexArray = field(init=False)
    _tracked: BoolArray = field(init=False)
    _start: IndexArray = field(init=False)
    _half: BoolArray = field(init=False)
    _epoch: int = 0

    def __post_init__(self) -> None:
        self._integer = np.zeros(self.shape, dtype=np.int64)
        self._tracked = np.zeros(self.shape, dtype=bool)
        self._start = np.full(self.shape, _FAR_PAST, dtype=np.int64)
        self._half = np.zeros(self.shape, dtype=bool)

    def block(self, tracked: BoolArray, cn0_dbhz: FloatArray) -> Tracked:
        """The next epochs; tracked, cn0_dbhz : (n_epoch, n_sat, n_sig)."""
        n = len(tracked)
        fresh = self.rng.integers(-_N_RANGE, _N_RANGE, tracked.shape)
        slip, step, is_flagged = self._slips(cn0_dbhz)
        half = self.rng.random(tracked.shape) < self.given.half_cycle_share
        if self._epoch == 0:  # what is tracked when a run begins has been so for long
            half[0] = False
        before = np.concatenate([self._tracked[None], tracked[:-1]])
        starts = tracked & ~before
        slip &= tracked & ~starts
        rows = np.arange(n).reshape(-1, 1, 1)
        last = np.maximum.accumulate(np.where(starts, rows, -1), axis=0)
        total = np.cumsum(np.where(slip, step, 0), axis=0)
        old, at = last < 0, np.maximum(last, 0)
        integer = np.where(
            old,
            self._integer + total,
            np.take_along_axis(fresh - total, at, axis=0) + total,
        )
        start = np.where(old, self._start, self._epoch + at)
        half = np.where(old, self._half, np.take_along_axis(half, at, axis=0))
        age_s = (self._epoch + rows - start) * self.interval_s
        open_half = half & (age_s < self.given.half_cycle_s)
        lost = starts | (slip & is_flagged)
        # The epoch a half cycle is resolved shows a jump, which receivers flag.
        resolved = half & (age_s >= self.given.half_cycle_s)
        resolved &= age_s < self.given.half_cycle_s + self.interval_s
        lli = np.where(lost | resolved, LLI_LOST, 0) + np.where(open_half, LLI_HALF, 0)
        cause = np.where(starts, 0, np.where(is_flagged, 2, 1))
        place = np.nonzero(starts | slip)
        events = np.stack([*place, integer[place], cause[place]], axis=1)
        events[:, 0] += self._epoch
        self._integer, self._start, self._half = integer[-1], start[-1], half[-1]
        self._tracked = tracked[-1].copy()
        self._epoch += n
        return Tracked(integer + 0.5 * open_half, lli.astype(np.uint8), events)

    def _slips(self, cn0_dbhz: FloatArray) -> tuple[BoolArray, IndexArray, BoolArray]:
        """Where cycles slip, by how many, and whether the receiver notices."""
        weak = 10.0 ** (np.clip(45.0 - np.nan_to_num(cn0_dbhz, nan=45.0), 0.0, 30.0) / 10.0)
        chance = self.given.slips_per_hour * self.interval_s / 3600.0 * weak
        slip = self.rng.random(cn0_dbhz.shape) < chance
        step = self.rng.integers(1, _SLIP_MAX + 1, cn0_dbhz.shape)
        step *= self.rng.choice(np.array([-1, 1]), cn0_dbhz.shape)
        return slip, step, self.rng.random(cn0_dbhz.shape) < self.given.flagged_share

"""Receiver clocks: the offset of the receiver's tags from GPST over a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from rtkpos._arrays import FloatArray
from rtkpos.simulate.scenario.sections import Clocks

_STEERED_S = 15e-9
_STEERED_TAU_S = 300.0
_RANDOM_WALK_S = 1e-10  # of a drifting clock, per square root of a second
_MS = 1e-3


@dataclass(frozen=True)
class ReceiverClock:
    """Offset [s] and drift [s/s] at each epoch: (n_epoch,)."""

    offset_s: FloatArray
    drift: FloatArray


def clock_of(
    given: Clocks, resets_s: tuple[tuple[float, float], ...], time_s: FloatArray, rng: Generator
) -> ReceiverClock:
    """The clock of a receiver at its epochs (n_epoch,) seconds of the run.

    resets_s : rows time, step [s], on top of whatever the clock does by itself. A drifting clock
    with ms jumps stays within half a millisecond; code and phase jump alike, so that no ambiguity
    changes.
    """
    n = len(time_s)
    offset, drift = np.zeros(n), np.zeros(n)
    step_s = float(time_s[1] - time_s[0]) if n > 1 else 1.0
    if given.kind == "steered":
        offset = _gauss_markov(_STEERED_S, step_s / _STEERED_TAU_S, rng.standard_normal(n))
        drift = np.gradient(offset, step_s) if n > 1 else drift
    elif given.kind == "drifting":
        rate = given.drift_ppm * 1e-6 * rng.choice([-1.0, 1.0])
        random_walk = np.cumsum(rng.standard_normal(n)) * _RANDOM_WALK_S * np.sqrt(step_s)
        offset = rng.uniform(-0.4, 0.4) * _MS + rate * time_s + random_walk
        drift = np.full(n, rate) + (np.gradient(random_walk, step_s) if n > 1 else 0.0)
        if given.ms_jumps:
            offset = offset - np.rint(offset / _MS) * _MS
    for when, step in resets_s:
        offset = offset + np.where(time_s >= when, step, 0.0)
    return ReceiverClock(offset, drift)


def _gauss_markov(sigma: float, share: float, white: FloatArray) -> FloatArray:
    """First-order Gauss-Markov sequence; share : interval over correlation time."""
    rho = float(np.exp(-share))
    fresh = np.sqrt(1.0 - rho**2)
    out = np.empty(len(white))
    value = white[0]
    for k in range(len(white)):
        value = value if k == 0 else rho * value + fresh * white[k]
        out[k] = value
    return sigma * out

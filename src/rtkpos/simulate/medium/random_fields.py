"""Random fields over the ground that can be asked anywhere, at any time, in any order."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from rtkpos._arrays import FloatArray

N_WAVE = 160
# Wave numbers reach from a tenth of the corner to 3000 times it: at 200 km range down to 0.4 km.
_LOW, _HIGH = 0.1, 3000.0


@dataclass(frozen=True)
class WaveField:
    """A stationary field as a sum of plane waves, carried by the wind without change.

    wave : (N_WAVE, 2) wave vectors east, north [rad/m]      amplitude, phase : (N_WAVE,)
    wind_mps : (2,) frozen flow (Taylor's hypothesis)
    """

    wave: FloatArray
    amplitude: FloatArray
    phase: FloatArray
    wind_mps: FloatArray

    def at(self, place_m: FloatArray, time_s: FloatArray) -> FloatArray:
        """Values at places (..., 2) east, north [m] and times (...) [s]."""
        moved = place_m - time_s[..., None] * self.wind_mps
        angle = moved.reshape(-1, 2) @ self.wave.T
        angle += self.phase
        np.cos(angle, out=angle)
        return (angle @ self.amplitude).reshape(time_s.shape)


def matern_field(sigma: float, scale_m: float, wind_mps: FloatArray, rng: Generator) -> WaveField:
    """A Matern field of smoothness 5/6, whose structure function begins as distance^(5/3).

    sigma : standard deviation      scale_m : 1 / corner wave number

    The share of the variance beyond wave number k is (1 + (k scale)^2)^(-5/6); waves stand at equal
    ratios of k with the variance of their interval, in random directions. Source: Matern (1960);
    Wheelon (2001), Electromagnetic Scintillation I, ch. 2 (von Karman spectrum).
    """
    edges = np.geomspace(_LOW, _HIGH, N_WAVE + 1)
    beyond = (1.0 + edges**2) ** (-5.0 / 6.0)
    beyond[0], beyond[-1] = 1.0, 0.0
    amplitude = sigma * np.sqrt(2.0 * -np.diff(beyond))
    number = np.sqrt(edges[:-1] * edges[1:]) / scale_m
    # Golden-angle steps spread the directions evenly at every scale.
    angle = rng.uniform(0.0, 2.0 * math.pi) + np.arange(N_WAVE) * 2.399963229728653
    wave = number[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return WaveField(wave, amplitude, rng.uniform(0.0, 2.0 * math.pi, N_WAVE), wind_mps)

"""Strength of signals and what disturbs their measurement."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from rtkpos._arrays import FloatArray

_CN0_REFERENCE_DBHZ = 45.0
_ANTENNA_DB = 11.0  # an antenna's gain falls by so much from zenith to horizon
_MULTIPATH_MAX = 4.0


def strength_dbhz(zenith_dbhz: FloatArray, elevation_rad: FloatArray) -> FloatArray:
    """C/N0 (n_epoch, n_sat, n_sig) of signals (n_sig,) at elevations (n_epoch, n_sat)."""
    loss = _ANTENNA_DB * (1.0 - np.sin(np.maximum(elevation_rad, 0.0))) ** 1.5
    return zenith_dbhz - loss[..., None]


def thermal_factor(cn0_dbhz: FloatArray) -> FloatArray:
    """Noise relative to that at 45 dB-Hz: inversely as the amplitude of the signal."""
    out: FloatArray = 10.0 ** ((_CN0_REFERENCE_DBHZ - cn0_dbhz) / 20.0)
    return out


def multipath_factor(elevation_rad: FloatArray) -> FloatArray:
    """Multipath relative to the zenith: (n_epoch, n_sat)."""
    out: FloatArray = np.minimum(1.0 / np.sin(np.maximum(elevation_rad, 0.05)), _MULTIPATH_MAX)
    return out


@dataclass
class GaussMarkov:
    """Unit-variance first-order Gauss-Markov sequences, block after block.

    shape : (n_sat, n_sig)      rho : correlation from epoch to epoch
    """

    shape: tuple[int, int]
    rho: float
    rng: Generator
    _last: FloatArray | None = field(default=None)

    def block(self, n_epoch: int) -> FloatArray:
        """The next epochs: (n_epoch, n_sat, n_sig)."""
        out = self.rng.standard_normal((n_epoch, *self.shape))
        fresh = np.sqrt(1.0 - self.rho**2)
        for k in range(n_epoch):
            if self._last is not None:
                out[k] *= fresh
                out[k] += self.rho * self._last
            self._last = out[k]
        return out

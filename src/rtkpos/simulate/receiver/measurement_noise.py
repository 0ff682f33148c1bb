"""Strength of signals and what disturbs their measurement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from rtkpos._arrays import FloatArray, IndexArray
from rtkpos.simulate.scenario.sections import Multipath, NoiseSection
from rtkpos.simulate.sky.signals import SignalSet

_CN0_REFERENCE_DBHZ = 45.0
# An antenna's gain falls by so much from zenith to horizon. This and the shape of the fall are
# those of two pairs of receivers, 8 to 9 dB at 17 deg and 2 dB at 50 deg; see bench/realism.py.
_ANTENNA_DB, _ANTENNA_SHAPE = 14.0, 1.3
_MULTIPATH_MAX = 4.0
_STANDING = 20.0  # a GEO's echoes change so many times more slowly


def strength_dbhz(signals: SignalSet, columns: IndexArray, elevation_rad: FloatArray) -> FloatArray:
    """C/N0 (n_epoch, n_sat, n_sig) of the signals of some satellites, (n_epoch, n_sat) high."""
    low = (1.0 - np.sin(np.maximum(elevation_rad, 0.0))) ** _ANTENNA_SHAPE
    loss = _ANTENNA_DB * low[..., None] * signals.steepness
    return signals.zenith_dbhz + signals.power_db[columns, None] - loss


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

    shape : (n_sat, n_sig)      rho : correlation from epoch to epoch, of all or (n_sat, 1)
    """

    shape: tuple[int, int]
    rho: FloatArray | float
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


class Disturbance:
    """Multipath and thermal noise of one receiver for one system, block after block."""

    def __init__(
        self,
        sections: tuple[Multipath, NoiseSection],
        signals: SignalSet,
        motion: tuple[bool, float],
        stream: Callable[[str], Generator],
    ) -> None:
        """motion : whether the receiver moves, and its interval [s]; stream : random, by name."""
        multipath, noise = sections
        moves, interval_s = motion
        self._multipath, self._noise, self._signals = multipath, noise, signals
        shape = signals.sent.shape
        slow = np.where(signals.stands & (not moves), _STANDING, 1.0)[:, None]
        taus = (multipath.static_tau_s, multipath.static_phase_tau_s)
        code_s, phase_s = (multipath.moving_tau_s,) * 2 if moves else taus
        self._code_echo = GaussMarkov(
            shape, np.exp(-interval_s / (code_s * slow)), stream("code echo")
        )
        self._phase_echo = GaussMarkov(
            shape, np.exp(-interval_s / (phase_s * slow)), stream("phase echo")
        )
        smoothed = float(np.exp(-interval_s / noise.code_tau_s)) if noise.code_tau_s else 0.0
        self._code = GaussMarkov(shape, smoothed, stream("code noise"))
        self._white = stream("white")

    def add_multipath(
        self, made: list[FloatArray], columns: IndexArray, factor: FloatArray
    ) -> None:
        """Add echoes to code [m], phase [m], Doppler [m/s], C/N0 of some satellites.

        made : four arrays (n_epoch, n_sat, n_sig), changed      factor : (n_epoch, n_sat)
        """
        given = self._multipath
        n, factor = len(factor), factor[..., None]
        code = factor * self._code_echo.block(n)[:, columns]
        made[0] += given.code_m * self._signals.echo * code
        made[1] += given.phase_m * factor * self._phase_echo.block(n)[:, columns]
        # An echo that delays the code also makes its signal fade or swell.
        made[3] += given.cn0_db * code

    def add_thermal(
        self, made: list[FloatArray], columns: IndexArray, cn0_dbhz: FloatArray
    ) -> None:
        """Add noise to the same arrays; cn0_dbhz : strength without echoes."""
        given, white, factor = self._noise, self._white, thermal_factor(cn0_dbhz)
        code = self._code.block(len(factor))[:, columns]
        made[0] += given.code_m * self._signals.jitter * factor * code
        made[1] += given.phase_m * factor * white.standard_normal(factor.shape)
        made[2] += given.doppler_mps * factor * white.standard_normal(factor.shape)
        made[3] += given.cn0_db * white.standard_normal(factor.shape)

"""How well a receiver tracks: code scatter, losses of lock, half cycles, signal strength."""

from __future__ import annotations

import math

import numpy as np

from rtkpos._arrays import FloatArray, SigArray
from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.gnss.signals import SIG_PER_SYSTEM, carrier_hz, sig_band
from rtkpos.gnss.systems import GLONASS, N_SAT, N_SYSTEM, systems_of
from rtkpos.records.observations import ObsTable

N_STRETCH, STRETCH_EPOCHS = 60, 20  # places of a recording that are looked at, epochs at each
MIN_SERIES = 5


def tracking_numbers(table: ObsTable) -> dict[str, float]:
    """Numbers of one receiver; NaN where the file does not tell.

    code_noise_m : RMS scatter of one code [m], from differences of the codes of two bands over 20
    epochs: neither place, clocks nor slips are in it, and a straight line takes the ionosphere
    loss_share, half_share : part of the carrier phases that report a loss of lock, a half cycle
    cn0_dbhz : median      phase_share : part of the codes that have a carrier phase
    """
    phase = np.isfinite(table.phase_cycle)
    code, cn0 = np.isfinite(table.code_m), table.cn0_dbhz[np.isfinite(table.cn0_dbhz)]
    lli = table.lli[phase]
    return {
        "code_noise_m": code_noise_m(table),
        "loss_share": float((lli & 1).mean()) if len(lli) else math.nan,
        "half_share": float(((lli >> 1) & 1).mean()) if len(lli) else math.nan,
        "cn0_dbhz": float(np.median(cn0)) if len(cn0) else math.nan,
        "phase_share": float(phase[code].mean()) if code.any() else math.nan,
    }


def code_noise_m(table: ObsTable) -> float:
    """RMS scatter of one code [m] about a line over 20 epochs, multipath included; NaN unknown.

    Where no system has two bands, the carrier phase stands in for the second code.
    """
    if table.n_epoch < STRETCH_EPOCHS:
        return math.nan
    starts = np.linspace(0, table.n_epoch - STRETCH_EPOCHS, N_STRETCH).astype(np.int64)
    sigs = {system: two_bands(table, system) for system in range(N_SYSTEM)}
    pairs = [pair for pair in sigs.values() if len(pair) == 2]
    # GLONASS channels have wavelengths of their own.
    ones = [pair for system, pair in sigs.items() if len(pair) == 1 and system != GLONASS]
    variances = np.concatenate(
        [np.zeros(0)]
        + [
            _stretch_variances(table, int(k), pair)
            for k in np.unique(starts)
            for pair in pairs or ones
        ]
    )
    if len(variances) < MIN_SERIES:
        return math.nan
    return math.sqrt(float(variances.mean()))


def two_bands(table: ObsTable, system: int) -> SigArray:
    """The two signals with most codes of a system, of different bands; one, or none, if so few."""
    mine = (systems_of(table.sat) == system) & np.isfinite(table.code_m)
    sigs, counts = np.unique(table.sig[mine], return_counts=True)
    order = sigs[np.argsort(-counts, kind="stable")]
    other = [sig for sig in order[1:] if sig_band(int(sig)) != sig_band(int(order[0]))]
    return np.array([*order[:1], *other[:1]], np.int16)


def _stretch_variances(table: ObsTable, first: int, pair: SigArray) -> FloatArray:
    """Variance [m^2] of one code about a line, one per satellite without gaps in the stretch.

    pair : two signals, or one to be held against its own phase where that did not slip
    """
    begin, end = int(table.row_start[first]), int(table.row_start[first + STRETCH_EPOCHS])
    steps = np.diff(table.row_start[first : first + STRETCH_EPOCHS + 1])
    epoch = np.repeat(np.arange(STRETCH_EPOCHS), steps)
    columns = np.full((2, STRETCH_EPOCHS, N_SAT), np.nan)
    for k, sig in enumerate(pair):
        mine = table.sig[begin:end] == sig
        place = epoch[mine], table.sat[begin:end][mine]
        columns[k][place] = table.code_m[begin:end][mine]
        if len(pair) == 1:
            hertz = carrier_hz(int(sig) // SIG_PER_SYSTEM, sig_band(int(sig)))
            phase = table.phase_cycle[begin:end][mine] * (SPEED_OF_LIGHT_MPS / hertz)
            slipped = (table.lli[begin:end][mine] & 1) == 1
            columns[1][place] = np.where(slipped, np.nan, phase)
    series = columns[0] - columns[1]
    series = series[:, np.isfinite(series).all(axis=0)]
    time = np.arange(STRETCH_EPOCHS) - 0.5 * (STRETCH_EPOCHS - 1)
    series = series - series.mean(axis=0)
    series = series - np.outer(time, time @ series / (time @ time))
    variances: FloatArray = (series**2).sum(axis=0) / (STRETCH_EPOCHS - 2)
    return variances / len(pair)

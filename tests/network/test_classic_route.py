"""Integers by the classic route, in plain numpy, against those of the network's filters.

Wide lane by the Melbourne-Wuebbena combination, averaged over an arc and rounded; then the first
band's integer from ionosphere-free phases with known coordinates and a relative wet delay, by least
squares over all epochs, rounded one by one where it is sure. Hofmann-Wellenhof, Lichtenegger, Wasle
(2008), GNSS, ch. 5.4 and 7.
"""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.gnss.systems import BEIDOU, GPS, N_SAT
from rtkpos.network.graph.graph import build_graph
from rtkpos.network.network_engine import NetworkEngine
from rtkpos.network.network_records import StationData
from tests.network.scenes import network_config, scene
from tests.recordings import recording, window

SURE_CYCLE = 0.25  # a rounded value is taken when its float is nearer than this
MIN_EPOCHS = 30
WET_MAX = 3.7  # slant over zenith: 16 degrees, lower ones have echoes of centimetres


def recorded(engine):
    """Single differences of baseline 0 over a run, and its integers at the end.

    Returns : code, phase (T, N_SAT, 2) [m] of the first two bands, less models, NaN = missing; wet
    factor (T, N_SAT); wavelength (N_SAT, 2) [m]; lock (T, N_SAT) epochs since the ambiguities began
    """
    n = len(engine.time_ns)
    code, phase = np.full((2, n, N_SAT, 2), np.nan)
    wet, wavelength = np.full((n, N_SAT), np.nan), np.full((N_SAT, 2), np.nan)
    lock = np.zeros((n, N_SAT), int)
    for t in engine.steps(1):
        edge = engine.memory.edge[0]
        m = int(edge.work.n_sat)
        sat = edge.work.sat[:m].astype(int)
        ok = (edge.work.group[:m, :2] >= 0).all(axis=1)
        sat = sat[ok]
        code[t, sat], phase[t, sat] = (
            edge.work.sd_code_m[:m, :2][ok],
            edge.work.sd_phase_m[:m, :2][ok],
        )
        wet[t, sat] = edge.work.wet_factor[:m][ok]
        wavelength[sat] = edge.work.wavelength_m[:m, :2][ok]
        lock[t, sat] = edge.state.n_lock[sat, :2].min(axis=1)
    return code, phase, wet, wavelength, lock


def classic(system, code, phase, wet, wavelength, lock):
    """{satellite: (N1, N2)} of the arcs that last to the end, relative to the longest and highest.

    Only those whose wide lane and first integer are sure.
    """
    n = len(code)
    mine = system * 64 + np.arange(64)
    length = np.minimum(lock[-1, mine], n) * np.isfinite(phase[-1, mine]).all(axis=1)
    sats = mine[(length >= MIN_EPOCHS) & (np.nan_to_num(wet[-1, mine], nan=9.0) < WET_MAX)]
    reference = sats[np.argmax(np.minimum(lock[-1, sats], n) / wet[-1, sats])]
    frequency = SPEED_OF_LIGHT_MPS / wavelength[reference]
    f1, f2 = frequency
    span = {int(s): slice(n - min(int(lock[-1, s]), n), n) for s in sats}
    wide = {}
    for sat in sats:
        if sat == reference:
            continue
        both = slice(max(span[sat].start, span[reference].start), n)
        dd_p = phase[both, sat] - phase[both, reference]
        dd_c = code[both, sat] - code[both, reference]
        geometry = (f1 * dd_p[:, 0] - f2 * dd_p[:, 1]) / (f1 - f2)
        mw = geometry - (f1 * dd_c[:, 0] + f2 * dd_c[:, 1]) / (f1 + f2)
        value = float(np.nanmean(mw)) * (f1 - f2) / SPEED_OF_LIGHT_MPS
        if abs(value - round(value)) < SURE_CYCLE:
            wide[int(sat)] = round(value)
    first = narrow(wide, int(reference), span, phase, wet, (f1, f2))
    return {sat: (n1, n1 - wide[sat]) for sat, n1 in first.items()} | {int(reference): (0, 0)}


def narrow(wide, reference, span, phase, wet, frequencies):
    """{satellite: N1} by least squares: a wet delay for all, a constant per satellite."""
    f1, f2 = frequencies
    lane_m = SPEED_OF_LIGHT_MPS / (f1 + f2)
    rows, values, numbers = [], [], {sat: k for k, sat in enumerate(wide)}
    for sat, lane in wide.items():
        both = slice(max(span[sat].start, span[reference].start), len(phase))
        dd = phase[both, sat] - phase[both, reference]
        free = (f1**2 * dd[:, 0] - f2**2 * dd[:, 1]) / (f1**2 - f2**2)
        # lambda_1 f1^2 N1 - lambda_2 f2^2 N2 with N2 = N1 - lane
        free -= SPEED_OF_LIGHT_MPS * f2 * lane / (f1**2 - f2**2)
        slant = wet[both, sat] - wet[both, reference]
        for value, factor in zip(free, slant, strict=True):
            if np.isfinite(value + factor):
                row = np.zeros(len(wide) + 1)
                row[numbers[sat]], row[-1] = lane_m, factor
                rows.append(row)
                values.append(value)
    design, values = np.array(rows), np.array(values)
    # The wet delay differs by some cm between the stations.
    loose = np.zeros(len(wide) + 1)
    loose[-1] = 0.01 / 0.03
    design, values = np.vstack([design, loose]), np.append(values, 0.0)
    found, *_ = np.linalg.lstsq(design, values, rcond=None)
    return {
        sat: round(found[k])
        for sat, k in numbers.items()
        if abs(found[k] - round(found[k])) < SURE_CYCLE
    }


def compared(engine, system):
    """(satellites of which both know the integers, those that differ) of baseline 0 at the end."""
    known = classic(system, *recorded(engine))
    edge = engine.memory.edge[0]
    held = [s for s in known if edge.model.held[s, :2].all()]
    ours = np.array([edge.integer[s, :2] for s in held])
    theirs = np.array([known[s] for s in held])
    off = ours - theirs
    off -= np.array([np.bincount(c - c.min()).argmax() + c.min() for c in off.T])
    return len(held) - 1, int((off != 0).any(axis=1).sum())


@pytest.mark.parametrize(("system", "n_least"), [(GPS, 3), (BEIDOU, 15)])
def test_simulated_integers_are_those_of_the_classic_route(system, n_least):
    """38 km, a quarter of an hour."""
    made = scene("calm", "GC", 900.0, 10.0)
    n, differ = compared(made.engine(("MID", "EAST"), passes=1), system)
    assert differ == 0
    assert n >= n_least


@pytest.mark.slow
def test_real_integers_are_those_of_the_classic_route():
    """Delft to Zegveld, 35 km, GPS, eleven times two hours at 30 s."""
    zegv, delf, nav, truth = recording("network-netherlands-2021-001")
    places = np.array([truth["stations"][s] for s in ("DELF", "ZEGV")])
    graph = build_graph(["DELF", "ZEGV"], places)
    total = np.zeros(2, int)
    for first in range(0, 2640, 240):
        stations = [
            StationData(name=s, table=window(table, first, first + 240), ecef_m=place)
            for s, table, place in zip(("DELF", "ZEGV"), (delf, zegv), places, strict=True)
        ]
        engine = NetworkEngine(stations, graph, nav, network_config("G", passes=1))
        total += compared(engine, GPS)
    assert total[1] == 0
    assert total[0] >= 15

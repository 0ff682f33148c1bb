"""Short runs of real recordings, solved once and fed to the engine epoch by epoch."""

from __future__ import annotations

import functools

import numpy as np

from rtkpos.live.engine import RtkEngine
from rtkpos.processing.epoch import epochs, take_epochs
from rtkpos.processing.run import solve
from rtkpos.records.config import RtkConfig
from tests.recordings import recording

NAGOYA, FUJISAWA = "static-nagoya-2024", "kinematic-fujisawa-2021-265"
SECOND_NS = 1_000_000_000


@functools.cache
def short(name, n=60):
    """(rover, base, nav, base_ecef_m) of the first n epochs."""
    rover, base, nav, truth = recording(name)
    head = np.arange(n)
    return take_epochs(rover, head), take_epochs(base, head), nav, np.array(truth["base_xyz"])


@functools.cache
def solved(name, n=60, mode="kinematic", ar="continuous"):
    """The solution of a short run."""
    rover, base, nav, place = short(name, n)
    return solve(rover, nav, base, place, RtkConfig(mode=mode, ar=ar))


def thinned(table, keep):
    """The epochs of a table whose second since its first epoch passes `keep`."""
    second = (table.time_ns - table.time_ns[0]) / SECOND_NS
    return take_epochs(table, np.flatnonzero(keep(second)))


def feed(engine, rover, base):
    """Fixes of all rover epochs; base epochs arrive when their time has come."""
    waiting = list(epochs(base))
    fixes = []
    for epoch in epochs(rover):
        arrived = [b for b in waiting if b.time_ns <= epoch.time_ns]
        waiting = waiting[len(arrived) :]
        fixes.append(engine.update(epoch, arrived))
    return fixes


def engine_of(name, n=60, **options):
    """An engine for a short run that decides as `solve` does, and its epochs."""
    rover, base, nav, place = short(name, n)
    engine = RtkEngine.from_tables(rover, base, nav, place, RtkConfig(**options))
    return engine, list(epochs(rover)), list(epochs(base))


def assert_same(fixes, solution):
    """Bit for bit the same numbers."""
    for name in ("ecef_m", "velocity_mps", "cov_ecef_m2", "ratio", "age_s"):
        live = np.array([getattr(fix, name) for fix in fixes])
        assert np.array_equal(live, getattr(solution, name), equal_nan=True), name
    for name in ("status", "reason", "n_sat", "n_fixed", "time_ns"):
        assert [getattr(fix, name) for fix in fixes] == getattr(solution, name).tolist(), name

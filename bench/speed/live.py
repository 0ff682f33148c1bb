"""Latency of the live engine: every epoch of a long stream timed by itself."""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.speed.lengths import simulated_case
from rtkpos._numba.registry import KERNELS
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.live.engine import RtkEngine
from rtkpos.live.warm import warm_up
from rtkpos.processing.epoch import Epoch, epochs
from rtkpos.records.config import RtkConfig

N_RECORDED = 1000
EDGES_US = (100, 200, 300, 400, 500, 750, 1000, 1500, 2000, 3000, 5000, 10_000, 15_000, 30_000)


class Stream:
    """A recording replayed without end: each pass starts an engine from the same snapshot."""

    def __init__(self, work: Path, n_recorded: int = N_RECORDED, systems: str = "GREC") -> None:
        case = simulated_case(work, n_recorded, systems)
        rover, base, nav = read_obs(case.rover), read_obs(case.base), read_nav(case.nav)
        self.engine = RtkEngine.from_tables(rover, base, nav, case.base_ecef_m, RtkConfig())
        self.pairs: list[tuple[Epoch, Epoch]] = list(zip(epochs(rover), epochs(base), strict=True))
        self._start = self.engine.snapshot()

    def rewind(self) -> None:
        """Back to the first epoch; the engine stays the same object."""
        self.engine.restore(self._start)


def n_compiled() -> int:
    """Forms of kernels compiled or loaded in this process so far."""
    return sum(len(kernel.signatures) for kernel in KERNELS.values())


def measure_latency(work: Path, n_epoch: int) -> list[dict[str, Any]]:
    """Times of `RtkEngine.update`, with the collector of Python on and with it frozen and off."""
    warm_up()
    stream = Stream(work, min(N_RECORDED, n_epoch))
    results = []
    for how in ("as it is", "gc.freeze() and gc.disable()"):
        gc.collect()
        if how != "as it is":
            gc.freeze()
            gc.disable()
        results.append({"gc": how} | time_updates(stream, n_epoch))
    gc.enable()
    gc.unfreeze()
    return results


def time_updates(stream: Stream, n_epoch: int) -> dict[str, Any]:
    """Wall and processor time of so many updates, and what compiled or was collected meanwhile."""
    wall_ns, cpu_ns = (np.empty(n_epoch, np.int64) for _ in range(2))
    pauses: list[int] = []
    clock = [0]

    def watch(phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            clock[0] = time.thread_time_ns()
        else:
            pauses.append(time.thread_time_ns() - clock[0])

    known, n_fixed = n_compiled(), 0
    gc.callbacks.append(watch)
    for k in range(n_epoch):
        at = k % len(stream.pairs)
        if at == 0:
            stream.rewind()
        rover, base = stream.pairs[at]
        start, cpu = time.perf_counter_ns(), time.thread_time_ns()
        fix = stream.engine.update(rover, base)
        cpu_ns[k] = time.thread_time_ns() - cpu
        wall_ns[k] = time.perf_counter_ns() - start
        n_fixed += fix.is_fixed
    gc.callbacks.remove(watch)
    return {
        "n_epoch": n_epoch,
        "n_recorded": len(stream.pairs),
        "fixed": n_fixed / n_epoch,
        "n_recompiled": n_compiled() - known,
        "wall": histogram(wall_ns),
        "cpu": histogram(cpu_ns),
        "n_collection": len(pauses),
        "longest_collection_us": round(max(pauses, default=0) / 1e3, 1),
    }


def histogram(times_ns: np.ndarray) -> dict[str, Any]:
    """Percentiles and counts of times, in microseconds."""
    times_us = times_ns / 1e3
    counts = np.histogram(times_us, bins=[0, *EDGES_US, np.inf])[0]
    p50, p99, p999 = np.percentile(times_us, [50, 99, 99.9])
    return {
        "p50_us": round(float(p50), 1),
        "p99_us": round(float(p99), 1),
        "p999_us": round(float(p999), 1),
        "max_us": round(float(times_us.max()), 1),
        "counts": counts.tolist(),
    }

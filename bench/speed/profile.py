"""Where the time of a whole command goes: phases of one run in a warm process.

The compiled step is one call; its phases are told apart by leaving the later ones out: mode single
stops after the code position, `ar = "off"` before the integers. Satellite positions are timed by
themselves. The rest of a process (interpreter, imports, loading of compiled code) is what a
command takes beyond the phases.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bench.accuracy.case import Case, prepare
from bench.speed.lengths import run_ours
from bench.speed.step import COMMAND_ROW, KERNEL_ROW, row_named
from rtkpos.app.solve.outputs import format_solution
from rtkpos.app.solve.request import SolveRequest
from rtkpos.diagnose.why import explain
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.physics.satellites import satellite_states
from rtkpos.processing.run import solve
from rtkpos.records.config import RtkConfig
from rtkpos.records.observations import ObsTable

REPEATS = 7


def measure_profile(work: Path, quick: bool) -> list[dict[str, Any]]:
    """Milliseconds of processor time by phase, for the moving car and the heavy static pair."""
    rows = (COMMAND_ROW,) if quick else (COMMAND_ROW, KERNEL_ROW)
    return [profile(prepare(row_named(name), work, quick=False), work) for name in rows]


def profile(case: Case, work: Path) -> dict[str, Any]:
    """Phases of one recording; medians of repeated runs."""
    rover, base, nav = read_obs(case.rover), read_obs(case.base or ""), read_nav(case.nav)
    config = RtkConfig()

    def solved(**changes: Any) -> Callable[[], Any]:
        chosen = RtkConfig(**changes)
        return lambda: solve(rover, nav, base, case.base_ecef_m, chosen)

    solution = solved()()
    request = SolveRequest(rover=(case.rover,))
    sat, time_ns = satellites_by_epoch(rover)
    ms = {
        "read": milliseconds(lambda: (read_obs(case.rover), read_obs(case.base or ""))),
        "read ephemerides": milliseconds(lambda: read_nav(case.nav)),
        "orbits": milliseconds(lambda: satellite_states(nav, sat, time_ns)),
        "single": milliseconds(solved(mode="single")),
        "float": milliseconds(solved(ar="off")),
        "all": milliseconds(solved()),
        "explain": milliseconds(lambda: explain(solution, config, rover, base, nav)),
        "output": milliseconds(lambda: format_solution(solution, request, config)),
    }
    runs = [run_ours(case, work / "profile.pos")[1] for _ in range(3)]
    return {
        "label": case.row.label,
        "n_epoch": rover.n_epoch,
        "n_sat": int(np.median(solution.n_sat)),
        "phases_ms": phases(ms, 1e3 * min(runs)),
        "command_ms": round(1e3 * min(runs), 1),
    }


def satellites_by_epoch(table: ObsTable) -> tuple[np.ndarray, np.ndarray]:
    """Every satellite of every epoch once, and its time."""
    epoch = np.repeat(np.arange(table.n_epoch), np.diff(table.row_start))
    pairs = np.unique(np.stack([epoch, table.sat], axis=1), axis=0)
    return pairs[:, 1].astype(np.int16), table.time_ns[pairs[:, 0]]


def phases(ms: dict[str, float], command_ms: float) -> dict[str, float]:
    """The phases of a command, in its order [ms]."""
    found = {
        "parse observations": ms["read"],
        "parse ephemerides": ms["read ephemerides"],
        "orbits and clocks": ms["orbits"],
        "models and code position": ms["single"] - ms["orbits"],
        "differences and filter": ms["float"] - ms["single"],
        "integers": ms["all"] - ms["float"],
        "explanation and output": ms["explain"] + ms["output"],
    }
    found["start, imports, loading of compiled code"] = command_ms - sum(found.values())
    return {name: round(value, 1) for name, value in found.items()}


def milliseconds(work: Callable[[], Any]) -> float:
    """Median processor time of repeated calls, one before to warm up [ms]."""
    work()
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1e3 * median(times)

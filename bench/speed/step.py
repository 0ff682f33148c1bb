"""Time of the compiled step per epoch, and of whole commands from start to end."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bench.accuracy.case import Case, Tables, prepare, read
from bench.accuracy.peer import Peer, run_peer
from bench.accuracy.row import Row
from bench.accuracy.rows import ROWS
from rtkpos.batch.many_jobs import SolveJob, solve_many
from rtkpos.constants import NS_PER_S
from rtkpos.estimate.step import run_block
from rtkpos.estimate.step_memory import step_memory, step_outputs
from rtkpos.gnss.signals import sig_band
from rtkpos.gnss.systems import sat_name
from rtkpos.prepare.align import match_epochs
from rtkpos.processing.settings import run_inputs
from rtkpos.records.config import RtkConfig
from rtkpos.records.observations import ObsTable
from rtkpos.records.report import ReadReport
from rtkpos.records.status import FixStatus

KERNEL_SATS = 16
KERNEL_BANDS = 3
KERNEL_ROW = "nagoya-single-epoch"
COMMAND_ROW = "fujisawa-265-continuous"
N_BASELINE = 8


def row_named(name: str) -> Row:
    """The row of that name."""
    return next(row for row in ROWS if row.name == name)


def measure_kernel(work: Path) -> list[dict[str, Any]]:
    """Microseconds of the compiled step on epochs of 16 satellites with three bands each."""
    case = prepare(row_named(KERNEL_ROW), work, quick=False)
    tables = read(case)
    chosen = three_band_satellites(tables)
    everything = {sat_name(int(s)) for s in np.unique(tables.rover.sat)}
    results = []
    for ar in ("continuous", "instantaneous"):
        config = RtkConfig.from_dict(
            {"ar": ar, "selection": {"exclude": sorted(everything - set(chosen))}}
        )
        results.append({"ar": ar} | time_step(tables, case.base_ecef_m, config))
        results[-1] |= {"satellites": chosen}
    return results


def three_band_satellites(tables: Tables) -> list[str]:
    """The 16 satellites seen by both receivers on three bands in the most epochs, by name."""
    counts = _three_band_epochs(tables.rover)
    other = _three_band_epochs(tables.base) if tables.base else {}
    both = {sat: min(n, other.get(sat, 0)) for sat, n in counts.items()}
    best = sorted(both, key=lambda sat: (-both[sat], sat))[:KERNEL_SATS]
    return sorted(sat_name(sat) for sat in best)


def _three_band_epochs(table: ObsTable) -> dict[int, int]:
    """Number of epochs in which a satellite has phase on at least three bands."""
    epoch = np.repeat(np.arange(table.n_epoch), np.diff(table.row_start))
    good = np.isfinite(table.phase_cycle) & np.isfinite(table.code_m)
    keys = np.stack([epoch[good], table.sat[good], sig_band(table.sig[good])], axis=1)
    pairs, n_band = np.unique(np.unique(keys, axis=0)[:, :2], axis=0, return_counts=True)
    sats, n_epoch = np.unique(pairs[n_band >= KERNEL_BANDS, 1], return_counts=True)
    return dict(zip(sats.tolist(), n_epoch.tolist(), strict=True))


def time_step(
    tables: Tables, base_ecef_m: np.ndarray, config: RtkConfig, repeats: int = 5
) -> dict[str, Any]:
    """Time of every epoch inside the compiled step, the cost of an empty call taken away.

    Per epoch the smallest of `repeats` passes counts (other work on the machine only adds), then
    the median and the 95th percentile over the epochs.
    """
    assert tables.base is not None
    inputs = run_inputs(tables.rover, tables.nav, tables.base, base_ecef_m, config, ReadReport())
    n = tables.rover.n_epoch
    tolerance = round(config.base.time_tolerance_s * NS_PER_S)
    index = match_epochs(
        tables.rover.time_ns, tables.base.time_ns, tolerance, inputs.plan.settings.max_age_ns
    )
    passes = np.empty((repeats + 1, n))
    for r in range(repeats + 1):
        memory, out = step_memory(), step_outputs(n)
        run_block(inputs, index, 0, 0, memory, out)
        for k in range(n):
            start = time.perf_counter_ns()
            run_block(inputs, index, k, k + 1, memory, out)
            middle = time.perf_counter_ns()
            run_block(inputs, index, k, k, memory, out)
            passes[r, k] = (middle - start) - (time.perf_counter_ns() - middle)
    best = passes[1:].min(axis=0) / 1e3
    return {
        "n_epoch": n,
        "median_us": round(float(np.median(best)), 1),
        "p95_us": round(float(np.percentile(best, 95)), 1),
        "median_of_all_passes_us": round(float(np.median(passes[1:])) / 1e3, 1),
        "fix_rate": round(float(np.mean(out["status"] == FixStatus.FIXED)), 4),
        "median_n_sat": int(np.median(out["n_sat"])),
        "median_n_fixed": int(np.median(out["n_fixed"])),
        "repeats": repeats,
    }


def measure_start(work: Path, peers: list[Peer], quick: bool) -> list[dict[str, Any]]:
    """Whole processes, warm: importing, `--version`, and a solve of 360 epochs beside the peers."""
    repeats = 2 if quick else 5
    entry = command()
    results = [
        time_command("python -c pass", [sys.executable, "-c", "pass"], repeats),
        time_command("import rtkpos", [sys.executable, "-c", "import rtkpos"], repeats),
        time_command(
            "import rtkpos, solve at hand",
            [sys.executable, "-c", "import rtkpos; rtkpos.solve"],
            repeats,
        ),
        time_command("rtkpos --version", [*entry, "--version"], repeats),
    ]
    row = row_named(COMMAND_ROW)
    case = prepare(row, work, quick=False)
    return results + time_solve_command(case, peers, work, repeats)


def measure_threads(work: Path, quick: bool) -> list[dict[str, Any]]:
    """Eight baselines on one thread and on two, in turn, read before: wall time [s] and ratio.

    The smallest of the repeats counts, as other work on the machine only adds.
    """
    case = prepare(row_named(KERNEL_ROW), work, quick=False)
    tables = read(case)
    job = SolveJob(
        rover=tables.rover, base=tables.base, nav=tables.nav, base_ecef_m=case.base_ecef_m
    )
    wall: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(2 if quick else 7):
        for n_thread, times in wall.items():
            start = time.perf_counter()
            results = solve_many([job] * N_BASELINE, n_thread=n_thread)
            times.append(time.perf_counter() - start)
    failures = [result for result in results if isinstance(result, Exception)]
    if failures:
        raise failures[0]
    one, two = (round(min(times), 4) for times in wall.values())
    return [
        {
            "n_baseline": N_BASELINE,
            "n_epoch": tables.rover.n_epoch,
            "one_thread_s": one,
            "two_threads_s": two,
            "ratio": round(one / two, 2),
            "repeats": len(wall[1]),
        }
    ]


def command() -> list[str]:
    """How to start the command line of this very environment."""
    beside = Path(sys.executable).parent / "rtkpos"
    found = str(beside) if beside.exists() else shutil.which("rtkpos")
    return (
        [found]
        if found
        else [sys.executable, "-c", "from rtkpos.app.command_line.main import main; main()"]
    )


def time_solve_command(
    case: Case, peers: list[Peer], work: Path, repeats: int
) -> list[dict[str, Any]]:
    """`rtkpos solve` on the moving car, 360 epochs, in turn with the peers' commands."""
    row = case.row
    files = [str(path) for path in (case.rover, case.base, *case.nav)]
    base_xyz = [f"{value:.4f}" for value in case.base_ecef_m]
    words = ["solve", files[0], "--base", files[1]]
    for name in files[2:]:
        words += ["--nav", name]
    words += ["--base-xyz", *base_xyz, "-o", str(work / "start.pos")]
    ours: list[dict[str, Any]] = []
    theirs: dict[Peer, list[tuple[float, float]]] = {peer: [] for peer in peers}
    for _ in range(repeats):
        ours.append(time_command("rtkpos solve, 360 epochs", [*command(), *words], 1))
        for peer, times in theirs.items():
            run = run_peer(peer, case, row.peer_bands[0], work)
            times.append((run.wall_s, run.cpu_s))
    wall, cpu = ([entry[key][1] for entry in ours[1:]] for key in ("wall_s", "cpu_s"))
    results = [ours[0] | _summary(wall or [ours[0]["wall_s"][1]], cpu or [ours[0]["cpu_s"][1]])]
    for peer, times in theirs.items():
        what = f"{peer.name}, the same 360 epochs"
        wall, cpu = [t[0] for t in times], [t[1] for t in times]
        results.append({"what": what, "exit_code": 0} | _summary(wall, cpu))
    return results


def time_command(what: str, command: list[str], repeats: int) -> dict[str, Any]:
    """Wall and CPU time [s] of a command: median, smallest, largest, after one warm-up."""
    wall, cpu, code = [], [], 0
    for _ in range(repeats + (repeats > 1)):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, check=False, env=os.environ)
        wall.append(time.perf_counter() - start)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        code = code or done.returncode
    skip = int(repeats > 1)
    return {"what": what, "exit_code": code} | _summary(wall[skip:], cpu[skip:])


def _summary(wall: list[float], cpu: list[float]) -> dict[str, Any]:
    """Median, smallest and largest."""
    return {
        name: [round(v, 4) for v in (median(values), min(values), max(values))]
        for name, values in (("wall_s", wall), ("cpu_s", cpu))
    } | {"repeats": len(wall)}

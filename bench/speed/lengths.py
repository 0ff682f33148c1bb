"""Whole commands on recordings of any length: simulated, solved by ours and the peers in turn."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.accuracy.case import Case
from bench.accuracy.peer import Peer, run_peer
from bench.accuracy.row import Row
from bench.accuracy.rows import ROWS
from bench.speed.step import command, row_named
from rtkpos.errors import RtkposError
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.io.solutions.pos import read_pos
from rtkpos.simulate.scenario.scenario import parse_scenario
from rtkpos.simulate.simulation import simulate

SCENARIO = """
[run]
start = "2024-06-24T00:00:00"
duration_s = {duration_s}
interval_s = 1.0
systems = "{systems}"

[[station]]
name = "BASE"

[[vehicle]]
name = "CAR"
path_enu_m = [[800, 900, 5], [2000, 900, 8], [2000, 1900, 12], [800, 1900, 9]]
speed_mps = 13.0
loop = true
"""
SYSTEMS, PEER_SYSTEMS = "GEC", 41  # RTKLIB's mask: GPS 1, Galileo 8, BeiDou 32
BANDS = "l1+l2+l5"  # three, as ours by default
FIXED = 1  # Q of a .pos file


def measure_lengths(
    work: Path, peers: list[Peer], lengths: tuple[int, ...], repeats: int
) -> list[dict[str, Any]]:
    """Processor and wall time of whole commands, by number of epochs (one a second)."""
    return [measure_length(work, peers, n, 1 if n > 10_000 else repeats) for n in lengths]


def measure_length(work: Path, peers: list[Peer], n_epoch: int, repeats: int) -> dict[str, Any]:
    """Ours and every peer on one simulated recording; the smallest of each figure counts."""
    case = simulated_case(work, n_epoch)
    times: dict[str, list[tuple[float, float]]] = {}
    fixed: dict[str, float] = {}
    for _ in range(repeats):
        times.setdefault("rtkpos", []).append(run_ours(case, work / "length.pos"))
        table = read_pos(work / "length.pos")
        fixed["rtkpos"] = float((table.quality == FIXED).mean())
        for peer in peers:
            run = run_peer(peer, case, BANDS, work)
            times.setdefault(peer.name, []).append((run.wall_s, run.cpu_s))
            fixed[peer.name] = float((run.table.quality == FIXED).mean())
    for path in (case.rover, case.base, *case.nav):
        if path is not None:
            path.unlink()
    return {
        "n_epoch": n_epoch,
        "systems": SYSTEMS,
        "repeats": repeats,
        "programs": {
            name: _smallest(runs) | {"fixed": fixed[name]} for name, runs in times.items()
        },
    }


def _smallest(runs: list[tuple[float, float]]) -> dict[str, float]:
    """Smallest wall and processor time [s]: other work on the machine only adds."""
    return {
        "wall_s": round(min(wall for wall, _ in runs), 3),
        "cpu_s": round(min(cpu for _, cpu in runs), 3),
    }


def simulated_case(work: Path, n_epoch: int, systems: str = SYSTEMS) -> Case:
    """A car and its base, simulated over so many seconds."""
    text = SCENARIO.format(duration_s=n_epoch - 1, systems=systems)
    folder = work / f"simulated-{n_epoch}"
    simulate(parse_scenario(text, "benchmark"), folder)
    base = folder / "BASE.obs"
    place = head_place(base)
    row: Row = replace(row_named(ROWS[0].name), systems=systems, mode="kinematic", ar="continuous")
    row = replace(row, peer_navsys=PEER_SYSTEMS)
    return Case(
        row=row,
        rover=folder / "CAR.obs",
        base=base,
        nav=(folder / "nav.rnx",),
        base_ecef_m=place,
        truth=None,
        span_ns=None,
    )


def head_place(path: Path) -> Any:
    """Coordinates in the header of an observation file, from its first bytes."""
    with path.open("rb") as file:
        return read_obs(_first_epoch(file.read(200_000))).station.approx_ecef_m


def _first_epoch(content: bytes) -> bytes:
    """Header and first epoch of RINEX 3 text."""
    first = content.index(b"\n> ")
    return content[: content.index(b"\n> ", first + 1) + 1]


def run_ours(case: Case, out: Path) -> tuple[float, float]:
    """Wall and processor time [s] of `rtkpos solve` on a case; RtkposError when it fails."""
    words = ["solve", str(case.rover), "--base", str(case.base), "-q", "-o", str(out)]
    for name in case.nav:
        words += ["--nav", str(name)]
    words += ["--base-xyz", *(f"{value:.4f}" for value in case.base_ecef_m)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run([*command(), *words], capture_output=True, check=False, env=os.environ)
    wall_s = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 4):
        raise RtkposError(f"rtkpos solve ended with {done.returncode}: {done.stderr[-300:]!r}")
    return wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

"""One row of the benchmark: ours and every peer alternately on the same files, judged alike."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bench.accuracy.case import NS, Case, Tables, cut, prepare, read
from bench.accuracy.judge import HOUR_NS, final_error_m, hourly_means, judge, velocity_error
from bench.accuracy.peer import Peer, PeerRun, as_solution, in_span, run_peer
from bench.accuracy.row import DEFAULT_SYSTEMS, Row
from rtkpos.errors import RtkposError
from rtkpos.io.solutions.reference_track import Truth
from rtkpos.processing.run import solve
from rtkpos.records.config import RtkConfig
from rtkpos.records.solution import Solution
from rtkpos.records.status import FixStatus

OWN_TRACK = "our own fixed track (self-consistency, not truth)"

# An error against a program's own track is zero by construction and says nothing.
UNKNOWN: dict[str, Any] = dict.fromkeys(("fixed_rms_enu_mm", "fixed_std_enu_mm"), [None] * 3) | {
    "fixed_3d_mm": dict.fromkeys(("p50", "p95", "p99")),
    "all_3d_mm": dict.fromkeys(("p50", "p95", "p99")),
    "calibration": {},
    "variants": {},
}
# The same epochs once more, for the pooled figures.
VARIANTS: dict[str, dict[str, Any]] = {
    "safe": {"profile": "safe"},
    "available": {"profile": "available"},
    "off": {"ar": "off"},
}
N_COLD_START = 24
COLD_START_EPOCHS = 60


@dataclass
class Bench:
    """What all rows share. tracks : reference tracks made by a peer, by data set, with source."""

    work: Path
    peers: list[Peer]
    repeats: int = 3
    quick: bool = False
    tracks: dict[str, tuple[Truth, str]] = field(default_factory=dict)


@dataclass
class Times:
    """Repeated times of one program on one case [s]."""

    solve_s: list[float] = field(default_factory=list)
    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)


def measure(row: Row, bench: Bench) -> list[dict[str, Any]]:
    """Results of a row: ours first, then one per peer and choice of frequencies.

    Raises DatasetError when the data are not on this machine.
    """
    case = prepare(row, bench.work, bench.quick)
    solve_case(case, read(case))  # compiles, and warms the file cache
    ours, theirs, solution = alternate(case, bench)
    truth, source = reference(case, bench, solution)
    result = {"program": "rtkpos", "is_peer": False, "bands": "default"}
    result |= judge(solution, truth, row) | spread(ours, solution.n_epoch)
    if row.mode != "single":
        result["variants"] = variants(case, truth, result)
    if row.cold_starts:
        result["cold_starts"] = cold_starts(case, truth, result)
    if source == OWN_TRACK:
        result |= UNKNOWN
    result["reasons"] = {str(k): v for k, v in solution.reason_counts().items()}
    if row.mode == "single":
        result["velocity"] = velocity_error(solution, truth)
    results = [result]
    for (peer, bands), (run, times, error) in theirs.items():
        entry: dict[str, Any] = {"program": peer.name, "is_peer": True, "bands": bands}
        if run is None:
            entry["error"] = error
        else:
            theirs_here = as_solution(run.table, solution)
            entry |= judge(theirs_here, truth, row)
            if row.direction == "combined" and source.startswith(peer.name):
                entry |= UNKNOWN
            if row.mode == "single":
                entry["rtkpos_there_horizontal_mm"] = judge(
                    where_both(solution, theirs_here), truth, row
                )["all_horizontal_mm"]
            entry |= spread(times, solution.n_epoch)
            entry["cpu_ratio"] = round(entry["cpu_s"][0] / result["cpu_s"][0], 2)
        results.append(entry)
    if row.hourly and row.mode == "static":
        add_restarts(case, bench, truth, results)
    common = {"row": row.name, "label": row.label, "how": row.how, "truth": source}
    return [common | entry for entry in results]


def where_both(ours: Solution, theirs: Solution) -> Solution:
    """Our solution without the positions of epochs where the peer has none."""
    has = np.isfinite(theirs.ecef_m).all(axis=1, keepdims=True)
    return replace(ours, ecef_m=np.where(has, ours.ecef_m, np.nan))


def config_of(case: Case, **changes: Any) -> RtkConfig:
    """The default configuration with nothing but mode, fixing, systems and antennas of the row."""
    row = case.row
    values: dict[str, Any] = {"mode": row.mode, "ar": row.ar, "direction": row.direction}
    values["selection"] = {"systems": row.systems, "n_band_max": row.n_band}
    values["antenna"] = {"coordinates": row.coordinates}
    if case.antex is not None:
        values["antenna"]["antex"] = str(case.antex)
    return RtkConfig.from_dict(values | changes)


def solve_case(case: Case, tables: Tables, **changes: Any) -> Solution:
    """Our solution of a case; the keywords override the top level of its configuration."""
    base_ecef_m = case.base_ecef_m if tables.base is not None else None
    return solve(tables.rover, tables.nav, tables.base, base_ecef_m, config_of(case, **changes))


def variants(case: Case, truth: Truth, result: dict[str, Any]) -> dict[str, Any]:
    """What the pooled figures need of the row with other profiles and without fixing."""
    tables, names = read(case), ("n_epoch", "n_fixed", "n_fixed_judged", "n_wrong", "calibration")
    found = {}
    for name, changes in VARIANTS.items():
        solution = solve_case(case, tables, **changes)
        figures = judge(solution, truth, case.row, result.get("offset_enu_mm"))
        found[name] = {key: figures[key] for key in names}
    return found


def cold_starts(case: Case, truth: Truth, result: dict[str, Any]) -> dict[str, Any]:
    """Time to the first fix from starts spread over the recording, at most COLD_START_EPOCHS.

    A start without a fix counts as the whole time that it had.
    """
    tables = read(case)
    times = tables.rover.time_ns
    length = min(COLD_START_EPOCHS, len(times) // 2)
    first_s, n_wrong = [], 0
    for k in np.linspace(0, len(times) - length, N_COLD_START).astype(int).tolist():
        start, end = int(times[k]), int(times[k + length - 1])
        base = None if tables.base is None else cut(tables.base, start - NS, end)
        piece = Tables(rover=cut(tables.rover, start, end), base=base, nav=tables.nav)
        figures = judge(solve_case(case, piece), truth, case.row, result.get("offset_enu_mm"))
        n_wrong += figures["n_wrong"] > 0
        first = figures["first_fix_s"]
        first_s.append((end - start) / NS if first is None else first)
    return {
        "n": len(first_s),
        "first_epoch_share": float(np.mean(np.array(first_s) == 0.0)),
        "p95_s": float(np.percentile(first_s, 95, method="inverted_cdf")),
        "max_s": max(first_s),
        "n_with_wrong": n_wrong,
    }


def alternate(case: Case, bench: Bench) -> tuple[Times, dict[Any, Any], Solution]:
    """Run ours and the peers in turn, `repeats` times: load on the machine meets all alike."""
    ours = Times()
    theirs: dict[Any, Any] = {
        (peer, bands): (None, Times(), "") for peer in bench.peers for bands in case.row.peer_bands
    }
    for _ in range(bench.repeats):
        cpu, wall = time.process_time(), time.perf_counter()
        tables = read(case)
        before_solve = time.perf_counter()
        solution = solve_case(case, tables)
        ours.solve_s.append(time.perf_counter() - before_solve)
        ours.wall_s.append(time.perf_counter() - wall)
        ours.cpu_s.append(time.process_time() - cpu)
        for key, (_, times, _) in theirs.items():
            run, error = _try_peer(*key, case, bench)
            theirs[key] = (run, times, error)
            if run is not None:
                times.wall_s.append(run.wall_s)
                times.cpu_s.append(run.cpu_s)
    return ours, theirs, solution


def _try_peer(peer: Peer, bands: str, case: Case, bench: Bench) -> tuple[PeerRun | None, str]:
    """A peer's run, or why there is none."""
    try:
        return run_peer(peer, case, bands, bench.work), ""
    except (RtkposError, OSError):
        return None, "no usable output"


def spread(times: Times, n_epoch: int) -> dict[str, Any]:
    """Median, smallest and largest of each time [s], and microseconds per epoch."""
    result: dict[str, Any] = {"repeats": len(times.cpu_s)}
    for name in ("solve_s", "wall_s", "cpu_s"):
        values = getattr(times, name)
        if values:
            result[name] = [round(v, 4) for v in (median(values), min(values), max(values))]
    if times.solve_s:
        result["us_per_epoch"] = round(median(times.solve_s) / max(n_epoch, 1) * 1e6, 1)
    return result


def reference(case: Case, bench: Bench, ours: Solution) -> tuple[Truth, str]:
    """What a row is judged by, and where it comes from."""
    if case.truth is not None:
        return case.truth, "point" if case.truth.is_point else "RTK track of another receiver"
    if case.row.dataset not in bench.tracks:
        bench.tracks[case.row.dataset] = _track(case, bench, ours)
    return bench.tracks[case.row.dataset]


def _track(case: Case, bench: Bench, ours: Solution) -> tuple[Truth, str]:
    """No independent truth: a peer's combined forward and backward track, else our own fixes."""
    for peer in bench.peers:
        if peer.is_ex:
            default = {"ar": "continuous", "systems": DEFAULT_SYSTEMS, "peer_navsys": 57}
            continuous = replace(case, row=replace(case.row, **default))
            table = run_peer(peer, continuous, "l1+l2", bench.work, "combined").table
            good = table.quality == 1  # RTKLIB's Q: fixed
            source = f"{peer.name} forward and backward combined (agreement, not truth)"
            return Truth(ecef_m=table.ecef_m[good], time_ns=table.time_ns[good]), source
    fixed = ours.status == FixStatus.FIXED
    if not fixed.any():
        fixed = np.isfinite(ours.ecef_m).all(axis=1)
    return Truth(ecef_m=ours.ecef_m[fixed], time_ns=ours.time_ns[fixed]), OWN_TRACK


def add_restarts(case: Case, bench: Bench, truth: Truth, results: list[dict[str, Any]]) -> None:
    """Static positioning restarted every hour: how the hourly means of the fixed epochs repeat."""
    tables = read(case)
    start, end = int(tables.rover.time_ns[0]), int(tables.rover.time_ns[-1])
    starts = range(start, end - HOUR_NS // 2, HOUR_NS)
    hours = [in_span(case, first, min(first + HOUR_NS - 1, end)) for first in starts]
    pieces = [solve_case(hour, read(hour)) for hour in hours]
    results[0]["hourly_restarted"] = _restarted(pieces, truth)
    for entry in results[1:]:
        peer = next((p for p in bench.peers if p.name == entry["program"]), None)
        if peer is None or "error" in entry:
            continue
        runs = [_try_peer(peer, entry["bands"], hour, bench)[0] for hour in hours]
        theirs = [
            as_solution(run.table, piece)
            for run, piece in zip(runs, pieces, strict=True)
            if run is not None
        ]
        entry["hourly_restarted"] = _restarted(theirs, truth)


def _restarted(pieces: list[Solution], truth: Truth) -> dict[str, Any]:
    """Repeatability of pieces of an hour each, and the errors of their last positions."""
    whole = {
        name: np.concatenate([getattr(piece, name) for piece in pieces])
        for name in ("time_ns", "ecef_m", "status")
    }
    joined = replace(pieces[0], **whole)
    hours = hourly_means(joined, truth.at(joined.time_ns))
    final_m = np.array([final_error_m(piece, truth.at(piece.time_ns)) for piece in pieces])
    final_m = final_m[np.isfinite(final_m).all(axis=1)]
    rms_mm = np.sqrt((final_m**2).mean(axis=0)) * 1e3 if len(final_m) else np.full(3, np.nan)
    hours["final_rms_enu_mm"] = [round(v, 2) if np.isfinite(v) else None for v in rms_mm.tolist()]
    return hours

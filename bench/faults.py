"""Faults put into real recordings, one by one, and what the engine makes of them.

    python bench/faults.py [--only WORD ...] [--scene NAME ...] [-o bench/results]

Each fault of `bench/injection/fault_cases.py` is put into pieces of several
recordings, which are solved with the default configuration. A full run stores faults.json (every
case) and faults.md (a line for each fault). Exit code 1: a fixed epoch was off by more than 0.5 m.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
sys.path.insert(0, str(ROOT))

from bench.injection.fault_cases import FAULTS, Fault, Scene  # noqa: E402
from rtkpos.errors import InputError  # noqa: E402
from rtkpos.records.config import RtkConfig  # noqa: E402
from rtkpos.records.solution import Solution  # noqa: E402
from rtkpos.records.status import FixStatus  # noqa: E402

WRONG_M = 0.5
WRONG_SIGMA = 5.0
S_NS = 1_000_000_000
QUIET = ("ar_attempt", "ar_satellite_dropped", "ephemeris_switch", "unhealthy", "no_ephemeris")


HEAD = (
    "row",
    "fault",
    "cases",
    "least fixed %",
    "largest error of a fixed epoch mm",
    "fixed > 0.5 m",
    "fixed > 5 sigma",
    "new fix s, median / slowest",
    "counters beyond the clean run",
)
LEGEND = """# Faults put into recordings

Written by `python bench/faults.py`: each fault (row of docs/reference/faults.md) in pieces of
several recordings, default configuration, antennas at rest processed as moving. *nagoya* is
static-nagoya-2024, *car* kinematic-fujisawa-2021-265 (judged by its clean run), *fujisawa*
static-clas-fujisawa-2021-078, *geonet* static-geonet-2005, *monitor-...* monitoring pair A, *vrs*
VRS pair B. *Fixed > 5 sigma* counts epochs beyond those of the clean run; *new fix* is from the end
of the fault (from its beginning where it lasts) to the first right fixed epoch. Everything is
judged by where the antenna is according to the observations and the base coordinate given.
"""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Epochs of a row of `bench/accuracy/rows.py`; faults begin at epoch `at` of the piece."""

    row: str
    first: int
    n_epoch: int
    at: int


PIECES = {
    "nagoya": Piece(row="nagoya-continuous", first=0, n_epoch=240, at=60),
    "car": Piece(row="fujisawa-265-continuous", first=0, n_epoch=360, at=60),
    "fujisawa": Piece(row="fujisawa-078", first=0, n_epoch=60, at=15),
    "monitor-night": Piece(row="monitor-a-moving", first=1000, n_epoch=240, at=80),
    "monitor-day": Piece(row="monitor-a-moving", first=3600, n_epoch=240, at=80),
    "geonet": Piece(row="geonet-2005", first=0, n_epoch=120, at=40),
    "vrs": Piece(row="vrs-b", first=0, n_epoch=300, at=60),
}


def scene(name: str) -> Scene:
    """A scene without a fault; the truth of a moving antenna is its own clean run."""
    from bench.accuracy.case import find
    from bench.accuracy.rows import ROWS
    from bench.injection.inject import part
    from rtkpos.io.rinex.read_navigation import read_nav
    from rtkpos.io.rinex.read_observations import read_obs

    piece = PIECES[name]
    row = next(r for r in ROWS if r.name == piece.row)
    facts = json.loads(find(row.dataset, "truth.json").read_text())
    base_m = np.array(facts["base_xyz"])
    truth = (
        base_m + row.vector_m if row.vector_m else np.array(facts.get("rover_xyz", [np.nan] * 3))
    )
    rover = part(read_obs(find(row.dataset, row.rover)), piece.first, piece.first + piece.n_epoch)
    base = read_obs(find(row.dataset, row.base))
    near = (base.time_ns >= rover.time_ns[0]) & (base.time_ns <= rover.time_ns[-1])
    first, last = np.flatnonzero(near)[[0, -1]]
    clean = Scene(
        name=name,
        label=row.label,
        rover=rover,
        base=part(base, int(first), int(last) + 1),
        nav=read_nav([find(row.dataset, one) for one in row.nav]),
        base_ecef_m=base_m,
        truth_m=truth,
        right_m=0.2 if row.is_moving else 0.1,
        at=piece.at,
    )
    if row.is_moving:
        track = solved(clean)[0]
        right = track.status == FixStatus.FIXED
        clean = replace(clean, truth_m=np.where(right[:, None], track.ecef_m, np.nan))
    return clean


def solved(scene: Scene) -> tuple[Solution, Any]:
    """The solution of a scene and the memory at its end; like `solve`, with the meddling."""
    from rtkpos.estimate.step import run_block
    from rtkpos.estimate.step_memory import step_memory, step_outputs
    from rtkpos.prepare.align import match_epochs
    from rtkpos.prepare.slips import COUNTER_NAMES
    from rtkpos.processing.base_code import compare_with_own_code
    from rtkpos.processing.direction import time_tolerance_ns
    from rtkpos.processing.execute import gather
    from rtkpos.processing.settings import run_inputs
    from rtkpos.records.report import ReadReport

    config, report = RtkConfig.from_dict(scene.options), ReadReport()
    place, rover = scene.base_ecef_m.copy(), scene.rover
    compare_with_own_code(place, scene.base, scene.nav, False, report)
    inputs = run_inputs(rover, scene.nav, scene.base, place, config, report)
    index = match_epochs(
        rover.time_ns,
        inputs.base.time_ns,
        time_tolerance_ns(config),
        int(inputs.plan.settings.max_age_ns),
    )
    memory, out = step_memory(), step_outputs(rover.n_epoch)
    memory.state.first_ns = rover.time_ns[0]
    run_block(inputs, index, 0, scene.at, memory, out)
    if scene.meddle is not None:
        scene.meddle(memory)
    run_block(inputs, index, scene.at, rover.n_epoch, memory, out)
    totals = dict(zip(COUNTER_NAMES, map(int, memory.counts), strict=True))
    return gather(rover, place, config, out, totals, report), memory


def sigmas(solution: Solution, error_m: np.ndarray) -> np.ndarray:
    """(n,) length of the error in standard deviations: the largest of any direction."""
    out = np.full(solution.n_epoch, np.nan)
    for k in np.flatnonzero(np.isfinite(error_m).all(axis=1)):
        cov = solution.cov_ecef_m2[k]
        if np.isfinite(cov).all() and np.linalg.det(cov) > 0.0:
            out[k] = np.sqrt(error_m[k] @ np.linalg.solve(cov, error_m[k]))
    return out


def judged(scene: Scene, clean: dict[str, Any] | None) -> dict[str, Any]:
    """Figures of a scene, against those of the clean one."""
    try:
        solution, _ = solved(scene)
    except InputError as error:
        return {"refused": str(error)}
    error_m = solution.ecef_m - scene.truth_m
    length_m, in_sigma = np.linalg.norm(error_m, axis=1), sigmas(solution, error_m)
    fixed = solution.status == FixStatus.FIXED
    after = scene.rover.time_ns >= scene.rover.time_ns[0]
    start_ns = scene.at_ns if scene.until_ns is None else scene.until_ns
    later = scene.rover.time_ns >= start_ns
    right = fixed & ~(length_m > scene.right_m)
    first = np.flatnonzero(later & right)
    known = fixed & np.isfinite(length_m)
    totals = solution.diagnostics.totals
    before = clean["totals"] if clean else dict.fromkeys(totals, 0)
    return {
        "fix_rate": float(fixed[after].mean()),
        "n_fixed_at": int(fixed[scene.at : scene.at + 1].sum()),
        "max_fixed_m": float(length_m[known].max(initial=0.0)),
        "n_over_half_m": int((length_m[known] > WRONG_M).sum()),
        "n_not_right": int((length_m[known] > scene.right_m).sum()),
        "last_wrong_s": _last_s(scene, known & (length_m > WRONG_M)),
        "max_sigma": float(np.nanmax(in_sigma[known], initial=0.0)),
        "n_over_5_sigma": int((in_sigma[known] > WRONG_SIGMA).sum()),
        "refix_s": float(scene.rover.time_ns[first[0]] - start_ns) / S_NS if len(first) else None,
        "warnings": list(solution.report.warnings),
        "totals": totals,
        "fired": {k: n - before[k] for k, n in totals.items() if n > before[k] and k not in QUIET},
    }


def _last_s(scene: Scene, rows: np.ndarray) -> float | None:
    """Seconds from the fault to the last of some epochs; None when there is none."""
    which = np.flatnonzero(rows)
    return float(scene.rover.time_ns[which[-1]] - scene.at_ns) / S_NS if len(which) else None


def cases(scenes: list[str], words: list[str]) -> Iterator[tuple[Fault | None, dict[str, Any]]]:
    """Every fault in every scene; the clean run of a scene comes first, as fault None."""
    for name in scenes:
        clean_scene = scene(name)
        clean = judged(clean_scene, None)
        yield None, {"fault": "none", "row": 0, "scene": name, **clean}
        step_s = clean_scene.step_ns / S_NS
        for number, fault in enumerate(FAULTS):
            if words and not any(word in fault.what for word in words):
                continue
            if not fault.min_step_s <= step_s <= fault.max_step_s:
                continue
            rng = np.random.default_rng([7, number])
            result = judged(fault.change(clean_scene, rng), clean)
            yield fault, {"fault": fault.what, "row": fault.row, "scene": name, **result}


def line(entry: dict[str, Any]) -> str:
    """One case on the screen."""
    if "refused" in entry:
        return f"{entry['row']:3d} {entry['fault']:50.50} {entry['scene']:13} refused"
    fired = " ".join(f"{k}:{n}" for k, n in entry["fired"].items()) if entry["row"] else ""
    refix = "never" if entry["refix_s"] is None else f"{entry['refix_s']:.0f}"
    mark = "WRONG" if entry["n_over_half_m"] else "sigma" if entry["n_over_5_sigma"] else "ok"
    return (
        f"{entry['row']:3d} {entry['fault']:50.50} {entry['scene']:13} {mark:5} "
        f"fix {100 * entry['fix_rate']:5.1f} max {1e3 * entry['max_fixed_m']:6.0f} mm "
        f">lim {entry['n_not_right']:3d} >0.5m {entry['n_over_half_m']:3d} "
        f"{entry['max_sigma']:5.1f} sigma ({entry['n_over_5_sigma']}) refix {refix:>5} s  {fired}"
    )


def gathered(entries: list[dict[str, Any]]) -> list[list[str]]:
    """One line of the table for each fault, over all scenes."""
    clean = {e["scene"]: e for e in entries if e["row"] == 0}
    lines = []
    for what in dict.fromkeys(e["fault"] for e in entries):
        cases = [e for e in entries if e["fault"] == what]
        solved_ones = [e for e in cases if "refused" not in e]
        first = [str(cases[0]["row"] or ""), what, str(len(cases))]
        if not solved_ones:
            lines.append([*first, "refused", "", "", "", "", ""])
            continue
        worst = max(solved_ones, key=lambda e: e["max_fixed_m"])
        beyond = sum(
            max(e["n_over_5_sigma"] - clean[e["scene"]]["n_over_5_sigma"], 0) for e in cases
        )
        refix = [e["refix_s"] for e in solved_ones]
        known = [t for t in refix if t is not None]
        slowest = "never" if len(known) < len(refix) else f"{max(known):.0f}"
        fired = sorted(
            {name for e in solved_ones for name in e["fired"]} if cases[0]["row"] else ()
        )
        lines.append(
            [
                *first,
                f"{100 * min(e['fix_rate'] for e in solved_ones):.1f}",
                f"{1e3 * worst['max_fixed_m']:.0f} ({worst['scene']})",
                str(sum(e["n_over_half_m"] for e in solved_ones)),
                str(beyond),
                f"{np.median(known):.0f} / {slowest}" if known else slowest,
                ", ".join(fired),
            ]
        )
    return lines


def markdown(entries: list[dict[str, Any]]) -> str:
    """The page faults.md."""
    parts = [LEGEND, f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|"]
    parts += [f"| {' | '.join(cells)} |" for cells in gathered(entries)]
    clean = [e for e in entries if e["row"] == 0]
    names = [n for n in clean[0]["totals"] if any(e["totals"][n] for e in clean)]
    parts += ["", "## Counters of the recordings without a fault", ""]
    parts += [f"| counter | {' | '.join(e['scene'] for e in clean)} |"]
    parts += ["|---" * (len(clean) + 1) + "|"]
    parts += [f"| {n} | {' | '.join(str(e['totals'][n]) for e in clean)} |" for n in names]
    return "\n".join(parts) + "\n"


def short(entry: dict[str, Any]) -> dict[str, Any]:
    """A case as it is stored: rounded, and all counters for clean runs only."""
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in entry.items()}
    return {k: v for k, v in rounded.items() if k != "totals" or not entry["row"]}


def main(words: list[str] | None = None) -> int:
    """Run, print, store; the exit code."""
    from rtkpos._numba.cache_folder import use_project_cache

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=[], help="faults with one of these words")
    parser.add_argument("--scene", nargs="+", default=list(PIECES), choices=list(PIECES))
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    args = parser.parse_args(words)
    use_project_cache()
    entries = []
    for _, entry in cases(args.scene, args.only):
        entries.append(entry)
        print(line(entry), flush=True)
    if not args.only and args.scene == list(PIECES):
        args.output.mkdir(parents=True, exist_ok=True)
        (args.output / "faults.md").write_text(markdown(entries))
        rows = ",\n".join(json.dumps(short(entry)) for entry in entries)
        (args.output / "faults.json").write_text(f"[\n{rows}\n]\n")
    return int(any(entry.get("n_over_half_m") for entry in entries))


if __name__ == "__main__":
    sys.exit(main())

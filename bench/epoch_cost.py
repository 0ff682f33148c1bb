"""Processor time of an epoch after reading, ours and the peers', on the same signals.

A program that only runs as a whole tells what an epoch costs by two runs: all epochs less the
first one alone, over the number of epochs between. Start, reading and everything done once drop
out; orbits, models, filter, integers and, with the peers, the output line stay. Ours is counted
in the same way around `solve`, tables read before.

Both take the same satellites (the peers run without GLONASS, so ours does here), bands by name,
elevation mask and broadcast models. What a program makes of them is its own: how many observations
it accepts, which tests it makes, how often it fixes.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.accuracy.case import Case, Tables, cut, prepare, read
from bench.accuracy.measure import solve_case
from bench.accuracy.peer import Peer, in_span, run_peer
from bench.accuracy.row import Row
from bench.accuracy.rows import ROWS
from rtkpos.errors import RtkposError

# What the peers' words "l1+l2" and "l1+l2+l5" stand for, by system, as EX 2.5.1 numbers bands:
# for BeiDou B1I, then B2I or B2b, then B2a; B3 is none of them.
TWO_BANDS = {"G": "12", "E": "17", "C": "27", "J": "12"}
THREE_BANDS = {"G": "125", "E": "175", "C": "275", "J": "125"}
BANDS = {"l1+l2": TWO_BANDS, "l1+l2+l5": THREE_BANDS}
MASK_DEG = 15.0  # of the peers' configuration
REPEATS = 5
LEGEND = (
    "Processor time [µs] of an epoch after reading, same satellites and bands: the difference "
    "of a whole run and one of its first epoch alone, over the epochs between; smallest of the "
    "repeats. Ratios are the peers' time over ours."
)


@dataclass(frozen=True)
class CostCase:
    """A row of the accuracy table, run with other fixing or bands. ar : "" = the row's."""

    row: str
    bands: str
    ar: str = ""
    mode: str = ""


CASES = (
    CostCase("nagoya-single-epoch", "l1+l2"),
    CostCase("nagoya-single-epoch", "l1+l2+l5"),
    CostCase("nagoya-single-epoch", "l1+l2", ar="continuous"),
    CostCase("nagoya-single-epoch", "l1+l2+l5", ar="continuous"),
    CostCase("fujisawa-265-continuous", "l1+l2"),
    CostCase("fujisawa-265-continuous", "l1+l2+l5"),
    CostCase("fujisawa-078", "l1+l2"),
    CostCase("fujisawa-078", "l1+l2+l5"),
    CostCase("monitor-a-moving", "l1+l2"),
    CostCase("monitor-a-moving", "l1+l2", mode="static"),
    CostCase("igs-d", "l1+l2"),
    CostCase("netherlands-35km", "l1+l2"),
)


def measure_epoch_cost(work: Path, peers: list[Peer], quick: bool) -> list[dict[str, Any]]:
    """One entry per case: microseconds per epoch of every program, and the ratios."""
    cases = CASES[:1] if quick else CASES
    return [measure_case(case, work, peers, 1 if quick else REPEATS) for case in cases]


def measure_case(cost: CostCase, work: Path, peers: list[Peer], repeats: int) -> dict[str, Any]:
    """Run ours and the peers in turn; the smallest difference of each counts."""
    case = prepare(row_of(cost), work, quick=False)
    tables = read(case)
    n = tables.rover.n_epoch
    one = first_epoch(case, tables)
    ours: list[float] = []
    theirs: dict[Peer, list[float]] = {peer: [] for peer in peers}
    solve_case(case, tables, **options(case, cost))  # compiles
    for _ in range(repeats):
        ours.append(time_ours(case, cost, tables, None) - time_ours(case, cost, tables, one))
        for peer, differences in theirs.items():
            differences.append(time_peer(peer, cost, work, case, one))
    us = {"rtkpos": min(ours) / (n - 1) * 1e6}
    us |= {peer.name: min(values) / (n - 1) * 1e6 for peer, values in theirs.items()}
    return {
        "row": cost.row,
        "label": case.row.label,
        "how": f"{cost.mode or case.row.mode}, {case.row.ar}",
        "bands": cost.bands,
        "n_epoch": n,
        "us": {name: round(value, 1) for name, value in us.items()},
        "ratio": {peer.name: round(us[peer.name] / us["rtkpos"], 1) for peer in peers},
        "repeats": repeats,
    }


def time_peer(peer: Peer, cost: CostCase, work: Path, case: Case, one: Case) -> float:
    """Processor time [s] of all epochs less that of the first; NaN when a run gives nothing."""
    try:
        whole, first = (run_peer(peer, part, cost.bands, work) for part in (case, one))
    except RtkposError:
        return math.nan
    return whole.cpu_s - first.cpu_s


def row_of(cost: CostCase) -> Row:
    """The row of a case with its fixing and mode."""
    row = next(row for row in ROWS if row.name == cost.row)
    return replace(row, ar=cost.ar or row.ar, mode=cost.mode or row.mode)


def options(case: Case, cost: CostCase) -> dict[str, Any]:
    """What our configuration changes to do as the peers are told."""
    bands = {s: b for s, b in BANDS[cost.bands].items() if s in case.row.systems}
    selection = {"systems": "".join(bands), "bands": bands, "elevation_mask_deg": MASK_DEG}
    ambiguity = {"elevation_mask_deg": MASK_DEG, "glonass": "off"}
    return {"selection": selection, "ambiguity": ambiguity}


def first_epoch(case: Case, tables: Tables) -> Case:
    """The case cut to its first rover epoch."""
    times = tables.rover.time_ns
    half_step = int(np.median(np.diff(times))) // 2
    return in_span(case, int(times[0]), int(times[0]) + half_step)


def time_ours(case: Case, cost: CostCase, tables: Tables, one: Case | None) -> float:
    """Processor time [s] of `solve` on all epochs, or on the first alone."""
    if one is not None and one.span_ns is not None:
        base = cut(tables.base, *one.span_ns) if tables.base is not None else None
        tables = Tables(rover=cut(tables.rover, *one.span_ns), base=base, nav=tables.nav)
    start = time.process_time()
    solve_case(case, tables, **options(case, cost))
    return time.process_time() - start


def cost_lines(entries: list[dict[str, Any]]) -> list[list[str]]:
    """The table of the results: a head, then one line per case."""
    names = list(dict.fromkeys(name for entry in entries for name in entry["ratio"]))
    head = ["data", "how", "bands", "epochs", "rtkpos µs"]
    for name in names:
        head += [f"{name} µs", "ratio"]
    lines = [head]
    for entry in entries:
        line = [entry["label"], entry["how"], entry["bands"], str(entry["n_epoch"])]
        line.append(f"{entry['us']['rtkpos']:.0f}")
        for name in names:
            line += [f"{entry['us'][name]:.0f}", f"{entry['ratio'][name]:.1f}"]
        lines.append(line)
    return lines

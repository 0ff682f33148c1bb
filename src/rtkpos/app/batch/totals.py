"""Figures over all jobs of a batch: the same bytes whatever happened on the way to them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rtkpos.app.solve.solution_report import (
    STATUS_WORDS,
    RunFacts,
    baseline_m,
    first_fix,
    reasons_by_name,
    status_counts,
)
from rtkpos.app.solve.static_report import static_result
from rtkpos.batch.job_manifest import DONE, FAILED, QUARANTINED, Manifest
from rtkpos.io.text.atomic import write_text

TOTALS_JSON, TOTALS_CSV = "totals.json", "totals.csv"
_CSV_HEAD = "name,state,exit_code,epochs,{statuses},fix_rate,first_fix_s,baseline_m,x_m,y_m,z_m\n"


def result_of(facts: RunFacts) -> dict[str, Any]:
    """Figures of one solution; nothing in them depends on the machine or the time."""
    solution, distance = facts.solution, baseline_m(facts.solution)
    first = first_fix(solution)
    return {
        "epochs": {"total": solution.n_epoch, **status_counts(solution)},
        "first_fix_s": None if first is None else first["after_s"],
        "baseline_m": None if distance is None else distance["median"],
        "reasons": reasons_by_name(solution),
        "static": static_result(solution),
        "warnings": len(facts.warnings),
    }


def write_totals(folder: Path, manifest: Manifest) -> dict[str, Any]:
    """Write totals.json and totals.csv in the order of the jobs; returns the sums."""
    rows = [
        {
            "name": entry.name,
            "state": entry.state,
            "exit_code": entry.exit_code,
            "result": entry.result,
        }
        for entry in manifest.entries.values()
    ]
    sums = _sums(rows)
    lines = ",\n".join(json.dumps(row, allow_nan=False) for row in rows)
    text = f'{{"total": {json.dumps(sums)},\n"jobs": [\n{lines}\n]}}\n'
    write_text(folder / TOTALS_JSON, text)
    head = _CSV_HEAD.format(statuses=",".join(STATUS_WORDS.values()))
    write_text(folder / TOTALS_CSV, head + "".join(map(_csv_line, rows)))
    return sums


def _sums(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Jobs by state and epochs by status over all jobs."""
    counts = [row["result"]["epochs"] for row in rows if row["result"]]
    epochs = {word: sum(c[word] for c in counts) for word in ("total", *STATUS_WORDS.values())}
    states = {
        state: sum(row["state"] == state for row in rows) for state in (DONE, FAILED, QUARANTINED)
    }
    return {"jobs": len(rows), **states, "epochs": epochs, "fix_rate": _rate(epochs)}


def _rate(epochs: dict[str, int]) -> float | None:
    """Share of fixed epochs; None without epochs."""
    return epochs["fixed"] / epochs["total"] if epochs["total"] else None


def _csv_line(row: dict[str, Any]) -> str:
    """One job; what is not known stays empty."""
    values = [row["name"], row["state"], row["exit_code"]]
    result = row["result"]
    if result:
        epochs = result["epochs"]
        place = result["static"]["ecef_m"] if result["static"] else [None] * 3
        values += [epochs[word] for word in ("total", *STATUS_WORDS.values())]
        values += [_rate(epochs), result["first_fix_s"], result["baseline_m"], *place]
    else:
        values += [None] * (len(STATUS_WORDS) + 7)
    return ",".join("" if value is None else str(value) for value in values) + "\n"

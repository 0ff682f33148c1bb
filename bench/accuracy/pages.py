"""Results in the documents: six rows and the speed line of README.md, and docs/benchmarks.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.accuracy.rows import ROWS
from bench.accuracy.table import COLUMNS, UNNAMED, cells, md_table, remarks
from rtkpos.io.datasets.catalogue import complete_folder, fetch
from rtkpos.io.text.atomic import write_text

START, END = "<!-- bench:start -->", "<!-- bench:end -->"
# Rows of the README, all of recordings that `rtkpos data fetch` gets, in the words of a reader.
README_ROWS = {
    "nagoya-single-epoch": "two antennas 1 m apart, each epoch by itself",
    "nagoya-beidou-single-epoch": "the same, BeiDou alone",
    "fujisawa-265-single-epoch": "car, 5 km, each epoch by itself",
    "fujisawa-265-gps-single-epoch": "the same, GPS alone",
    "netherlands-35km": "35 km, GPS, one day at 30 s",
    "netherlands-48km": "48 km, GPS, one day at 30 s",
}
README_LEGEND = """\
Real recordings, one default configuration, antennas at rest processed as moving. Cells: fixed
epochs [%], wrong fixes, RMS error of the fixes east/north/up [mm]. *Wrong*: off by over 0.10 m, by
0.20 m for the car and the long lines. The car is judged by RTKLIB EX's own combined track
(agreement, not truth), 48 km about the median error; RTKLIB has its best options in each row."""
PAGE_LEGEND = """\
One default configuration; only mode, direction, fixing, systems and number of bands differ. "As
moving" is an antenna at rest processed as a moving one; "single-epoch" keeps no ambiguity between
epochs; "combined" is forward and backward. Rates are of all rover epochs. *Wrong* are fixed epochs
with a 3D error over 0.10 m, over 0.20 m where the antenna really moves, or as a remark below says.
*CPU ratio* is the processor time of a whole peer command over ours for reading and solving, both
run in turn in the same minute. Peers run with a hand-tuned configuration
(`bench/accuracy/peer.py`)."""
PAGE_COLUMNS = (0, 1, 2, 3, 4, 6, 8, 9, 13)
TIMES = "RTKLIB EX 2.5.1"
FULL, PERFORMANCE = "bench/results/full.json", "bench/results/performance.json"


def readme_rows(report: dict[str, Any]) -> list[str]:
    """The table of the README, Markdown: a column for each program that ran."""
    entries = [entry for entry in report["rows"] if entry["row"] in README_ROWS]
    programs = list(dict.fromkeys(entry["program"] for entry in entries))
    lines = [["recording", "epochs", *programs]]
    for name, words in README_ROWS.items():
        by_program = {entry["program"]: entry for entry in entries if entry["row"] == name}
        if not by_program:
            continue
        ours = by_program[programs[0]]
        lines.append(
            [words, str(ours.get("n_epoch", "-")), *(_cell(by_program.get(p)) for p in programs)]
        )
    return md_table(lines)


def _cell(entry: dict[str, Any] | None) -> str:
    """Fixed share, wrong fixes and RMS of one program in one row; a dash where it gave nothing."""
    if entry is None or "error" in entry:
        return "-"
    fixed = f"{100.0 * entry['fix_rate']:.1f}"
    if not entry["n_judged"]:
        return f"{fixed}, not judged"
    rms = "/".join("-" if v is None else f"{v:.1f}" for v in entry["fixed_rms_enu_mm"])
    return f"{fixed}, {entry['n_wrong']}, {rms}"


def readme_block(report: dict[str, Any], performance: dict[str, Any]) -> str:
    """What stands between the markers of the README."""
    lines = [README_LEGEND, "<!-- figures: defined, limits of the benchmark -->", ""]
    lines += [*readme_rows(report), "", f"<!-- figures: real {FULL}#rows -->", ""]
    made = performance["made"]
    where = f"Table: {_where(report['made'])}. Speed: {_where(made)}."
    return "\n".join([*lines, *_speed(performance), "", where])


def _speed(performance: dict[str, Any]) -> list[str]:
    """How the cost of an epoch and of a command compares with RTKLIB EX."""
    parts = performance["parts"]
    ratios = [(e["row"], e["ratio"][TIMES]) for e in parts["epoch"] if TIMES in e["ratio"]]
    usual = [ratio for row, ratio in ratios if not row.startswith("monitor-a")]
    beidou = [ratio for row, ratio in ratios if row.startswith("monitor-a")]
    whole = parts["commands"][0]
    seconds = {name: figures["cpu_s"] for name, figures in whole["programs"].items()}
    return [
        f"* An epoch takes {min(usual):.1f} to {max(usual):.1f} times less processor time than "
        f"{TIMES} on the same satellites and bands,",
        f"  {min(beidou):.1f} to {max(beidou):.1f} times on a pair with BeiDou alone. "
        f"<!-- figures: real {PERFORMANCE}#parts.epoch -->",
        f"* A command over {whole['n_epoch']} simulated epochs takes {seconds['rtkpos']:.2f} s of "
        f"processor time, {TIMES} {seconds[TIMES]:.2f} s.",
        f"  <!-- figures: simulated {PERFORMANCE}#parts.commands -->",
    ]


def _where(made: dict[str, Any]) -> str:
    """Commit, day and machine of a result."""
    return (
        f"commit {made['commit']}, {made['date']}; {made['cpu']}, Python {made['python']}, "
        f"numba {made['numba']}"
    )


def benchmarks_page(report: dict[str, Any], performance: dict[str, Any]) -> str:
    """The text of docs/benchmarks.md."""
    entries = [entry for entry in report["rows"] if not entry["row"].startswith(UNNAMED)]
    table = [[line[k] for k in PAGE_COLUMNS] for line in (list(COLUMNS), *map(cells, entries))]
    mark = f"<!-- figures: real {FULL} -->"
    lines = [HEAD, "", PAGE_LEGEND, "<!-- figures: defined, limits of the benchmark -->", ""]
    lines += [*md_table(table), "", mark, "", f"Measured at {_where(report['made'])}."]
    lines += ["", "## Remarks", ""]
    lines += [f"* {text} {mark}" for text in remarks(entries)]
    return "\n".join([*lines, "", *_speed_page(performance)]) + "\n"


HEAD = """\
# Benchmarks

Written by `python -m tools.docs.make_benchmarks` from `bench/results/full.json` and
`bench/results/performance.json`; a test keeps it current, and another one says when a position of
`tests/real/reference_rows.json` has changed since the results were made. `python bench/run.py
--public` fetches the recordings of the README's table and prints its rows on your machine, with
RTKLIB beside where `rnx2rtkp` is installed (Debian: `apt install rtklib`).

Other results: [speed and memory](../bench/results/performance.md),
[networks](../bench/results/network.md), [faults](../bench/results/faults.md),
[simulated beside real recordings](../bench/results/realism.md),
[all rows with targets, profiles and calibration](../bench/results/full.md),
[probability of fixes](../bench/results/trust.md).

## Accuracy and fixes"""


def _speed_page(performance: dict[str, Any]) -> list[str]:
    """Cost of an epoch by recording and program."""
    entries = [e for e in performance["parts"]["epoch"] if not e["row"].startswith(UNNAMED)]
    names = list(dict.fromkeys(name for entry in entries for name in entry["ratio"]))
    lines = [["data", "fixing", "bands", "rtkpos µs", *(f"{name}, ratio" for name in names)]]
    for entry in entries:
        ratios = [
            f"{entry['ratio'][name]:.1f}" if name in entry["ratio"] else "-" for name in names
        ]
        lines.append(
            [entry["label"], entry["how"], entry["bands"], f"{entry['us']['rtkpos']:.0f}", *ratios]
        )
    head = ["## Processor time of an epoch", "", "After reading, on the same satellites and bands."]
    where = f"Measured at {_where(performance['made'])}."
    return [*head, "", *md_table(lines), "", f"<!-- figures: real {PERFORMANCE} -->", "", where]


def load(root: Path, name: str) -> dict[str, Any]:
    """A stored result of a checkout."""
    found: dict[str, Any] = json.loads((root / name).read_text(encoding="utf-8"))
    return found


def filled_readme(text: str, block: str) -> str:
    """The README with the block between its markers; ValueError when they are not there once."""
    if text.count(START) != 1 or text.count(END) != 1:
        raise ValueError(f"README.md needs the lines {START} and {END} once each")
    before, rest = text.split(START)
    return f"{before}{START}\n{block}\n{END}{rest.split(END)[1]}"


def write_pages(root: Path) -> None:
    """Write both documents of a checkout from its stored results."""
    full, performance = load(root, FULL), load(root, PERFORMANCE)
    readme = root / "README.md"
    text = filled_readme(readme.read_text(encoding="utf-8"), readme_block(full, performance))
    write_text(readme, text)
    write_text(root / "docs" / "benchmarks.md", benchmarks_page(full, performance))


def fetch_public() -> Iterator[tuple[str, Path]]:
    """Name and folder of every data set of the README's rows, downloaded where it is not here.

    A set's truth comes with the catalogue. DatasetError when a download fails.
    """
    for name in dict.fromkeys(row.dataset for row in ROWS if row.name in README_ROWS):
        yield name, complete_folder(name) or fetch(name)

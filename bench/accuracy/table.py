"""The results as a table on the screen, as Markdown and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.accuracy.pooled import ALL, calibration_lines, pooled_checks, profile_lines
from bench.accuracy.row import Row
from bench.accuracy.rows import ROWS
from bench.accuracy.targets import Check, checks
from bench.epoch_cost import LEGEND as COST_LEGEND
from bench.epoch_cost import cost_lines
from rtkpos.io.text.atomic import write_text

COLUMNS = (
    "recording",
    "systems, mode, fixing",
    "program",
    "epochs",
    "fixed %",
    "first fix s",
    "wrong",
    "wrong %",
    "fixed RMS E/N/U mm",
    "fixed 3D 50/95/99 mm",
    "all 3D 50/95/99 mm",
    "µs/epoch",
    "CPU s",
    "CPU ratio",
)
# Recordings whose source states no licence stand in no document.
UNNAMED = ("monitor-a", "vrs-b", "walk-c", "igs-d")
LEGEND = """\
One default configuration; only mode, direction, fixing, systems and number of bands differ. "As
moving" is an antenna at rest processed as a moving one; "single-epoch" keeps no ambiguity between
epochs; "combined" is forward and backward. Rates are of all rover epochs. *Wrong* are fixed epochs
with a 3D error over 0.10 m, over 0.20 m where the antenna really moves, or as a note below says.
*µs/epoch* is our solving time, warm, without reading; *CPU s* is the processor time for reading
and solving: ours inside a warm process (start-up is listed apart), a peer's as a whole process.
*CPU ratio* is the peer's CPU time over ours, both run in turn in the same minute on the same
machine. Peers run with a hand-tuned configuration (`bench/accuracy/peer.py`)."""

TARGETS = """\
Beside ours is RTKLIB EX with its best configuration for the row (`bench/accuracy/peer.py`,
`bench/accuracy/rows.py`). Cold starts are up to 60 epochs each, 24 of them spread over the
recording; the peers do not run there."""
PROFILES = """\
The rows of each recording together, solved with each profile: fixed share of all epochs, wrong
fixes and their share of the fixed epochs that have a truth."""
CALIBRATION = """\
Share of epochs whose truth lies within the 95 % ellipse (chi-square 5.991) and the 95 % interval
of the height that the covariance states; 93 to 97 % is wanted. Float epochs include those of the
same rows with fixing switched off. Fixed epochs of recordings whose truth is no better than a fix
(*265*, *walk C*, the Netherlands) are left out of the last lines."""


def cells(entry: dict[str, Any]) -> list[str]:
    """One line of the table."""
    program = entry["program"]
    if entry["is_peer"] and len(_row(entry).peer_bands) > 1:
        program += f", {entry['bands']}"
    first = [entry["label"], entry["how"], program]
    if "error" in entry:
        return [*first, entry["error"], *[""] * (len(COLUMNS) - len(first) - 1)]
    is_single = entry["how"].endswith("single")
    fix = ["", "", "", "", ""] if is_single else _fix_cells(entry)
    return [
        *first,
        str(entry["n_epoch"]),
        *fix,
        "" if is_single else _slashed(entry["fixed_3d_mm"].values(), 1),
        _slashed(entry["all_3d_mm"].values(), 0),
        f"{entry['us_per_epoch']:.0f}" if "us_per_epoch" in entry else "",
        f"{entry['cpu_s'][0]:.3f}" if "cpu_s" in entry else "",
        f"{entry['cpu_ratio']:.1f}" if "cpu_ratio" in entry else "",
    ]


def _fix_cells(entry: dict[str, Any]) -> list[str]:
    """Fix rate, first fix, wrong fixes, RMS."""
    return [
        f"{100.0 * entry['fix_rate']:.1f}",
        _plain(entry["first_fix_s"], 0),
        str(entry["n_wrong"]),
        f"{100.0 * entry['wrong_rate']:.2f}",
        _slashed(entry["fixed_rms_enu_mm"], 1),
    ]


def _row(entry: dict[str, Any]) -> Row:
    """The row of a result."""
    return next(row for row in ROWS if row.name == entry["row"])


def _plain(value: float | None, digits: int) -> str:
    """A number, or a dash."""
    return "-" if value is None else f"{value:.{digits}f}"


def _slashed(values: Any, digits: int) -> str:
    """Numbers with slashes between; one dash when there are none."""
    words = [_plain(value, digits) for value in values]
    return "-" if set(words) == {"-"} else "/".join(words)


def remarks(entries: list[dict[str, Any]]) -> list[str]:
    """What does not fit the table: references, offsets, repeatability, steps, velocities."""
    lines: list[str] = []
    for entry in entries:
        if "error" in entry:
            continue
        words = _remark_words(entry)
        if words:
            who = f"{entry['label']} ({entry['how']}), {entry['program']}"
            lines.append(f"{who}: {'; '.join(words)}.")
    for name in dict.fromkeys(entry["row"] for entry in entries):
        row = next(row for row in ROWS if row.name == name)
        source = next(entry["truth"] for entry in entries if entry["row"] == name)
        facts = [text for text in (row.note, "" if source == "point" else f"reference: {source}")]
        if any(facts):
            lines.append(f"{row.label} ({row.how}): {'; '.join(filter(None, facts))}.")
    return lines


def _remark_words(entry: dict[str, Any]) -> list[str]:
    """Remarks on one result."""
    words = []
    if entry["how"].endswith("single"):
        h = entry["all_horizontal_mm"]
        words.append(
            f"horizontal error median {h['p50'] / 1e3:.2f} m, 95 % {h['p95'] / 1e3:.2f} m "
            f"({entry['n_judged']} epochs judged)"
        )
        if "rtkpos_there_horizontal_mm" in entry:
            h = entry["rtkpos_there_horizontal_mm"]
            words.append(
                f"rtkpos on the same epochs {h['p50'] / 1e3:.2f} m and {h['p95'] / 1e3:.2f} m"
            )
        if entry.get("velocity"):
            v = entry["velocity"]
            words.append(
                f"velocity error horizontal median {v['horizontal_mm_s']['p50'] / 10:.1f} cm/s, "
                f"95 % {v['horizontal_mm_s']['p95'] / 10:.1f} cm/s, up 95 % "
                f"{v['up_mm_s']['p95'] / 10:.1f} cm/s"
            )
        return words
    if "offset_enu_mm" in entry and not entry["is_peer"]:
        words.append(f"median error E/N/U {_slashed(entry['offset_enu_mm'], 0)} mm taken away")
    if "hourly_restarted" in entry and entry["hourly_restarted"]["std_enu_mm"]:
        hours = entry["hourly_restarted"]
        words.append(
            f"static restarted each hour: means of the fixed epochs repeat to E/N/U "
            f"{_slashed(hours['std_enu_mm'], 2)} mm ({hours['n_hour']} hours)"
            f", RMS error {_slashed(hours['rms_enu_mm'], 2)} mm; of their last positions "
            f"{_slashed(hours['final_rms_enu_mm'], 2)} mm"
        )
    if entry.get("hourly", {}).get("std_enu_mm"):
        hours = entry["hourly"]
        start = "one static run over all hours: " if ", static" in entry["how"] else ""
        words.append(
            f"{start}hourly means of the fixed epochs repeat to E/N/U "
            f"{_slashed(hours['std_enu_mm'], 2)} mm ({hours['n_hour']} hours)"
        )
    if "cold_starts" in entry:
        starts = entry["cold_starts"]
        words.append(
            f"restarted at {starts['n']} epochs: {100 * starts['first_epoch_share']:.0f} % fixed "
            f"in the first epoch, 95 % within {starts['p95_s']:.0f} s, the slowest "
            f"{starts['max_s']:.0f} s, {starts['n_with_wrong']} with a wrong fix"
        )
    if "final_enu_mm" in entry and entry["final_enu_mm"][0] is not None:
        words.append(f"final position off by E/N/U {_slashed(entry['final_enu_mm'], 2)} mm")
    if "n_wrong_about_median" in entry and entry["n_wrong"]:
        words.append(
            f"of the {entry['n_wrong']} wrong fixes {entry['n_wrong_about_median']} are that far "
            "from the median of the fixed positions, too"
        )
    if _row(entry).wrong_m and entry["float_3d_mm"]["p50"] is not None:
        percentiles = (value / 1e3 for value in entry["float_3d_mm"].values())
        words.append(f"float 3D error 50/95/99 % {_slashed(percentiles, 2)} m")
    if _row(entry).is_moving and entry["height_step_mm"] is not None:
        words.append(f"largest height step between fixed epochs {entry['height_step_mm']:.0f} mm")
    if entry["n_judged"] < entry["n_epoch"] - entry["n_without_position"]:
        words.append(f"{entry['n_judged']} epochs have a reference")
    return words


def row_checks(entries: list[dict[str, Any]]) -> list[tuple[dict[str, Any], Check]]:
    """Every target of every row that ran, with our result; RTKLIB EX's best figure in it."""
    found = []
    for entry in entries:
        if entry["is_peer"]:
            continue
        beside = [
            other
            for other in entries
            if other["row"] == entry["row"] and "EX" in other["program"] and "error" not in other
        ]
        found += [(entry, c) for c in checks(_row(entry).target, entry, beside)]
    return found


def misses(entries: list[dict[str, Any]]) -> list[str]:
    """Targets that are not reached, in words."""
    named = [(f"{e['label']} ({e['how']})", c) for e, c in row_checks(entries)]
    named += [(ALL, c) for c in pooled_checks(entries)]
    return [
        f"{name}: {c.what} {_amount(c.got, c)}, wanted {_bound(c)}"
        for name, c in named
        if not c.is_met
    ]


def target_lines(entries: list[dict[str, Any]]) -> list[list[str]]:
    """Cells of the table of targets, header first."""
    named = [(e["label"], e["how"], c) for e, c in row_checks(entries)]
    named += [(ALL, "", c) for c in pooled_checks(entries)]
    head = ["recording", "systems, mode, fixing", "figure", "wanted", "rtkpos", "RTKLIB EX", ""]
    lines = [head]
    for label, how, c in named:
        figures = [_bound(c), _amount(c.got, c), _amount(c.peer, c)]
        lines.append([label, how, c.what, *figures, "met" if c.is_met else "**missed**"])
    return lines


def _bound(check: Check) -> str:
    """What was wanted."""
    scale = 100.0 if check.unit == "%" else 1.0
    low, high = (None if v is None else f"{scale * v:.4g}" for v in (check.low, check.high))
    if low and high:
        return f"{low} to {high} {check.unit}"
    return f"{f'>= {low}' if low else f'<= {high}'} {check.unit}"


def _amount(value: float | None, check: Check) -> str:
    """A figure with its unit."""
    if value is None:
        return "-"
    if check.unit == "s":
        return f"{value:.0f} s"
    return f"{(100.0 if check.unit == '%' else 1.0) * value:.2f} {check.unit}"


def markdown(report: dict[str, Any]) -> str:
    """The whole report."""
    entries = report["rows"]
    lines = [LEGEND, "", *md_table([list(COLUMNS), *map(cells, entries)])]
    lines += ["", *(f"* {text}" for text in remarks(entries))]
    lines += ["", *speed_lines(report), "", _machine_line(report)]
    if report.get("epoch_cost"):
        lines += ["", "## Processor time of an epoch", "", COST_LEGEND, ""]
        lines += md_table(cost_lines(report["epoch_cost"]))
    for title, legend, cells_of in SECTIONS:
        lines += ["", f"## {title}", "", legend, "", *md_table(cells_of(entries))]
    return "\n".join(["# Benchmark", "", *lines]) + "\n"


def md_table(lines: list[list[str]]) -> list[str]:
    """A Markdown table, header first."""
    return [_md_line(line) for line in (lines[0], ["---"] * len(lines[0]), *lines[1:])]


def _md_line(words: Any) -> str:
    """One line of a Markdown table."""
    return "| " + " | ".join(words) + " |"


def speed_lines(report: dict[str, Any]) -> list[str]:
    """Reading, the compiled step, start-up, simulating."""
    lines = []
    for entry in report.get("parse", []):
        text = (
            f"Reading {entry['megabytes']:.0f} MB of RINEX 3 (epochs of {entry['source']} "
            f"repeated), one thread, warm: best {entry['best_mb_s']:.0f} MB/s, median "
            f"{entry['median_mb_s']:.0f} MB/s of {entry['repeats']}"
        )
        if "georinex_mb_s" in entry:
            text += (
                f"; georinex {entry['georinex_mb_s']:.2f} MB/s on its first "
                f"{entry['georinex_megabytes']:.2f} MB"
            )
        lines.append(f"* {text}.")
    for entry in report.get("kernel", []):
        lines.append(
            f"* Compiled step, {entry['median_n_sat']} satellites with three bands, {entry['ar']}: "
            f"median {entry['median_us']:.0f} µs per epoch, 95 % {entry['p95_us']:.0f} µs "
            f"({100 * entry['fix_rate']:.0f} % of {entry['n_epoch']} epochs fixed)."
        )
    for entry in report.get("start", []):
        state = "" if entry["exit_code"] == 0 else f", exit code {entry['exit_code']}"
        lines.append(
            f"* Whole process, warm: {entry['what']}: {entry['wall_s'][0]:.2f} s "
            f"(CPU {entry['cpu_s'][0]:.2f} s{state})."
        )
    for entry in report.get("simulation", []):
        lines.append(
            f"* Simulating {entry['duration_s'] / 60:.0f} min of {entry['n_receiver']} receivers "
            f"at 1 Hz ({entry['scenario']}): {entry['wall_s']:.0f} s (CPU {entry['cpu_s']:.0f} s), "
            f"{entry['peak_mb']:.0f} MB of memory, {entry['written_mb']:.0f} MB written."
        )
    return lines


def _machine_line(report: dict[str, Any]) -> str:
    """Where and with what the figures were made."""
    made = report["made"]
    return (
        f"rtkpos {made['rtkpos']} ({made['commit']}), {made['date']}; {made['cpu']}, "
        f"Python {made['python']}, numba {made['numba']}, numpy {made['numpy']}; "
        f"median of {made['repeats']}."
    )


def show(entries: list[dict[str, Any]], report: dict[str, Any]) -> None:
    """The table on the standard output."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console = Console(width=230)
    table = Table(title="rtkpos benchmark", show_lines=False)
    for k, name in enumerate(COLUMNS):
        table.add_column(name, justify="left" if k < 3 else "right", overflow="fold")
    for entry in entries:
        table.add_row(*cells(entry), style="dim" if entry["is_peer"] else "bold")
    console.print(table)
    for text in [*remarks(entries), *speed_lines(report)]:
        console.print(text.removeprefix("* "), markup=False, highlight=False)
    for word in misses(entries):
        console.print(f"target not reached: {word}", markup=False, style="yellow")


SECTIONS = (
    ("Targets", TARGETS, target_lines),
    ("Profiles", PROFILES, profile_lines),
    ("Calibration", CALIBRATION, calibration_lines),
)


def store(report: dict[str, Any], folder: Path, name: str) -> None:
    """Write NAME.json and NAME.md into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / f"{name}.json", json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    write_text(folder / f"{name}.md", markdown(report))

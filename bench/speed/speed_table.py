"""Speed and memory as tables: what was wanted, what was measured, met or missed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from bench.speed.live import EDGES_US

LEGEND = """\
Programs that are compared ran in turn on the same machine; the smallest processor time of each
counts (other work only adds to it, and all use one thread), except for threads, where the wall
time does. Recordings for whole commands are simulated, 1 Hz, GPS, Galileo and BeiDou on three
bands, both programs with continuous fixing."""
LIVE = """\
A simulated drive on four systems, replayed: each pass restores the engine from one snapshot.
Processor time is what an update takes; wall time contains what else the machine did."""
PROFILE = """\
Processor time in milliseconds, medians. Phases of the compiled step are told apart by leaving the
later ones out (`bench/speed/profile.py`)."""


PERCENTILES = (
    ("50 %", "p50_us"),
    ("99 %", "p99_us"),
    ("99.9 %", "p999_us"),
    ("longest", "max_us"),
)


class Goal(NamedTuple):
    """A figure that is asked for.

    what : words      unit : of all figures      bar, stretch : None = not asked
    got : None where it was not measured      is_least : bounds are lower ones
    """

    what: str
    unit: str
    bar: float | None
    stretch: float | None
    got: float | None
    is_least: bool = False

    def reaches(self, bound: float | None) -> bool:
        """Whether the figure keeps a bound."""
        if self.got is None or bound is None:
            return False
        return self.got >= bound if self.is_least else self.got <= bound

    @property
    def verdict(self) -> str:
        """In a word or two."""
        if self.got is None:
            return "not measured"
        if not self.reaches(self.bar):
            return "**missed**"
        return "met, stretch too" if self.reaches(self.stretch) else "met"


def ex_of(programs: Any) -> str | None:
    """The RTKLIB EX among program names, else any peer."""
    names = [name for name in programs if name != "rtkpos"]
    return next((name for name in names if "EX" in name), names[0] if names else None)


def goals(parts: dict[str, Any]) -> list[Goal]:
    """Every figure of the parts that were measured."""
    makers = (
        parse_goals,
        epoch_goals,
        command_goals,
        thread_goals,
        live_goals,
        memory_goals,
        first_goals,
    )
    return [goal for maker in makers for goal in maker(parts)]


def parse_goals(parts: dict[str, Any]) -> Iterator[Goal]:
    """Reading of long files."""
    for entry in parts.get("parse", []):
        ours = entry["best_mb_per_cpu_s"]
        what = f"reading {entry['megabytes']:.0f} MB RINEX 3 ({entry['source']})"
        for peer in entry.get("peers", []):
            ratio = ours / peer["mb_per_cpu_s"]
            yield Goal(f"{what}, against {peer['program']}", "times", 4.0, 6.0, ratio, True)
        if "crinex" in entry:
            crinex = entry["crinex"]
            rate, theirs = crinex["mb_per_cpu_s"], crinex["rnxcmp_mb_per_cpu_s"]
            what_crinex = (
                f"CRINEX to {crinex['megabytes']:.1f} MB ({entry['source']}; {rate:.0f} MB/s)"
            )
            yield Goal(f"{what_crinex}, against RNXCMP", "times", 1.0, None, rate / theirs, True)
        if "georinex_mb_s" in entry:
            rate, size = entry["georinex_longer"]
            short = f"{ours / entry['georinex_mb_s']:.0f} on {entry['georinex_megabytes']:.2f} MB"
            name = f"georinex (its rate on {size:.1f} MB; {short})"
            yield Goal(f"{what}, against {name}", "times", 1500.0, None, ours / rate, True)


def command_goals(parts: dict[str, Any]) -> Iterator[Goal]:
    """Whole commands."""
    wanted = {3600: (3.0, 5.0), 86_400: (4.0, 6.0)}
    for entry in [*parts.get("commands", []), *parts.get("day", [])]:
        n, programs = entry["n_epoch"], entry["programs"]
        peer = ex_of(programs)
        if peer is None:
            continue
        ours, theirs = programs["rtkpos"]["cpu_s"], programs[peer]["cpu_s"]
        what = f"whole command, {n} epochs, against {peer}"
        if n <= 360:
            yield Goal(f"{what}: time beyond it", "s", 0.3, 0.0, ours - theirs)
        else:
            bar, stretch = wanted.get(n, (None, None))
            yield Goal(what, "times", bar, stretch, theirs / ours, True)


def epoch_goals(parts: dict[str, Any]) -> Iterator[Goal]:
    """An epoch of the step, same satellites and bands."""
    for entry in parts.get("epoch", []):
        what = f"epoch, {entry['label']}, {entry['how']}, {entry['bands']}"
        for peer, ratio in entry["ratio"].items():
            if "EX" in peer:
                bar, stretch = (4.5, None) if "OpenBLAS" in peer else (6.0, 10.0)
                yield Goal(f"{what}, against {peer}", "times", bar, stretch, ratio, True)


def thread_goals(parts: dict[str, Any]) -> Iterator[Goal]:
    """Many baselines."""
    for entry in parts.get("threads", []):
        what = f"{entry['n_baseline']} baselines, two threads against one"
        yield Goal(what, "times", 1.7, 1.9, entry["ratio"], True)


def live_goals(parts: dict[str, Any]) -> Iterator[Goal]:
    """Latency."""
    for entry in parts.get("live", []):
        cpu = entry["cpu"]
        what = f"live update, collector {entry['gc']}, {entry['n_epoch']} epochs"
        yield Goal(f"{what}: 99.9 %", "ms", 3.0, 1.0, cpu["p999_us"] / 1e3)
        yield Goal(f"{what}: longest", "ms", 15.0, None, cpu["max_us"] / 1e3)
        yield Goal(f"{what}: recompilations", "", 0, None, entry["n_recompiled"])


def memory_goals(parts: dict[str, Any]) -> Iterator[Goal]:
    """Memory."""
    for entry in parts.get("reading", []):
        what = f"peak while reading {entry['input_mib']:.0f} MiB: at most 64 MiB and six times it"
        yield Goal(what, "MiB", entry["allowed_mib"], None, entry["rise_mib"])
    for entry in parts.get("growth", []):
        what = f"growth over {entry['n_epoch']} streamed epochs"
        yield Goal(what, "MiB", 1.0, None, entry["growth_mib"])


def first_goals(parts: dict[str, Any]) -> Iterator[Goal]:
    """Compilation."""
    for entry in parts.get("first", []):
        if entry["what"] == "first run":
            said = "announced" if entry["is_announced"] else "NOT announced"
            spent = f"{entry['cpu_s']:.0f} s of {entry['n_processor']} processors"
            what = f"first run ever, everything compiled ({said}; {spent})"
            yield Goal(what, "s", 20.0, 10.0, entry["wall_s"])


def markdown(report: dict[str, Any]) -> str:
    """The whole report."""
    parts, made = report["parts"], report["made"]
    lines = ["# Speed and memory", "", LEGEND, ""]
    lines += table(
        ["figure", "bar", "stretch", "measured", ""],
        [
            [
                goal.what,
                *(amount(value, goal) for value in (goal.bar, goal.stretch, goal.got)),
                goal.verdict,
            ]
            for goal in goals(parts)
        ],
    )
    lines += [*command_lines(parts), *live_lines(parts), *profile_lines(parts)]
    lines += [
        "",
        f"rtkpos {made['rtkpos']} ({made['commit']}), {made['date']}; {made['cpu']}, "
        f"Python {made['python']}, numba {made['numba']}, numpy {made['numpy']}.",
    ]
    return "\n".join(lines) + "\n"


def amount(value: float | None, goal: Goal) -> str:
    """A figure with its unit."""
    if value is None:
        return "-"
    digits = 0 if abs(value) >= 100 or goal.unit == "" else 2
    return f"{value:.{digits}f} {goal.unit}".strip()


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Lines of a Markdown table."""
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]


def command_lines(parts: dict[str, Any]) -> list[str]:
    """The times behind the ratios of whole commands."""
    rows = [
        [
            str(entry["n_epoch"]),
            name,
            f"{100 * run['fixed']:.1f}",
            f"{run['cpu_s']:.2f}",
            f"{run['wall_s']:.2f}",
        ]
        for entry in [*parts.get("commands", []), *parts.get("day", [])]
        for name, run in entry["programs"].items()
    ]
    head = ["epochs", "program", "fixed %", "CPU s", "wall s"]
    return ["", "## Whole commands", "", *table(head, rows)] if rows else []


def live_lines(parts: dict[str, Any]) -> list[str]:
    """The histogram of latencies."""
    entries = parts.get("live", [])
    if not entries:
        return []
    kinds = [(entry, clock) for entry in entries for clock in ("cpu", "wall")]
    head = ["an update takes", *(f"{entry['gc']}, {clock}" for entry, clock in kinds)]
    rows = [
        [name, *(f"{entry[clock][key] / 1e3:.3f} ms" for entry, clock in kinds)]
        for name, key in PERCENTILES
    ]
    edges = [f"up to {edge / 1e3:g} ms" for edge in EDGES_US] + ["more"]
    for k, edge in enumerate(edges):
        rows.append([edge, *(str(entry[clock]["counts"][k]) for entry, clock in kinds)])
    pauses = "; ".join(
        f"collector {e['gc']}: {e['n_collection']} collections, the longest "
        f"{e['longest_collection_us'] / 1e3:.2f} ms, {100 * e['fixed']:.1f} % fixed"
        for e in entries
    )
    return ["", "## Live", "", LIVE, "", *table(head, rows), "", f"{pauses}."]


def profile_lines(parts: dict[str, Any]) -> list[str]:
    """Where the time goes."""
    entries = parts.get("profile", [])
    if not entries:
        return []
    head = ["phase"]
    for entry in entries:
        head.append(f"{entry['label']}, {entry['n_epoch']} epochs, {entry['n_sat']} satellites")
    rows = [
        [name, *(cell(entry["phases_ms"][name], entry) for entry in entries)]
        for name in entries[0]["phases_ms"]
    ]
    rows.append(["whole command", *(f"{entry['command_ms']:.0f}" for entry in entries)])
    return ["", "## Where the time goes", "", PROFILE, "", *table(head, rows)]


def cell(value: float, entry: dict[str, Any]) -> str:
    """Milliseconds and share of the command."""
    return f"{value:.0f} ({100 * value / entry['command_ms']:.0f} %)"

"""Simulated pairs of receivers beside real ones: the same places, times and satellites.

    python bench/realism.py [-o bench/results]

Writes realism.md (two tables) and realism.png (the recording whose licence allows it). Needs the
data sets static-nagoya-2024 and bdsonly-monitoring-24h.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.pairs.pair_statistics import Pair, measure_pair  # noqa: E402
from bench.pairs.pair_tables import BINS_DEG, LAGS_S, Row, correlation, spread, statistics  # noqa: E402
from rtkpos.gnss.time import iso_gpst  # noqa: E402
from rtkpos.io.datasets.folders import dataset_dir  # noqa: E402
from rtkpos.io.rinex.read_navigation import read_nav  # noqa: E402
from rtkpos.io.rinex.read_observations import read_obs  # noqa: E402
from rtkpos.io.text.atomic import write_text  # noqa: E402
from rtkpos.simulate.in_memory import simulate_in_memory  # noqa: E402
from rtkpos.simulate.medium.ellipsoid import local_axes, place_llh  # noqa: E402
from rtkpos.simulate.scenario.scenario import scenario_of  # noqa: E402

RESULTS = ROOT / "bench" / "results"
AGREES = 1.3  # a ratio within this factor either way is called agreement


@dataclass(frozen=True)
class Case:
    """A recording, and what its simulation is told beyond places, times and satellites."""

    data: str
    label: str
    systems: str
    seeds: tuple[int, ...]
    sections: dict[str, dict[str, float]]


CASES = (
    Case("static-nagoya-2024", "Nagoya 2024, roof, 1 m, 1 Hz, 5 min", "GRECJ", (1, 2, 3, 4, 5), {}),
    Case(
        "bdsonly-monitoring-24h",
        "monitoring pair A, 0.2 km, 15 s",
        "C",
        (1, 2, 3),
        {"multipath": {"code_m": 0.3, "phase_m": 0.0018}},
    ),
)


def real_pair(case: Case) -> tuple[Pair, dict[str, Any]]:
    """The recording's residuals, and where and when it was made."""
    folder = dataset_dir(case.data)
    truth = json.loads((folder / "truth.json").read_text())
    places = np.array([truth["rover_xyz"], truth["base_xyz"]])
    rover, base = read_obs(folder / "rover.obs.gz"), read_obs(folder / "base.obs.gz")
    nav = folder / "base.nav.gz"
    found = {"places": places, "time_ns": rover.time_ns, "nav": str(nav)}
    return measure_pair(rover, base, read_nav(nav), places), found


def simulated_pair(case: Case, found: dict[str, Any], seed: int) -> Pair:
    """Two simulated receivers at the same places, times, under the same satellites."""
    time_ns, places = found["time_ns"], found["places"]
    llh = place_llh(places[1])
    run = {
        "start": iso_gpst(int(time_ns[0]))[:19].replace(" ", "T"),
        "duration_s": float(time_ns[-1] - time_ns[0]) * 1e-9,
        "interval_s": float(np.median(np.diff(time_ns))) * 1e-9,
        "systems": case.systems,
        "nav": found["nav"],
        "seed": seed,
    }
    degrees = np.degrees(llh[:2])
    origin = {"lat_deg": degrees[0], "lon_deg": degrees[1], "height_m": llh[2]}
    east_north_up = local_axes(llh) @ (places[0] - places[1])
    rover = {"name": "ROVER", "enu_m": east_north_up.tolist()}
    scenario = scenario_of(
        {
            "run": run,
            "origin": {name: float(value) for name, value in origin.items()},
            "station": [{"name": "BASE"}, rover],
            **case.sections,
        }
    )
    nav, out = simulate_in_memory(scenario)
    where = np.array([scenario.marker_ecef(one) for one in reversed(scenario.stations)])
    return measure_pair(out["ROVER"].table, out["BASE"].table, nav, where)


def table(real: list[Row], made: list[list[Row]]) -> list[str]:
    """Markdown lines: real, the median of the simulations and their range, the ratio."""
    lines = ["| | unit | real | simulated | its range | ratio |", "|---|---|---|---|---|---|"]
    for k, row in enumerate(real):
        values = np.array([one[k].value for one in made])
        if not np.isfinite(row.value) or not np.isfinite(values).any():
            continue
        middle = float(np.nanmedian(values))
        low, high = np.nanmin(values), np.nanmax(values)
        lines.append(
            f"| {row.label} | {row.unit} | {row.text(row.value)} | {row.text(middle)} "
            f"| {row.text(low)} to {row.text(high)} | {row.verdict(values, AGREES)} |"
        )
    return lines


def draw(real: Pair, made: Pair, path: Path, title: str) -> None:
    """Spread by elevation, strength by elevation, correlation in time: real and simulated."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 3)
    middle = [f"{low}-{high}" for low, high in BINS_DEG]
    styles = ((real, "real", "-", "o"), (made, "simulated", "--", "s"))
    for pair, name, line, mark in styles:
        for group, colour in (("narrow", "tab:blue"), ("wide", "tab:red")):
            label = f"{name}, {group}-band"
            draws = {"color": colour, "linestyle": line, "marker": mark, "label": label}
            axes[0, 0].plot(middle, spread(pair, "code_m", group), **draws)
            axes[0, 1].plot(middle, 1e3 * spread(pair, "phase_m", group), **draws)
            axes[0, 2].plot(middle, spread(pair, "cn0_dbhz", group), **draws)
            lags = [lag for lag in LAGS_S if lag <= 120]
            draws["label"] = label
            for panel, what in ((axes[1, 0], "code_m"), (axes[1, 1], "phase_m")):
                panel.plot(lags, [correlation(pair, what, lag, group) for lag in lags], **draws)
    _residuals(axes[1, 2], real, made)
    for panel, words in zip(
        axes.flat,
        (
            ("code noise and multipath", "elevation [deg]", "m"),
            ("phase noise and multipath", "elevation [deg]", "mm"),
            ("signal strength", "elevation [deg]", "dB-Hz"),
            ("correlation of the code", "lag [s]", ""),
            ("correlation of the phase", "lag [s]", ""),
            ("phase residuals of B1I, above 25 deg", "time [s]", "mm"),
        ),
        strict=True,
    ):
        panel.set_title(words[0], fontsize=10)
        panel.set_xlabel(words[1])
        panel.set_ylabel(words[2])
        panel.grid(alpha=0.3)
    axes[0, 0].legend(fontsize=7)
    figure.suptitle(title)
    figure.savefig(path, dpi=100)


def _residuals(panel: Any, real: Pair, made: Pair) -> None:
    """Time series of the same satellites, the simulated ones below."""
    for pair, shift_mm, colour in ((real, 0.0, "tab:green"), (made, -25.0, "tab:orange")):
        one = pair.signals["C:2I"]
        high = np.nanmedian(one.elevation_deg, axis=0) > 25.0
        time_s = np.arange(len(one.phase_m)) * pair.interval_s
        panel.plot(time_s, 1e3 * one.phase_m[:, high] + shift_mm, color=colour, linewidth=0.6)
    panel.text(0.02, 0.93, "real", color="tab:green", transform=panel.transAxes)
    panel.text(0.02, 0.03, "simulated", color="tab:orange", transform=panel.transAxes)


def main(words: list[str] | None = None) -> int:
    """Measure, compare, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    args = parser.parse_args(words)
    warnings.simplefilter("ignore", RuntimeWarning)  # bins without a satellite are empty
    lines = [(Path(__file__).parent / "realism_text.md").read_text(encoding="utf-8").rstrip()]
    for case in CASES:
        real, found = real_pair(case)
        pairs = [simulated_pair(case, found, seed) for seed in case.seeds]
        rows = table(statistics(real), [statistics(one) for one in pairs])
        lines += ["", f"## {case.label}", "", *rows]
        if case is CASES[0]:
            draw(real, pairs[0], args.output / "realism.png", case.label)
    write_text(args.output / "realism.md", "\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

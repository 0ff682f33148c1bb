"""Network RTK: simulated cities with truth, and a real network, beside the nearest base alone.

    python bench/network.py [--quick] [-o bench/results]

Stores network.json and network.md. The simulated network is `luoyang-network` (12 stations, 38 to
50 km apart, two cars) on a quiet day and with travelling waves of 0.5 TECU; the real one is
network-netherlands-2021-001. Times are processor times of one thread.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
sys.path.insert(0, str(ROOT))

SCENARIOS = {"quiet": "luoyang-network", "waves of 0.5 TECU": "luoyang-waves"}
DURATION_S, QUICK_S = 1200, 90
SYSTEMS = {"all systems": "GRECJ", "BeiDou": "C"}
WRONG_H_M, WRONG_V_M = 0.10, 0.20
CHECK_EVERY = 60  # epochs at which the integers are held against the truth
LOO_EVERY = 20


def main(words: list[str] | None = None) -> int:
    """Measure, print, store."""
    from rtkpos._numba.cache_folder import use_project_cache

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one and a half minutes, quiet only")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    args = parser.parse_args(words)
    use_project_cache()
    from bench.geometry import DUTCH
    from bench.networks.network_table import markdown
    from bench.run import made
    from rtkpos.io.datasets.folders import resolve_dataset
    from rtkpos.io.text.atomic import write_text

    report: dict[str, Any] = {"made": made(0), "simulated": []}
    with tempfile.TemporaryDirectory(prefix="rtkpos-network-") as folder:
        chosen = dict(list(SCENARIOS.items())[: 1 if args.quick else 2])
        for day, name in chosen.items():
            duration_s = QUICK_S if args.quick else DURATION_S
            report["simulated"].append(simulated(day, name, duration_s, Path(folder) / name))
    if resolve_dataset(DUTCH) is not None and not args.quick:
        report["dutch"] = dutch()
    text = markdown(report)
    print(text)
    stem = args.output / ("network-quick" if args.quick else "network")
    args.output.mkdir(parents=True, exist_ok=True)
    write_text(stem.with_suffix(".json"), json.dumps(report, indent=1) + "\n")
    write_text(stem.with_suffix(".md"), text)
    return 0


def simulated(day: str, name: str, duration_s: int, folder: Path) -> dict[str, Any]:
    """One simulated day: the network against its truth, the cars, the interpolation."""
    from rtkpos.simulate import parse_scenario, simulate

    ready = resources.files("rtkpos.simulate") / "scenarios" / f"{name}.toml"
    text = ready.read_text("utf-8").replace("duration_s = 3600", f"duration_s = {duration_s}")
    text = text.replace('systems = "GREC"', 'systems = "GRECJ"')
    simulate(parse_scenario(text), folder)
    stations, nav = read_stations_of(folder)
    engine, solution, cost = solve_network(stations, nav, IntegerTruth(folder))
    return {
        "day": day,
        "n_station": len(stations),
        "n_baseline": len(solution.ends),
        "n_epoch": len(solution.time_ns),
        "fixed_share": solution.fixed_share,
        "counts": solution.counts,
        **cost,
        "interpolation": interpolation_errors(solution),
        "virtual_us": virtual_time_us(engine, solution),
        "cars": [row for car in ("CAR1", "CAR2") for row in solve_car(folder, car, engine, nav)],
    }


def read_stations_of(folder: Path) -> tuple[list[Any], Any]:
    """The simulated stations with their published coordinates, and the ephemerides."""
    from rtkpos.io.rinex.read_navigation import read_nav
    from rtkpos.io.rinex.read_observations import read_obs
    from rtkpos.network.network_records import StationData

    with (folder / "stations.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    stations = [
        StationData(
            name=row["name"],
            table=read_obs(folder / f"{row['name']}.obs"),
            ecef_m=np.array([float(row[f"ecef_{axis}_m"]) for axis in "xyz"]),
        )
        for row in rows
    ]
    return stations, read_nav(folder / "nav.rnx")


def solve_network(stations: list[Any], nav: Any, truth: Any) -> tuple[Any, Any, dict[str, Any]]:
    """Engine, solution, and what it cost; integers are held against the truth on the way."""
    from rtkpos.network.graph.graph import build_graph
    from rtkpos.network.network_config import NetworkConfig
    from rtkpos.network.network_engine import NetworkEngine

    graph = build_graph([s.name for s in stations], np.array([s.ecef_m for s in stations]))
    warm = NetworkEngine(stations, graph, nav, NetworkConfig(passes=1))
    next(warm.steps(1))  # compiled, or loaded
    engine = NetworkEngine(stations, graph, nav)
    spent = {"check": 0.0}

    def on_epoch(done: int, _total: int) -> None:
        if done % CHECK_EVERY == 0:
            start = time.process_time()
            truth.check(engine, (done - 1) % len(engine.time_ns))
            spent["check"] += time.process_time() - start

    start = time.process_time()
    solution = engine.solve(on_epoch, n_thread=1)
    cpu_s = time.process_time() - start - spent["check"]
    steps = len(engine.time_ns) * len(solution.ends) * engine.config.passes
    sats = float(np.mean(np.isfinite(solution.elevation_rad).sum(axis=2)))
    return (
        engine,
        solution,
        {
            "ms_per_baseline_epoch": 1e3 * cpu_s / steps,
            "satellites": sats,
            "integers_checked": truth.n,
            "integers_wrong": truth.n_wrong,
        },
    )


class IntegerTruth:
    """The integers of all arcs, as the simulation wrote them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._arcs: dict[str, dict[tuple[str, str], list[tuple[float, int]]]] = {}
        self.n = self.n_wrong = 0

    def _of(self, station: str) -> dict[tuple[str, str], list[tuple[float, int]]]:
        """(satellite, signal) -> (time of week, integer) of each arc, in order."""
        if station not in self._arcs:
            found: dict[tuple[str, str], list[tuple[float, int]]] = {}
            path = self._folder / "truth" / f"{station}-arcs.csv"
            with path.open(encoding="utf-8") as stream:
                for row in csv.DictReader(stream):
                    key = (row["satellite"], row["signal"])
                    found.setdefault(key, []).append((float(row["tow_s"]), int(row["integer"])))
            self._arcs[station] = found
        return self._arcs[station]

    def integer(self, engine: Any, k: int, sat: int, band: int, t: int) -> int | None:
        """True integer of a station's phase at an epoch of the network."""
        from rtkpos.gnss.signals import sig_code
        from rtkpos.gnss.systems import sat_name

        memory = engine.memory
        epoch = engine.index[t, k]
        if epoch < 0:
            return None
        slot = memory.station_plan[k]["pairing"]["slot"]
        rows = range(memory.obs.row_start[epoch], memory.obs.row_start[epoch + 1])
        sigs = [int(memory.obs.sig[r]) for r in rows if memory.obs.sat[r] == sat]
        mine = [sig for sig in sigs if slot[sig] == band]
        if not mine:
            return None
        arcs = self._of(engine.stations[k].name).get((sat_name(sat), sig_code(mine[0])), [])
        tow_s = engine.time_ns[t] * 1e-9 % 604_800.0
        past = [integer for start_s, integer in arcs if start_s <= tow_s + 1e-6]
        return past[-1] if past else None

    def check(self, engine: Any, t: int) -> None:
        """Count the verified integers that differ from the truth by another datum than others."""
        from rtkpos.gnss.systems import systems_of

        memory = engine.memory
        for e, (rover, base) in enumerate(memory.ends.tolist()):
            groups: dict[tuple[int, int], list[int]] = {}
            for sat, band in np.argwhere(memory.edge[e]["verified"]).tolist():
                ends = [self.integer(engine, k, sat, band, t) for k in (rover, base)]
                if None not in ends:
                    found = int(memory.edge[e]["integer"][sat, band])
                    groups.setdefault((systems_of(sat), band), []).append(found - ends[0] + ends[1])
            for values in groups.values():
                common = max(set(values), key=values.count)
                self.n += len(values)
                self.n_wrong += sum(value != common for value in values)


def interpolation_errors(solution: Any) -> dict[str, dict[str, float]]:
    """RMS [mm, zenith] of each station's corrections as predicted from the others, by method.

    Double differences: what all satellites of a system share at a station is taken out.
    """
    from rtkpos.network.interpolation.field_covariance import Covariance
    from rtkpos.network.interpolation.interpolate import METHODS, interpolate
    from rtkpos.network.virtual.virtual_base import (
        field_covariances,
        iono_slant,
        levelled,
        plane_of,
        wet_slant,
    )

    stations = np.arange(len(solution.names))
    east_north = plane_of(solution.ecef_m[0], solution.ecef_m)
    n = len(solution.time_ns)
    block, judge = np.zeros(n, np.int64), np.arange(n) % LOO_EVERY == 0
    covariances = field_covariances(solution, stations, east_north, block, judge)[0]
    fields = (
        ("non-dispersive", solution.nondispersive_m, wet_slant),
        ("dispersive", solution.dispersive_m, iono_slant),
    )
    out: dict[str, dict[str, float]] = {}
    for number, (name, value_m, slant_of) in enumerate(fields):
        out[name] = {}
        covariance = Covariance(*covariances[number])
        for method in METHODS:
            total, count = 0.0, 0
            for t in range(n // 4, n, LOO_EVERY):
                slant = slant_of(solution.elevation_rad[t])
                values = levelled(value_m[t].astype(float), solution.sats)
                left = np.full(values.shape, np.nan)
                for k in stations:
                    others = stations[stations != k]
                    found = interpolate(
                        np.ascontiguousarray(values[others]),
                        east_north[others] - east_north[k],
                        method,
                        covariance=covariance,
                        slant_factor=slant,
                    )
                    left[k] = values[k] - found.value_m
                left = levelled(left, solution.sats) / slant
                total += float(np.nansum(left**2))
                count += int(np.isfinite(left).sum())
            out[name][method] = 1e3 * (total / max(count, 1)) ** 0.5
    return out


def virtual_time_us(engine: Any, solution: Any) -> dict[str, float]:
    """Processor time of a virtual station per epoch [us]: in all, and where the master is modelled.

    A running network has modelled its stations' epoch already; then the rest is the cost.
    """
    from rtkpos.network.virtual import virtual_base as made

    place = solution.ecef_m.mean(axis=0)
    place *= np.linalg.norm(solution.ecef_m[0]) / np.linalg.norm(place)
    n = len(solution.time_ns)
    times = {}
    for name in ("in all", "master modelled"):
        series, work, rows = made.prepared(engine, solution, place)
        if name != "in all":
            series = series._replace(epoch=np.full(n, series.epoch[n // 2]))
        best = np.inf
        for _ in range(3):
            start = time.process_time()
            made.virtual_block(0, n, series, work, rows)
            best = min(best, time.process_time() - start)
        times[name] = 1e6 * best / n
    return times


def solve_car(folder: Path, car: str, engine: Any, nav: Any) -> list[dict[str, Any]]:
    """One car with the network and with the nearest base, all systems and BeiDou alone."""
    from rtkpos.io.rinex.read_observations import read_obs
    from rtkpos.network.network_config import NetworkConfig
    from rtkpos.network.rover_solution import solve_in_network
    from rtkpos.processing.run import solve
    from rtkpos.records.config import RtkConfig, Selection

    rover = read_obs(folder / f"{car}.obs")
    with (folder / "truth" / f"{car}.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    truth = np.array([[float(row[f"ecef_{axis}_m"]) for axis in "xyz"] for row in rows])
    apart = [np.linalg.norm(s.ecef_m - truth[0]) for s in engine.stations]
    nearest = engine.stations[int(np.argmin(apart))]
    found = []
    for name, systems in SYSTEMS.items():
        config = RtkConfig(selection=Selection(systems=systems))
        result = solve_in_network(
            rover, nav, engine.stations, config, NetworkConfig.for_rover(config)
        )
        alone = solve(rover, nav, nearest.table, nearest.ecef_m, config)
        for how, solution in (
            ("network", result.solution),
            (f"nearest base, {min(apart) / 1e3:.0f} km", alone),
        ):
            found.append({"car": car, "systems": name, "base": how} | judged(solution, truth))
    return found


def judged(solution: Any, truth_ecef_m: np.ndarray) -> dict[str, Any]:
    """Fixed share, wrong fixes, and errors [mm] over all epochs."""
    from bench.geometry import enu_errors

    error = enu_errors(solution.ecef_m, truth_ecef_m)
    fixed = solution.status == 4
    horizontal, up = np.hypot(error[:, 0], error[:, 1]), np.abs(error[:, 2])
    wrong = fixed & ((horizontal > WRONG_H_M) | (up > WRONG_V_M))
    return {
        "n_epoch": len(fixed),
        "fixed_percent": 100.0 * float(fixed.mean()),
        "first_fix_epoch": int(np.argmax(fixed)) if fixed.any() else None,
        "wrong": int(wrong.sum()),
        "h95_mm": 1e3 * float(np.nanpercentile(horizontal, 95)),
        "v95_mm": 1e3 * float(np.nanpercentile(up, 95)),
    }


def dutch() -> dict[str, Any]:
    """The Dutch stations: integers of the network, and ZEGV as a rover among the others."""
    from bench.networks.dutch import dutch_network, dutch_rover

    return {"network": dutch_network(), "rover": dutch_rover()}


if __name__ == "__main__":
    sys.exit(main())

"""What a network of thousands of stations costs, measured on a few cells and extrapolated.

    python bench/scale.py [--stations 4400] [--ms-per-baseline MS] [--output docs/how-to/scale.md]

Graph, plan and the cost of a task are measured as they are. Twelve simulated stations, cut into
cells of four, are processed by the task of a cell and a stretch of time; reading and computing are
timed apart. All times are processor times of one core, the least of several runs, since the machine
may be shared.
"""

from __future__ import annotations

import argparse
import dataclasses
import gzip
import json
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rtkpos.batch.cell_hours import CellJob, CellResult, cell_jobs  # noqa: E402
from rtkpos.batch.cost import Cost, CostRates, network_cost  # noqa: E402
from rtkpos.batch.executor import Executor, make_executor  # noqa: E402
from rtkpos.io.rinex.read_navigation import read_nav  # noqa: E402
from rtkpos.io.rinex.read_observations import read_obs  # noqa: E402
from rtkpos.io.text.atomic import write_text  # noqa: E402
from rtkpos.live.warm import warm_up  # noqa: E402
from rtkpos.network.graph.cells import CellPlan, plan_cells  # noqa: E402
from rtkpos.network.graph.graph import add_station, build_graph, remove_station  # noqa: E402
from rtkpos.network.graph.location import locate_point  # noqa: E402
from rtkpos.network.graph.network_graph import NetworkGraph  # noqa: E402
from rtkpos.network.network_config import NetworkConfig  # noqa: E402
from rtkpos.network.network_engine import NetworkEngine  # noqa: E402
from rtkpos.network.network_records import StationData  # noqa: E402
from rtkpos.network.stations.station_list import StationList, read_stations  # noqa: E402
from rtkpos.simulate.scenario.country import country_stations  # noqa: E402
from rtkpos.simulate.scenario.scenario import scenario_of  # noqa: E402
from rtkpos.simulate.simulation import simulate  # noqa: E402

GOAL_MS = 1.0  # of a baseline-epoch: 45 satellites, two bands
# Assumptions about money, US dollars: lists of large providers, rented by the hour, 2025.
PRICE_CORE_HOUR = 0.04
PRICE_GB_MONTH = 0.023
CELL_SIZE_MEASURED = 4
RUNS = 3
PACKED = ".crx.gz"


@dataclasses.dataclass(kw_only=True)
class Measured:
    """Figures of one run of the bench; seconds and milliseconds are processor time."""

    n_station: int
    n_edge: int
    n_triangle: int
    n_cell: int
    mean_ring: float
    median_km: float
    graph_s: float
    plan_s: float
    change_ms: float
    locate_us: float
    stations_sim: int
    baselines_sim: int
    cells_sim: int
    epochs_sim: int
    satellites_sim: float
    reading_ms: float
    baseline_ms: float
    bytes_text: float
    bytes_packed: float
    task_ms: dict[str, float]


def least_s(work: Callable[[], Any], n: int = RUNS) -> float:
    """Least processor time [s] of several runs."""
    taken = []
    for _ in range(n):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def measure_graph(graph: NetworkGraph) -> dict[str, float]:
    """Times of graph, plan, change of one station and place of a point."""
    names, ecef = graph.names, graph.ecef_m
    middle = int(np.argmin(np.linalg.norm(ecef - ecef.mean(axis=0), axis=1)))

    def change() -> None:
        add_station(remove_station(graph, names[middle]), names[middle], ecef[middle])

    point = ecef[graph.triangles[len(graph.triangles) // 2]].mean(axis=0)
    return {
        "graph_s": least_s(lambda: build_graph(names, ecef)),
        "plan_s": least_s(lambda: plan_cells(graph)),
        "change_ms": 1e3 * least_s(change) / 2.0,
        "locate_us": 1e6 * least_s(lambda: [locate_point(graph, point) for _ in range(20)]) / 20.0,
    }


def simulated_network(folder: Path, seconds: float) -> tuple[StationList, int, int]:
    """Twelve stations of the scenario luoyang-network, packed; bytes of all before and after."""
    scenarios = resources.files("rtkpos.simulate") / "scenarios"
    values = tomllib.loads((scenarios / "luoyang-network.toml").read_text("utf-8"))
    del values["vehicle"]
    values["run"]["duration_s"] = seconds
    simulate(scenario_of(values), folder)
    listed = read_stations(folder / "stations.csv")
    n_text, n_packed = pack(listed)
    path = folder / "stations.csv"
    path.write_text(path.read_text().replace(".obs", PACKED))
    return read_stations(path), n_text, n_packed


def pack(listed: StationList) -> tuple[int, int]:
    """Recordings packed by Hatanaka's compression and gzip; bytes of all before and after."""
    import hatanaka

    n_text, n_packed = 0, 0
    for station in listed.stations:
        text = station.files[0].read_bytes()
        packed = gzip.compress(hatanaka.rnx2crx(text))
        station.files[0].with_suffix(PACKED).write_bytes(packed)
        n_text, n_packed = n_text + len(text), n_packed + len(packed)
    return n_text, n_packed


def process_cell(job: CellJob) -> CellResult:
    """The task of a cell: its stations read, its network run once; this thread's times [s].

    The network is that of all stations the cell sees, its ring's own baselines included.
    """
    start = time.thread_time()
    tables = [read_obs(list(one.files)) for one in job.stations]
    nav = read_nav(job.options["nav"])
    reading_s = time.thread_time() - start
    start = time.thread_time()
    names = [one.name for one in job.stations]
    graph = build_graph(names, job.ecef_m)
    stations = [
        StationData(name=name, table=table, ecef_m=place)
        for name, table, place in zip(names, tables, job.ecef_m, strict=True)
    ]
    solution = NetworkEngine(stations, graph, nav, NetworkConfig(passes=1)).solve(n_thread=1)
    n_epoch = len(solution.time_ns)
    figures = {
        "reading_s": reading_s,
        "station_epochs": sum(table.n_epoch for table in tables),
        "computing_s": time.thread_time() - start,
        "baseline_epochs": n_epoch * len(graph.edges),
        "satellites": int(np.isfinite(solution.elevation_rad).sum()),
        "seen_epochs": n_epoch * len(stations),
    }
    return CellResult(figures=figures, content=json.dumps(figures).encode())


def measure_cells(folder: Path, seconds: float) -> dict[str, Any]:
    """Times of reading and computing over the cells of the simulated network."""
    listed, n_text, n_packed = simulated_network(folder, seconds)
    plan = plan_cells(build_graph(listed.names, listed.ecef_m), CELL_SIZE_MEASURED)
    first = read_obs(list(listed.stations[0].files))
    span = (int(first.time_ns[0]), int(first.time_ns[-1]) + 1)
    jobs = cell_jobs(plan, listed.stations, span, {"nav": str(folder / "nav.rnx")})
    runs = []
    for _ in range(RUNS):
        with make_executor("threads", 1) as executor:
            results = [result for _, result in executor.map(process_cell, jobs)]
        for result in results:
            if isinstance(result, Exception):
                raise result
        runs.append({key: sum(one.figures[key] for one in results) for key in results[0].figures})
    sums = runs[0]
    return {
        "stations_sim": len(listed.stations),
        "baselines_sim": len(plan.graph.edges),
        "cells_sim": plan.n_cell,
        "epochs_sim": first.n_epoch,
        "satellites_sim": sums["satellites"] / sums["seen_epochs"],
        "reading_ms": 1e3 * min(run["reading_s"] for run in runs) / sums["station_epochs"],
        "baseline_ms": 1e3 * min(run["computing_s"] for run in runs) / sums["baseline_epochs"],
        "bytes_text": n_text / (len(listed.stations) * first.n_epoch),
        "bytes_packed": n_packed / (len(listed.stations) * first.n_epoch),
    }


def do_nothing(number: int) -> int:
    """The cheapest task."""
    return number


def measure_tasks(kinds: tuple[str, ...] = ("threads", "processes", "cluster")) -> dict[str, float]:
    """Time [ms] from one task to the next through each executor, two workers, by the wall clock."""
    found = {}
    for kind in kinds:
        with make_executor(kind, 2) as executor:
            list(executor.map(do_nothing, range(4)))  # workers start
            found[kind] = 1e3 * _through(executor, 200) / 200
    return found


def _through(executor: Executor, n: int) -> float:
    start = time.perf_counter()
    list(executor.map(do_nothing, range(n)))
    return time.perf_counter() - start


def measure(n_station: int, seconds: float) -> tuple[Measured, CellPlan]:
    """All figures, and the plan of the country."""
    warm_up()
    names, ecef = country_stations(n_station)
    graph = build_graph(names, ecef)
    plan = plan_cells(graph)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "network"
        cells = measure_cells(folder, seconds)
    rings = [len(plan.ring(cell)) for cell in range(plan.n_cell)]
    measured = Measured(
        n_station=n_station,
        n_edge=len(graph.edges),
        n_triangle=len(graph.triangles),
        n_cell=plan.n_cell,
        mean_ring=float(np.mean(rings)),
        median_km=float(np.median(graph.length_m)) / 1e3,
        **measure_graph(graph),
        **cells,
        task_ms=measure_tasks(),
    )
    return measured, plan


def report(measured: Measured, plan: CellPlan, given_ms: float | None) -> str:
    """Text of docs/how-to/scale.md."""
    m = measured
    rates = CostRates(ms_per_station_epoch=m.reading_ms, bytes_per_station_epoch=m.bytes_packed)
    cases = [("goal", GOAL_MS), ("measured", m.baseline_ms)]
    if given_ms is not None:
        cases.insert(0, ("given", given_ms))
    rows = [
        _cost_row(name, ms, interval_s, network_cost(
            plan, dataclasses.replace(rates, ms_per_baseline_epoch=ms), interval_s=interval_s
        ))
        for interval_s in (1.0, 30.0)
        for name, ms in cases
    ]  # fmt: skip
    tasks = "\n".join(f"| a task through {kind}, by the clock | {ms:.2f} ms |"
                      for kind, ms in m.task_ms.items())  # fmt: skip
    return _TEXT.format(
        **dataclasses.asdict(m), tasks=tasks, cost_rows="\n".join(rows), core=PRICE_CORE_HOUR,
        month=PRICE_GB_MONTH, s_per_task=rates.s_per_task, goal=GOAL_MS,
        n_task=plan.n_cell * 24, cell_size=CELL_SIZE_MEASURED,
        again=1.0 + m.mean_ring * m.n_cell / m.n_station,
    )  # fmt: skip


def _cost_row(name: str, ms: float, interval_s: float, cost: Cost) -> str:
    """A line of the table of costs, for a day."""
    hours, gigabytes = cost.core_s / 3600.0, cost.data_bytes / 1e9
    cells = (
        f"{interval_s:g} s",
        f"{ms:.2f} ({name})",
        f"{cost.baseline_core_s / 3600.0:.0f}",
        f"{cost.reading_core_s / 3600.0:.1f}",
        f"{cost.task_core_s / 3600.0:.1f}",
        f"{cost.cores:.1f}",
        f"{gigabytes:.0f}",
        f"{hours * PRICE_CORE_HOUR:.1f}",
        f"{gigabytes * PRICE_GB_MONTH:.1f}",
    )
    return f"| {' | '.join(cells)} |"


_TEXT = """# How far a network scales

Written by `python bench/scale.py`; run it again when the cost of a baseline changes, or give the
cost with `--ms-per-baseline`. `rtkpos network plan` shows the same for a list of stations.

## From stations to tasks

{n_station} simulated stations over 9.6 million km² (70 % in the eastern half) give {n_edge} baselines of
{median_km:.0f} km in the median, {n_triangle} triangles and {n_cell} cells of 40 stations; around each stands a ring of
{mean_ring:.0f} neighbours, so that a recording is read {again:.2f} times. A task is a cell and an hour: {n_task} a day.

| step | processor time |
|---|---|
| graph of all stations: triangulation, tree, limits | {graph_s:.2f} s |
| cells | {plan_s:.3f} s |
| a station comes or goes | {change_ms:.0f} ms |
| in which triangle a point stands | {locate_us:.0f} µs |
{tasks}

Times by the clock are those of a machine shared with other work. Tasks take minutes, beside which
handing them to a worker and their results back is nothing. A worker that starts loads the compiled
kernels; {s_per_task:g} s are counted for every task.

## What a cell costs

{stations_sim} stations of the scenario `luoyang-network`, {epochs_sim} epochs at 1 Hz with GPS,
GLONASS, Galileo and BeiDou, cut into {cells_sim} cells of {cell_size}: {baselines_sim} baselines.

| figure | value |
|---|---|
| reading an epoch of a station, packed | {reading_ms:.3f} ms |
| network, an epoch of a baseline ({satellites_sim:.0f} satellites seen), one pass | {baseline_ms:.2f} ms |
| RINEX text of an epoch | {bytes_text:.0f} bytes |
| the same in Hatanaka's compression and gzip | {bytes_packed:.0f} bytes |

The cost of a baseline holds its filter and integers, and its share of modelling the stations, closing
triangles and forming corrections. A recording that is processed in two passes, as is the
default, costs twice that. The goal is {goal:g} ms for 45 satellites with two bands.

## A day of all stations

Core hours of baselines, reading and starting tasks; cores that would be busy all day, which is what
live processing needs; compressed data. Money assumes {core:g} USD for a core hour and {month:g} USD
for a gigabyte kept for a month (orders of magnitude of rented machines, not an offer).

| interval | ms per baseline and epoch | baselines, core h | reading, core h | tasks, core h | cores | GB | computing, USD | keeping a month, USD |
|---|---|---|---|---|---|---|---|---|
{cost_rows}

What is extrapolated: every baseline costs as much as those measured, all stations record all day, and
cores do not slow each other down. Not counted: receiving streams, decoding them, and vehicles.
"""  # noqa: E501


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--stations", type=int, default=4400)
    parser.add_argument("--seconds", type=float, default=300.0, help="length of the simulation")
    parser.add_argument("--ms-per-baseline", type=float, default=None)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "how-to" / "scale.md")
    given = parser.parse_args()
    measured, plan = measure(given.stations, given.seconds)
    write_text(given.output, report(measured, plan, given.ms_per_baseline))
    print(f"wrote {given.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

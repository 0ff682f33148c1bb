"""network-netherlands-2021-001: five stations 35 to 248 km apart, GPS: their receivers differ.

The coordinates of the headers disagree by up to 13 cm in height between these antennas without
calibrations; the network uses static positions of the whole day relative to ZEGV instead, made by
rtkpos itself along DELF-ZEGV, ROVN-ZEGV, WSRA-ROVN and EIJS-ZEGV.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np

from bench.accuracy.judge import HOUR_NS
from bench.geometry import DUTCH, enu_errors
from rtkpos.io.datasets.folders import dataset_dir
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.network.graph.graph import build_graph
from rtkpos.network.graph.network_graph import GraphLimits
from rtkpos.network.network_config import NetworkConfig
from rtkpos.network.network_engine import NetworkEngine
from rtkpos.network.network_records import StationData
from rtkpos.network.virtual.virtual_base import virtual_base
from rtkpos.processing.epoch import take_epochs
from rtkpos.processing.run import solve
from rtkpos.records.config import RtkConfig, Selection

LINES = (("DELF", "ZEGV"), ("ROVN", "ZEGV"), ("WSRA", "ROVN"), ("EIJS", "ZEGV"))
FIXED = 4
ENOUGH = 50


@cache
def stations() -> tuple[dict[str, StationData], Any]:
    """The stations by name with consistent coordinates, and the ephemerides."""
    folder = dataset_dir(DUTCH)
    nav = read_nav(sorted(folder.glob("*_MN.rnx.gz")))
    truth = json.loads((folder / "truth.json").read_text("utf-8"))["stations"]
    tables = {name: read_obs(folder / f"{name.lower()}0010.21d.gz") for name in truth}
    place = {"ZEGV": np.array(truth["ZEGV"])}
    config = RtkConfig(mode="static", direction="combined", selection=Selection(systems="G"))
    for rover, base in LINES:
        solution = solve(tables[rover], nav, tables[base], place[base], config)
        fixed = solution.status == FIXED
        used = fixed if fixed.sum() > ENOUGH else np.isfinite(solution.ecef_m[:, 0])
        place[rover] = np.median(solution.ecef_m[used], axis=0)
    made = {name: StationData(name=name, table=tables[name], ecef_m=place[name]) for name in place}
    return made, nav


def engine_of(names: tuple[str, ...], passes: int) -> NetworkEngine:
    """A network of some of the stations; its triangles are long and flat."""
    known, nav = stations()
    chosen = [known[name] for name in names]
    limits = GraphLimits(edge_max_m=300e3, angle_min_deg=3.0)
    graph = build_graph(names, np.array([s.ecef_m for s in chosen]), limits)
    config = NetworkConfig(
        selection=Selection(systems="G", elevation_mask_deg=7.0), max_edge_km=300.0, passes=passes
    )
    return NetworkEngine(chosen, graph, nav, config)


def dutch_network() -> list[dict[str, Any]]:
    """Share of integers and closure for two networks, in one pass and in two."""
    found = []
    for names in (("DELF", "ZEGV", "ROVN", "EIJS"), ("DELF", "ZEGV", "ROVN", "EIJS", "WSRA")):
        for passes in (1, 2):
            solution = engine_of(names, passes).solve(n_thread=1)
            found.append(
                {
                    "stations": " ".join(names),
                    "passes": passes,
                    "n_baseline": len(solution.ends),
                    "fixed_share": solution.fixed_share,
                    "closure_agrees": solution.counts["closure_agrees"],
                    "closure_differs": solution.counts["closure_differs"],
                }
            )
    return found


def dutch_rover() -> list[dict[str, Any]]:
    """ZEGV as a rover: with the four others as a network, and with DELF alone (35 km)."""
    known, nav = stations()
    engine = engine_of(("DELF", "ROVN", "EIJS", "WSRA"), 2)
    place = known["ZEGV"].ecef_m
    made = virtual_base(engine, engine.solve(n_thread=1), place)
    bases = {
        "network DELF ROVN EIJS WSRA": (made.table, made.ecef_m),
        "DELF alone": (known["DELF"].table, known["DELF"].ecef_m),
    }
    found = []
    for name, (table, ecef_m) in bases.items():
        for direction in ("forward", "combined"):
            config = RtkConfig(direction=direction, selection=Selection(systems="G"))
            solution = solve(known["ZEGV"].table, nav, table, ecef_m, config)
            row = {"base": name, "mode": f"as moving, {direction}"}
            found.append(row | rover_figures(solution, place))
        found.append({"base": name, "mode": "static, restarted each hour"} | hourly(table, ecef_m))
    return found


def rover_figures(solution: Any, place: np.ndarray) -> dict[str, Any]:
    """Fixed share, first fix, fixes off their own median, errors over all epochs [mm]."""
    error = enu_errors(solution.ecef_m, np.tile(place, (len(solution.ecef_m), 1)))
    fixed = solution.status == FIXED
    off = np.linalg.norm(error - np.median(error[fixed], axis=0), axis=1)
    return {
        "fixed_percent": 100.0 * float(fixed.mean()),
        "first_fix_epoch": int(np.argmax(fixed)),
        "off_median": int(np.sum(fixed & (off > 0.10))),
        "h95_mm": 1e3 * float(np.nanpercentile(np.hypot(error[:, 0], error[:, 1]), 95)),
        "v95_mm": 1e3 * float(np.nanpercentile(np.abs(error[:, 2]), 95)),
    }


def hourly(table: Any, ecef_m: np.ndarray) -> dict[str, Any]:
    """Static solutions restarted each hour: the last fixed epoch of each [mm]."""
    known, nav = stations()
    rover = known["ZEGV"].table
    hour = (rover.time_ns - rover.time_ns[0]) // HOUR_NS
    config = RtkConfig(mode="static", selection=Selection(systems="G"))
    ends = []
    for h in range(int(hour[-1]) + 1):
        piece = take_epochs(rover, np.flatnonzero(hour == h))
        solution = solve(piece, nav, table, ecef_m, config)
        fixed = np.flatnonzero(solution.status == FIXED)
        if len(fixed):
            ends.append(solution.ecef_m[fixed[-1]])
    error = enu_errors(np.array(ends), np.tile(known["ZEGV"].ecef_m, (len(ends), 1)))
    horizontal = np.hypot(error[:, 0], error[:, 1])
    return {
        "hours_fixed": len(ends),
        "h_rms_mm": 1e3 * float(np.sqrt(np.mean(horizontal**2))),
        "h95_mm": 1e3 * float(np.percentile(horizontal, 95)),
        "up_scatter_mm": 1e3 * float(error[:, 2].std()),
    }

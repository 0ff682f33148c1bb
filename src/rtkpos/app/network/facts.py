"""Facts of a network for `rtkpos network`: plain values, ready for JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.app.network.network_session import NetworkSession
from rtkpos.app.solve.network_run import corrections_facts
from rtkpos.app.solve.network_words import rounded
from rtkpos.batch.cost import Cost
from rtkpos.network.graph.cells import CellPlan
from rtkpos.network.graph.location import locate_point
from rtkpos.network.graph.loops import fundamental_loops
from rtkpos.network.graph.network_graph import NetworkGraph
from rtkpos.network.graph.triangulation import smallest_angles
from rtkpos.network.integrity.station_report import StationReport, report_stations
from rtkpos.network.stations.station_list import NetworkStation, StationList
from rtkpos.physics.coordinates import degrees_from_ecef

NOT_CHECKED = "not checked"  # the health of a station nothing was computed for


def network_facts(listed: StationList, graph: NetworkGraph) -> dict[str, Any]:
    """Facts of all: "network", "stations", "baselines", "triangles", "notes"."""
    return {
        "network": _summary(listed, graph),
        "stations": [_station_facts(k, one, graph) for k, one in enumerate(listed.stations)],
        "baselines": baseline_facts(graph),
        "triangles": _triangle_facts(graph),
        "notes": [*listed.notes, *graph.notes],
    }


def _summary(listed: StationList, graph: NetworkGraph) -> dict[str, Any]:
    """Counts and lengths."""
    return {
        "source": listed.source,
        "stations": graph.n_station,
        "baselines": len(graph.edges),
        "tree_baselines": int(graph.in_tree.sum()),
        "triangles": len(graph.triangles),
        "loops": fundamental_loops(graph).n_loop,
        "parts": int(graph.component.max()) + 1,
        "frame": listed.frame or None,
        "epoch_year": _known(listed.epoch_year),
        "baseline_km": length_facts(graph.length_m),
    }


def length_facts(length_m: FloatArray) -> dict[str, float] | None:
    """Shortest, median and longest of lengths, in km; None without any."""
    if not len(length_m):
        return None
    values = {"min": length_m.min(), "median": np.median(length_m), "max": length_m.max()}
    return {name: round(float(value) / 1e3, 2) for name, value in values.items()}


def _station_facts(k: int, station: NetworkStation, graph: NetworkGraph) -> dict[str, Any]:
    """One station."""
    lat, lon, height = (float(value) for value in degrees_from_ecef(station.ecef_m))
    beside = graph.neighbours(k)
    length_m = graph.length_m[graph.edges_at(k)]
    nearest = int(np.argmin(length_m)) if len(beside) else -1
    return {
        "name": station.name,
        "lat_deg": round(lat, 9),
        "lon_deg": round(lon, 9),
        "height_m": round(height, 4),
        "from_header": station.from_header,
        "files": [str(path) for path in station.files],
        "interval_s": _known(station.interval_s),
        "antenna": station.antenna or None,
        "baselines": len(beside),
        "nearest": graph.names[beside[nearest]] if nearest >= 0 else None,
        "nearest_km": round(float(length_m[nearest]) / 1e3, 2) if nearest >= 0 else None,
        "part": int(graph.component[k]) + 1,
        "beside": graph.names[graph.twin_of[k]] if graph.twin_of[k] >= 0 else None,
        "health": NOT_CHECKED,
    }


def baseline_facts(graph: NetworkGraph) -> list[dict[str, Any]]:
    """Every baseline: its stations, its length, whether the spanning tree has it."""
    return [
        {
            "from": graph.names[a],
            "to": graph.names[b],
            "km": round(float(graph.length_m[k]) / 1e3, 3),
            "in_tree": bool(graph.in_tree[k]),
        }
        for k, (a, b) in enumerate(graph.edges.tolist())
    ]


def _triangle_facts(graph: NetworkGraph) -> list[dict[str, Any]]:
    """Every triangle: its corners, smallest angle, longest side."""
    side_m = graph.length_m[graph.triangle_edges].reshape(-1, 3)
    angle = np.degrees(smallest_angles(side_m))
    return [
        {
            "corners": [graph.names[k] for k in corners],
            "smallest_angle_deg": round(float(angle[number]), 1),
            "longest_km": round(float(side_m[number].max()) / 1e3, 2),
        }
        for number, corners in enumerate(graph.triangles.tolist())
    ]


def point_facts(graph: NetworkGraph, ecef_m: FloatArray) -> dict[str, Any]:
    """Where a point stands in the network."""
    place = locate_point(graph, ecef_m, n_nearest=3)
    lat, lon, height = (float(value) for value in degrees_from_ecef(ecef_m))
    corners = graph.triangles[place.triangle].tolist() if place.is_inside else []
    return {
        "lat_deg": round(lat, 9),
        "lon_deg": round(lon, 9),
        "height_m": round(height, 4),
        "inside": place.is_inside,
        "triangle": [graph.names[k] for k in corners] or None,
        "outside_km": round(place.outside_m / 1e3, 2),
        "nearest": [
            {"name": graph.names[k], "km": round(float(metres) / 1e3, 2)}
            for k, metres in zip(place.nearest.tolist(), place.distance_m, strict=True)
        ],
    }


def add_session_facts(facts: dict[str, Any], session: NetworkSession) -> None:
    """Add what a solved network says to the facts of its list.

    "solved" : counts and shares      "faults" : stations left out or unhealthy, a sentence each
    Each station that was read gets its epochs, integers, residuals and health.
    """
    reports = station_reports(session)
    for station in facts["stations"]:
        station.update(reports.get(station["name"], {}))
    facts["solved"] = corrections_facts(session.solved)
    facts["faults"] = [*session.inputs.left_out, *unhealthy_lines(reports.values())]
    facts["notes"] += [*session.inputs.notes, *session.warnings]


def station_reports(session: NetworkSession) -> dict[str, dict[str, Any]]:
    """What a solved network says of its stations, by name."""
    corrections = session.solved.corrections
    reports = () if corrections is None else report_stations(corrections, session.nav)
    return {one.name: _report_facts(one) for one in reports}


def _report_facts(report: StationReport) -> dict[str, Any]:
    """What a solved network says of a station."""
    health = report.health
    return {
        "name": report.name,
        "epochs": report.n_epoch,
        "satellites": rounded(report.n_sat, 1),
        "fixed_share": rounded(report.fixed_share, 4),
        "lost_integers": report.n_lost,
        "nondispersive_mm": rounded(1e3 * report.nondispersive_m, 1),
        "dispersive_mm": rounded(1e3 * report.dispersive_m, 1),
        "health": NOT_CHECKED if health is None else health.verdict.value,
        "excluded": health is not None and health.excluded,
        "offset_enu_mm": None
        if health is None
        else [rounded(1e3 * v, 1) for v in health.offset_enu_m],
    }


def unhealthy_lines(stations: Iterable[dict[str, Any]]) -> list[str]:
    """A sentence about each station that contradicts the others."""
    found = []
    for one in stations:
        if one["excluded"]:
            east, north, up = (f"{v:.0f}" for v in one["offset_enu_mm"])
            found.append(
                f"{one['name']} contradicts the others ({one['health']}): {east}, {north}, {up} mm "
                "east, north, up from where they see it."
            )
    return found


def plan_facts(plan: CellPlan, cost: Cost) -> dict[str, Any]:
    """Facts of a plan: "network", "cells", "cost"."""
    graph = plan.graph
    return {
        "network": {
            "stations": graph.n_station,
            "baselines": len(graph.edges),
            "triangles": len(graph.triangles),
            "parts": int(graph.component.max()) + 1,
            "cells": plan.n_cell,
            "crossing_baselines": plan.n_crossing(),
            "baseline_km": length_facts(graph.length_m),
        },
        "cells": [_cell_facts(plan, cell) for cell in range(plan.n_cell)],
        "cost": {
            "seconds": cost.seconds,
            "tasks": cost.n_task,
            "core_hours": round(cost.core_s / 3600.0, 2),
            "cores": round(cost.cores, 2),
            "gigabytes": round(cost.data_bytes / 1e9, 2),
        },
        "notes": list(graph.notes),
    }


def _cell_facts(plan: CellPlan, cell: int) -> dict[str, Any]:
    """One cell: its stations, ring, baselines, where it is and how wide."""
    core = plan.core(cell)
    middle = plan.graph.ecef_m[core].mean(axis=0)
    lat, lon, _ = (float(value) for value in degrees_from_ecef(middle))
    reach_m = np.linalg.norm(plan.graph.ecef_m[core] - middle, axis=1).max()
    edges = plan.edges(cell)
    return {
        "cell": cell,
        "stations": len(core),
        "ring": len(plan.ring(cell)),
        "baselines": len(edges),
        "triangles": int((plan.triangle_cell == cell).sum()),
        "lat_deg": round(lat, 3),
        "lon_deg": round(lon, 3),
        "reach_km": round(float(reach_m) / 1e3, 1),
        "names": [plan.graph.names[k] for k in core],
    }


def _known(value: float) -> float | None:
    """A number, None where it is not known."""
    return None if math.isnan(value) else value

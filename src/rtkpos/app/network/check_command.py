"""`rtkpos network check` and `plan`: what a list of stations makes, before anything is computed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rtkpos._arrays import FloatArray
from rtkpos.app.command_line.exit_codes import EXIT_PARTIAL
from rtkpos.app.command_line.screen import say
from rtkpos.app.network.facts import (
    add_session_facts,
    network_facts,
    plan_facts,
    point_facts,
)
from rtkpos.app.network.map import network_geojson, network_picture
from rtkpos.app.network.network_session import SessionRequest, open_session
from rtkpos.app.network.text import check_lines, plan_lines
from rtkpos.batch.cost import CostRates, network_cost
from rtkpos.errors import ConfigError, InputError, quoted
from rtkpos.io.text.atomic import check_outputs, write_bytes, write_text
from rtkpos.network.graph.cells import CELL_SIZE, plan_cells
from rtkpos.network.graph.graph import build_graph
from rtkpos.network.graph.network_graph import NetworkGraph
from rtkpos.network.stations.station_list import StationList, limits_of, read_stations
from rtkpos.physics.coordinates import point_from_degrees
from rtkpos.simulate.scenario.country import country_stations

_MAX_HOURS = 24.0 * 366.0


@dataclass(frozen=True, kw_only=True)
class MapRequest:
    """Where maps go, and what makes a baseline; None = not asked for, or as the list says."""

    picture: Path | None = None
    geojson: Path | None = None
    edge_max_km: float | None = None
    angle_min_deg: float | None = None
    as_json: bool = False

    @property
    def outputs(self) -> tuple[Path | None, ...]:
        """The files that are asked for."""
        return self.picture, self.geojson


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """What is to be planned: the list of stations or their number, and the rates of the cost."""

    stations: Path | None = None
    n_station: int | None = None
    seed: int
    cell_size: int = CELL_SIZE
    hours: float
    interval_s: float
    ms_per_baseline_epoch: float | None = None


def run_network_check(
    stations: Path,
    at: tuple[float, float, float] | None,
    request: MapRequest,
    session_request: SessionRequest | None = None,
) -> int:
    """Show the stations of a list, their baselines and triangles, and draw the map.

    session_request : solve the network as well, None = only the list
    The exit code is 4 when a station was left out or is named unhealthy.
    """
    _check_outputs(request)
    point = None if at is None else point_of(at)
    listed = read_stations(stations)
    check_outputs(request.outputs, (stations, *_files_of(listed)))
    limits = limits_of(request.edge_max_km, request.angle_min_deg, base=listed.limits)
    graph = build_graph(listed.names, listed.ecef_m, limits)
    facts = network_facts(listed, graph)
    if point is not None:
        facts["point"] = point_facts(graph, point)
    if session_request is not None:
        add_session_facts(facts, open_session(session_request, request.outputs))
    _show(facts, [] if request.as_json else check_lines(facts))
    _write_maps(request, graph)
    return EXIT_PARTIAL if facts.get("faults") else 0


def run_network_plan(plan_of: PlanRequest, request: MapRequest) -> int:
    """Show the cells of a network and what they cost."""
    _check_outputs(request)
    for name, value, high in (("--hours", plan_of.hours, _MAX_HOURS),
                              ("--interval", plan_of.interval_s, 3600.0)):  # fmt: skip
        if not 0.0 < value <= high:
            raise ConfigError(f"{name} must lie between 0 and {high:g}; got {quoted(value)}.")
    started = time.perf_counter()
    graph = _graph_to_plan(plan_of, request)
    plan = plan_cells(graph, plan_of.cell_size)
    taken_s = time.perf_counter() - started
    cost = network_cost(
        plan,
        _rates(plan_of),
        seconds=3600.0 * plan_of.hours,
        interval_s=plan_of.interval_s,
    )
    facts = plan_facts(plan, cost)
    _show(facts, [] if request.as_json else plan_lines(facts))
    if not request.as_json:
        say(f"graph and cells after {taken_s:.2f} s")
    _write_maps(request, graph, plan.cell_of)
    return 0


def _graph_to_plan(plan_of: PlanRequest, request: MapRequest) -> NetworkGraph:
    """The graph of a list, or of a country with so many stations."""
    if (plan_of.stations is None) == (plan_of.n_station is None):
        raise ConfigError("give a list of stations or --stations N, one of them.")
    if plan_of.stations is not None:
        listed = read_stations(plan_of.stations)
        check_outputs(request.outputs, (plan_of.stations, *_files_of(listed)))
        limits = limits_of(request.edge_max_km, request.angle_min_deg, base=listed.limits)
        return build_graph(listed.names, listed.ecef_m, limits)
    names, ecef_m = country_stations(plan_of.n_station or 0, plan_of.seed)
    return build_graph(names, ecef_m, limits_of(request.edge_max_km, request.angle_min_deg))


def _rates(plan_of: PlanRequest) -> CostRates:
    """The rates, with the one for a baseline replaced."""
    given = plan_of.ms_per_baseline_epoch
    if given is None:
        return CostRates()
    if not 0.0 < given <= 1e4:
        raise ConfigError(f"--ms-per-baseline must lie between 0 and 10000; got {quoted(given)}.")
    return CostRates(ms_per_baseline_epoch=given)


def point_of(at: tuple[float, float, float]) -> FloatArray:
    """ECEF (3,) [m] of --at."""
    lat, lon, height = at
    if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 360.0 and -1000.0 <= height <= 20_000.0):
        raise ConfigError(
            f"--at {lat:g} {lon:g} {height:g} is out of range; wanted latitude -90..90, longitude "
            "-180..360 in degrees and the ellipsoidal height in metres."
        )
    return point_from_degrees(lat, lon, height)


def _check_outputs(request: MapRequest) -> None:
    """Fail before the work when a map could not be written."""
    if request.picture and request.picture.suffix.lower() != ".png":
        raise InputError(f"--map {request.picture} must end in .png; for other maps use --geojson.")
    check_outputs(request.outputs)


def _files_of(listed: StationList) -> Iterator[Path]:
    """The recordings of a list."""
    return (path for one in listed.stations for path in one.files)


def _show(facts: dict[str, Any], lines: list[str]) -> None:
    """Lines, or the facts as JSON when there are none, on stdout."""
    text = "\n".join(lines) if lines else json.dumps(facts, indent=1, allow_nan=False)
    sys.stdout.write(text + "\n")


def _write_maps(request: MapRequest, graph: NetworkGraph, cell_of: Any = None) -> None:
    """The maps that were asked for."""
    if request.geojson is not None:
        write_text(request.geojson, network_geojson(graph))
    if request.picture is not None:
        write_bytes(request.picture, network_picture(graph, cell_of))

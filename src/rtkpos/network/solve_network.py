"""A rover among reference stations: network, virtual base that goes with it, and the solution."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.errors import ConfigError, InputError
from rtkpos.network.config import NetworkConfig
from rtkpos.network.graph import GraphLimits, NetworkGraph, build_graph
from rtkpos.network.locate import locate_point
from rtkpos.network.run import NetworkEngine, NetworkSolution, StationData
from rtkpos.network.virtual_base import VirtualBase, virtual_base
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.config import RtkConfig
from rtkpos.records.observations import ObsTable
from rtkpos.records.solution import Solution
from rtkpos.solve.run import solve

NETWORK_MODES = ("dgnss", "kinematic", "static")
OUTSIDE_TOLD_M = 1e3  # a point so far outside of the stations is told
OUTSIDE_MAX_M = 50e3  # and beyond this nothing is extrapolated
EXACT_TOLERANCE_NS = 20_000_000  # of an epoch of the rover and one of the network


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkSolve:
    """A rover solved in a network. `network`, `base` are None where the nearest station served.

    notes : what the user should know, each a sentence
    """

    solution: Solution
    corrections: NetworkSolution | None
    base: VirtualBase | None
    notes: tuple[str, ...]


def solve_in_network(
    rover: ObsTable,
    nav: BroadcastTable,
    stations: Sequence[StationData],
    config: RtkConfig | None = None,
    network: NetworkConfig | None = None,
    on_epoch: Callable[[int, int], Any] | None = None,
) -> NetworkSolve:
    """Solve a rover with a virtual base made from several reference stations.

    stations : two or more with coordinates in one frame      nav : broadcast ephemerides
    config : of the rover      network : of the stations; None = the rover's systems and bands
    on_epoch : called as on_epoch(done, total) over the epochs of the network
    The virtual base stands at the middle of the rover's way and has the atmosphere of where the
    rover is. Where the network cannot serve (one station, none in reach of another, the rover more
    than 50 km outside, no common signals), the nearest station serves as base and a note says why.
    Raises InputError for a rover without epochs or positions, ConfigError for a mode without a
    base that stands still.
    """
    config = config or RtkConfig()
    _check(config, rover, stations)
    network = network or NetworkConfig.for_rover(config)
    path = solve(rover, nav, config=dataclasses.replace(config, mode="single")).ecef_m
    if not np.isfinite(path).any():
        raise InputError("the rover has no code position, so its place in the network is unknown.")
    place = np.asarray(np.nanmedian(path, axis=0))
    graph, why = _graph(stations, network, place)
    if graph is None:
        return _with_nearest(rover, nav, stations, config, place, why)
    try:
        net = NetworkEngine(stations, graph, nav, network)
    except InputError as error:
        return _with_nearest(rover, nav, stations, config, place, str(error))
    corrections = net.solve(on_epoch)
    base = virtual_base(net, corrections, place, _at(corrections, rover, path))
    solution = solve(rover, nav, base.table, base.ecef_m, config)
    notes = (*_notes(corrections, base, graph, place), *net.report.warnings)
    solution = dataclasses.replace(solution, notes=solution.notes + notes)
    return NetworkSolve(solution=solution, corrections=corrections, base=base, notes=notes)


def _check(config: RtkConfig, rover: ObsTable, stations: Sequence[StationData]) -> None:
    """Raise for what no network can do."""
    if config.mode not in NETWORK_MODES:
        raise ConfigError(
            f"mode {config.mode} has no use for a network of bases; "
            f"use one of {', '.join(NETWORK_MODES)}."
        )
    if rover.n_epoch == 0:
        raise InputError("the rover has no epochs; give an observation file with data.")
    if not stations:
        raise InputError("no base is given; give two or more reference stations.")


def _graph(
    stations: Sequence[StationData], network: NetworkConfig, place: FloatArray
) -> tuple[NetworkGraph | None, str]:
    """The graph of the stations, or why there is none that serves a place."""
    if len(stations) < 2:
        return None, "there is only one base."
    limits = GraphLimits(edge_max_m=network.max_edge_km * 1e3)
    graph = build_graph([s.name for s in stations], np.array([s.ecef_m for s in stations]), limits)
    if not len(graph.edges):
        return None, f"no two bases are within {network.max_edge_km:g} km of each other."
    outside_m = locate_point(graph, place).outside_m
    if outside_m > OUTSIDE_MAX_M:
        return None, f"the rover is {outside_m / 1e3:.0f} km outside of the bases."
    return graph, ""


def _with_nearest(
    rover: ObsTable,
    nav: BroadcastTable,
    stations: Sequence[StationData],
    config: RtkConfig,
    place: FloatArray,
    why: str,
) -> NetworkSolve:
    """The rover with its nearest station as base, and a note."""
    apart_m = [float(np.linalg.norm(s.ecef_m - place)) for s in stations]
    nearest = stations[int(np.argmin(apart_m))]
    note = (
        f"no network: {why} The nearest base, {nearest.name} at {min(apart_m) / 1e3:.1f} km, "
        "serves alone."
    )
    solution = solve(rover, nav, nearest.table, nearest.ecef_m, config)
    solution = dataclasses.replace(solution, notes=(*solution.notes, note))
    return NetworkSolve(solution=solution, corrections=None, base=None, notes=(note,))


def _at(corrections: NetworkSolution, rover: ObsTable, path: FloatArray) -> FloatArray:
    """The rover's places (T, 3) at the epochs of the network; NaN where it has none."""
    out = np.full((len(corrections.time_ns), 3), np.nan)
    index = np.searchsorted(rover.time_ns, corrections.time_ns + EXACT_TOLERANCE_NS, "right") - 1
    known = index >= 0
    out[known] = path[index[known]]
    return out


def _notes(
    corrections: NetworkSolution, base: VirtualBase, graph: NetworkGraph, place: FloatArray
) -> tuple[str, ...]:
    """What was made of the network, and what falls short."""
    notes = [
        f"virtual base from {len(base.stations)} of {len(corrections.names)} stations "
        f"({', '.join(base.stations[:4])}{', ...' if len(base.stations) > 4 else ''}; master "
        f"{base.master}), {100.0 * corrections.fixed_share:.1f} % of the satellite-epochs between "
        "them above 15 degrees have their integers"
    ]
    outside_m = locate_point(graph, place).outside_m
    if outside_m > OUTSIDE_TOLD_M:
        notes.append(
            f"the rover is {outside_m / 1e3:.1f} km outside of the stations: corrections are "
            "carried beyond them and less certain"
        )
    if base.n_uncorrected:
        notes.append(
            f"{base.n_uncorrected} of {len(corrections.time_ns)} epochs have corrections of too "
            f"few satellites: there {base.master} serves like a single base"
        )
    silent = [n for k, n in enumerate(corrections.names) if not corrections.is_fixed[:, k].any()]
    if silent:
        notes.append(f"without any integer, and so not used: {', '.join(silent)}")
    return tuple(notes)

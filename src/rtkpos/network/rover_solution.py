"""A rover among reference stations: network, virtual base that goes with it, and the solution."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.errors import ConfigError, InputError, check_sequence, check_type
from rtkpos.io.given_files import Navigation, Observations, nav_table, obs_table
from rtkpos.io.run_history import changed_settings, table_inputs
from rtkpos.network.graph.graph import build_graph
from rtkpos.network.graph.location import locate_point
from rtkpos.network.graph.network_graph import GraphLimits, NetworkGraph
from rtkpos.network.network_config import NetworkConfig
from rtkpos.network.network_engine import NetworkEngine
from rtkpos.network.network_records import NetworkSolution, StationData
from rtkpos.network.virtual.virtual_base import VirtualBase, virtual_base
from rtkpos.processing.run import solve
from rtkpos.processing.settings import config_of
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.config import RtkConfig
from rtkpos.records.history import History
from rtkpos.records.observations import ObsTable
from rtkpos.records.solution import Solution

NETWORK_MODES = ("dgnss", "kinematic", "static")
OUTSIDE_TOLD_M = 1e3  # a point so far outside of the stations is told
OUTSIDE_MAX_M = 50e3  # and beyond this nothing is extrapolated
EXACT_TOLERANCE_NS = 20_000_000  # of an epoch of the rover and one of the network


@dataclass(frozen=True, kw_only=True, eq=False)
class SolvedNetwork:
    """Reference stations and, where they make a network, what was computed of it.

    Parameters
    ----------
    stations : tuple of StationData
        The stations.
    graph : NetworkGraph, optional
        The baselines; None where there is no network.
    engine : NetworkEngine, optional
        What computed the corrections; None where there is no network.
    corrections : NetworkSolution, optional
        Corrections of the stations; None where there is no network.
    why : str, optional
        Why there is no network.
    """

    stations: tuple[StationData, ...]
    graph: NetworkGraph | None = None
    engine: NetworkEngine | None = None
    corrections: NetworkSolution | None = None
    why: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkSolve:
    """A rover solved in a network. `corrections`, `base` are None where the nearest station served.

    Parameters
    ----------
    solution : Solution
        Positions of the rover.
    corrections : NetworkSolution or None
        Corrections of the stations.
    base : VirtualBase or None
        The virtual base.
    station : StationData
        Master of the virtual base, or the nearest station.
    outside_m : float
        How far the rover is outside of the stations [m], 0 inside, NaN without a network.
    notes : tuple of str
        What the user should know, each a sentence.
    """

    solution: Solution
    corrections: NetworkSolution | None
    base: VirtualBase | None
    station: StationData
    outside_m: float
    notes: tuple[str, ...]


def solve_in_network(
    rover: Observations,
    nav: Navigation,
    stations: Sequence[StationData],
    config: RtkConfig | None = None,
    network: NetworkConfig | None = None,
    on_epoch: Callable[[int, int], Any] | None = None,
) -> NetworkSolve:
    """Solve a rover with a virtual base made from several reference stations.

    The virtual base stands at the middle of the rover's way and has the atmosphere of where the
    rover is. Where the network cannot serve (one station, none in reach of another, the rover more
    than 50 km outside, no common signals), the nearest station serves as base and a note says why.

    Parameters
    ----------
    rover : ObsTable, path, bytes, or list of them
        Observations of the rover.
    nav : BroadcastTable, path, bytes, or list of them
        Broadcast ephemerides.
    stations : sequence of StationData
        Two or more reference stations with coordinates in one frame.
    config : RtkConfig, optional
        Configuration of the rover.
    network : NetworkConfig, optional
        Configuration of the stations; by default the rover's systems and bands.
    on_epoch : callable, optional
        Called as on_epoch(done, total) over the epochs of the network.

    Returns
    -------
    NetworkSolve
        The solution, and what was made of the network.

    Raises
    ------
    InputError
        The rover has no epochs or no positions.
    ConfigError
        The mode has no base that stands still.
    """
    config = config_of(config)
    rover, nav = obs_table(rover, "rover"), nav_table(nav)
    check_type(network, NetworkConfig, "network", ConfigError, optional=True)
    check_sequence(stations, StationData, "bases")
    _check(config, rover, stations)
    network = network or NetworkConfig.for_rover(config)
    path = _code_path(rover, nav, config)
    graph, why = network_graph(stations, network)
    if graph is not None:
        why = _too_far(graph, _middle(path))
    if why:
        solved = SolvedNetwork(stations=tuple(stations), why=why)
    else:
        solved = solve_network(stations, nav, network, graph, on_epoch)
    return _in_solved(rover, nav, solved, config, path)


def solve_network(
    stations: Sequence[StationData],
    nav: Navigation,
    network: NetworkConfig,
    graph: NetworkGraph | None = None,
    on_epoch: Callable[[int, int], Any] | None = None,
) -> SolvedNetwork:
    """The corrections of reference stations, for any number of rovers: see `solve_rover`.

    Parameters
    ----------
    stations : sequence of StationData
        Two or more reference stations with coordinates in one frame.
    nav : BroadcastTable, path, bytes, or list of them
        Broadcast ephemerides.
    network : NetworkConfig
        Configuration of the stations.
    graph : NetworkGraph, optional
        None = as the configuration says.
    on_epoch : callable, optional
        Called as on_epoch(done, total).

    Returns
    -------
    SolvedNetwork
        Stations and corrections, or why there are none.
    """
    known, nav = tuple(stations), nav_table(nav)
    why = ""
    if graph is None:
        graph, why = network_graph(stations, network)
    if graph is None:
        return SolvedNetwork(stations=known, why=why)
    try:
        engine = NetworkEngine(stations, graph, nav, network)
    except InputError as error:
        return SolvedNetwork(stations=known, why=str(error))
    if not len(engine.time_ns):
        return SolvedNetwork(stations=known, why="no two bases have epochs at the same time.")
    corrections = engine.solve(on_epoch)
    return SolvedNetwork(stations=known, graph=graph, engine=engine, corrections=corrections)


def solve_rover(
    rover: Observations,
    nav: Navigation,
    solved: SolvedNetwork,
    config: RtkConfig,
    without: tuple[str, ...] = (),
) -> NetworkSolve:
    """Solve a rover in a network whose corrections are known; otherwise as `solve_in_network`.

    Parameters
    ----------
    rover : ObsTable, path, bytes, or list of them
        Observations of the rover.
    nav : BroadcastTable, path, bytes, or list of them
        Broadcast ephemerides.
    solved : SolvedNetwork
        The network, from `solve_network`.
    config : RtkConfig
        Configuration.
    without : tuple of str, optional
        Stations whose corrections are not to be used for it.

    Returns
    -------
    NetworkSolve
        The solution, and what was made of the network.
    """
    rover, nav = obs_table(rover, "rover"), nav_table(nav)
    _check(config, rover, solved.stations)
    return _in_solved(rover, nav, solved, config, _code_path(rover, nav, config), without)


def _in_solved(
    rover: ObsTable,
    nav: BroadcastTable,
    solved: SolvedNetwork,
    config: RtkConfig,
    path: FloatArray,
    without: tuple[str, ...] = (),
) -> NetworkSolve:
    """The rover with a virtual base, or with its nearest station where there is no network."""
    place, why = _middle(path), solved.why
    others = [one for one in solved.stations if one.name not in without]
    graph, engine, corrections = solved.graph, solved.engine, solved.corrections
    if graph is None or engine is None or corrections is None:
        return _with_nearest(rover, nav, others, config, place, why)
    try:
        why = _too_far(graph, place)
        base = None
        if not why:
            at = _at(corrections, rover, path)
            base = virtual_base(engine, corrections, place, at, without)
    except InputError as error:
        base, why = None, str(error)
    if base is None:
        return _with_nearest(rover, nav, others, config, place, why)
    solution = solve(rover, nav, base.table, base.ecef_m, config)
    notes = (*_notes(corrections, base, graph, place), *engine.report.warnings)
    return NetworkSolve(
        solution=dataclasses.replace(
            solution,
            notes=solution.notes + notes,
            history=_with_stations(solution.history, others, corrections.config),
        ),
        corrections=corrections,
        base=base,
        station=next(one for one in others if one.name == base.master),
        outside_m=locate_point(graph, place).outside_m,
        notes=notes,
    )


def _with_stations(
    history: History, stations: Sequence[StationData], network: NetworkConfig
) -> History:
    """The history of a rover with the files of its stations and the settings of the network."""
    files = [table_inputs(f"station {one.name}", one.table) for one in stations]
    added = changed_settings(network, "network.")
    return dataclasses.replace(
        history,
        inputs=history.inputs + tuple(itertools.chain(*files)),
        settings=history.settings | added,
    )


def _code_path(rover: ObsTable, nav: BroadcastTable, config: RtkConfig) -> FloatArray:
    """Code positions (n_epoch, 3) of a rover [m]; InputError without any."""
    path = solve(rover, nav, config=dataclasses.replace(config, mode="single")).ecef_m
    if not np.isfinite(path).any():
        raise InputError("the rover has no code position, so its place in the network is unknown.")
    return path


def _middle(path: FloatArray) -> FloatArray:
    """The median (3,) of a path with gaps."""
    return np.asarray(np.nanmedian(path, axis=0))


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


def network_graph(
    stations: Sequence[StationData], network: NetworkConfig, limits: GraphLimits | None = None
) -> tuple[NetworkGraph | None, str]:
    """The graph of the stations, or None and why they make no network.

    limits : of the graph; None = as the configuration says
    """
    if len(stations) < 2:
        return None, "there is only one base."
    limits = limits or GraphLimits(edge_max_m=network.max_edge_km * 1e3)
    graph = build_graph([s.name for s in stations], np.array([s.ecef_m for s in stations]), limits)
    if not len(graph.edges):
        return None, f"no two bases are within {limits.edge_max_m / 1e3:g} km of each other."
    return graph, ""


def _too_far(graph: NetworkGraph, place: FloatArray) -> str:
    """Why a network does not serve a place, "" where it does."""
    outside_m = locate_point(graph, place).outside_m
    if outside_m > OUTSIDE_MAX_M:
        return f"the rover is {outside_m / 1e3:.0f} km outside of the bases."
    return ""


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
    return NetworkSolve(
        solution=solution,
        corrections=None,
        base=None,
        station=nearest,
        outside_m=float("nan"),
        notes=(note,),
    )


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

"""A network from a list of stations: read and solved once, for `check`, `vrs` and `solve`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rtkpos.app.command_line.first_run import announce_compilation, announce_network_compilation
from rtkpos.app.command_line.progress import ProgressBar
from rtkpos.app.solve.bases import NetworkPlan, with_files
from rtkpos.app.solve.inputs import input_files
from rtkpos.app.solve.network_inputs import NetworkInputs, check_coordinates, read_network
from rtkpos.app.solve.network_run import network_config
from rtkpos.app.solve.request import SolveRequest, build_config
from rtkpos.batch.shared_tables import SharedTables
from rtkpos.constants import NS_PER_S
from rtkpos.errors import ConfigError, InputError
from rtkpos.io.text.atomic import check_outputs
from rtkpos.network.graph.network_graph import GraphLimits, NetworkGraph
from rtkpos.network.network_records import StationData
from rtkpos.network.rover_solution import SolvedNetwork, network_graph, solve_network
from rtkpos.network.stations.station_list import StationList, limits_of, read_stations
from rtkpos.processing.epoch import take_epochs
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.config import RtkConfig


@dataclass(frozen=True, kw_only=True)
class SessionRequest:
    """What is to be solved: the list, the ephemerides, and how.

    options : of the configuration, as in SolveRequest      hours : from the first epoch, None = all
    """

    stations: Path
    nav: tuple[Path, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    config: Path | None = None
    hours: float | None = None
    edge_max_km: float | None = None
    angle_min_deg: float | None = None
    strict: bool = False
    quiet: bool = False

    def of_rover(self, *rover: Path, **more: Any) -> SolveRequest:
        """The same as a request of `rtkpos solve`."""
        return SolveRequest(
            rover=rover,
            nav=self.nav,
            stations=self.stations,
            options=self.options,
            config=self.config,
            strict=self.strict,
            quiet=self.quiet,
            **more,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkSession:
    """A network that has been read and solved.

    config : of a rover in it      hours : of the data, None = all      graph : of all that was read
    """

    listed: StationList
    config: RtkConfig
    inputs: NetworkInputs
    nav: BroadcastTable
    graph: NetworkGraph
    solved: SolvedNetwork
    hours: float | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What may spoil the results, each a sentence."""
        found = [*self.inputs.left_out, *self.inputs.warnings]
        if self.solved.engine is not None:
            found += self.solved.engine.report.warnings
        return tuple(found)


def open_session(
    request: SessionRequest,
    outputs: Iterable[Path | None] = (),
    also_read: Iterable[Path | None] = (),
) -> NetworkSession:
    """Read a list of stations and their recordings and solve the network, with progress.

    outputs, also_read : files the command writes, and reads besides; checked before the work
    InputError where the stations make no network, besides what the readers raise.
    """
    if not request.nav:
        raise ConfigError("no navigation file was given; add --nav NAV with broadcast ephemerides.")
    if request.hours is not None and not 0.0 < request.hours <= 24.0 * 366.0:
        raise ConfigError(f"--hours must lie between 0 and 8784; got {request.hours!r}.")
    config = build_config(request.of_rover())
    network = network_config(config, request.config)
    listed = read_stations(request.stations)
    plan = _plan(listed)
    check_outputs(outputs, (*input_files(request.of_rover(), config, plan), *also_read))
    announce_compilation(quiet=request.quiet)
    tables = SharedTables(())
    inputs = read_network(plan, tables, strict=request.strict)
    nav = tables.nav(list(request.nav), strict=request.strict)
    if not nav.n_ephemeris:
        raise InputError(f"no usable ephemeris was found in {request.nav[0]}.")
    inputs = dataclasses.replace(inputs, stations=_cut(inputs.stations, request.hours))
    inputs = check_coordinates(inputs, nav, force=config.base.force)
    graph, why = network_graph(inputs.stations, network, _limits(request, listed))
    if graph is None:
        raise InputError(f"{request.stations} makes no network: {why}")
    announce_network_compilation(quiet=request.quiet)
    with ProgressBar("network", quiet=request.quiet) as bar:
        solved = solve_network(inputs.stations, nav, network, graph, bar.on_epoch)
    if solved.corrections is None:
        raise InputError(f"{request.stations} makes no network: {solved.why}")
    return NetworkSession(
        listed=listed,
        config=config,
        inputs=inputs,
        nav=nav,
        graph=graph,
        solved=solved,
        hours=request.hours,
    )


def _plan(listed: StationList) -> NetworkPlan:
    """The stations of a list that have files."""
    stations, notes = with_files(listed)
    return NetworkPlan(stations=stations, notes=notes)


def _limits(request: SessionRequest, listed: StationList) -> GraphLimits | None:
    """The limits of the graph from the options or the list; None where neither says anything."""
    limits = limits_of(request.edge_max_km, request.angle_min_deg, base=listed.limits)
    return None if limits == GraphLimits() else limits


def _cut(stations: Sequence[StationData], hours: float | None) -> tuple[StationData, ...]:
    """The first hours of the stations, counted from the first epoch of any."""
    if hours is None:
        return tuple(stations)
    start_ns = min(int(one.table.time_ns[0]) for one in stations)
    end_ns = start_ns + round(hours * 3600.0 * NS_PER_S)
    kept = []
    for one in stations:
        index = np.flatnonzero(one.table.time_ns < end_ns)
        if len(index):
            kept.append(dataclasses.replace(one, table=take_epochs(one.table, index)))
    return tuple(kept)

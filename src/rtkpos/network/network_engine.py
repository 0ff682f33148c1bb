"""A network over time: all stations' epochs through the compiled steps, corrections kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

import numpy as np

from rtkpos._arrays import IndexArray, TimeArray, record_of
from rtkpos._numba.processes import n_usable_cpu
from rtkpos.constants import NS_PER_S
from rtkpos.errors import ConfigError, InputError, check_sequence, check_type
from rtkpos.gnss.systems import N_SAT, N_SYSTEM
from rtkpos.io.given_files import Navigation, nav_table
from rtkpos.network.ambiguity.arcs import is_log_full, known_arcs, log_open_arcs
from rtkpos.network.corrections.filter import CorrectionSettings
from rtkpos.network.graph.closure_order import closure_order
from rtkpos.network.graph.network_graph import NetworkGraph
from rtkpos.network.network_config import NetworkConfig
from rtkpos.network.network_epoch import finish_epoch, model_stations, step_edges
from rtkpos.network.network_memory import (
    NETWORK_COUNTERS,
    WITHOUT_DATUM,
    EdgePlan,
    NetworkMemory,
    corrections_memory,
    edge_memory,
    no_known_arcs,
    station_memory,
)
from rtkpos.network.network_records import NetworkSolution, StationData
from rtkpos.network.stations.signals import joint_observations, network_bands, one_code_per_band
from rtkpos.prepare.alignment import measure_alignment
from rtkpos.prepare.pairing import N_SLOT, PairingPlan, known_channels, plan_of_bands, receiver_type
from rtkpos.processing.epoch import kernel_view, within_limits
from rtkpos.processing.run_antennas import enter_antennas, site_antennas
from rtkpos.processing.settings import run_plan
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.observations import ObsTable
from rtkpos.records.report import ReadReport

COMMON_NS = 20_000_000  # epochs of two stations that count as one


class NetworkEngine:
    """Stations, baselines and triangles with the memory of their compiled epoch.

    Parameters
    ----------
    stations : sequence of StationData
        At least two, in the order of the graph.
    graph : NetworkGraph
        Stations and baselines.
    nav : BroadcastTable, path, bytes, or list of them
        Broadcast ephemerides.
    config : NetworkConfig, optional
        How; by default the defaults.

    Raises
    ------
    InputError
        There are fewer than two stations or no common signals.
    """

    def __init__(
        self,
        stations: Sequence[StationData],
        graph: NetworkGraph,
        nav: Navigation,
        config: NetworkConfig | None = None,
    ) -> None:
        check_type(config, NetworkConfig, "config", ConfigError, optional=True)
        check_sequence(stations, StationData, "stations")
        check_type(graph, NetworkGraph, "graph")
        nav = nav_table(nav)
        if len(stations) < 2 or not len(graph.edges):
            raise InputError(
                "a network needs at least two stations in reach of each other; got "
                f"{len(stations)} stations and {len(graph.edges)} baselines."
            )
        self.config = config or NetworkConfig()
        self.report = ReadReport()
        self.stations = tuple(stations)
        tables = [within_limits(s.table, s.name, self.report) for s in stations]
        bands = network_bands(tables, self.config.selection)
        self.tables = [one_code_per_band(table, bands) for table in tables]
        self.pairing = plan_of_bands(
            bands,
            known_channels([t.glonass_channel for t in self.tables], nav),
            self.config.selection,
        )
        self._settings = _correction_settings(self.config)
        self.memory = self._memory(graph, nav)
        self.time_ns, self.index = common_epochs([t.time_ns for t in self.tables], self._first)

    def _memory(self, graph: NetworkGraph, nav: BroadcastTable) -> NetworkMemory:
        """Everything the kernels need, in their form. A baseline's base is its first station."""
        edges = np.ascontiguousarray(graph.edges[:, ::-1], np.int64)
        order, owner, is_loose = closure_order(graph)
        in_triangle = np.isin(np.arange(len(edges)), graph.triangle_edges).astype(np.int64)
        in_triangle[is_loose] = WITHOUT_DATUM
        obs, self._first = joint_observations(self.tables)
        station_plans = [self._station_plan(k) for k in range(len(self.tables))]
        edge_plans = [self._edge_plan(int(r), int(b)) for r, b in edges]
        return NetworkMemory(
            obs=obs,
            eph=kernel_view(nav.arrays()),
            chosen=np.zeros(N_SAT, np.int64),
            station_plan=_stacked(station_plans),
            station=station_memory(len(self.tables)),
            edge_plan=_stacked(edge_plans),
            edge=edge_memory(len(edges)),
            ends=edges,
            triangle=np.ascontiguousarray(graph.triangle_edges[order], np.int64),
            sign=np.ascontiguousarray(graph.triangle_signs[order], np.int64),
            owner=owner,
            closed=np.zeros((len(order), N_SYSTEM, N_SLOT), np.int64),
            in_triangle=in_triangle,
            known=no_known_arcs(len(edges)),
            corrections=corrections_memory(len(self.tables)),
            tally=np.zeros(len(NETWORK_COUNTERS), np.int64),
        )

    def _aligned(self, rover: int, base: int) -> PairingPlan:
        """The network's pairing with the alignment of two stations' codes."""
        found = [measure_alignment(self.stations[k].table) for k in (rover, base)]
        types = [receiver_type(self.tables[k]) for k in (rover, base)]
        return self.pairing._replace(
            leader=np.array([one.leader for one in found]),
            shift_cycle=np.array([one.shift_cycle for one in found]),
            alike=int(types[0] == types[1] != ""),
        )

    def _station_plan(self, k: int) -> Any:
        """The RunPlan record of a station: signals, antenna, place."""
        config, station = self.config.rtk(), self.stations[k]
        plan = run_plan(self._aligned(k, k), station.ecef_m, config)
        time_ns = int(station.table.time_ns[0])
        enter_antennas(
            plan, site_antennas(station.table.station, None, config, time_ns, self.report)
        )
        return plan

    def _edge_plan(self, rover: int, base: int) -> Any:
        """The EdgePlan record of a baseline."""
        pairing = self._aligned(rover, base)
        plan = run_plan(pairing, self.stations[base].ecef_m, self.config.rtk())
        settings = plan.settings.copy()
        settings.min_pairs = 1  # one newcomer at a time
        apart_m = self.stations[rover].ecef_m - self.stations[base].ecef_m
        return record_of(
            EdgePlan(
                pairing=pairing,
                settings=settings,
                robust=plan.robust,
                confirm_epochs=self.config.confirm_epochs,
                confirm_ns=round(self.config.confirm_s * NS_PER_S),
                length_m=float(np.linalg.norm(apart_m)),
                iono_m_per_m=self.config.ionosphere_mm_per_km * 1e-6,
            )
        )

    def steps(self, n_thread: int | None = None) -> Iterator[int]:
        """Run epoch by epoch; after each, its index, with everything of it in `memory`.

        Parameters
        ----------
        n_thread : int, optional
            Threads that share the baselines; by default one.

        Yields
        ------
        int
            Index of the epoch.
        """
        shares = _shares(len(self.memory.ends), n_thread or n_usable_cpu())
        with ExitStack() as stack:
            pool = None
            if len(shares) > 1:
                pool = stack.enter_context(ThreadPoolExecutor(len(shares)))
            for t in range(len(self.time_ns)):
                self.step(t, shares, pool)
                yield t

    def step(self, t: int, shares: list[tuple[int, int]], pool: ThreadPoolExecutor | None) -> None:
        """One epoch: stations, baselines (in threads with a pool), closure, corrections.

        Parameters
        ----------
        t : int
            Index of the epoch.
        shares : list[tuple[int, int]]
            First and last baseline of each thread.
        pool : ThreadPoolExecutor or None
            The threads, None for one.
        """
        epochs, memory = self.index[t], self.memory
        model_stations(epochs, memory)
        if pool is None:
            for first, end in shares:
                step_edges(epochs, first, end, memory)
        else:
            waiting = [pool.submit(step_edges, epochs, a, b, memory) for a, b in shares]
            for one in waiting:
                one.result()
        finish_epoch(int(self.time_ns[t]), self._settings, memory)

    def solve(
        self,
        on_epoch: Callable[[int, int], Any] | None = None,
        n_thread: int | None = None,
    ) -> NetworkSolution:
        """Run all epochs and keep their corrections; on_epoch(done, total) after each.

        Parameters
        ----------
        on_epoch : callable, optional
            Called as on_epoch(done, total).
        n_thread : int, optional
            Threads that share the baselines; by default one.

        Returns
        -------
        NetworkSolution
            The corrections.
        """
        n = len(self.time_ns)
        if self.config.passes > 1:
            self._first_pass(on_epoch, n_thread)
        keeper = _Keeper(n, self.memory, self.tables)
        for t in self.steps(n_thread):
            keeper.keep(t)
            if on_epoch is not None:
                on_epoch((self.config.passes - 1) * n + t + 1, self.config.passes * n)
        counts = self.memory.tally + self.memory.edge["tally"].sum(axis=0)
        return NetworkSolution(
            time_ns=self.time_ns,
            names=tuple(s.name for s in self.stations),
            ecef_m=np.array([s.ecef_m for s in self.stations]),
            ends=self.memory.ends,
            counts=dict(zip(NETWORK_COUNTERS, counts.tolist(), strict=True)),
            config=self.config,
            report=self.report,
            **keeper.columns(),
        )

    def _first_pass(self, on_epoch: Callable[[int, int], Any] | None, n_thread: int | None) -> None:
        """Run through all epochs for the integers alone, and restart knowing them."""
        n = len(self.time_ns)
        for t in self.steps(n_thread):
            if on_epoch is not None:
                on_epoch(t + 1, 2 * n)
        log_open_arcs(self.memory)
        if is_log_full(self.memory.edge):
            self.report.warn(
                "the stations' phases break so often that the second pass knows only a part of the "
                "integers of the first; look at the slips of the stations."
            )
        self.memory = self.memory._replace(
            known=known_arcs(self.memory.edge),
            station=station_memory(len(self.tables)),
            edge=edge_memory(len(self.memory.ends)),
            corrections=corrections_memory(len(self.tables)),
            tally=np.zeros_like(self.memory.tally),
        )


class _Keeper:
    """Copies what each epoch leaves in the memory of a network into arrays over time."""

    def __init__(self, n: int, memory: NetworkMemory, tables: Sequence[ObsTable]) -> None:
        self._memory = memory
        self._sats = np.unique(np.concatenate([t.sat for t in tables])).astype(np.int64)
        shape = (n, len(tables), len(self._sats))
        names = ("nondispersive_m", "dispersive_m", "var_g", "var_d", "elevation_rad")
        self._values = {name: np.full(shape, np.nan, np.float32) for name in names}
        self._is_fixed = np.zeros(shape, np.bool_)

    def keep(self, t: int) -> None:
        """Copy one epoch."""
        corrections, sats = self._memory.corrections, self._sats
        for name, column in self._values.items():
            column[t] = getattr(corrections, name)[:, sats]
        self._is_fixed[t] = corrections.known[:, sats].sum(axis=2) >= 2

    def columns(self) -> dict[str, Any]:
        """The arrays by the names of `NetworkSolution`."""
        return {
            "sats": self._sats,
            "is_fixed": self._is_fixed,
            **self._values,
        }


def _correction_settings(config: NetworkConfig) -> CorrectionSettings:
    """Numbers of the corrections' filters."""
    return CorrectionSettings(
        drift_g_m2=(config.nondispersive_drift_mm * 1e-3) ** 2,
        drift_d_m2=(config.dispersive_drift_mm * 1e-3) ** 2,
        max_age_ns=round(config.max_gap_s * NS_PER_S),
    )


def _stacked(records: list[Any]) -> Any:
    """Records of one type as a table."""
    table = np.zeros(len(records), records[0].dtype).view(np.recarray)
    for k, record in enumerate(records):
        table[k] = record
    return table


def _shares(n: int, n_thread: int) -> list[tuple[int, int]]:
    """About equal ranges of n baselines for threads; one range when there are few."""
    n_part = max(min(n_thread, n // 2), 1)
    cuts = [round(k * n / n_part) for k in range(n_part + 1)]
    return list(pairwise(cuts))


def common_epochs(times: Sequence[TimeArray], first: IndexArray) -> tuple[TimeArray, IndexArray]:
    """Epochs at which at least two stations have data: times (T,), and (T, K) epoch indices.

    times : epochs of each station      first : (K,) index of its first epoch in the joint table
    Tags within COMMON_NS count as one epoch.
    """
    every = np.unique(np.concatenate([np.round(t / COMMON_NS) for t in times])) * COMMON_NS
    index = np.full((len(every), len(times)), -1, np.int64)
    for k, time_ns in enumerate(times):
        at = np.searchsorted(every, np.round(time_ns / COMMON_NS) * COMMON_NS)
        index[at, k] = first[k] + np.arange(len(time_ns))
    shared = np.sum(index >= 0, axis=1) >= 2
    return every[shared].astype(np.int64), index[shared]

"""A rover solved in a network for `rtkpos solve`: the run, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.app.command_line.first_run import announce_network_compilation
from rtkpos.app.solve.base_position import BasePosition
from rtkpos.app.solve.inputs import Inputs
from rtkpos.app.solve.network_inputs import NetworkInputs, check_coordinates, serve_rover
from rtkpos.app.solve.network_words import rounded
from rtkpos.app.solve.request import SolveRequest, toml_of
from rtkpos.errors import ConfigError, quoted
from rtkpos.network.network_config import NetworkConfig
from rtkpos.network.rover_solution import NetworkSolve, SolvedNetwork, solve_in_network
from rtkpos.network.virtual.virtual_base import VirtualBase
from rtkpos.records.config import RtkConfig
from rtkpos.records.config_field import unknown_key
from rtkpos.records.observations import ObsTable


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkResult:
    """A rover solved in a network: the run, its stations, and what else is to be said."""

    solve: NetworkSolve
    inputs: NetworkInputs

    @property
    def base_table(self) -> ObsTable:
        """Observations the rover was solved with."""
        base = self.solve.base
        return self.solve.station.table if base is None else base.table

    @property
    def base_position(self) -> BasePosition:
        """Where the base stands, virtual or not."""
        base = self.solve.base
        ecef_m = self.solve.station.ecef_m if base is None else base.ecef_m
        return BasePosition(ecef_m=ecef_m, origin="network", notes=self.inputs.notes)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was made of the stations, each a sentence."""
        return (*self.inputs.notes, *self.solve.notes)

    def facts(self) -> dict[str, Any]:
        """The section "network" of a summary."""
        return result_facts(self)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What may spoil the result, each a sentence."""
        return (*self.inputs.left_out, *self.inputs.warnings)


def run_in_network(
    request: SolveRequest,
    inputs: Inputs,
    config: RtkConfig,
    on_epoch: Callable[[int, int], Any] | None = None,
) -> NetworkResult:
    """Solve a rover with several bases; InputError for coordinates that cannot be."""
    network = network_config(config, request.config)
    announce_network_compilation(quiet=request.quiet)
    rover, nav = inputs.rover, inputs.nav
    stations = serve_rover(inputs.network or NetworkInputs(stations=()), rover)
    stations = check_coordinates(stations, nav, force=config.base.force)
    done = solve_in_network(rover, nav, stations.stations, config, network, on_epoch)
    return NetworkResult(solve=done, inputs=stations)


def network_config(config: RtkConfig, path: Path | None) -> NetworkConfig:
    """The configuration of the network: a rover's signals, and [network] of a TOML file."""
    values = toml_of(path).get("network", {})
    known = {name for name in NetworkConfig.__dataclass_fields__ if name != "selection"}
    if not isinstance(values, dict):
        raise ConfigError(f"network must be a section of keys; got {quoted(values)}.")
    for name in values:
        if name not in known:
            raise unknown_key(name, "network.", NetworkConfig)
    return replace(NetworkConfig.for_rover(config), **values)


def result_facts(result: NetworkResult) -> dict[str, Any]:
    """The section "network" of a summary: stations, integers, virtual base."""
    done = result.solve
    return {
        "used": done.base is not None,
        "stations": [
            {
                "name": one.name,
                "ecef_m": one.ecef_m.tolist(),
                "from_header": one.name in result.inputs.from_header,
                "used": done.base is not None and one.name in done.base.stations,
            }
            for one in result.inputs.stations
        ],
        "left_out": list(result.inputs.left_out),
        **corrections_facts(done),
        "master": done.station.name,
        "outside_m": rounded(done.outside_m, 1),
        **_virtual_facts(done.base),
        "notes": list(result.notes),
    }


def corrections_facts(done: NetworkSolve | SolvedNetwork) -> dict[str, Any]:
    """Share of integers and counts of a network; None and empty where there is none."""
    solved = done.corrections
    if solved is None:
        return {"fixed_share": None, "baselines": 0, "epochs": 0, "counts": {}}
    return {
        "fixed_share": rounded(solved.fixed_share, 4),
        "baselines": len(solved.ends),
        "epochs": len(solved.time_ns),
        "counts": dict(solved.counts),
    }


def _virtual_facts(base: VirtualBase | None) -> dict[str, Any]:
    """What a virtual base is worth; medians of the sigmas over epochs and satellites."""
    sigma = None if base is None else base.table.correction
    return {
        "n_uncorrected": 0 if base is None else base.n_uncorrected,
        "sigma_ionosphere_mm": None if sigma is None else _median_mm(sigma.iono_m),
        "sigma_wet_mm": None if sigma is None else _median_mm(sigma.wet_m),
    }


def _median_mm(values_m: FloatArray) -> float | None:
    known = values_m[np.isfinite(values_m)]
    return rounded(float(np.median(known)) * 1e3, 2) if len(known) else None

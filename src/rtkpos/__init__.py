"""rtkpos: high-precision GNSS positioning with multi-GNSS RTK.

Two files to a track: `solve(read_obs("rover.obs"), read_nav("brdc.nav"), read_obs("base.obs"),
base_ecef_m)`. A vehicle: `RtkEngine(config, nav, base_ecef_m).update(rover_epoch, base_epoch)`.
What a word needs is imported when it is first used, so that `import rtkpos` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtkpos.api import solve
    from rtkpos.batch.cell_jobs import CellJob, CellResult, cell_jobs, run_cell_jobs
    from rtkpos.batch.executor import make_executor
    from rtkpos.batch.solve_many import SolveJob, solve_many
    from rtkpos.diagnose.why import Explanation, explain
    from rtkpos.errors import (
        ConfigError,
        DataError,
        DatasetError,
        FileError,
        InputError,
        NoSolutionError,
        RinexError,
        RtkposError,
    )
    from rtkpos.io.products.antex import read_antex
    from rtkpos.io.products.sp3 import read_sp3
    from rtkpos.io.rinex.read_navigation import read_nav
    from rtkpos.io.rinex.read_observations import read_obs
    from rtkpos.io.xarray_bridge import from_xarray, to_xarray
    from rtkpos.live.engine import RtkEngine
    from rtkpos.live.fix import RtkFix
    from rtkpos.live.warm import warm_up
    from rtkpos.network.graph.cells import CellPlan, plan_cells
    from rtkpos.network.graph.graph import (
        GraphLimits,
        NetworkGraph,
        add_station,
        build_graph,
        remove_station,
    )
    from rtkpos.network.graph.location import Location, locate_point
    from rtkpos.network.graph.loops import Loops, fundamental_loops, triangle_loops
    from rtkpos.network.network_config import NetworkConfig
    from rtkpos.network.network_engine import NetworkEngine, NetworkSolution, StationData
    from rtkpos.network.solve_network import NetworkSolve, solve_in_network
    from rtkpos.network.stations.station_list import NetworkStation, StationList, read_stations
    from rtkpos.network.virtual.virtual_base import VirtualBase, virtual_base
    from rtkpos.physics.frames import degrees_from_ecef, point_from_degrees, to_frame
    from rtkpos.physics.reference_frames import Frame, convert_frame
    from rtkpos.physics.satellites import SatelliteStates, satellite_states
    from rtkpos.processing.epoch import Epoch, epochs
    from rtkpos.records.antenna import Antenna, AntennaTable
    from rtkpos.records.broadcast import BroadcastTable
    from rtkpos.records.config import RtkConfig
    from rtkpos.records.observations import ObsTable
    from rtkpos.records.precise import PreciseTable
    from rtkpos.records.solution import FixStatus, Reason, Solution

__version__ = "0.1.0"

_MODULES = {
    "errors": (
        "ConfigError",
        "DataError",
        "DatasetError",
        "FileError",
        "InputError",
        "NoSolutionError",
        "RinexError",
        "RtkposError",
    ),
    "io.products.antex": ("read_antex",),
    "io.rinex.read_navigation": ("read_nav",),
    "io.rinex.read_observations": ("read_obs",),
    "io.products.sp3": ("read_sp3",),
    "io.xarray_bridge": ("from_xarray", "to_xarray"),
    "network.network_config": ("NetworkConfig",),
    "network.graph.graph": (
        "GraphLimits",
        "NetworkGraph",
        "add_station",
        "build_graph",
        "remove_station",
    ),
    "network.network_engine": ("NetworkEngine", "NetworkSolution", "StationData"),
    "network.solve_network": ("NetworkSolve", "solve_in_network"),
    "network.virtual.virtual_base": ("VirtualBase", "virtual_base"),
    "network.graph.location": ("Location", "locate_point"),
    "network.graph.loops": ("Loops", "fundamental_loops", "triangle_loops"),
    "batch.cell_jobs": (
        "CellJob",
        "CellResult",
        "cell_jobs",
        "run_cell_jobs",
    ),
    "network.graph.cells": (
        "CellPlan",
        "plan_cells",
    ),
    "batch.executor": ("make_executor",),
    "network.stations.station_list": (
        "NetworkStation",
        "StationList",
        "read_stations",
    ),
    "physics.frames": ("degrees_from_ecef", "point_from_degrees", "to_frame"),
    "physics.reference_frames": ("Frame", "convert_frame"),
    "physics.satellites": ("SatelliteStates", "satellite_states"),
    "records.antenna": ("Antenna", "AntennaTable"),
    "records.broadcast": ("BroadcastTable",),
    "records.config": ("RtkConfig",),
    "records.observations": ("ObsTable",),
    "records.precise": ("PreciseTable",),
    "records.solution": ("FixStatus", "Reason", "Solution"),
    "live.engine": ("RtkEngine",),
    "processing.epoch": ("Epoch", "epochs"),
    "live.fix": ("RtkFix",),
    "batch.solve_many": ("SolveJob", "solve_many"),
    "live.warm": ("warm_up",),
    "diagnose.why": ("Explanation", "explain"),
    "api": ("solve",),
}
_PLACE = {word: module for module, words in _MODULES.items() for word in words}

__all__ = [
    "Antenna",
    "AntennaTable",
    "BroadcastTable",
    "CellJob",
    "CellPlan",
    "CellResult",
    "ConfigError",
    "DataError",
    "DatasetError",
    "Epoch",
    "Explanation",
    "FileError",
    "FixStatus",
    "Frame",
    "GraphLimits",
    "InputError",
    "Location",
    "Loops",
    "NetworkConfig",
    "NetworkEngine",
    "NetworkGraph",
    "NetworkSolution",
    "NetworkSolve",
    "NetworkStation",
    "NoSolutionError",
    "ObsTable",
    "PreciseTable",
    "Reason",
    "RinexError",
    "RtkConfig",
    "RtkEngine",
    "RtkFix",
    "RtkposError",
    "SatelliteStates",
    "Solution",
    "SolveJob",
    "StationData",
    "StationList",
    "VirtualBase",
    "add_station",
    "build_graph",
    "cell_jobs",
    "convert_frame",
    "degrees_from_ecef",
    "epochs",
    "explain",
    "from_xarray",
    "fundamental_loops",
    "locate_point",
    "make_executor",
    "plan_cells",
    "point_from_degrees",
    "read_antex",
    "read_nav",
    "read_obs",
    "read_sp3",
    "read_stations",
    "remove_station",
    "run_cell_jobs",
    "satellite_states",
    "solve",
    "solve_in_network",
    "solve_many",
    "to_frame",
    "to_xarray",
    "triangle_loops",
    "virtual_base",
    "warm_up",
]


def __getattr__(name: str) -> Any:
    """A public word, imported from its room when it is first used."""
    if name not in _PLACE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_PLACE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public words, imported or not."""
    return sorted({*globals(), *__all__})

"""Several reference stations: baselines between them, corrections, virtual bases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtkpos._lazy import public_words

if TYPE_CHECKING:
    from rtkpos.network.graph.cells import CellPlan, plan_cells
    from rtkpos.network.graph.graph import add_station, build_graph, remove_station
    from rtkpos.network.graph.location import Location, locate_point
    from rtkpos.network.graph.loops import Loops, fundamental_loops, triangle_loops
    from rtkpos.network.graph.network_graph import GraphLimits, NetworkGraph
    from rtkpos.network.network_config import NetworkConfig
    from rtkpos.network.network_engine import NetworkEngine
    from rtkpos.network.network_records import NetworkSolution, StationData
    from rtkpos.network.rover_solution import (
        NetworkSolve,
        SolvedNetwork,
        solve_in_network,
        solve_network,
        solve_rover,
    )
    from rtkpos.network.stations.station_list import NetworkStation, StationList, read_stations
    from rtkpos.network.virtual.virtual_base import VirtualBase, virtual_base

_PLACES = {
    "graph.cells": (
        "CellPlan",
        "plan_cells",
    ),
    "graph.graph": ("add_station", "build_graph", "remove_station"),
    "graph.network_graph": ("GraphLimits", "NetworkGraph"),
    "graph.location": (
        "Location",
        "locate_point",
    ),
    "graph.loops": (
        "Loops",
        "fundamental_loops",
        "triangle_loops",
    ),
    "network_config": ("NetworkConfig",),
    "network_engine": ("NetworkEngine",),
    "network_records": ("NetworkSolution", "StationData"),
    "rover_solution": (
        "NetworkSolve",
        "SolvedNetwork",
        "solve_in_network",
        "solve_network",
        "solve_rover",
    ),
    "stations.station_list": (
        "NetworkStation",
        "StationList",
        "read_stations",
    ),
    "virtual.virtual_base": (
        "VirtualBase",
        "virtual_base",
    ),
}
__getattr__, __dir__ = public_words(__name__, _PLACES)

__all__ = [
    "CellPlan",
    "GraphLimits",
    "Location",
    "Loops",
    "NetworkConfig",
    "NetworkEngine",
    "NetworkGraph",
    "NetworkSolution",
    "NetworkSolve",
    "NetworkStation",
    "SolvedNetwork",
    "StationData",
    "StationList",
    "VirtualBase",
    "add_station",
    "build_graph",
    "fundamental_loops",
    "locate_point",
    "plan_cells",
    "read_stations",
    "remove_station",
    "solve_in_network",
    "solve_network",
    "solve_rover",
    "triangle_loops",
    "virtual_base",
]

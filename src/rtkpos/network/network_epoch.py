"""One epoch of a network, compiled: stations, baselines, integers, closure, corrections.

network : NetworkMemory      epochs : (K,) epoch of each station in the joint table, -1 = none
"""

from __future__ import annotations

from rtkpos._numba.decorator import kernel
from rtkpos.network.ambiguity.baseline_integers import fix_edge, take_known
from rtkpos.network.ambiguity.baseline_step import edge_step
from rtkpos.network.ambiguity.closure import close_triangles, station_integers
from rtkpos.network.ambiguity.transfer import transfer_integers
from rtkpos.network.corrections.filter import update_corrections
from rtkpos.network.corrections.station_epoch import model_stations
from rtkpos.prepare.pairing import BASE, ROVER

__all__ = ["finish_epoch", "model_stations", "step_edges"]


@kernel
def step_edges(epochs, first, end, network):
    """Baselines first..end-1: filter and integers; returns how many had data at both ends.

    Baselines do not touch each other, so that threads may take a share each.
    """
    n = 0
    for e in range(first, end):
        rover, base = network.ends[e, ROVER], network.ends[e, BASE]
        if epochs[rover] < 0 or epochs[base] < 0:
            continue
        edge, plan = network.edge[e], network.edge_plan[e]
        edge_step(
            (epochs[rover], epochs[base]),
            network.obs,
            network.eph,
            network.station[rover],
            network.station[base],
            plan,
            edge,
        )
        take_known(e, network.obs.time_ns[epochs[rover]], edge, network.known)
        fix_edge(network.obs.time_ns[epochs[rover]], plan, edge)
        n += 1
    return n


@kernel
def finish_epoch(time_ns, settings, network):
    """Closure, transfer, stations' integers and corrections; returns satellite-bands used.

    settings : CorrectionSettings
    """
    close_triangles(network)
    transfer_integers(time_ns, network)
    station_integers(network)
    return update_corrections(time_ns, settings, network)

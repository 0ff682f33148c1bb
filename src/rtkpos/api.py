"""`rtkpos.solve`: a rover with one base, or with a network of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rtkpos._arrays import FloatArray
from rtkpos.errors import ConfigError
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.config import RtkConfig
from rtkpos.records.observations import ObsTable
from rtkpos.records.solution import Solution

if TYPE_CHECKING:
    from rtkpos.network.network_config import NetworkConfig
    from rtkpos.network.network_engine import StationData


def solve(
    rover: ObsTable,
    nav: BroadcastTable,
    base: ObsTable | None = None,
    base_ecef_m: FloatArray | None = None,
    config: RtkConfig | None = None,
    on_epoch: Callable[[int, int], Any] | None = None,
    *,
    bases: Sequence[StationData] | None = None,
    network: NetworkConfig | None = None,
) -> Solution:
    """Positions of a rover, epoch by epoch, with one base, none, or a network of bases.

    rover, base : observations      nav : broadcast ephemerides
    base_ecef_m : (3,) coordinate of the base's marker [m]
    bases : reference stations instead of `base`, two or more with coordinates in one frame: a
        virtual base is made from them, see `network.rover_solution.solve_in_network`
    network : how, None = the defaults with the systems of `config`
    on_epoch : called as on_epoch(done, total)
    Raises what `solve.run.solve` raises, and ConfigError for both `base` and `bases`.
    """
    if bases is None:
        from rtkpos.processing.run import solve as solve_one

        return solve_one(rover, nav, base, base_ecef_m, config, on_epoch)
    if base is not None:
        raise ConfigError("give one base or several bases, not both.")
    from rtkpos.network.rover_solution import solve_in_network

    return solve_in_network(rover, nav, bases, config, network, on_epoch).solution

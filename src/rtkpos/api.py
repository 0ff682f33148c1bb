"""`rtkpos.solve`: a rover with one base, or with a network of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from rtkpos.errors import ConfigError
from rtkpos.io.given_files import Navigation, Observations, nav_table, obs_table
from rtkpos.records.config import RtkConfig
from rtkpos.records.solution import Solution

if TYPE_CHECKING:
    from rtkpos.network.network_config import NetworkConfig
    from rtkpos.network.network_records import StationData


def solve(
    rover: Observations,
    nav: Navigation,
    base: Observations | None = None,
    base_ecef_m: ArrayLike | None = None,
    config: RtkConfig | None = None,
    on_epoch: Callable[[int, int], Any] | None = None,
    *,
    bases: Sequence[StationData] | None = None,
    network: NetworkConfig | None = None,
) -> Solution:
    """Positions of a rover, epoch by epoch, with one base, none, or a network of bases.

    Parameters
    ----------
    rover : ObsTable, path, bytes, or sequence of paths or bytes
        Observations of the rover; several files are consecutive ones of one receiver.
    nav : BroadcastTable, path, bytes, or sequence of paths or bytes
        Broadcast ephemerides.
    base : ObsTable, path, bytes, or sequence of paths or bytes, optional
        Observations of the base; not needed in mode single.
    base_ecef_m : array_like of shape (3,), optional
        ECEF coordinate of the base's marker [m], in the frame the result shall have. The result is
        that of the rover's marker, see `RtkConfig.antenna` for offsets and calibrations. Not used
        in the modes single and moving_base; the header's coordinate is never taken by itself.
    config : RtkConfig, optional
        What to compute and how; by default kinematic, all systems.
    on_epoch : callable, optional
        Called as on_epoch(done, total) every few hundred epochs, those of both directions in a
        combined run.
    bases : sequence of StationData, optional
        Reference stations instead of `base`, two or more with coordinates in one frame. A virtual
        base is made from them, see `rtkpos.network.solve_in_network`.
    network : NetworkConfig, optional
        How the stations are processed; by default with the systems and bands of `config`.

    Returns
    -------
    Solution
        One row for each epoch of the rover, also those without a position; what does not fit
        together is told in its `report`.

    Raises
    ------
    InputError
        A file cannot be read, the rover is empty, the base or its coordinate is missing for a
        differential mode, or the coordinate is not that of the base (more than 1 km from its own
        code position, unless `config.base.force`).
    ConfigError
        Both `base` and `bases` are given, or the mode takes one base only.

    See Also
    --------
    rtkpos.RtkEngine : the same epoch by epoch, for live use.
    rtkpos.explain : why epochs are not fixed.

    Notes
    -----
    A base without epochs gives single positions and a warning in the report.
    """
    rover, nav = obs_table(rover, "rover"), nav_table(nav)
    if bases is None:
        from rtkpos.processing.run import solve as solve_one

        base = None if base is None else obs_table(base, "base")
        return solve_one(rover, nav, base, base_ecef_m, config, on_epoch)
    if base is not None or base_ecef_m is not None:
        raise ConfigError("give one base or several bases, not both.")
    from rtkpos.network.rover_solution import solve_in_network

    return solve_in_network(rover, nav, bases, config, network, on_epoch).solution

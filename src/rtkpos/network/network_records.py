"""Stations of a network with their observations, and the corrections computed from them."""

from __future__ import annotations

from dataclasses import dataclass, field

from rtkpos._arrays import BoolArray, FloatArray, IndexArray, TimeArray
from rtkpos.constants import DEG
from rtkpos.io.given_files import obs_table
from rtkpos.network.network_config import NetworkConfig
from rtkpos.records.observations import ObsTable
from rtkpos.records.report import ReadReport

HIGH_RAD = 15.0 * DEG  # what the fixed share is counted above


@dataclass(frozen=True, kw_only=True, eq=False)
class StationData:
    """A reference station: its name, observations and the coordinate of its marker (3,) [m].

    Parameters
    ----------
    name : str
        Name of the station.
    table : ObsTable
        Observations, or the files (path, bytes, or a list of them) that hold them.
    ecef_m : ndarray of float64
        (3,) ECEF of its marker [m].
    """

    name: str
    table: ObsTable
    ecef_m: FloatArray

    def __post_init__(self) -> None:
        """Read the observations where files were named."""
        object.__setattr__(self, "table", obs_table(self.table, f"table of {self.name}"))


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkSolution:
    """Corrections of all stations over time; double differences alone have a meaning.

    Parameters
    ----------
    time_ns : ndarray of int64
        (T,) epochs, GPST [ns].
    names : tuple of str
        (K,) stations.
    ecef_m : ndarray of float64
        (K, 3) their coordinates [m].
    sats : ndarray of int64
        (S,) satellites seen.
    nondispersive_m : ndarray of float64
        (T, K, S) nondispersive corrections [m], NaN = unknown.
    dispersive_m : ndarray of float64
        (T, K, S) dispersive corrections on L1 [m], NaN = unknown.
    var_g : ndarray of float64
        (T, K, S) variances of the nondispersive corrections [m^2].
    var_d : ndarray of float64
        (T, K, S) variances of the dispersive corrections [m^2].
    elevation_rad : ndarray of float64
        (T, K, S) elevations [rad], NaN = not observed.
    is_fixed : ndarray of bool
        (T, K, S) whether the integers are known.
    ends : ndarray of int64
        (E, 2) stations of the baselines, rover and base.
    counts : dict[str, int]
        NETWORK_COUNTERS by name.
    config : NetworkConfig
        What it was computed with.
    report : ReadReport, optional
        What was met on the way.
    """

    time_ns: TimeArray
    names: tuple[str, ...]
    ecef_m: FloatArray
    sats: IndexArray
    nondispersive_m: FloatArray
    dispersive_m: FloatArray
    var_g: FloatArray
    var_d: FloatArray
    elevation_rad: FloatArray
    is_fixed: BoolArray
    ends: IndexArray
    counts: dict[str, int]
    config: NetworkConfig
    report: ReadReport = field(default_factory=ReadReport)

    @property
    def fixed_share(self) -> float:
        """Share of the stations' satellite-epochs above 15 degrees whose integers are known."""
        high = self.elevation_rad > HIGH_RAD
        return float(self.is_fixed[high].mean()) if high.any() else float("nan")

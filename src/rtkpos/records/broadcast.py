"""Broadcast navigation data: ephemerides typed by message, ionosphere, time corrections."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray, SatArray, SmallArray, TimeArray
from rtkpos.core.tables import EphemerisArrays
from rtkpos.gnss.systems import N_SAT
from rtkpos.records.report import ReadReport
from rtkpos.records.shown import Facts, Shown, file_words, satellite_words, span_words


class Message(IntEnum):
    """Navigation message of an ephemeris (RINEX 4.02, table A5)."""

    LNAV = 0  # GPS, QZSS, NavIC legacy
    INAV = 1  # Galileo E1-B / E5b-I
    FNAV = 2  # Galileo E5a-I
    D1 = 3  # BeiDou IGSO / MEO
    D2 = 4  # BeiDou GEO
    FDMA = 5  # GLONASS
    SBAS = 6
    CNAV = 7  # GPS / QZSS L2C, L5
    CNV2 = 8  # GPS / QZSS L1C (CNAV-2)
    CNV1 = 9  # BeiDou B1C
    BCNV2 = 10  # BeiDou B2a (RINEX name CNV2)
    CNV3 = 11  # BeiDou B2b
    L1NV = 12  # NavIC L1
    L1OC = 13  # GLONASS CDMA
    L3OC = 14


@dataclass(frozen=True, kw_only=True)
class Ionosphere:
    """Broadcast ionosphere of one system and epoch.

    Parameters
    ----------
    kind : str
        "klobuchar" (8: alpha 0-3, beta 0-3), "nequick" (3: ai0-2, then flags), "bdgim" (9: alpha
        1-9).
    source : str
        System letter.
    coefficients : ndarray of float64
        Coefficients as listed for `kind`.
    time_ns : int, optional
        Transmission, GPST [ns]; -1 for a value of the header.
    sat : int, optional
        Satellite index that sent it, -1 = any.
    """

    kind: str
    source: str
    coefficients: FloatArray
    time_ns: int = -1
    sat: int = -1


@dataclass(frozen=True, kw_only=True, repr=False)
class BroadcastTable(Shown):
    """Ephemerides sorted by (sat, message, toe_ns, tx_ns), unique in (sat, message, issue, toe).

    The arrays are those of `core.tables.EphemerisArrays`; `sat` is their satellite, (n,) int16.

    Parameters
    ----------
    sat : ndarray of int16
        (n,) satellite of each ephemeris.
    sat_start : ndarray of int64
        (N_SAT + 1,) rows of a satellite: from its entry to the next.
    message : ndarray of int8
        (n,) navigation message, a `Message`.
    toe_ns : ndarray of int64
        (n,) time of ephemeris, GPST [ns].
    toc_ns : ndarray of int64
        (n,) time of clock, GPST [ns].
    tx_ns : ndarray of int64
        (n,) time of transmission, GPST [ns].
    issue : ndarray of int64
        (n,) issue of data.
    health : ndarray of int64
        (n,) health word as broadcast.
    healthy : ndarray of int8
        (n,) 1 where the health word allows use, else 0.
    orbit : ndarray of int8
        (n,) kind of orbit (MEO, IGSO, GEO, GLONASS, SBAS), see `core.tables`.
    accuracy_m : ndarray of float64
        (n,) user range accuracy [m], NaN where not given.
    param : ndarray of float64
        (n, N_PARAM) orbit and clock parameters, columns `P_*` of `core.tables`.
    ionosphere : tuple of Ionosphere, optional
        Ionosphere messages, in the order of time.
    time_corrections : dict[str, tuple of float], optional
        Coefficients of time system corrections by name as in RINEX ("GPUT").
    leap_seconds : int, optional
        GPST - UTC as the header says it [s].
    source : tuple of str, optional
        Names of the files.
    report : ReadReport, optional
        What was met on the way.
    """

    sat: SatArray
    sat_start: IndexArray
    message: SmallArray
    toe_ns: TimeArray
    toc_ns: TimeArray
    tx_ns: TimeArray
    issue: IndexArray
    health: IndexArray
    healthy: SmallArray
    orbit: SmallArray
    accuracy_m: FloatArray
    param: FloatArray
    ionosphere: tuple[Ionosphere, ...] = ()
    time_corrections: dict[str, tuple[float, ...]] = field(default_factory=dict)
    leap_seconds: int | None = None
    source: tuple[str, ...] = ()
    report: ReadReport = field(default_factory=ReadReport)

    @property
    def n_ephemeris(self) -> int:
        """Number of ephemerides."""
        return len(self.sat)

    def _facts(self) -> Facts:
        """How many ephemerides of which satellites and times, and where they stand."""
        return {
            "ephemerides": f"{self.n_ephemeris} ephemerides",
            "satellites": satellite_words(self.sat) + " satellites" if self.n_ephemeris else "",
            "times": span_words(self.toe_ns),
            "ionosphere": ", ".join(sorted({one.kind for one in self.ionosphere})),
            "files": file_words(self.source),
        }

    def arrays(self) -> EphemerisArrays:
        """The compiled view: the same arrays, no copies.

        Returns
        -------
        EphemerisArrays
            Arrays as kernels take them.
        """
        return EphemerisArrays(
            self.sat_start,
            self.message,
            self.toe_ns,
            self.toc_ns,
            self.tx_ns,
            self.issue,
            self.healthy,
            self.orbit,
            self.accuracy_m,
            self.param,
        )


def sat_starts(sat: SatArray) -> IndexArray:
    """Row ranges by satellite of a sorted `sat` column: (N_SAT + 1,)."""
    return np.searchsorted(sat, np.arange(N_SAT + 1)).astype(np.int64)

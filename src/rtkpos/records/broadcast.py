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

    kind  : "klobuchar" (8: alpha 0-3, beta 0-3), "nequick" (3: ai0-2, then flags),
            "bdgim" (9: alpha 1-9)
    source: system letter; time_ns: transmission [ns], -1 when it is a header value; sat: -1 = any
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
    health : (n,) int64 raw health word as broadcast
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
        """The compiled view: the same arrays, no copies."""
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

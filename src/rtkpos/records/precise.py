"""Precise orbits and clocks over time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rtkpos._arrays import FloatArray, SatArray, TimeArray
from rtkpos.core.orbits.precise_orbit import PreciseArrays
from rtkpos.gnss.systems import N_SAT
from rtkpos.records.report import ReadReport
from rtkpos.records.shown import Facts, Shown, file_words, satellite_words, span_words


@dataclass(frozen=True, kw_only=True, repr=False)
class PreciseTable(Shown):
    """Satellite positions and clocks as tabulated in SP3 files.

    time_ns    : (n_epoch,) GPST [ns], strictly increasing      sat : (n_sat,) int16, increasing
    position_m : (n_epoch, n_sat, 3) ECEF, centre of mass [m], NaN = missing
    clock_s    : (n_epoch, n_sat) [s], without the periodic relativistic part, NaN = missing
    frame      : reference frame as the file names it ("IGS20"); "" when it is silent
    """

    time_ns: TimeArray
    sat: SatArray
    position_m: FloatArray
    clock_s: FloatArray
    frame: str = ""
    source: tuple[str, ...] = ()
    report: ReadReport = field(default_factory=ReadReport)

    def _facts(self) -> Facts:
        """How many epochs of which satellites, the frame, and where they stand."""
        return {
            "epochs": f"{len(self.time_ns)} epochs",
            "span": span_words(self.time_ns),
            "satellites": satellite_words(self.sat) + " satellites" if len(self.sat) else "",
            "frame": self.frame,
            "files": file_words(self.source),
        }

    def arrays(self) -> PreciseArrays:
        """The compiled view: the same arrays and the column of each satellite."""
        column = np.full(N_SAT, -1, dtype=np.int64)
        column[self.sat.astype(np.int64)] = np.arange(len(self.sat))
        return PreciseArrays(self.time_ns, column, self.position_m, self.clock_s)

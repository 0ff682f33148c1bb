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

    Parameters
    ----------
    time_ns : ndarray of int64
        (n_epoch,) GPST [ns], strictly increasing.
    sat : ndarray of int16
        (n_sat,) satellite indices, increasing.
    position_m : ndarray of float64
        (n_epoch, n_sat, 3) ECEF, centre of mass [m], NaN = missing.
    clock_s : ndarray of float64
        (n_epoch, n_sat) clock without the periodic relativistic part [s], NaN = missing.
    frame : str, optional
        Reference frame as the file names it ("IGS20"); "" when it is silent.
    source : tuple of str, optional
        Names of the files.
    report : ReadReport, optional
        What was met on the way.
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
        """The compiled view: the same arrays and the column of each satellite.

        Returns
        -------
        PreciseArrays
            Arrays as kernels take them.
        """
        column = np.full(N_SAT, -1, dtype=np.int64)
        column[self.sat.astype(np.int64)] = np.arange(len(self.sat))
        return PreciseArrays(self.time_ns, column, self.position_m, self.clock_s)

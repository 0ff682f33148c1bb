"""One live position and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.core.station.geodesy import ecef_to_geodetic
from rtkpos.records.shown import Facts, Shown, span_words
from rtkpos.records.status import REASON_TEXT, FixStatus, Reason


@dataclass(frozen=True, kw_only=True, repr=False)
class RtkFix(Shown):
    """One position and what it rests on; see `Solution` for the meaning of each.

    Parameters
    ----------
    time_ns : int
        Rover epoch, GPST [ns].
    ecef_m : ndarray of float64
        (3,) ECEF position [m], NaN without one.
    llh : ndarray of float64
        (3,) latitude, longitude [rad], ellipsoidal height [m].
    velocity_mps : ndarray of float64
        (3,) ECEF velocity [m/s], NaN without one.
    cov_ecef_m2 : ndarray of float64
        (3, 3) position covariance [m^2].
    status : FixStatus
        What the position rests on.
    reason : Reason
        Why it is not fixed.
    ratio : float
        Second-best over best integer norm, NaN when no fix was tried.
    n_sat : int
        Satellites used.
    n_fixed : int
        Integer ambiguities fixed.
    age_s : float
        Rover time - base time [s], NaN without a base.
    """

    time_ns: int
    ecef_m: FloatArray
    llh: FloatArray
    velocity_mps: FloatArray
    cov_ecef_m2: FloatArray
    status: FixStatus
    reason: Reason
    ratio: float
    n_sat: int
    n_fixed: int
    age_s: float

    @property
    def is_fixed(self) -> bool:
        """True when the position rests on fixed integers."""
        return self.status == FixStatus.FIXED

    def _facts(self) -> Facts:
        """When, what, where, and what it rests on."""
        lat, lon, height_m = self.llh
        has_place = np.isfinite(height_m)
        reason = "" if self.reason == Reason.OK else REASON_TEXT[self.reason]
        return {
            "time": span_words(np.array([self.time_ns])),
            "status": self.status.name,
            "reason": reason,
            "latitude": f"{np.degrees(lat):.9f} deg" if has_place else "",
            "longitude": f"{np.degrees(lon):.9f} deg" if has_place else "",
            "height": f"{height_m:.4f} m" if has_place else "",
            "satellites": f"{self.n_sat} satellites",
            "ratio": f"ratio {self.ratio:.1f}" if np.isfinite(self.ratio) else "",
            "age": f"age {self.age_s:.2f} s" if np.isfinite(self.age_s) else "",
        }


def fix_of(row: Any, time_ns: int) -> RtkFix:
    """An output row as a fix."""
    llh = np.full(3, np.nan)
    position_m = np.array(row["ecef_m"])
    if np.isfinite(position_m).all():
        ecef_to_geodetic(position_m, llh)
    return RtkFix(
        time_ns=time_ns,
        ecef_m=position_m,
        llh=llh,
        velocity_mps=np.array(row["velocity_mps"]),
        cov_ecef_m2=np.array(row["cov_ecef_m2"]),
        status=FixStatus(int(row["status"])),
        reason=Reason(int(row["reason"])),
        ratio=float(row["ratio"]),
        n_sat=int(row["n_sat"]),
        n_fixed=int(row["n_fixed"]),
        age_s=float(row["age_s"]),
    )

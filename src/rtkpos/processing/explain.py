"""What a run says beyond its numbers: sharper reasons, statements about the inputs, notes."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtkpos._arrays import TimeArray
from rtkpos.constants import NS_PER_S, NS_PER_WEEK
from rtkpos.core.tables import ObsArrays
from rtkpos.gnss.time import iso_gpst
from rtkpos.physics.satellites import satellite_states
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.observations import ObsTable
from rtkpos.records.report import ReadReport
from rtkpos.records.status import Reason

MIN_SATELLITE = 4
_NAV_REACH_NS = 2 * 3600 * NS_PER_S


def explain_base(out: Any, rover_ns: TimeArray, base_ns: TimeArray, tolerance_ns: int) -> None:
    """Tell a correction that is too old from one that never came, and enter its age.

    out : StepOutput rows, one per rover epoch; NO_BASE_EPOCH becomes CORRECTION_TOO_OLD where
    there is an earlier base epoch      base_ns : (m,) GPST [ns], ascending
    """
    rows = np.flatnonzero(out["reason"] == Reason.NO_BASE_EPOCH)
    if not len(rows) or not len(base_ns):
        return
    before = np.searchsorted(base_ns, rover_ns[rows] + tolerance_ns, side="right") - 1
    rows, before = rows[before >= 0], before[before >= 0]
    out["reason"][rows] = Reason.CORRECTION_TOO_OLD
    out["age_s"][rows] = (rover_ns[rows] - base_ns[before]) * 1e-9


def explain_rover(out: Any, rover: ObsArrays, nav: BroadcastTable) -> None:
    """Tell too few ephemerides from too few satellites.

    out : StepOutput rows, one per rover epoch; FEW_ROVER_SATELLITES becomes NO_EPHEMERIS where
    enough satellites have codes but not enough of them an ephemeris
    """
    for k in np.flatnonzero(out["reason"] == Reason.FEW_ROVER_SATELLITES):
        rows = slice(int(rover.row_start[k]), int(rover.row_start[k + 1]))
        sats = np.unique(rover.sat[rows][np.isfinite(rover.code_m[rows])])
        if len(sats) < MIN_SATELLITE:
            continue
        time_ns = np.full(len(sats), rover.time_ns[k])
        if satellite_states(nav, sats, time_ns).valid.sum() < MIN_SATELLITE:
            out["reason"][k] = Reason.NO_EPHEMERIS


def say_what_does_not_fit(
    rover: ObsTable, base: ObsTable | None, nav: BroadcastTable, report: ReadReport
) -> None:
    """Warnings when rover and base, or rover and navigation data, are of different times."""
    if base is not None and base.n_epoch:
        if base.time_ns[-1] < rover.time_ns[0] or base.time_ns[0] > rover.time_ns[-1]:
            report.warn(
                f"rover ({_span(rover.time_ns)}) and base ({_span(base.time_ns)}) do not overlap "
                f"in time; {_weeks_apart(rover.time_ns, base.time_ns)}give the base file of the "
                "same time."
            )
    if nav.n_ephemeris == 0:
        report.warn("the navigation data hold no ephemeris; no position can be computed.")
        return
    first, last = int(rover.time_ns[0]), int(rover.time_ns[-1])
    nearest = [np.abs(nav.toe_ns - end).min() for end in (first, last)]
    if max(nearest) > _NAV_REACH_NS:
        report.warn(
            f"the navigation data ({_span(nav.toe_ns)}) do not cover the rover "
            f"({_span(rover.time_ns)}); {_weeks_apart(rover.time_ns, nav.toe_ns)}give the "
            "navigation file of the same day."
        )


def run_notes(has_base: bool) -> tuple[str, ...]:
    """What every reader of the result should know of its reference."""
    frame = "reference frame: that of the base coordinates as given, at their epoch."
    if not has_base:
        frame = "reference frame: that of the broadcast ephemerides (WGS 84)."
    return (frame,)


def _weeks_apart(time_ns: TimeArray, other_ns: TimeArray) -> str:
    """Words for spans that would overlap if one were dated whole weeks earlier or later."""
    start, end = int(time_ns.min()), int(time_ns.max())
    first, last = int(other_ns.min()), int(other_ns.max())
    n = round(((start + end) - (first + last)) / 2 / NS_PER_WEEK)
    if n == 0 or start - n * NS_PER_WEEK > last or end - n * NS_PER_WEEK < first:
        return ""
    what = f"exactly {abs(7 * n)} days" + (f" ({abs(n)} weeks)" if abs(n) > 1 else "")
    return f"they are {what} apart, as if one had a wrong week or date; "


def _span(time_ns: TimeArray) -> str:
    """First and last time in words."""
    return f"{iso_gpst(int(time_ns.min()), 0)} to {iso_gpst(int(time_ns.max()), 0)}"

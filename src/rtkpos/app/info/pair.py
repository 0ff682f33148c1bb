"""Whether a rover and a base fit together, and what would stop a fix."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.app.info.facts import has_phase_by_band, observed_systems
from rtkpos.app.info.quality import (
    common_satellites,
    paired_signals,
    satellite_obstacles,
    timing_obstacles,
)
from rtkpos.constants import NS_PER_S
from rtkpos.core.station.earth import is_on_earth
from rtkpos.gnss.systems import SYSTEM_LETTERS, SYSTEM_NAMES, sat_name, systems_of
from rtkpos.gnss.time import iso_gpst
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.config import RtkConfig
from rtkpos.records.observations import ObsTable, interval_s
from rtkpos.records.signal_use import use_lines

TOLERANCE_NS = 20_000_000
MAX_AGE_NS = 30 * NS_PER_S
NAV_REACH_NS = 2 * 3600 * NS_PER_S
LONG_BASELINE_M, VERY_LONG_M = 10_000.0, 30_000.0
FAR_BASELINE_M = 1_000_000.0
CODE_DIFFERS_M = 1_000.0


def pair_facts(rover: ObsTable, base: ObsTable) -> dict[str, Any]:
    """Overlap in time, satellites and bands in common, distance of the header positions."""
    start = max(int(rover.time_ns[0]), int(base.time_ns[0]))
    end = min(int(rover.time_ns[-1]), int(base.time_ns[-1]))
    overlaps = end >= start
    common = {
        SYSTEM_LETTERS[s]: _common(rover, base, s)
        for s in sorted(set(observed_systems(rover)) & set(observed_systems(base)))
    }
    return {
        "rover": list(rover.source),
        "base": list(base.source),
        "overlap_gpst": [iso_gpst(start), iso_gpst(end)] if overlaps else [],
        "overlap_s": max(end - start, 0) / NS_PER_S,
        "rover_epochs_with_base": int((_age_ns(rover, base) <= TOLERANCE_NS).sum()),
        "rover_epochs_within_30_s": int((_age_ns(rover, base) <= MAX_AGE_NS).sum()),
        "common": common,
        "common_satellites": common_satellites(rover, base),
        "signals": paired_signals(rover, base),
        "pairing": _pairing(rover, base) if common else [],
        "baseline_m": header_distance_m(rover, base),
    }


def _pairing(rover: ObsTable, base: ObsTable) -> list[str]:
    """The pairs a run with default options would use, by system, and remarks on them."""
    from rtkpos.errors import InputError
    from rtkpos.prepare.pairing import make_plan
    from rtkpos.processing.signals import planned_uses, signal_notes

    try:
        plan = make_plan(rover, base, RtkConfig())
    except InputError:
        return []
    uses = planned_uses(rover, base, plan)
    return use_lines(uses) + signal_notes(rover, base, plan, uses)


def header_distance_m(rover: ObsTable, base: ObsTable) -> float | None:
    """Distance of the header positions [m]; None when one of them is missing."""
    ours, theirs = rover.station.approx_ecef_m, base.station.approx_ecef_m
    if not (is_on_earth(ours) and is_on_earth(theirs)):
        return None
    return float(np.linalg.norm(ours - theirs))


def _age_ns(rover: ObsTable, base: ObsTable) -> Any:
    """Distance in time of each rover epoch from the nearest base epoch: (n,) [ns]."""
    times = np.sort(base.time_ns)
    right = np.clip(np.searchsorted(times, rover.time_ns), 0, len(times) - 1)
    left = np.maximum(right - 1, 0)
    return np.minimum(np.abs(times[right] - rover.time_ns), np.abs(rover.time_ns - times[left]))


def _common(rover: ObsTable, base: ObsTable, system: int) -> dict[str, Any]:
    """Satellites and bands with carrier phases that both receivers have."""
    ours, theirs = (np.unique(t.sat[systems_of(t.sat) == system]) for t in (rover, base))
    bands = has_phase_by_band(rover, system).keys() & has_phase_by_band(base, system).keys()
    return {
        "satellites": [sat_name(int(sat)) for sat in np.intersect1d(ours, theirs)],
        "bands": "".join(str(digit) for digit in sorted(bands)),
    }


def pair_obstacles(rover: ObsTable, base: ObsTable) -> list[str]:
    """Sentences on what would stop or hinder a fix between these two, the worst first."""
    facts = pair_facts(rover, base)
    found = _time_obstacles(rover, base, facts)
    if not facts["common"]:
        found.append("the files have no satellite system in common.")
    elif not any(common["bands"] for common in facts["common"].values()):
        found.append("no system has carrier phases on a common band; only dgnss is possible.")
    else:
        missing = [s for s, common in facts["common"].items() if not common["bands"]]
        if missing:
            found.append(f"no common band with carrier phases in system {', '.join(missing)}.")
        if all(len(common["bands"]) < 2 for common in facts["common"].values()):
            found.append("only one common band per system: fixing takes longer.")
    found += timing_obstacles(rover, base) + satellite_obstacles(facts["common_satellites"])
    return found + _place_obstacles(rover, base, facts["baseline_m"])


def _time_obstacles(rover: ObsTable, base: ObsTable, facts: dict[str, Any]) -> list[str]:
    """What the epochs say."""
    if not facts["rover_epochs_within_30_s"]:
        return [
            f"rover and base have no time in common: rover {iso_gpst(int(rover.time_ns[0]), 0)} to "
            f"{iso_gpst(int(rover.time_ns[-1]), 0)}, base {iso_gpst(int(base.time_ns[0]), 0)} to "
            f"{iso_gpst(int(base.time_ns[-1]), 0)}."
        ]
    found = []
    n_lost = rover.n_epoch - facts["rover_epochs_within_30_s"]
    if n_lost:
        found.append(f"{n_lost} of {rover.n_epoch} rover epochs have no base epoch within 30 s.")
    ours, theirs = interval_s(rover), interval_s(base)
    if ours and theirs and ours > 1.5 * theirs:
        found.append(
            f"the rover's interval ({ours:g} s) is longer than the base's ({theirs:g} s): "
            "are rover and base swapped?"
        )
    return found


def _place_obstacles(rover: ObsTable, base: ObsTable, baseline_m: float | None) -> list[str]:
    """What the header positions say."""
    found = []
    if not is_on_earth(base.station.approx_ecef_m):
        where = (
            "; the rover has one: are they swapped?"
            if is_on_earth(rover.station.approx_ecef_m)
            else "."
        )
        found.append("the base's header states no position: give --base-xyz or --base-llh" + where)
    if baseline_m is None:
        return found
    if baseline_m == 0.0:
        found.append(
            "both headers state the same position: one was copied, or this is one receiver twice."
        )
    elif baseline_m > FAR_BASELINE_M:
        found.append(
            f"the headers are {baseline_m / 1000:.0f} km apart: not a pair, or a wrong header."
        )
    elif baseline_m > LONG_BASELINE_M:
        found.append(_distance_words(baseline_m))
    return found


def _distance_words(baseline_m: float) -> str:
    """What a distance of more than 10 km means."""
    km = baseline_m / 1000.0
    mm = RtkConfig().atmosphere.ionosphere_mm_per_km * km
    meaning = (
        "expect few fixes, the first one after many minutes"
        if baseline_m > VERY_LONG_M
        else "expect the first fix after minutes, not seconds"
    )
    return (
        f"rover and base are {km:.1f} km apart: the ionosphere differs by some {mm:.0f} mm, often "
        f"more, and must be estimated; {meaning}. A base within 10 km, or a virtual one, helps."
    )


def obs_obstacles(table: ObsTable, label: str) -> list[str]:
    """What in one observation file would stop a fix."""
    found = []
    if not np.isfinite(table.phase_cycle).any():
        found.append(f"{label} has no carrier phases: no fix is possible, only code positions.")
    return found


def nav_obstacles(
    table: ObsTable, nav: BroadcastTable, label: str, other: ObsTable | None = None
) -> list[str]:
    """Systems observed without ephemerides, and ephemerides of another time.

    other : the partner of a pair; a system that it lacks is of no use and not missed
    """
    found = []
    missing, outdated = [], []
    partner = None if other is None else observed_systems(other)
    for system in observed_systems(table):
        if partner is not None and system not in partner:
            continue
        toe = nav.toe_ns[systems_of(nav.sat) == system]
        name = SYSTEM_NAMES[system]
        if not len(toe):
            missing.append(name)
        elif not _reaches(toe, table):
            outdated.append(name)
    if missing:
        found.append(f"no ephemerides for {', '.join(missing)}, which {label} observes.")
    if outdated:
        found.append(
            f"the ephemerides of {', '.join(outdated)} are not from the time of {label}: "
            "take the navigation file of the same day."
        )
    return found


def _reaches(toe_ns: Any, table: ObsTable) -> bool:
    """True when there is an ephemeris within two hours of the first and of the last epoch."""
    ends = table.time_ns[[0, -1]]
    return bool(all(np.abs(toe_ns - end).min() <= NAV_REACH_NS for end in ends))


def position_obstacles(table: ObsTable, code_m: FloatArray | None, label: str) -> list[str]:
    """A header position that the observations contradict."""
    header = table.station.approx_ecef_m
    if code_m is None or not is_on_earth(header):
        return []
    apart = float(np.linalg.norm(code_m - header))
    if apart < CODE_DIFFERS_M:
        return []
    return [f"the header position of {label} is {apart / 1000:.2f} km from its code position."]

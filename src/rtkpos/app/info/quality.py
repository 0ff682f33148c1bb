"""What the observations themselves say beforehand: how a receiver tracks, how two fit together."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray
from rtkpos.constants import NS_PER_S
from rtkpos.core.tables import ObsArrays
from rtkpos.errors import InputError
from rtkpos.gnss.signals import SIG_PER_SYSTEM, sig_code
from rtkpos.gnss.systems import SYSTEM_LETTERS
from rtkpos.prepare.align import match_epochs
from rtkpos.prepare.pairing import PairingPlan, make_plan
from rtkpos.prepare.tracking import tracking_numbers
from rtkpos.records.config import RtkConfig
from rtkpos.records.observations import ObsTable, interval_s

# Geodetic receivers of the benchmark have codes of 0.1 to 0.5 m and lose lock on under 2 % of their
# phases; a phone-grade receiver among buildings has 3.5 m and 17 %.
PHONE_CODE_M = 0.8
MANY_LOSSES, MANY_HALF_CYCLES = 0.05, 0.05
WEAK_DBHZ = 36.0
FEW_SATELLITES = 7
OLD_S = 5.0
CODE_DOUBT_M = 30.0  # beyond the error of a median code position
N_LOOK = 20  # epochs at which common satellites are counted


def tracking_facts(table: ObsTable) -> dict[str, float | None]:
    """`tracking_numbers` for JSON: None where unknown."""
    numbers = tracking_numbers(table)
    return {name: round(v, 4) if math.isfinite(v) else None for name, v in numbers.items()}


def tracking_obstacles(facts: dict[str, Any], label: str) -> list[str]:
    """Sentences on a receiver that tracks too badly for quick fixes. facts : `tracking_facts`."""
    found = []
    noise, loss, half = (facts[name] for name in ("code_noise_m", "loss_share", "half_share"))
    if noise is not None and noise >= PHONE_CODE_M:
        found.append(
            f"the codes of {label} scatter by {noise:.1f} m: phone grade (geodetic receivers in "
            "the open: 0.1 to 0.5 m). Fixes take longer and are fewer; a better antenna, or one "
            "away from walls, helps most."
        )
    if loss is not None and loss >= MANY_LOSSES:
        found.append(
            f"{loss:.0%} of the carrier phases of {label} report a loss of lock (usual: below "
            "2 %): fixing starts again all the time; keep the antenna level and in the open."
        )
    if half is not None and half >= MANY_HALF_CYCLES:
        found.append(
            f"{half:.0%} of the carrier phases of {label} are flagged as uncertain by half a cycle "
            "(usual: none); these cannot be fixed to integers."
        )
    if facts["cn0_dbhz"] is not None and facts["cn0_dbhz"] < WEAK_DBHZ:
        found.append(
            f"the signals of {label} are weak: {facts['cn0_dbhz']:.0f} dB-Hz in the median (usual "
            "under open sky: 40 to 50); check antenna, cable and surroundings."
        )
    return found


def base_obstacles(base: ObsTable, code_m: FloatArray | None) -> list[str]:
    """A base header that is doubtful by its own codes, but not absurd."""
    header = base.station.approx_ecef_m
    if code_m is None or not np.isfinite(header).all():
        return []
    apart_m = float(np.linalg.norm(code_m - header))
    if not CODE_DOUBT_M < apart_m < 1000.0:
        return []
    return [
        f"the base's header position is {apart_m:.0f} m from its code position: the whole result "
        "is shifted if it is wrong; give --base-xyz or --base-llh."
    ]


def timing_obstacles(rover: ObsTable, base: ObsTable) -> list[str]:
    """Corrections that will be old: a slow base, or epochs that do not meet."""
    age_s = newest_base_age_s(rover, base)
    age_s = age_s[np.isfinite(age_s)]
    if not len(age_s) or np.percentile(age_s, 90) <= OLD_S:
        return []
    step = interval_s(base)
    every = "" if step is None else f" (the base has an epoch every {step:g} s)"
    return [
        f"the newest base epoch will be {np.median(age_s):.0f} s old in the median and up to "
        f"{age_s.max():.0f} s{every}: beyond some seconds fixes get fewer, beyond "
        f"{RtkConfig().base.max_age_s:g} s there are none."
    ]


def newest_base_age_s(rover: ObsTable, base: ObsTable) -> FloatArray:
    """Age [s] of the newest base epoch at each rover epoch: (n,), NaN before the first one."""
    index = _base_rows(rover, base, np.iinfo(np.int64).max // 4)
    age = (rover.time_ns - np.sort(base.time_ns)[np.maximum(index, 0)]) / NS_PER_S
    ages: FloatArray = np.where(index >= 0, np.maximum(age, 0.0), np.nan)
    return ages


def _base_rows(rover: ObsTable, base: ObsTable, max_age_ns: int) -> IndexArray:
    """The base epoch that serves each rover epoch, -1 for none."""
    tolerance_ns = round(RtkConfig().base.time_tolerance_s * NS_PER_S)
    return match_epochs(rover.time_ns, np.sort(base.time_ns), tolerance_ns, max_age_ns)


def common_satellites(rover: ObsTable, base: ObsTable) -> dict[str, float] | None:
    """Satellites with carrier phases per epoch: of the rover, the base, both (medians)."""
    index = _base_rows(rover, base, 30 * NS_PER_S)
    usable = np.flatnonzero(index >= 0)
    if not len(usable):
        return None
    at = usable[np.unique(np.linspace(0, len(usable) - 1, N_LOOK).astype(np.int64))]
    ours = [_phase_satellites(rover, int(k)) for k in at]
    theirs = [_phase_satellites(base, int(index[k])) for k in at]
    both = [np.intersect1d(a, b) for a, b in zip(ours, theirs, strict=True)]
    sets = {"rover": ours, "base": theirs, "both": both}
    return {name: float(np.median([len(s) for s in group])) for name, group in sets.items()}


def _phase_satellites(table: ObsTable, k: int) -> IndexArray:
    """Satellites with a carrier phase at an epoch."""
    rows = slice(int(table.row_start[k]), int(table.row_start[k + 1]))
    sats: IndexArray = np.unique(table.sat[rows][np.isfinite(table.phase_cycle[rows])])
    return sats


def satellite_obstacles(common: dict[str, float] | None) -> list[str]:
    """Too few satellites common to both. common : `common_satellites`."""
    if common is None or common["both"] >= FEW_SATELLITES:
        return []
    return [
        f"only {common['both']:.0f} satellites per epoch have carrier phases at both receivers "
        f"(the rover {common['rover']:.0f}, the base {common['base']:.0f}): 4 are the least, 8 or "
        "more make fixes quick and safe."
    ]


def paired_signals(rover: ObsTable, base: ObsTable) -> dict[str, list[str]]:
    """How the signals of two receivers are paired, by system: {"G": ["1C", "2L with 2X"]}.

    Of each band, the best pair that most satellites have; the solver chooses by satellite.
    """
    try:
        plan = make_plan(rover, base, RtkConfig())
    except InputError:
        return {}
    ours, theirs = (_phase_signals(table.arrays()) for table in (rover, base))
    out: dict[str, list[str]] = {}
    for s, letter in enumerate(SYSTEM_LETTERS):
        for slot in np.flatnonzero(plan.digit[s]):
            pairs = [
                (_pair_cost(a, b, plan), a, b)
                for a in ours
                for b in theirs
                if a // SIG_PER_SYSTEM == b // SIG_PER_SYSTEM == s
                and plan.slot[a] == plan.slot[b] == slot
            ]
            if pairs:
                _, a, b = min(pairs)
                name, other = sig_code(a), sig_code(b)
                out.setdefault(letter, []).append(name if a == b else f"{name} with {other}")
    return out


def _phase_signals(arrays: ObsArrays) -> list[int]:
    """Signals with carrier phases."""
    return [int(sig) for sig in np.unique(arrays.sig[np.isfinite(arrays.phase_cycle)])]


def _pair_cost(a: int, b: int, plan: PairingPlan) -> int:
    """Order of preference of a pair of signals, as the solver has it."""
    mismatch = 0 if a == b else 1 if plan.family[a] & plan.family[b] else 2
    return 1000 * mismatch + 10 * int(plan.rank[a]) + int(plan.rank[b])


def pair_remarks(rover: ObsTable, base: ObsTable) -> list[str]:
    """What is worth knowing, but stops nothing."""
    ours, theirs = (t.station.antenna.strip() for t in (rover, base))
    plain = {"", "UNKNOWN"}
    if ours == theirs or ours.upper() in plain or theirs.upper() in plain:
        return []
    return [
        f"the antennas differ ({' '.join(ours.split())} and {' '.join(theirs.split())}) and no "
        "antenna models are applied: expect some millimetres in the plane, up to a few "
        "centimetres in height."
    ]

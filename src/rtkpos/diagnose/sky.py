"""What rover and base see at single epochs: satellites apart and common, bands, geometry."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtkpos._arrays import BoolArray, FloatArray, IndexArray
from rtkpos.constants import DEG
from rtkpos.gnss.signals import SIG_PER_SYSTEM, sig_code
from rtkpos.gnss.systems import SYSTEM_LETTERS, systems_of
from rtkpos.physics.geometry import lines_of_sight, pdop
from rtkpos.prepare.pairing import PairingPlan
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.observations import ObsTable


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A rover with its base and what a run decided about them.

    base_row : (n,) base epoch of each rover epoch, -1 = none      place_m : (3,) about where [m]
    """

    rover: ObsTable
    base: ObsTable
    nav: BroadcastTable
    plan: PairingPlan
    base_row: IndexArray
    place_m: FloatArray
    mask_deg: float


def sky_at(pair: Pair, k: int) -> dict[str, Any]:
    """Numbers of one rover epoch and its base epoch; {} where there is no base epoch.

    n_rover, n_base, n_both, n_common : satellites above the mask with an ephemeris: seen by the
    rover, by the base, by both, by both with carrier phases on a common band
    n_phase : phase pairs      n_band : bands per common satellite      pdop : of the common ones
    lost_share : part of those seen by both without a common band      half_share : of phase pairs
    cn0_dbhz : median at the rover      no_ephemeris_share : part of those seen by both
    rover_sees, base_sees, rover_signals, base_signals : words
    """
    j = int(pair.base_row[k])
    if j < 0:
        return {}
    ours, theirs = rows_of_epoch(pair.rover, k), rows_of_epoch(pair.base, j)
    sats = np.union1d(pair.rover.sat[ours], pair.base.sat[theirs]).astype(np.int64)
    sats = sats[pair.plan.wanted[sats] == 1]
    if not len(sats):
        return {}
    line, elevation_rad = lines_of_sight(pair.nav, sats, int(pair.rover.time_ns[k]), pair.place_m)
    lacks = np.isnan(elevation_rad)
    high = elevation_rad >= pair.mask_deg * DEG
    seen = [
        np.isin(sats, np.unique(t.sat[r])) for t, r in ((pair.rover, ours), (pair.base, theirs))
    ]
    slots = phase_slots(pair.rover, ours, pair.plan, sats) & phase_slots(
        pair.base, theirs, pair.plan, sats
    )
    both, common = high & seen[0] & seen[1], high & slots.any(axis=1)
    out: dict[str, Any] = {
        "n_rover": int((high & seen[0]).sum()),
        "n_base": int((high & seen[1]).sum()),
        "n_both": int(both.sum()),
        "n_common": int(common.sum()),
        "n_phase": int(slots[high].sum()),
        "n_band": float(slots[common].sum(axis=1).mean()) if common.any() else 0.0,
        "lost_share": float((both & ~common).sum() / max(both.sum(), 1)),
        "no_ephemeris_share": float((lacks & seen[0] & seen[1]).sum() / len(sats)),
        "pdop": pdop(line[common], systems_of(sats[common])),
        "rover_sees": _by_system(sats[high & seen[0]]),
        "base_sees": _by_system(sats[high & seen[1]]),
        "rover_signals": _signals(pair.rover, ours, sats[both & ~common]),
        "base_signals": _signals(pair.base, theirs, sats[both & ~common]),
    }
    return out | _phase_quality(pair, ours, sats[high])


def rows_of_epoch(table: ObsTable, k: int) -> slice:
    """Rows of one epoch."""
    return slice(int(table.row_start[k]), int(table.row_start[k + 1]))


def phase_slots(table: ObsTable, rows: slice, plan: PairingPlan, sats: IndexArray) -> BoolArray:
    """Which of a run's bands have a carrier phase: (n_sat, N_SLOT)."""
    out: BoolArray = np.zeros((len(sats), plan.digit.shape[1]), bool)
    slot = plan.slot[table.sig[rows]]
    usable = (slot >= 0) & np.isfinite(table.phase_cycle[rows])
    usable &= np.isin(table.sat[rows], sats)
    out[np.searchsorted(sats, table.sat[rows][usable]), slot[usable]] = True
    return out


def _phase_quality(pair: Pair, rows: slice, sats: IndexArray) -> dict[str, float]:
    """Share of half-cycle flags and median C/N0 of the rover's phases of these satellites."""
    mine = np.isin(pair.rover.sat[rows], sats) & (pair.plan.slot[pair.rover.sig[rows]] >= 0)
    mine &= np.isfinite(pair.rover.phase_cycle[rows])
    cn0 = pair.rover.cn0_dbhz[rows][mine]
    cn0 = cn0[np.isfinite(cn0)]
    return {
        "half_share": float(((pair.rover.lli[rows][mine] >> 1) & 1).mean()) if mine.any() else 0.0,
        "cn0_dbhz": float(np.median(cn0)) if len(cn0) else math.nan,
    }


def _by_system(sats: IndexArray) -> str:
    """Satellites by system in words: "G7 E5 C12"."""
    systems, counts = np.unique(systems_of(sats), return_counts=True)
    words = [f"{SYSTEM_LETTERS[s]}{n}" for s, n in zip(systems, counts, strict=True)]
    return " ".join(words) or "none"


def _signals(table: ObsTable, rows: slice, sats: IndexArray) -> str:
    """Signals with carrier phases of these satellites by system: "G 1C 5Q, E 1C"."""
    mine = np.isin(table.sat[rows], sats) & np.isfinite(table.phase_cycle[rows])
    sigs = np.unique(table.sig[rows][mine])
    systems = np.unique(systems_of(table.sat[rows][mine]))
    owner = {
        s: [sig_code(int(g)) for g in sigs if int(g) // SIG_PER_SYSTEM == s]
        for s in systems.tolist()
    }
    return (
        ", ".join(f"{SYSTEM_LETTERS[s]} {' '.join(codes)}" for s, codes in owner.items())
        or "no phases"
    )

"""Which ambiguities take part in integer fixing.

`counts` : (n_counter,) counters of the run, the COUNT_* slots of `prepare.slips`.
"""

from __future__ import annotations

from rtkpos._numba.decorator import kernel
from rtkpos.estimate.ambiguity.glonass import glonass_may_fix
from rtkpos.gnss.systems import GLONASS, SBAS, system_of
from rtkpos.prepare.pairing import ROVER
from rtkpos.prepare.slips import COUNT_HALF_EXCLUDED, COUNT_HELD_BACK

SETTLED_MIN = 12  # settled ambiguities that suffice while newcomers wait


@kernel
def mark_candidates(work, state, settings, amb, counts):
    """Ambiguities fit for fixing: phase used, high enough, whole cycles; returns how many.

    SBAS stays real: too coarse orbits. GLONASS until its channel bias is known.
    """
    n = 0
    for i in range(work.n_sat):
        system = system_of(work.sat[i])
        low = work.elevation_rad[ROVER, i] < settings.ar_mask_rad
        for band in range(amb.candidate.shape[1]):
            amb.candidate[i, band] = 0
            if not work.phase_ok[i, band] or state.slot[work.sat[i], band] < 0:
                continue
            if system == SBAS or low:
                continue
            if system == GLONASS and not glonass_may_fix(
                work.sat[i], work.wavelength_m[i, band], settings.glonass, amb
            ):
                continue
            if work.half_cycle[i, band]:
                counts[COUNT_HALF_EXCLUDED] += 1
                continue
            amb.candidate[i, band] = 1
            n += 1
    if state.n_fixed_run > 0:
        n -= hold_back_newcomers(n, work, state, settings, amb, counts)
    return n


@kernel
def hold_back_newcomers(n, work, state, settings, amb, counts):
    """While fixes go on, keep ambiguities that have just begun out of the set; returns how many.

    A satellite that rises or has slipped must not cost the fix. It waits for settings.admit_after
    epochs, as long as SETTLED_MIN others are there to go on with.
    """
    n_new = 0
    for i in range(work.n_sat):
        for band in range(amb.candidate.shape[1]):
            is_new = state.n_lock[work.sat[i], band] <= settings.admit_after
            if amb.candidate[i, band] and is_new:
                n_new += 1
    if n_new == 0 or n - n_new < SETTLED_MIN:
        return 0
    for i in range(work.n_sat):
        for band in range(amb.candidate.shape[1]):
            if state.n_lock[work.sat[i], band] <= settings.admit_after:
                amb.candidate[i, band] = 0
    counts[COUNT_HELD_BACK] += n_new
    return n_new

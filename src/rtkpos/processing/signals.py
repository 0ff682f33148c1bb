"""What became of the signals: pairs used, codes compared or kept apart, what was left out."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from rtkpos._arrays import record_of
from rtkpos.constants import NS_PER_S
from rtkpos.estimate.ambiguity.glonass import GLONASS_ALIKE, GLONASS_OFF
from rtkpos.estimate.baseline.epoch_work import epoch_work, filter_state
from rtkpos.estimate.baseline.single_difference import count_pair
from rtkpos.gnss.signals import GLONASS_STEP_HZ, SIG_PER_SYSTEM, sig_band, sig_code
from rtkpos.gnss.systems import GLONASS, SYSTEM_LETTERS, sat_name, systems_of
from rtkpos.prepare.align import match_epochs
from rtkpos.prepare.alignment import finding_text, measure_alignment
from rtkpos.prepare.common import pair_epoch
from rtkpos.prepare.pairing import PairingPlan, band_coverage
from rtkpos.records.observations import ObsTable
from rtkpos.records.signal_use import SignalUse, pair_name
from rtkpos.records.solution import Solution
from rtkpos.records.status import ArMode, RunMode

PLANNED_EPOCHS = 200  # looked at when a plan is shown before the run
SAME_EPOCH_NS = NS_PER_S // 50


def signal_uses(state: Any, plan: Any) -> tuple[SignalUse, ...]:
    """Pairs by system, band and number of satellite-epochs.

    state : record of the `FilterState` after the run      plan : PairingPlan, or its record
    """
    uses = []
    for p in np.flatnonzero(state.use_key >= 0):
        rover, base = divmod(int(state.use_key[p]), 4096)
        leaders = int(plan.leader[0, rover]), int(plan.leader[1, base])
        uses.append(
            SignalUse(
                system=SYSTEM_LETTERS[rover // SIG_PER_SYSTEM],
                band=int(sig_band(rover)),
                rover=sig_code(rover),
                base=sig_code(base),
                n_phase=int(state.use_with_phase[p]),
                n_code=int(state.use_without_phase[p]),
                compared_with=pair_name(*map(sig_code, leaders)),
            )
        )
    return tuple(sorted(uses, key=lambda u: (SYSTEM_LETTERS.index(u.system), u.band, -u.n_phase)))


def tell_signals(
    solution: Solution, rover: ObsTable, base: ObsTable, plan: Any, memory: Any
) -> Solution:
    """The solution with the signals that were paired and the notes on them.

    plan : record of the `RunPlan`      memory : record of the `StepMemory` after the run
    """
    uses = signal_uses(memory.state, plan.pairing)
    notes = signal_notes(rover, base, plan.pairing, uses)
    if wants_integers(plan.settings):
        notes += glonass_notes(plan.settings.glonass, memory.ambiguity, uses)
    return dataclasses.replace(solution, signals=uses, notes=(*solution.notes, *notes))


def wants_integers(settings: Any) -> bool:
    """Whether a run tries to fix integers; settings : record of the `Settings`."""
    return bool(settings.ar != ArMode.OFF and settings.mode not in (RunMode.SINGLE, RunMode.DGNSS))


def planned_uses(rover: ObsTable, base: ObsTable, plan: PairingPlan) -> tuple[SignalUse, ...]:
    """Pairs as `signal_uses`, from up to PLANNED_EPOCHS epochs of the files, without a run."""
    record, work, state = record_of(plan), record_of(epoch_work()), record_of(filter_state())
    index = match_epochs(rover.time_ns, base.time_ns, SAME_EPOCH_NS, 30 * NS_PER_S)
    epochs = np.flatnonzero(index >= 0)
    ours, theirs = rover.arrays(), base.arrays()
    for k in epochs[:: max(len(epochs) // PLANNED_EPOCHS, 1)].tolist():
        n = pair_epoch(ours, k, theirs, int(index[k]), record, work)
        for a, b in work.row[:, :n].reshape(2, -1).T.tolist():
            if a >= 0:
                has_phase = bool(np.isfinite(rover.phase_cycle[a] + base.phase_cycle[b]))
                count_pair(int(rover.sig[a]) * 4096 + int(base.sig[b]), has_phase, state)
    return signal_uses(state, plan)


def signal_notes(
    rover: ObsTable, base: ObsTable, plan: Any, uses: tuple[SignalUse, ...]
) -> list[str]:
    """Sentences on what is not as plain as "the same code at both ends".

    Codes of a band compared or kept apart, with what was measured; bands and GLONASS satellites
    that were left out, and why.
    """
    notes = []
    for role, table, codes in (
        ("rover", rover, {(u.system, u.rover) for u in uses if u.n_phase}),
        ("base", base, {(u.system, u.base) for u in uses if u.n_phase}),
    ):
        for finding in measure_alignment(table).findings:
            system = SYSTEM_LETTERS[finding.sig // SIG_PER_SYSTEM]
            if (system, sig_code(finding.sig)) in codes:
                notes.append(f"{role}: {finding_text(finding)}.")
    return notes + _bands_left_out(rover, base, plan) + _satellites_left_out(rover, plan)


def _bands_left_out(rover: ObsTable, base: ObsTable, plan: Any) -> list[str]:
    """Bands both receivers have that the plan does not use, by system."""
    common = np.minimum(band_coverage(rover), band_coverage(base))
    notes = []
    for system, digits in enumerate(plan.digit.tolist()):
        out = [d for d in range(10) if common[system, d] > 0 and d not in digits]
        if out and any(digits):
            names = " ".join(f"L{d}" for d in out)
            notes.append(f"{SYSTEM_LETTERS[system]}: bands left out: {names}.")
    return notes


def _satellites_left_out(rover: ObsTable, plan: Any) -> list[str]:
    """GLONASS satellites whose channel is not known."""
    digits = plan.digit[GLONASS].tolist()
    slots = [s for s, digit in enumerate(digits) if digit in GLONASS_STEP_HZ]
    if not slots:
        return []
    sats = np.unique(rover.sat[systems_of(rover.sat) == GLONASS]).tolist()
    names = [sat_name(sat) for sat in sats if np.isnan(plan.carrier_hz[sat, slots[0]])]
    if not names:
        return []
    return [f"phases left out, as no source gives one channel for them: {' '.join(names)}."]


def glonass_notes(mode: int, ambiguity: Any, uses: tuple[SignalUse, ...]) -> list[str]:
    """What was assumed or learnt of the GLONASS channel bias.

    mode : GLONASS_* of `estimate.ambiguity.glonass`      ambiguity : record of the `AmbiguityWork`
    """
    if not any(use.system == "R" and use.n_phase for use in uses) or mode == GLONASS_OFF:
        return []
    known = [
        f"{ambiguity.channel_bias[band]:+.3f} cycle per channel on G{band + 1}"
        for band in range(2)
        if ambiguity.channel_bias_var[band] > 0.0
    ]
    text = f"learnt bias {', '.join(known)}" if known else "no bias was learnt"
    if mode == GLONASS_ALIKE:
        return [f"GLONASS integers: from the start, receivers taken as alike; {text}."]
    return [f"GLONASS integers: {'once the bias was known' if known else 'none'}; {text}."]

"""A run in either direction of time: the same compiled step over the epochs in reverse.

Backward, the filter learns from the end of a recording. What an observation says about the time
since the observation before it then belongs to its neighbour: see `mirrored`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from rtkpos._arrays import FlagArray, TimeArray
from rtkpos.constants import NS_PER_S
from rtkpos.core.tables import RESET_EVENTS
from rtkpos.estimate.step import run_block
from rtkpos.estimate.step_memory import RunInputs, step_memory, step_outputs
from rtkpos.prepare.align import match_epochs
from rtkpos.processing.epoch import kernel_view, take_epochs
from rtkpos.processing.explain import explain_base, explain_rover
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.config import RtkConfig
from rtkpos.records.observations import ObsTable

BLOCK = 200  # epochs between two progress calls
LOST_LOCK = 1  # LLI bit 0: lock was lost since the observation before


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recording:
    """What a run goes through: tables with ascending times; base None for single positioning."""

    rover: ObsTable
    base: ObsTable | None
    nav: BroadcastTable
    inputs: RunInputs


def run_forward(
    recording: Recording, config: RtkConfig, on_epoch: Callable[[int], Any]
) -> tuple[Any, Any]:
    """All rover epochs in the order of time. Returns the memory and the output rows (n,).

    on_epoch : called with the number of epochs done
    """
    base_ns = base_times(recording)
    memory, out = run_epochs(recording.inputs, base_ns, 1, config, on_epoch)
    explain_base(out, recording.rover.time_ns, base_ns, time_tolerance_ns(config))
    explain_rover(out, recording.inputs.rover, recording.nav)
    return memory, out


def run_backward(
    recording: Recording, config: RtkConfig, on_epoch: Callable[[int], Any]
) -> tuple[Any, Any]:
    """All rover epochs from the last to the first, each with the base epoch at or after it.

    on_epoch : called with the number of epochs done
    Returns : the memory and the output rows (n,) in the order of time; age_s is then negative
    """
    rover = mirrored(recording.rover)
    base = None if recording.base is None else mirrored(recording.base)
    seen = rover if base is None else base
    inputs = recording.inputs._replace(
        rover=kernel_view(rover.arrays()),
        base=kernel_view(seen.arrays()),
        sigma=kernel_view(seen.correction_arrays()),
    )
    base_ns = -base_times(recording)[::-1]
    memory, out = run_epochs(inputs, base_ns, -1, config, on_epoch)
    aged = np.isfinite(out["age_s"])
    explain_base(out, -rover.time_ns, base_ns, time_tolerance_ns(config))
    late = np.isfinite(out["age_s"]) & ~aged
    out["age_s"][late] *= -1.0
    explain_rover(out, inputs.rover, recording.nav)
    out = out[::-1].copy()
    out["event"] = recording.rover.event
    return memory, out


def base_times(recording: Recording) -> TimeArray:
    """Times of the base epochs [ns], ascending; none without a base."""
    return np.zeros(0, np.int64) if recording.base is None else recording.base.time_ns


def time_tolerance_ns(config: RtkConfig) -> int:
    """A base epoch this much [ns] on the far side of a rover epoch still counts as the same."""
    return round(config.base.time_tolerance_s * NS_PER_S)


def run_epochs(
    inputs: RunInputs,
    base_ns: TimeArray,
    sense: int,
    config: RtkConfig,
    on_epoch: Callable[[int], Any],
) -> tuple[Any, Any]:
    """Step through the rover epochs in the order of the table.

    base_ns : (m,) times of the base epochs times `sense`, ascending      sense : 1 forward, -1
        backward      Returns : the memory and the output rows
    """
    rover_ns = inputs.rover.time_ns
    max_age_ns = int(inputs.plan.settings.max_age_ns)
    index = match_epochs(sense * rover_ns, base_ns, time_tolerance_ns(config), max_age_ns)
    n = len(rover_ns)
    memory, out = step_memory(), step_outputs(n)
    memory.state.first_ns = rover_ns.min()
    for first in range(0, n, BLOCK):
        end = min(first + BLOCK, n)
        run_block(inputs, index, first, end, memory, out)
        on_epoch(end)
    return memory, out


def mirrored(table: ObsTable) -> ObsTable:
    """The time-reversed table: its epochs and lock flags in reverse.

    A loss of lock (LLI bit 0) tells of the time since the signal's observation before, so it moves
    to that; a power failure, a moved antenna or a new session move to the epoch before. The
    half-cycle bit (LLI bit 1) tells of the observation itself and stays. Times stay true.
    Mirrored twice, a table has its flags back but those of first observations, which tell nothing.
    """
    event = table.event & ~np.uint8(RESET_EVENTS)
    event[:-1] |= table.event[1:] & RESET_EVENTS
    moved = dataclasses.replace(table, event=event, lli=_lock_flags_of_successors(table))
    return take_epochs(moved, np.arange(table.n_epoch)[::-1])


def _lock_flags_of_successors(table: ObsTable) -> FlagArray:
    """LLI (n_row,) whose bit 0 says: lock is lost before the signal's next observation.

    The flag goes to the last row before that has a phase, since only phases are watched.
    """
    order = np.lexsort((np.arange(table.n_row), table.sig, table.sat))
    sat, sig = table.sat[order], table.sig[order]
    starts = np.ones(table.n_row, bool)
    starts[1:] = (sat[1:] != sat[:-1]) | (sig[1:] != sig[:-1])
    place = np.arange(table.n_row)
    series = np.maximum.accumulate(np.where(starts, place, 0))
    with_phase = np.isfinite(table.phase_cycle[order])
    latest = np.maximum.accumulate(np.where(with_phase, place, -1))
    before = np.concatenate([[-1], latest[:-1]])
    lost = ((table.lli[order] & LOST_LOCK) != 0) & (before >= series)
    lli = table.lli & ~np.uint8(LOST_LOCK)
    lli[order[before[lost]]] |= LOST_LOCK
    return lli

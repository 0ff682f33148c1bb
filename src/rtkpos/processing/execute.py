"""The run itself: plans built, epochs stepped through in their direction, rows gathered."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.io.run_history import run_history
from rtkpos.prepare.slips import COUNTER_NAMES
from rtkpos.processing.combine import combine, share_base
from rtkpos.processing.direction import Recording, run_backward, run_forward
from rtkpos.processing.epoch import take_epochs
from rtkpos.processing.explain import run_notes
from rtkpos.processing.run_antennas import antenna_words, enter_antennas, site_antennas
from rtkpos.processing.settings import run_inputs
from rtkpos.processing.signals import tell_signals
from rtkpos.processing.static_session import StaticSession, static_session
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.config import RtkConfig
from rtkpos.records.observations import ObsTable
from rtkpos.records.report import ReadReport
from rtkpos.records.solution import Diagnostics, Solution
from rtkpos.records.status import FixStatus, Reason

MOVING_NOTES = (
    "the base moves: only the vector from base to rover is precise; absolute positions have the "
    "error of the base's code position.",
)


class RunTables(NamedTuple):
    """Checked tables of a run, their epochs in the order of time.

    rover, base : observations, `base` None for code positions      nav : broadcast ephemerides
    base_ecef_m : (3,) coordinate of the base's marker [m], NaN where it is not known
    """

    rover: ObsTable
    base: ObsTable | None
    base_ecef_m: FloatArray
    nav: BroadcastTable


def execute(
    tables: RunTables,
    config: RtkConfig,
    report: ReadReport,
    on_epoch: Callable[[int, int], Any] | None = None,
) -> Solution:
    """Positions of the rover, epoch by epoch; `on_epoch` is called as on_epoch(done, total)."""
    rover, base, base_ecef_m, nav = tables
    in_use = config if base is not None else dataclasses.replace(config, mode="single")
    inputs = run_inputs(rover, nav, base, base_ecef_m, in_use, report)
    stations = (rover.station, base.station if base is not None else None)
    antennas = site_antennas(*stations, in_use, int(rover.time_ns[0]), report)
    enter_antennas(inputs.plan, antennas)
    recording = Recording(rover=rover, base=base, nav=nav, inputs=inputs)
    out, totals, memory = run_directions(recording, config, on_epoch)
    if base is None and config.mode != "single":
        out["reason"][out["status"] == FixStatus.SPP] = Reason.NO_BASE_EPOCH
    history = run_history(rover, nav, base, base_ecef_m, config, report)
    words = antenna_words(antennas, inputs.plan, base is not None)
    solution = gather(rover, base_ecef_m, config, out, totals, report)
    solution = dataclasses.replace(
        solution, antennas=words, notes=solution.notes + words, history=history
    )
    return solution if base is None else tell_signals(solution, rover, base, inputs.plan, memory)


def run_directions(
    recording: Recording, config: RtkConfig, on_epoch: Callable[[int, int], Any] | None
) -> tuple[Any, dict[str, int], Any]:
    """Output rows, counters and memory of the run in the direction(s) of the configuration.

    Counters of a combined run are the sums of both runs, the memory is that of the last one.
    """
    n = recording.rover.n_epoch
    runs = {"forward": [run_forward], "backward": [run_backward]}
    wanted = runs.get(config.direction, [run_forward, run_backward])
    done, counts = [], np.zeros(len(COUNTER_NAMES), np.int64)
    for before, one in enumerate(wanted):

        def tell(k: int, before: int = before) -> None:
            if on_epoch is not None:
                on_epoch(before * n + k, len(wanted) * n)

        memory, out = one(recording, config, tell)
        counts += memory.counts
        done.append(out)
    totals = {name: int(c) for name, c in zip(COUNTER_NAMES, counts, strict=True)}
    if len(done) == 1:
        return done[0], totals, memory
    if config.mode == "static":
        done = [of_the_epoch_alone(out) for out in done]
    out, tally = combine(done[0], share_base(*done))
    return out, totals | tally, memory


def of_the_epoch_alone(out: Any) -> Any:
    """Rows of a static run with each fixed epoch's own position in place of the running mean."""
    own = (out["status"] == FixStatus.FIXED) & np.isfinite(out["own_ecef_m"][:, 0])
    out["ecef_m"][own] = out["own_ecef_m"][own]
    out["cov_ecef_m2"][own] = out["own_cov_m2"][own]
    return out


def in_order(table: ObsTable, name: str, report: ReadReport) -> ObsTable:
    """The table with strictly increasing times, as readers give it; else a sorted copy."""
    if not np.any(np.diff(table.time_ns) <= 0):
        return table
    _, index = np.unique(table.time_ns, return_index=True)
    report.warn(f"the {name}'s epochs are not in the order of time; sorted, repetitions dropped.")
    return take_epochs(table, index)


def column(out: Any, name: str) -> Any:
    """One column of the output rows as a contiguous array."""
    return np.ascontiguousarray(out[name])


def gather(
    rover: ObsTable,
    base_ecef_m: FloatArray,
    config: RtkConfig,
    out: Any,
    totals: dict[str, int],
    report: ReadReport,
) -> Solution:
    """The output arrays as a Solution."""
    diagnostics = Diagnostics(
        n_slip=column(out, "n_slip"),
        n_code_rejected=column(out, "n_code_rejected"),
        n_phase_rejected=column(out, "n_phase_rejected"),
        prefit_code_m=column(out, "prefit_code_m"),
        postfit_phase_m=column(out, "postfit_phase_m"),
        success_rate=column(out, "success_rate"),
        ratio_needed=column(out, "ratio_needed"),
        probability=column(out, "probability"),
        totals=totals,
    )
    session = StaticSession()
    if config.mode == "static":
        session = static_session(rover.time_ns, out, config.direction == "combined")
    moving = config.mode == "moving_base"
    if moving and np.isfinite(out["base_ecef_m"]).any():
        base_ecef_m = np.nanmean(out["base_ecef_m"], axis=0)
    uses_base = out["status"] >= FixStatus.DGNSS
    return Solution(
        time_ns=rover.time_ns,
        ecef_m=column(out, "ecef_m"),
        velocity_mps=column(out, "velocity_mps"),
        cov_ecef_m2=column(out, "cov_ecef_m2"),
        status=column(out, "status").astype(np.int8),
        reason=column(out, "reason").astype(np.int8),
        ratio=column(out, "ratio"),
        age_s=column(out, "age_s"),
        n_sat=column(out, "n_sat"),
        n_fixed=column(out, "n_fixed"),
        rx_clock_m=column(out, "rx_clock_m"),
        event=column(out, "event").astype(np.uint8),
        base_ecef_m=base_ecef_m,
        mode=config.mode,
        diagnostics=diagnostics,
        static_ecef_m=session.ecef_m,
        static_cov_m2=session.cov_m2,
        hourly=session.hourly,
        baseline_ecef_m=np.where(uses_base[:, None], out["ecef_m"] - out["base_ecef_m"], np.nan),
        direction=config.direction,
        notes=MOVING_NOTES + run_notes(False) if moving else run_notes(config.mode != "single"),
        report=report,
    )

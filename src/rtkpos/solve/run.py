"""A run: check the inputs, build the plans, step through the epochs, gather the solution."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray, record_of
from rtkpos.constants import DEG, NS_PER_S
from rtkpos.errors import InputError
from rtkpos.estimate.glonass import GLONASS_ALIKE, GLONASS_LEARNT, GLONASS_OFF
from rtkpos.estimate.memory import RunInputs, RunPlan
from rtkpos.estimate.point_models import point_plan
from rtkpos.estimate.robust import RobustSettings
from rtkpos.estimate.single_point import SinglePointSettings
from rtkpos.estimate.workspace import Settings
from rtkpos.gnss.systems import sat_from_name
from rtkpos.physics.atmosphere import ionosphere_model
from rtkpos.prepare.antennas import no_antennas
from rtkpos.prepare.pairing import PairingPlan, make_plan
from rtkpos.prepare.slips import COUNTER_NAMES
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.config import MODES, RtkConfig
from rtkpos.records.observations import ObsTable
from rtkpos.records.report import ReadReport
from rtkpos.records.solution import Diagnostics, FixStatus, Reason, Solution
from rtkpos.solve.antennas import antenna_words, enter_antennas, site_antennas
from rtkpos.solve.base_check import checked_coordinate, compare_with_own_code
from rtkpos.solve.combine import combine, share_base
from rtkpos.solve.direction import Recording, run_backward, run_forward, time_tolerance_ns
from rtkpos.solve.epoch import kernel_view, take_epochs
from rtkpos.solve.explain import run_notes, say_what_does_not_fit
from rtkpos.solve.session import StaticSession, static_session
from rtkpos.solve.signals import tell_signals

MOVING_NOTES = (
    "the base moves: only the vector from base to rover is precise; absolute positions have the "
    "error of the base's code position.",
)
AR_NUMBER = {"off": 0, "instantaneous": 1, "continuous": 2, "hold": 3}
GLONASS_NUMBER = {"off": GLONASS_OFF, "auto": GLONASS_LEARNT, "on": GLONASS_ALIKE}


def kernel_settings(config: RtkConfig) -> Settings:
    """The configuration as numbers for the kernels: radians, nanoseconds, metres."""
    selection, noise, slips = config.selection, config.noise, config.slips
    ambiguity, atmosphere = config.ambiguity, config.atmosphere
    return Settings(
        mode=MODES.index(config.mode),
        ar=AR_NUMBER[config.ar],
        mask_rad=selection.elevation_mask_deg * DEG,
        cn0_min_dbhz=float(selection.cn0_min_dbhz),
        phase_a_m=float(noise.phase_a_m),
        phase_b_m=float(noise.phase_b_m),
        code_phase_ratio=float(noise.code_phase_ratio),
        code_correlation_s=float(noise.code_correlation_s),
        phase_correlation_s=float(noise.phase_correlation_s),
        cn0_reference_dbhz=float(noise.cn0_reference_dbhz),
        baseline_m_per_m=noise.phase_baseline_mm_per_km * 1e-6,
        age_mps=float(config.base.age_noise_m_per_s),
        geo_factor=float(noise.beidou_geo_factor),
        position_reset_m=float(noise.position_reset_m),
        ambiguity_drift=float(noise.ambiguity_drift_cycle_per_sqrt_s),
        slip_gf_m=float(slips.geometry_free_m),
        slip_doppler_cycle=float(slips.doppler_cycle_per_s),
        slip_code_m=float(slips.code_minus_phase_m),
        slip_wide_lane_sigma=float(slips.wide_lane_sigma),
        max_gap_ns=round(slips.max_gap_s * NS_PER_S),
        divergence_epochs=int(slips.divergence_epochs),
        ar_mask_rad=ambiguity.elevation_mask_deg * DEG,
        min_pairs=int(ambiguity.min_pairs),
        success_min=float(ambiguity.success_rate_min),
        failure_rate=float(config.certainty.failure_rate),
        probability_min=float(config.certainty.probability_min),
        ratio_min=float(ambiguity.ratio_min),
        ratio_max=float(ambiguity.ratio_max),
        position_sigma_max_m=float(ambiguity.position_sigma_max_m),
        postfit_max_m=float(ambiguity.postfit_phase_max_m),
        jump_m=float(ambiguity.jump_m),
        hold_after_ns=round(ambiguity.hold_after_s * NS_PER_S),
        hold_sigma_cycle=float(ambiguity.hold_sigma_cycle),
        glonass=GLONASS_NUMBER[ambiguity.glonass],
        n_search_max=int(ambiguity.n_search_max),
        n_drop_max=int(ambiguity.n_drop_max),
        drop_penalty=float(ambiguity.drop_penalty),
        admit_after=int(ambiguity.admit_after_epochs),
        misfit_max=float(ambiguity.misfit_max),
        max_age_ns=max_age_ns(config),
        troposphere=int(atmosphere.troposphere != "off"),
        long_from_m=atmosphere.long_from_km * 1e3,
        iono_m_per_m=atmosphere.ionosphere_mm_per_km * 1e-6,
        iono_tau_s=float(atmosphere.ionosphere_correlation_s),
        wet_m_per_m=atmosphere.wet_delay_mm_per_km * 1e-6,
        wet_tau_s=float(atmosphere.wet_delay_correlation_s),
        long_noise_share=float(atmosphere.long_noise_share),
        solid_tide=int(config.tide.solid_earth),
        static_start_ns=round(config.static_start_s * NS_PER_S),
    )


def max_age_ns(config: RtkConfig) -> int:
    """Oldest base epoch that serves [ns]; a base that moves is elsewhere an epoch later."""
    if config.mode == "moving_base":
        return time_tolerance_ns(config)
    return round(config.base.max_age_s * NS_PER_S)


def run_plan(pairing: PairingPlan, base_ecef_m: FloatArray, config: RtkConfig) -> Any:
    """What a run has decided beforehand, as the record of a `RunPlan`."""
    excluded = tuple(s for s in map(sat_from_name, config.selection.exclude) if s >= 0)
    settings = kernel_settings(config)
    if pairing.alike[0] and settings.glonass != GLONASS_OFF:
        settings = settings._replace(glonass=GLONASS_ALIKE)
    return record_of(
        RunPlan(
            pairing=pairing,
            point=point_plan(config.selection.systems, excluded),
            base_ecef_m=base_ecef_m,
            settings=settings,
            point_settings=SinglePointSettings(
                mask_rad=settings.mask_rad, cn0_min_dbhz=settings.cn0_min_dbhz
            ),
            robust=RobustSettings(),
            site=no_antennas(),
        )
    )


def run_inputs(
    rover: ObsTable,
    nav: BroadcastTable,
    base: ObsTable | None,
    base_ecef_m: FloatArray,
    config: RtkConfig,
    report: ReadReport,
) -> RunInputs:
    """Plans and views of a run; `base` None gives an empty base (single positioning)."""
    plan = run_plan(make_plan(rover, base, config, nav), base_ecef_m, config)
    start, end = int(rover.time_ns[0]), int(rover.time_ns[-1])
    ionosphere = ionosphere_model(nav, config.atmosphere.ionosphere, start, end, report)
    return RunInputs(
        kernel_view(rover.arrays()),
        kernel_view((base if base is not None else rover).arrays()),
        kernel_view(nav.arrays()),
        ionosphere,
        plan,
        kernel_view((base if base is not None else rover).correction_arrays()),
    )


def solve(
    rover: ObsTable,
    nav: BroadcastTable,
    base: ObsTable | None = None,
    base_ecef_m: FloatArray | None = None,
    config: RtkConfig | None = None,
    on_epoch: Callable[[int, int], Any] | None = None,
) -> Solution:
    """Positions of a rover, epoch by epoch.

    rover, base : observations      nav : broadcast ephemerides
    base_ecef_m : (3,) coordinate of the base's marker [m]; the result is that of the rover's, see
        `config.antenna` for offsets and calibrations; not used in mode moving_base
    on_epoch    : called as on_epoch(done, total) every few hundred epochs, those of both
        directions in a combined run
    Raises InputError when the rover is empty, when the base or its coordinate is missing for a
    differential mode, and when the coordinate is not that of the base (more than 1 km from its
    own code position, unless `config.base.force`). A base without epochs gives single positions.
    What does not fit is told in the solution's report.
    """
    config = config or RtkConfig()
    report = ReadReport()
    if rover.n_epoch == 0:
        raise InputError("the rover has no epochs; give an observation file with data.")
    rover = in_order(rover, "rover", report)
    base, coordinate = usable_base(base, base_ecef_m, config, report)
    if base is not None:
        base = in_order(base, "base", report)
        if config.mode != "moving_base":
            compare_with_own_code(coordinate, base, nav, config.base.force, report)
    say_what_does_not_fit(rover, base, nav, report)
    in_use = config if base is not None else dataclasses.replace(config, mode="single")
    inputs = run_inputs(rover, nav, base, coordinate, in_use, report)
    has_base = base is not None
    stations = (rover.station, base.station if base is not None else None)
    antennas = site_antennas(*stations, in_use, int(rover.time_ns[0]), report)
    enter_antennas(inputs.plan, antennas)
    recording = Recording(rover=rover, base=base, nav=nav, inputs=inputs)
    out, totals, memory = run_directions(recording, config, on_epoch)
    if base is None and config.mode != "single":
        out["reason"][out["status"] == FixStatus.SPP] = Reason.NO_BASE_EPOCH
    words = antenna_words(antennas, inputs.plan, has_base)
    solution = gather(rover, coordinate, config, out, totals, report)
    solution = dataclasses.replace(solution, antennas=words, notes=solution.notes + words)
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


def usable_base(
    base: ObsTable | None,
    base_ecef_m: FloatArray | None,
    config: RtkConfig,
    report: ReadReport,
) -> tuple[ObsTable | None, FloatArray]:
    """The base a run uses, None for single positioning, and its coordinate (3,), NaN then."""
    if config.mode == "single":
        return None, np.full(3, np.nan)
    if base is None:
        raise InputError(f"mode {config.mode} needs base observations; give a base or use single.")
    moves = config.mode == "moving_base"
    coordinate = np.full(3, np.nan) if moves else checked_coordinate(base_ecef_m)
    if base.n_epoch == 0:
        report.warn("the base has no epochs; only single positions are computed.")
        return None, coordinate
    return base, coordinate


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

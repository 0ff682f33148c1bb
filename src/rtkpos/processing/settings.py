"""What a run decides beforehand: the configuration as numbers for the kernels, plans and views."""

from __future__ import annotations

from typing import Any

from rtkpos._arrays import FloatArray, record_of
from rtkpos.constants import DEG, NS_PER_S
from rtkpos.errors import ConfigError, quoted
from rtkpos.estimate.ambiguity.glonass import GLONASS_ALIKE, GLONASS_LEARNT, GLONASS_OFF
from rtkpos.estimate.baseline.epoch_work import Settings
from rtkpos.estimate.point.models import point_plan
from rtkpos.estimate.point.single_point import SinglePointSettings
from rtkpos.estimate.robust import RobustSettings
from rtkpos.estimate.step_memory import RunInputs, RunPlan
from rtkpos.gnss.systems import sat_from_name
from rtkpos.physics.atmosphere import ionosphere_model
from rtkpos.prepare.antennas import no_antennas
from rtkpos.prepare.pairing import PairingPlan, make_plan
from rtkpos.processing.direction import time_tolerance_ns
from rtkpos.processing.epoch import kernel_view
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.config import RtkConfig
from rtkpos.records.observations import ObsTable
from rtkpos.records.report import ReadReport
from rtkpos.records.status import ArMode, RunMode

GLONASS_NUMBER = {"off": GLONASS_OFF, "auto": GLONASS_LEARNT, "on": GLONASS_ALIKE}


def kernel_settings(config: RtkConfig) -> Settings:
    """The configuration as numbers for the kernels: radians, nanoseconds, metres."""
    selection, noise, slips = config.selection, config.noise, config.slips
    ambiguity, atmosphere = config.ambiguity, config.atmosphere
    return Settings(
        mode=RunMode[config.mode.upper()].value,
        ar=ArMode[config.ar.upper()].value,
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


def config_of(config: RtkConfig | None) -> RtkConfig:
    """The configuration of a run, None = the defaults; ConfigError for anything else."""
    if config is None:
        return RtkConfig()
    if not isinstance(config, RtkConfig):
        raise ConfigError(f"config must be an RtkConfig or None; got {quoted(config)}.")
    return config


def max_age_ns(config: RtkConfig) -> int:
    """Oldest base epoch that serves [ns]; a base that moves is elsewhere an epoch later."""
    if config.mode == "moving_base":
        return time_tolerance_ns(config)
    return round(config.base.max_age_s * NS_PER_S)


def run_plan(pairing: PairingPlan, base_ecef_m: FloatArray, config: RtkConfig) -> Any:
    """What a run has decided beforehand, as the record of a `RunPlan`."""
    excluded = tuple(s for s in map(sat_from_name, config.selection.exclude) if s >= 0)
    settings = kernel_settings(config)
    if pairing.alike and settings.glonass != GLONASS_OFF:
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

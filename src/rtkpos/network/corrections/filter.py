"""Corrections of the stations: the dispersive and the non-dispersive part of what phases show.

With its integers known, the phase of station k to satellite s on band f shows

    y(k, s, f) = a(k, f) + b(s, f) + G(k, s) - mu_f D(k, s),   mu_f = (f_L1 / f)^2,

with a clock of each station and band, a constant of each satellite and band, the non-dispersive
part G (wet delay, orbit) and the dispersive part D (ionosphere on L1). Clocks and constants of
every epoch are taken out by two-way weighted means of what the states G and D do not explain, so
that both carry on smoothly whoever comes or goes; only double differences of them have a meaning.
G and D are random walks, estimated by one small Kalman filter per station and satellite.

network : NetworkMemory, corrections of K stations      settings : CorrectionSettings
"""

from __future__ import annotations

import math
from typing import NamedTuple

from rtkpos._numba.decorator import kernel
from rtkpos.estimate.baseline.epoch_work import NEVER_NS
from rtkpos.estimate.baseline.observation_noise import phase_variance
from rtkpos.gnss.systems import first_sat, system_of
from rtkpos.network.ambiguity.baseline_integers import release
from rtkpos.network.network_memory import COUNT_RELEASED_STEP
from rtkpos.prepare.pairing import BASE, ROVER

N_SWEEP = 6  # of the two-way means; they shrink tenfold and more with each
START_SIGMA_M = 1.0  # of a new correction
OFF_SIGMA = 6.0  # outlier: standard deviations, ...
OFF_FLOOR_M = 0.03  # ... and not below
MAX_CONSECUTIVE_OUTLIERS = 3  # epochs with an outlier in a row that end the arc
MOST_OFF = 4  # outliers of a system and band that are taken out one by one


class CorrectionSettings(NamedTuple):
    """Random walks of the corrections [m^2/s], and how long one serves unseen [ns]."""

    drift_g_m2: float
    drift_d_m2: float
    max_age_ns: int


@kernel
def update_corrections(time_ns, settings, network):
    """Take one epoch's phases into the corrections; returns satellite-bands used."""
    corrections = network.corrections
    n = observe(network)
    n_station, n_sat = corrections.last_ns.shape
    for k in range(n_station):
        for sat in range(n_sat):
            predict(k, sat, time_ns, settings, corrections)
    n_system, n_band = network.edge[0].datum_ns.shape
    for system in range(n_system):
        for band in range(n_band):
            if level(system, band, network):
                for _ in range(MOST_OFF):
                    if drop_worst(system, band, network) == 0:
                        break
                    level(system, band, network)
                absorb(system, band, network)
    count_consecutive_outliers(time_ns, network)
    forget_old(time_ns, settings, corrections)
    return n


@kernel
def observe(network):
    """Phases less models and integers of all stations into observed_m; returns how many."""
    corrections, n = network.corrections, 0
    for k in range(corrections.observed_m.shape[0]):
        corrections.observed_m[k, :, :] = math.nan
        corrections.is_off[k, :] = 0
        corrections.elevation_rad[k, :] = math.nan
        station = network.station[k]
        if not station.is_there:
            continue
        for i in range(station.work.n_sat):
            sat = station.work.sat[i]
            corrections.elevation_rad[k, sat] = station.work.elevation_rad[ROVER, i]
            for band in range(corrections.known.shape[2]):
                corrections.factor[sat, band] = station.work.iono_factor[i, band]
                if corrections.known[k, sat, band]:
                    cycles = float(corrections.integer[k, sat, band])
                    value = station.phase_m[i, band] - station.work.wavelength_m[i, band] * cycles
                    corrections.observed_m[k, sat, band] = value
                    n += not math.isnan(value)
    return n


@kernel
def predict(k, sat, time_ns, settings, corrections):
    """Time update of one station and satellite; one that is observed for the first time begins.

    corrections : Corrections      Returns : int, 1 when there is a state
    """
    seen = False
    for band in range(corrections.observed_m.shape[2]):
        seen = seen or not math.isnan(corrections.observed_m[k, sat, band])
    if math.isnan(corrections.var_g[k, sat]):
        if not seen:
            return 0
        corrections.nondispersive_m[k, sat] = 0.0
        corrections.dispersive_m[k, sat] = 0.0
        corrections.var_g[k, sat] = START_SIGMA_M**2
        corrections.var_d[k, sat] = START_SIGMA_M**2
        corrections.cov_gd[k, sat] = 0.0
        corrections.last_ns[k, sat] = time_ns
        corrections.n_off[k, sat] = 0
        return 1
    step_s = (time_ns - corrections.last_ns[k, sat]) * 1e-9
    if seen:
        corrections.var_g[k, sat] += settings.drift_g_m2 * step_s
        corrections.var_d[k, sat] += settings.drift_d_m2 * step_s
        corrections.last_ns[k, sat] = time_ns
    return 1


@kernel
def unexplained(k, sat, band, factor, corrections):
    """Observed less predicted [m], NaN where there is no observation.

    factor : mu of the band      corrections : Corrections
    """
    value = corrections.observed_m[k, sat, band] - corrections.nondispersive_m[k, sat]
    return value + factor * corrections.dispersive_m[k, sat]


@kernel
def predicted_variance(k, sat, factor, corrections):
    """Variance of what the states predict for a band [m^2].

    factor : mu of the band      corrections : Corrections
    """
    return (
        corrections.var_g[k, sat]
        - 2.0 * factor * corrections.cov_gd[k, sat]
        + factor * factor * corrections.var_d[k, sat]
    )


@kernel
def level(system, band, network):
    """Station clocks and satellite constants of one system and band: two-way weighted means.

    Into station_m (K,) and satellite_m (N_SAT,) [m], NaN = not seen. Returns : bool, whether two
    stations and two satellites are there
    """
    corrections = network.corrections
    n_station, first, end = corrections.station_m.shape[0], first_sat(system), first_sat(system + 1)
    best, best_n = -1, 1
    for k in range(n_station):
        n = 0
        for sat in range(first, end):
            n += not math.isnan(corrections.observed_m[k, sat, band])
        if n > best_n:
            best, best_n = k, n
    if best < 0:
        return False
    # The station with most satellites gives first values, which brings all others near.
    for sat in range(first, end):
        factor = corrections.factor[sat, band]
        corrections.satellite_m[sat] = unexplained(best, sat, band, factor, corrections)
    for _ in range(N_SWEEP):
        for k in range(n_station):
            corrections.station_m[k] = mean_of_station(k, system, band, network)
        for sat in range(first, end):
            corrections.satellite_m[sat] = mean_of_satellite(sat, band, network)
    return True


@kernel
def mean_of_station(k, system, band, network):
    """Weighted mean over a station's satellites of what satellites' constants leave [m]; NaN."""
    corrections, total, weights = network.corrections, 0.0, 0.0
    for sat in range(first_sat(system), first_sat(system + 1)):
        if math.isnan(corrections.observed_m[k, sat, band]):
            continue
        factor = corrections.factor[sat, band]
        rest = unexplained(k, sat, band, factor, corrections) - corrections.satellite_m[sat]
        if math.isnan(rest):
            continue
        weight = 1.0 / (predicted_variance(k, sat, factor, corrections) + 1e-5)
        total += weight * rest
        weights += weight
    return total / weights if weights > 0.0 else math.nan


@kernel
def mean_of_satellite(sat, band, network):
    """Weighted mean over the stations of a satellite of what station clocks leave [m]; NaN."""
    corrections, total, weights = network.corrections, 0.0, 0.0
    factor = corrections.factor[sat, band]
    for k in range(corrections.station_m.shape[0]):
        if math.isnan(corrections.observed_m[k, sat, band]):
            continue
        rest = unexplained(k, sat, band, factor, corrections) - corrections.station_m[k]
        if math.isnan(rest):
            continue
        weight = 1.0 / (predicted_variance(k, sat, factor, corrections) + 1e-5)
        total += weight * rest
        weights += weight
    return total / weights if weights > 0.0 else math.nan


@kernel
def innovation_of(k, i, band, network):
    """(innovation, noise variance) of satellite row i at station k [m], [m^2]; NaN = not seen."""
    corrections, station = network.corrections, network.station[k]
    sat, settings = station.work.sat[i], network.station_plan[k].settings
    if math.isnan(corrections.observed_m[k, sat, band]):
        return math.nan, math.nan
    innovation = unexplained(k, sat, band, station.work.iono_factor[i, band], corrections)
    innovation -= corrections.station_m[k] + corrections.satellite_m[sat]
    cn0 = network.obs.cn0_dbhz[station.work.row[ROVER, i, band]]
    return innovation, phase_variance(station.work.elevation_rad[ROVER, i], cn0, settings)


@kernel
def drop_worst(system, band, network):
    """Take the worst outlier of a system and band out of the epoch; returns 1, 0 without any.

    Left in, it would pull its satellite's constant so far that all stations look like outliers.
    """
    corrections = network.corrections
    worst, worst_k, worst_sat = 1.0, -1, -1
    for k in range(network.station.shape[0]):
        station = network.station[k]
        if not station.is_there:
            continue
        for i in range(station.work.n_sat):
            sat = station.work.sat[i]
            if system_of(sat) != system:
                continue
            innovation, noise = innovation_of(k, i, band, network)
            factor = station.work.iono_factor[i, band]
            off = innovation**2 / square_limit(k, sat, factor, noise, corrections)
            if off > worst:  # never where it is NaN
                worst, worst_k, worst_sat = off, k, sat
    if worst_k < 0:
        return 0
    corrections.observed_m[worst_k, worst_sat, band] = math.nan
    corrections.is_off[worst_k, worst_sat] = 1
    return 1


@kernel
def square_limit(k, sat, factor, noise_m2, corrections):
    """Square of the innovation from which it is an outlier [m^2]. corrections : Corrections."""
    variance = predicted_variance(k, sat, factor, corrections) + noise_m2
    return max(OFF_SIGMA**2 * variance, OFF_FLOOR_M**2)


@kernel
def absorb(system, band, network):
    """Update the states of all stations and satellites by one band; returns updates done."""
    n = 0
    for k in range(network.station.shape[0]):
        station = network.station[k]
        if not station.is_there:
            continue
        for i in range(station.work.n_sat):
            sat = station.work.sat[i]
            if system_of(sat) != system:
                continue
            innovation, noise = innovation_of(k, i, band, network)
            if math.isnan(innovation):
                continue
            factor = station.work.iono_factor[i, band]
            n += update_pair(k, sat, factor, innovation, noise, network)
    return n


@kernel
def update_pair(k, sat, factor, innovation, noise_m2, network):
    """Kalman update of (G, D) by G - mu D, from which an outlier is left out.

    innovation [m]      noise_m2 : of the phase      Returns : int, 1 when used
    """
    corrections = network.corrections
    g, d, c = corrections.var_g[k, sat], corrections.var_d[k, sat], corrections.cov_gd[k, sat]
    ph_g, ph_d = g - factor * c, c - factor * d
    variance = ph_g - factor * ph_d + noise_m2
    if innovation * innovation > square_limit(k, sat, factor, noise_m2, corrections):
        corrections.is_off[k, sat] = 1
        return 0
    gain_g, gain_d = ph_g / variance, ph_d / variance
    corrections.nondispersive_m[k, sat] += gain_g * innovation
    corrections.dispersive_m[k, sat] += gain_d * innovation
    corrections.var_g[k, sat] = g - gain_g * ph_g
    corrections.var_d[k, sat] = d - gain_d * ph_d
    corrections.cov_gd[k, sat] = c - gain_g * ph_d
    return 1


@kernel
def count_consecutive_outliers(time_ns, network):
    """Count epochs with outliers in a row; those that last end their arcs; returns how many."""
    corrections, n = network.corrections, 0
    for k in range(corrections.n_off.shape[0]):
        for sat in range(corrections.n_off.shape[1]):
            if corrections.is_off[k, sat]:
                corrections.n_off[k, sat] += 1
            elif corrections.last_ns[k, sat] == time_ns:
                corrections.n_off[k, sat] = 0
            if corrections.n_off[k, sat] >= MAX_CONSECUTIVE_OUTLIERS:
                end_station_arcs(k, sat, network)
                n += 1
    return n


@kernel
def end_station_arcs(k, sat, network):
    """Release a satellite on all baselines of a station and forget its correction; how many."""
    n = 0
    for e in range(network.ends.shape[0]):
        if network.ends[e, ROVER] == k or network.ends[e, BASE] == k:
            for band in range(network.edge[0].model.held.shape[1]):
                if network.edge[e].model.held[sat, band]:
                    release(sat, band, network.edge[e])
                    n += 1
    forget_pair(k, sat, network.corrections)
    network.tally[COUNT_RELEASED_STEP] += 1
    return n


@kernel
def forget_pair(k, sat, corrections):
    """No correction of a station and satellite any more. corrections : Corrections; returns 0."""
    corrections.nondispersive_m[k, sat] = math.nan
    corrections.dispersive_m[k, sat] = math.nan
    corrections.var_g[k, sat] = math.nan
    corrections.var_d[k, sat] = math.nan
    corrections.cov_gd[k, sat] = math.nan
    corrections.last_ns[k, sat] = NEVER_NS
    corrections.n_off[k, sat] = 0
    return 0


@kernel
def forget_old(time_ns, settings, corrections):
    """Forget corrections that were not seen for too long; returns how many."""
    n = 0
    for k in range(corrections.last_ns.shape[0]):
        for sat in range(corrections.last_ns.shape[1]):
            if math.isnan(corrections.var_g[k, sat]):
                continue
            if time_ns - corrections.last_ns[k, sat] > settings.max_age_ns:
                forget_pair(k, sat, corrections)
                n += 1
    return n

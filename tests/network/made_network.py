"""An hour of corrections of a network: atmosphere, noise, multipath, and faults on demand."""

from __future__ import annotations

import math

import numpy as np

from rtkpos.network.integrity.station_health import StationSeries
from rtkpos.network.interpolation.field_covariance import WET_DELAY
from tests.network.fields import M_PER_TECU, direction, gaussian_field

EARTH_RADIUS_M, SHELL_M = 6371e3, 450e3


def sky(rng, n_epoch, n_sat):
    """Azimuth and elevation (n_epoch, n_sat) of satellites that pass at some degrees a minute."""
    minute = np.linspace(0.0, 1.0, n_epoch)[:, None]
    azimuth = rng.uniform(0.0, 2.0 * math.pi, n_sat) + rng.uniform(-0.6, 0.6, n_sat) * minute
    sine = rng.uniform(math.sin(0.35), 1.0, n_sat)
    elevation = np.arcsin(sine) + rng.uniform(-0.3, 0.3, n_sat) * minute
    return azimuth, np.clip(elevation, 0.26, 1.5)


def iono_mapping(elevation):
    """Slant over zenith electron content, single layer at 450 km."""
    sine = EARTH_RADIUS_M / (EARTH_RADIUS_M + SHELL_M) * np.cos(elevation)
    return 1.0 / np.sqrt(1.0 - sine**2)


def repeating_noise(rng, shape, sigma, memory):
    """First-order noise along the first axis; each epoch keeps `memory` of the last."""
    out = rng.normal(0.0, sigma, shape)
    for t in range(1, shape[0]):
        out[t] = memory * out[t - 1] + math.sqrt(1.0 - memory**2) * out[t]
    return out


def line_of_sight(azimuth, elevation):
    level = np.cos(elevation)
    return np.stack([level * np.sin(azimuth), level * np.cos(azimuth), np.sin(elevation)], axis=-1)


def made_series(rng, place, n_epoch=120, n_sat=24, wave_tecu=0.2):
    """Healthy corrections of stations at places (n, 2), 30 s apart, relative to station 0.

    Wet delay as WET_DELAY, drifting over the hour; a travelling wave of 200 km and 30 minutes; 2 mm
    of white noise and 3 mm of multipath with a memory of 5 minutes.
    """
    azimuth, elevation = sky(rng, n_epoch, n_sat)
    wet, iono = 1.0 / np.sin(elevation), iono_mapping(elevation)
    shape = (n_epoch, len(place), n_sat)
    share = np.linspace(0.0, 1.0, n_epoch)[:, None]
    draw = gaussian_field(rng, place, WET_DELAY, 2)
    zenith = draw[:, 0] * (1.0 - share) + draw[:, 1] * share
    time_s = 30.0 * np.arange(n_epoch)[:, None, None]
    along = (place @ direction(rng))[None, :, None] / 200e3
    phase = rng.uniform(0.0, 2.0 * math.pi, n_sat)
    wave = np.sin(2.0 * math.pi * (along - time_s / 1800.0) + phase)
    nondispersive = zenith[:, :, None] * wet[:, None, :] + rng.normal(0.0, 0.002, shape)
    nondispersive += repeating_noise(rng, shape, 0.003, 0.9)
    dispersive = wave_tecu * M_PER_TECU * wave * iono[:, None, :] + rng.normal(0.0, 0.002, shape)
    dispersive += repeating_noise(rng, shape, 0.003, 0.9)
    return StationSeries(
        names=tuple(f"S{k:02d}" for k in range(len(place))),
        east_north_m=place,
        nondispersive_m=nondispersive - nondispersive[:, :1],
        dispersive_m=dispersive - dispersive[:, :1],
        azimuth_rad=azimuth,
        elevation_rad=elevation,
        system=np.arange(n_sat) % 2,
        wet_slant=wet,
        iono_slant=iono,
    )


def add_to(field_m, station, effect_m):
    """An effect (n_epoch, n_sat) on a station's values; on all others' where it is the datum."""
    if station == 0:
        field_m[:, 1:] -= effect_m[:, None, :]
    else:
        field_m[:, station] += effect_m

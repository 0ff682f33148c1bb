"""What the air and the ionosphere add to a ray."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from rtkpos._arrays import FloatArray
from rtkpos.constants import DEG, SPEED_OF_LIGHT_MPS
from rtkpos.simulate.medium.ellipsoid import local_axes, place_ecef, place_llh
from rtkpos.simulate.medium.light_time import Rays
from rtkpos.simulate.medium.random_fields import WaveField, matern_field
from rtkpos.simulate.scenario.sections import IonosphereSection, Place, Troposphere

METRES_PER_TECU = 40.308e16 / 1575.42e6**2  # on L1
_EARTH_RADIUS_M = 6_371_000.0
_LOWEST_RAD = 2.0 * DEG
_KLOBUCHAR_NIGHT_S, _KLOBUCHAR_DAY_H, _LOWEST_BELL = 5e-9, 28.0, 0.1


def _local_m(ecef_m: FloatArray, origin: Place) -> FloatArray:
    """East and north (..., 2) [m] of places from the origin of the scenario."""
    from_origin = ecef_m - place_ecef(origin.llh)
    return from_origin @ local_axes(origin.llh)[:2].T


def chao_mapping(elevation_rad: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Hydrostatic and wet factors of slant over zenith delay.

    Source: Chao (1974), JPL Technical Report 32-1587: within 1 % above 5 deg.
    """
    e = np.maximum(elevation_rad, _LOWEST_RAD)
    dry = 1.0 / (np.sin(e) + 0.00143 / (np.tan(e) + 0.0445))
    return dry, 1.0 / (np.sin(e) + 0.00035 / (np.tan(e) + 0.017))


@dataclass(frozen=True)
class Air:
    """The troposphere: standard pressure, wet delay falling with height, turbulence on top."""

    given: Troposphere
    origin: Place
    field: WaveField | None

    @classmethod
    def of(cls, given: Troposphere, origin: Place, rng: Generator) -> Air:
        """The air of a scenario."""
        angle = given.wind_to_deg * DEG
        wind = given.wind_mps * np.array([math.sin(angle), math.cos(angle)])
        field = None
        if given.turbulence_m > 0.0:
            field = matern_field(given.turbulence_m, given.scale_km * 1e3, wind, rng)
        return cls(given, origin, field)

    def slant_m(self, ecef_m: FloatArray, rays: Rays, time_s: FloatArray) -> FloatArray:
        """Slant delay (n_epoch, n_sat) [m] at antennas (n_epoch, 3); time_s : (n_epoch,).

        Hydrostatic: 2.2768 mm per hPa of a standard atmosphere. The turbulent part of the zenith
        wet delay is taken where the ray pierces the middle of the vapour.
        """
        height = place_llh(ecef_m)[:, 2]
        pressure = 1013.25 * np.maximum(1.0 - 2.2557e-5 * height, 0.1) ** 5.2559
        wet = self.given.wet_zenith_m * np.exp(-height / self.given.wet_height_m)
        dry_factor, wet_factor = chao_mapping(rays.elevation_rad)
        zenith_wet = np.broadcast_to(wet[:, None], rays.elevation_rad.shape)
        if self.field is not None:
            reach = self.given.vapour_height_m / np.tan(np.maximum(rays.elevation_rad, 3.0 * DEG))
            heading = np.stack([np.sin(rays.azimuth_rad), np.cos(rays.azimuth_rad)], axis=-1)
            place = _local_m(ecef_m, self.origin)[:, None] + reach[..., None] * heading
            times = np.broadcast_to(time_s[:, None], reach.shape)
            zenith_wet = zenith_wet + self.field.at(place, times)
        return 0.0022768 * pressure[:, None] * dry_factor + zenith_wet * wet_factor


@dataclass(frozen=True)
class Shell:
    """The ionosphere as a thin shell: background, gradient, a travelling wave, a front."""

    given: IonosphereSection
    origin: Place

    def slant_l1_m(self, ecef_m: FloatArray, rays: Rays, time_s: FloatArray) -> FloatArray:
        """Slant delay on L1 (n_epoch, n_sat) [m], positive on code; time_s : (n_epoch,)."""
        zenith_sin = np.cos(rays.elevation_rad) * _EARTH_RADIUS_M
        zenith_sin = zenith_sin / (_EARTH_RADIUS_M + self.given.shell_km * 1e3)
        factor = 1.0 / np.sqrt(1.0 - zenith_sin**2)
        # Angle at the earth's centre between the antenna and the point where the ray leaves.
        apart = np.pi / 2.0 - rays.elevation_rad - np.arcsin(zenith_sin)
        heading = np.stack([np.sin(rays.azimuth_rad), np.cos(rays.azimuth_rad)], axis=-1)
        place = _local_m(ecef_m, self.origin)[:, None]
        place = place + (_EARTH_RADIUS_M * apart)[..., None] * heading
        return factor * self.vertical_l1_m(place, np.broadcast_to(time_s[:, None], apart.shape))

    def vertical_l1_m(self, place_m: FloatArray, time_s: FloatArray) -> FloatArray:
        """Vertical delay on L1 [m] at shell points (..., 2) east, north [m], at times (...) [s]."""
        given = self.given
        east, north = place_m[..., 0], place_m[..., 1]
        # Local time moves the background as 14 h approaches or leaves (Klobuchar 1987, a cosine).
        hours = given.local_hour + time_s / 3600.0 + east / (15.0 * DEG * _EARTH_RADIUS_M)
        bell = np.maximum(np.cos((hours - 14.0) * 2.0 * math.pi / _KLOBUCHAR_DAY_H), 0.0)
        out = given.night_tecu + (given.day_tecu - given.night_tecu) * bell
        out = out * METRES_PER_TECU
        out = out + 1e-6 * (given.gradient_north_mm_per_km * north)
        out = out + 1e-6 * (given.gradient_east_mm_per_km * east)
        ahead = self._along(place_m, given.wave_to_deg) - given.wave_mps * time_s
        swing = np.sin(2.0 * math.pi * ahead / (given.wave_km * 1e3))
        out = out + given.wave_tecu * METRES_PER_TECU * swing
        behind = self._along(place_m, given.front_to_deg) - given.front_start_km * 1e3
        behind = given.front_mps * time_s - behind
        inside = np.clip(behind, 0.0, given.front_width_km * 1e3)
        out = out + given.front_mm_per_km * 1e-6 * inside
        return np.maximum(out, 0.0)

    def broadcast(self, second_of_day: float) -> FloatArray:
        """Klobuchar's eight coefficients as a control segment would send them: alpha, then beta.

        second_of_day : GPST at the start of the run. Over the origin the model begins with the true
        delay, as far as its constant at night allows; gradient, wave and front are not in it.
        Source of the model: IS-GPS-200N, 20.3.3.5.2.5.
        """
        here = float(self.vertical_l1_m(np.zeros((1, 2)), np.zeros(1))[0])
        hours = (second_of_day / 3600.0 + self.origin.lon_deg / 15.0) % 24.0
        bell = math.cos((hours - 14.0) * 2.0 * math.pi / _KLOBUCHAR_DAY_H)
        day_s = max(here / SPEED_OF_LIGHT_MPS - _KLOBUCHAR_NIGHT_S, 0.0)
        alpha = day_s / bell if bell > _LOWEST_BELL else 0.0
        return np.array([alpha, 0.0, 0.0, 0.0, _KLOBUCHAR_DAY_H * 3600.0, 0.0, 0.0, 0.0])

    @staticmethod
    def _along(place_m: FloatArray, azimuth_deg: float) -> FloatArray:
        angle = azimuth_deg * DEG
        return place_m[..., 0] * math.sin(angle) + place_m[..., 1] * math.cos(angle)

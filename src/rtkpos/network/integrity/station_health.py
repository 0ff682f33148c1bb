"""Station health: leave-one-out fault detection, the worst excluded first.

A wrong coordinate appears in the non-dispersive residuals as an offset along the lines of sight. A
mislabelled antenna shifts the phase centres of the frequencies by different lengths: it appears as
a vertical offset in the dispersive residuals too. A clock is common to all satellites of a system.
A bad station also spoils the predictions of its neighbours, so that size alone does not convict:
the station is excluded without which the others agree best.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray
from rtkpos.errors import DataError
from rtkpos.network.integrity.station_fit import StationFit, fit_station, line_of_sight
from rtkpos.network.integrity.station_screen import satellites_off, stepped
from rtkpos.network.interpolation.field_covariance import (
    ACTIVE_IONOSPHERE,
    WET_DELAY,
    Covariance,
    checked_covariance,
)
from rtkpos.network.interpolation.interpolate import KRIGING, interpolate_epochs
from rtkpos.network.interpolation.station_geometry import N_SET, around_work

N_NEIGHBOUR = 12
MEAN_WET_M = 0.010  # one sigma of half an hour's mean of a non-dispersive residual in the zenith
N_TRIED = 4  # of the stations with a fault, the worst are tried


class StationVerdict(StrEnum):
    """What is wrong with a station."""

    OK = "ok"
    COORDINATE = "coordinate"
    ANTENNA = "antenna"
    CLOCK = "clock"
    TOO_FEW = "too few"


@dataclass(frozen=True)
class HealthLimits:
    """From where on a station is named: beyond the length and beyond so many sigmas.

    antenna_m : vertical offset of the dispersive residuals      clock_m : RMS of the clock
    visible_m : an offset as long as this must be visible, else nothing is said of the station
    """

    horizontal_m: float = 0.02
    up_m: float = 0.03
    antenna_m: float = 0.02
    clock_m: float = 0.10
    n_sigma: float = 4.0
    visible_m: float = 0.05


@dataclass(frozen=True)
class StationSeries:
    """Corrections of a network over a while, all of a satellite relative to the same station.

    names : one for each station      east_north_m : (n_station, 2) in a local plane
    nondispersive_m, dispersive_m : (n_epoch, n_station, n_sat) observed minus computed; NaN missing
    azimuth_rad, elevation_rad : (n_epoch, n_sat) seen from the middle of the network
    system : (n_sat,) satellites of one number share a receiver clock
    wet_slant, iono_slant : (n_epoch, n_sat) slant over zenith delay
    """

    names: tuple[str, ...]
    east_north_m: FloatArray
    nondispersive_m: FloatArray
    dispersive_m: FloatArray
    azimuth_rad: FloatArray
    elevation_rad: FloatArray
    system: IndexArray
    wet_slant: FloatArray
    iono_slant: FloatArray

    def __post_init__(self) -> None:
        """Shapes that belong together; DataError else."""
        n_epoch, n_station, n_sat = np.shape(self.nondispersive_m)
        wanted = {
            "east_north_m": (n_station, 2),
            "dispersive_m": (n_epoch, n_station, n_sat),
            "azimuth_rad": (n_epoch, n_sat),
            "elevation_rad": (n_epoch, n_sat),
            "system": (n_sat,),
            "wet_slant": (n_epoch, n_sat),
            "iono_slant": (n_epoch, n_sat),
        }
        for name, shape in wanted.items():
            if np.shape(getattr(self, name)) != shape:
                raise DataError(
                    f"{name} must have the shape {shape}; got {np.shape(getattr(self, name))}."
                )
        if len(self.names) != n_station or n_sat > N_SET:
            raise DataError(
                f"{n_station} stations need as many names, got {len(self.names)}; "
                f"at most {N_SET} satellites can be checked, got {n_sat}."
            )


@dataclass(frozen=True)
class StationHealth:
    """The verdict on one station.

    offset_enu_m, sigma_enu_m : (3,) given minus consistent coordinate, east, north, up
    antenna_m, sigma_antenna_m : vertical offset of the dispersive residuals (on L1)
    clock_m : RMS      n_value : residuals used      excluded : whether to leave the station out
    """

    name: str
    verdict: StationVerdict
    offset_enu_m: FloatArray
    sigma_enu_m: FloatArray
    antenna_m: float
    sigma_antenna_m: float
    clock_m: float
    n_value: int
    excluded: bool


@dataclass
class _Inquiry:
    """The series, the limits, and the fits made so far, by station and the neighbours used."""

    series: StationSeries
    limits: HealthLimits
    covariances: tuple[Covariance, Covariance]
    fits: dict[tuple[int, tuple[int, ...]], tuple[StationFit, StationFit]] = field(
        default_factory=dict
    )

    def fit(self, station: int, trusted: Iterable[int]) -> tuple[StationFit, StationFit]:
        """Non-dispersive and dispersive fit of a station from its nearest trusted neighbours."""
        place = self.series.east_north_m
        others = [other for other in trusted if other != station]
        others.sort(key=lambda other: float(np.hypot(*(place[other] - place[station]))))
        neighbours = tuple(sorted(others[:N_NEIGHBOUR]))
        key = station, neighbours
        if key not in self.fits:
            self.fits[key] = _fit_both(self.series, self.covariances, station, neighbours)
        return self.fits[key]

    def verdict(self, station: int, trusted: Iterable[int]) -> StationVerdict:
        """What the fit of a station from the trusted ones says."""
        fit, dispersive = self.fit(station, trusted)
        limits = self.limits
        if not limits.n_sigma * fit.sigma_m[:2].max() < limits.visible_m:
            return StationVerdict.TOO_FEW
        if _beyond(dispersive, limits)[2] > 1.0 or _is_vertical_and_dispersive(
            fit, dispersive, limits
        ):
            return StationVerdict.ANTENNA
        if _beyond(fit, limits).max() > 1.0:
            return StationVerdict.COORDINATE
        return StationVerdict.CLOCK if fit.clock_m > limits.clock_m else StationVerdict.OK

    def disagreement(self, station: int, trusted: Iterable[int]) -> float:
        """How far a station is beyond the limits, 1 on them, whatever the reason."""
        fit, dispersive = self.fit(station, trusted)
        beyond = [
            _beyond(fit, self.limits).max(),
            _beyond(dispersive, self.limits)[2],
            fit.clock_m / self.limits.clock_m,
        ]
        return float(np.nanmax([*beyond, 0.0]))


def check_stations(
    series: StationSeries,
    limits: HealthLimits = HealthLimits(),
    wet: Covariance = WET_DELAY,
    ionosphere: Covariance = ACTIVE_IONOSPHERE,
) -> tuple[StationHealth, ...]:
    """The health of each station of a network, in the order given.

    Stations are excluded one by one until the rest agree. Only a majority excludes: where two
    halves of a network, or two stations, contradict each other, none is excluded and all that
    disagree are left as "too few". An hour at 30 s shows 5 cm.
    """
    inquiry = _Inquiry(series, limits, (checked_covariance(wet), checked_covariance(ionosphere)))
    trusted = _majority(inquiry)
    return tuple(_health(inquiry, station, trusted) for station in range(len(series.names)))


def _majority(inquiry: _Inquiry) -> set[int]:
    """The stations that agree with each other; all of them where there is no majority."""
    everybody = set(range(len(inquiry.series.names)))
    trusted = set(everybody)
    while (worst := _worst_excluded(inquiry, trusted)) is not None:
        trusted.remove(worst)
        if 2 * len(trusted) <= len(everybody):
            return everybody
    # Beside several bad stations a good one may have gone first; those that are left know better.
    gone = everybody - trusted
    return trusted | {k for k in gone if inquiry.verdict(k, trusted) == StationVerdict.OK}


def _worst_excluded(inquiry: _Inquiry, trusted: set[int]) -> int | None:
    """The station without which the others agree best; None where no station has a fault."""
    named = _with_fault(inquiry, trusted)
    if not named:
        return None
    named.sort(key=lambda station: inquiry.disagreement(station, trusted), reverse=True)

    def left_over(candidate: int) -> float:
        rest = trusted - {candidate}
        return sum(inquiry.disagreement(station, rest) ** 2 for station in rest)

    return min(named[:N_TRIED], key=left_over)


def _with_fault(inquiry: _Inquiry, trusted: set[int]) -> list[int]:
    """Trusted stations with a fault."""
    fine = (StationVerdict.OK, StationVerdict.TOO_FEW)
    return [k for k in sorted(trusted) if inquiry.verdict(k, trusted) not in fine]


def _health(inquiry: _Inquiry, station: int, trusted: set[int]) -> StationHealth:
    """The final word on a station, by those still trusted."""
    fit, dispersive = inquiry.fit(station, trusted)
    verdict = inquiry.verdict(station, trusted)
    excluded = station not in trusted
    if not excluded and verdict not in (StationVerdict.OK, StationVerdict.TOO_FEW):
        verdict = StationVerdict.TOO_FEW  # no majority to tell who is right
    return StationHealth(
        name=inquiry.series.names[station],
        verdict=verdict,
        offset_enu_m=fit.offset_m,
        sigma_enu_m=fit.sigma_m,
        antenna_m=float(dispersive.offset_m[2]),
        sigma_antenna_m=float(dispersive.sigma_m[2]),
        clock_m=fit.clock_m,
        n_value=fit.n_value,
        excluded=excluded,
    )


def _beyond(fit: StationFit, limits: HealthLimits) -> FloatArray:
    """Offset (3,) in units of what is tolerated: the limit, or so many sigmas where larger."""
    length = np.array([limits.horizontal_m, limits.horizontal_m, limits.up_m])
    return np.abs(fit.offset_m) / np.maximum(length, limits.n_sigma * fit.sigma_m)


def _is_vertical_and_dispersive(
    fit: StationFit, dispersive: StationFit, limits: HealthLimits
) -> bool:
    """Whether a station is off in height alone, and rather by its antenna than by its coordinate.

    That it is off is certain then; which of the two, two sigmas decide.
    """
    beyond = _beyond(fit, limits)
    height_alone = beyond[2] > 1.0 and beyond[:2].max() <= 1.0
    length = max(limits.antenna_m / 2.0, 2.0 * float(dispersive.sigma_m[2]))
    return height_alone and abs(float(dispersive.offset_m[2])) > length


def _fit_both(
    series: StationSeries,
    covariances: tuple[Covariance, Covariance],
    station: int,
    neighbours: Sequence[int],
) -> tuple[StationFit, StationFit]:
    """Fits of a station's residuals in both fields, satellites of wrong integers left out."""
    key = station, neighbours
    wet = _residual(series, series.nondispersive_m, series.wet_slant, covariances[0], key)
    iono = _residual(series, series.dispersive_m, series.iono_slant, covariances[1], key)
    off = stepped(iono, series.iono_slant, series.system)
    wet[off] = np.nan
    los = line_of_sight(series.azimuth_rad, series.elevation_rad)
    off |= satellites_off(wet, los, MEAN_WET_M * series.wet_slant, series.system)
    fits = []
    for residual, slant in ((wet, series.wet_slant), (iono, series.iono_slant)):
        residual[off] = np.nan
        fits.append(
            fit_station(residual, series.azimuth_rad, series.elevation_rad, slant, series.system)
        )
    return fits[0], fits[1]


def _residual(
    series: StationSeries,
    value_m: FloatArray,
    slant: FloatArray,
    covariance: Covariance,
    key: tuple[int, Sequence[int]],
) -> FloatArray:
    """A station's values (n_epoch, n_sat) minus what its neighbours say there."""
    station, neighbours = key[0], list(key[1])
    place = np.ascontiguousarray(series.east_north_m[neighbours] - series.east_north_m[station])
    values = np.ascontiguousarray(value_m[:, neighbours], dtype=np.float64)
    predicted, sigma = np.empty(slant.shape), np.empty(slant.shape)
    interpolate_epochs(
        KRIGING,
        place,
        values,
        np.ascontiguousarray(slant),
        covariance,
        around_work(),
        predicted,
        sigma,
        np.empty(slant.shape[1], np.int64),
    )
    return np.asarray(value_m[:, station] - predicted, dtype=np.float64)

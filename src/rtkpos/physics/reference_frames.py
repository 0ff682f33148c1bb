"""Coordinates with their frame and epoch, and the way from one to another.

A frame without an epoch is half an answer: the ground moves by centimetres a year in every ITRF.
Names are looked up in one table; pairs without an exact transformation are refused, because PROJ
would answer with an unchanged coordinate and no warning (ITRF2020 to CGCS2000 is such a pair).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rtkpos._arrays import FloatArray
from rtkpos.errors import ConfigError, DataError
from rtkpos.physics.coordinates import to_frame
from rtkpos.physics.plates import plate_velocity

# Geocentric frames PROJ can transform exactly, by EPSG number: the numbers lead to the published
# parameters, where PROJ's file "ITRF2014" of version 9.5.1 has ITRF97 wrong by 2 cm.
FRAMES = {
    "ITRF97": "EPSG:4918",
    "ITRF2000": "EPSG:4919",
    "ITRF2005": "EPSG:4896",
    "ITRF2008": "EPSG:5332",
    "ITRF2014": "EPSG:7789",
    "ITRF2020": "EPSG:9988",
    "WGS84(G2139)": "EPSG:9753",
    "WGS84(G2296)": "EPSG:10604",
    "ETRF2000": "EPSG:7930",
    "ETRF2014": "EPSG:8401",
    "ETRF2020": "EPSG:10569",
    # By definition ITRF97 at epoch 2000.0, fixed to the ground of that day.
    "CGCS2000": "EPSG:4918",
}
CGCS2000_EPOCH = 2000.0
EPOCH_TOLERANCE_YEAR = 0.02  # a week: the fastest plates move 2 mm
_YEARS = (1980.0, 2100.0)


@dataclass(frozen=True)
class Frame:
    """A reference frame by name and the epoch of the coordinates in it.

    Parameters
    ----------
    name : str
        One of FRAMES.
    epoch_year : float, optional
        Decimal years; None where it is not known.
    """

    name: str
    epoch_year: float | None = None

    def __post_init__(self) -> None:
        """ConfigError for a name without meaning or an epoch that cannot be."""
        if self.name == "WGS84":
            raise ConfigError(
                'frame "WGS84" is any of several realisations up to a metre apart; name one, for '
                'example "WGS84(G2296)".'
            )
        if self.name not in FRAMES:
            raise ConfigError(f"frame must be one of {', '.join(FRAMES)}; got {self.name!r}.")
        if self.name == "CGCS2000" and self.epoch_year is None:
            object.__setattr__(self, "epoch_year", CGCS2000_EPOCH)
        if self.epoch_year is not None and not _YEARS[0] <= self.epoch_year <= _YEARS[1]:
            raise ConfigError(
                f"frame epoch must be a decimal year from {_YEARS[0]:.0f} to {_YEARS[1]:.0f}; got "
                f"{self.epoch_year!r}."
            )
        if self.name == "CGCS2000" and self.epoch_year != CGCS2000_EPOCH:
            raise ConfigError(f"CGCS2000 has the epoch 2000.0; got {self.epoch_year!r}.")

    def __str__(self) -> str:
        """As in "ITRF2020 at 2024.50"."""
        epoch = "unknown epoch" if self.epoch_year is None else f"{self.epoch_year:.2f}"
        return f"{self.name} at {epoch}"

    def is_like(self, other: Frame) -> bool:
        """Whether coordinates of both can be used together as they are.

        Parameters
        ----------
        other : Frame
            Another frame.

        Returns
        -------
        bool
            True for the same frame at epochs a week apart at most.
        """
        if self.name != other.name or self.epoch_year is None or other.epoch_year is None:
            return self == other
        return abs(self.epoch_year - other.epoch_year) <= EPOCH_TOLERANCE_YEAR


def convert_frame(
    ecef_m: ArrayLike,
    source: Frame,
    target: Frame,
    *,
    plate: str | None = None,
    velocity_mpy: ArrayLike | None = None,
) -> FloatArray:
    """ECEF points of one frame and epoch in another frame at another epoch.

    The way leads to ITRF2020 at the source's epoch, there along the velocity to the target's epoch,
    and at that epoch to the target. The order matters: the frames themselves drift against each
    other, 80 mm instead of 26 in Beijing's north from ITRF2020 to ITRF97 at 2026.9 and at 2000.0.

    What it is worth for CGCS2000: 1 cm for the frames (EPSG's accuracy of the way to ITRF97), and
    25 years of the velocity's error: 2 to 3 cm with a grid of 1 mm/yr, 1 dm where a plate stands
    for it in eastern China (EURA and AMUR differ by that), several decimetres in Tibet and Yunnan.

    Parameters
    ----------
    ecef_m : array_like
        (3,) or (n, 3) points [m]; NaN stays NaN.
    source : Frame
        Frame and epoch of the points.
    target : Frame
        Frame and epoch wanted.
    plate : str, optional
        Plate the points ride on, for a change of epoch, see `plate_velocity`.
    velocity_mpy : array_like, optional
        (3,) or (n, 3) velocity of the points in ITRF2020 [m/yr], instead of a plate.

    Returns
    -------
    ndarray of float64
        The points in the shape they had [m].

    Raises
    ------
    ConfigError
        An epoch or the velocity is needed and not given, or both plate and velocity are.
    """
    points = np.asarray(ecef_m, dtype=np.float64)
    if source.is_like(target):
        return points.copy()
    if source.epoch_year is None or target.epoch_year is None:
        raise ConfigError(
            f"from {source} to {target} the epochs of the coordinates are needed; name them in "
            "decimal years."
        )
    moving = to_frame(points, FRAMES[source.name], FRAMES["ITRF2020"], source.epoch_year)
    years = target.epoch_year - source.epoch_year
    if abs(years) > EPOCH_TOLERANCE_YEAR:
        moving = moving + years * _velocity(moving, plate, velocity_mpy, source, target)
    return to_frame(moving, FRAMES["ITRF2020"], FRAMES[target.name], target.epoch_year)


def _velocity(
    ecef_m: FloatArray,
    plate: str | None,
    velocity_mpy: ArrayLike | None,
    source: Frame,
    target: Frame,
) -> FloatArray:
    """Velocity of the points in ITRF2020, by whichever of the two ways was named."""
    if (plate is None) == (velocity_mpy is None):
        raise ConfigError(
            f"from {source} to {target} the ground moves: give either the plate the points ride on "
            "or their velocity."
        )
    if plate is not None:
        return plate_velocity(ecef_m, plate)
    velocity = np.asarray(velocity_mpy, dtype=np.float64)
    if velocity.shape not in ((3,), ecef_m.shape) or not np.isfinite(velocity).all():
        raise DataError(
            f"velocity_mpy must be finite and have the shape (3,) or {ecef_m.shape}; got the shape "
            f"{velocity.shape}."
        )
    return velocity


def common_frame(frames: Mapping[str, Frame]) -> Frame:
    """The one frame of a network's stations.

    Parameters
    ----------
    frames : mapping[str, Frame]
        Frame of each station by its name.

    Returns
    -------
    Frame
        The frame of all.

    Raises
    ------
    ConfigError
        Stations are given in different frames or epochs.
    DataError
        There is no station.
    """
    if not frames:
        raise DataError("no station, hence no frame.")
    first_name, first = next(iter(frames.items()))
    for name, frame in frames.items():
        if not frame.is_like(first):
            raise ConfigError(
                f"station {first_name} is given in {first}, station {name} in {frame}; convert all "
                "to one frame and epoch."
            )
    return first

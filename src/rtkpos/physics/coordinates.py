"""Coordinates for people: degrees, arrays of points, other reference frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from rtkpos._arrays import FloatArray
from rtkpos.constants import DEG
from rtkpos.core.station.geodesy import ecef_to_geodetic, geodetic_to_ecef
from rtkpos.errors import ConfigError, DataError

if TYPE_CHECKING:
    from pyproj import CRS, Transformer


def point_from_degrees(lat_deg: float, lon_deg: float, height_m: float) -> FloatArray:
    """ECEF (3,) [m] of a geodetic position in degrees (WGS 84).

    Parameters
    ----------
    lat_deg : float
        Latitude, -90 to 90 [deg].
    lon_deg : float
        Longitude [deg].
    height_m : float
        Ellipsoidal height [m].

    Returns
    -------
    ndarray of float64
        (3,) ECEF [m].

    Raises
    ------
    DataError
        A value is not finite or the latitude lies outside -90 to 90 degrees.
    """
    if not np.isfinite([lat_deg, lon_deg, height_m]).all() or abs(lat_deg) > 90.0:
        raise DataError(
            "a geodetic position needs a latitude of -90 to 90 degrees, a longitude and a height; "
            f"got {lat_deg!r}, {lon_deg!r}, {height_m!r}."
        )
    out = np.empty(3)
    geodetic_to_ecef(float(lat_deg) * DEG, float(lon_deg) * DEG, float(height_m), out)
    return out


def degrees_from_ecef(ecef_m: ArrayLike) -> FloatArray:
    """Latitude, longitude [deg], ellipsoidal height [m] of ECEF points (WGS 84).

    Parameters
    ----------
    ecef_m : array_like
        (3,) or (n, 3) points [m].

    Returns
    -------
    ndarray of float64
        The same shape; NaN where the input is NaN or within 1 km of the earth's centre.
    """
    points = _points(ecef_m)
    out = np.empty_like(points)
    for k in range(len(points)):
        ecef_to_geodetic(points[k], out[k])
    out[:, :2] /= DEG
    return out.reshape(np.shape(ecef_m))


def to_frame(
    ecef_m: ArrayLike, source: str, target: str, epoch_year: float | None = None
) -> FloatArray:
    """ECEF points transformed between reference frames known to PROJ.

    Parameters
    ----------
    ecef_m : array_like
        (3,) or (n, 3) geocentric points [m]; NaN stays NaN.
    source : str
        Frame of the points, a name PROJ knows ("EPSG:7789" is ITRF2014).
    target : str
        Frame wanted, likewise.
    epoch_year : float, optional
        Epoch of the coordinates in decimal years; needed wherever the frames move against each
        other.

    Returns
    -------
    ndarray of float64
        The points in the shape they had [m].

    Raises
    ------
    ConfigError
        A frame is unknown or not geocentric, or PROJ knows no exact transformation between the two:
        an approximate one is never taken.
    """
    points = _points(ecef_m)
    transformer = _transformer(source, target)
    columns = list(points.T)
    if epoch_year is not None:
        columns.append(np.full(len(points), float(epoch_year)))
    missing = ~np.isfinite(points).all(axis=1)
    moved = np.stack(transformer.transform(*columns)[:3], axis=-1)
    moved[missing] = np.nan
    if not np.isfinite(moved[~missing]).all():
        raise ConfigError(
            f"PROJ cannot transform from {source} to {target} at epoch {epoch_year}; "
            "name the epoch of the coordinates in decimal years."
        )
    return np.asarray(moved, dtype=np.float64).reshape(np.shape(ecef_m))


def _frame(name: str) -> CRS:
    """A geocentric reference frame by the name PROJ gives it."""
    import pyproj

    try:
        frame = pyproj.CRS.from_user_input(name)
    except pyproj.exceptions.CRSError as error:
        raise ConfigError(f"PROJ knows no reference frame {name!r}.") from error
    if not frame.is_geocentric:
        raise ConfigError(f"{name!r} ({frame.name}) is no geocentric reference frame.")
    return frame


def _transformer(source: str, target: str) -> Transformer:
    """A transformation between two geocentric frames, exact ones only."""
    import pyproj

    try:
        return pyproj.Transformer.from_crs(
            _frame(source), _frame(target), always_xy=True, allow_ballpark=False
        )
    except pyproj.exceptions.ProjError as error:
        raise ConfigError(
            f"PROJ knows no exact transformation from {source} to {target}."
        ) from error


def _points(ecef_m: ArrayLike) -> FloatArray:
    """Points as a contiguous (n, 3) float64 array; DataError for another shape."""
    points = np.ascontiguousarray(ecef_m, dtype=np.float64)
    if points.ndim not in (1, 2) or points.shape[-1] != 3:
        raise DataError(f"ecef_m must have the shape (3,) or (n, 3); got {points.shape}.")
    return points.reshape(-1, 3)

"""Coordinates of the base: from the options, from its header, or from its own code positions."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.app.solve.request import SolveRequest
from rtkpos.core.station.earth import is_on_earth
from rtkpos.core.station.geodesy import ecef_to_geodetic, enu_rotation, geodetic_to_ecef
from rtkpos.errors import ConfigError, InputError
from rtkpos.processing.base_check import CODE_IMPOSSIBLE_M, disagreement, hint, words_of
from rtkpos.processing.base_code import code_position_of
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.config import Antennas, RtkConfig, Selection
from rtkpos.records.observations import ObsTable

HEADER_DIFFERS_M = 1.0


@dataclass(frozen=True, kw_only=True)
class BasePosition:
    """Coordinates of the base (3,) [m], where they come from, and what the user should know.

    origin : "option", "header" or "single"      is_relative : only differences to it are good
    """

    ecef_m: FloatArray
    origin: str
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_relative(self) -> bool:
        """True when the absolute position is as bad as a code position."""
        return self.origin == "single"


def position_from_options(request: SolveRequest) -> FloatArray | None:
    """ECEF (3,) [m] of --base-xyz or --base-llh, None without them; ConfigError if impossible."""
    if request.base_xyz and request.base_llh:
        raise ConfigError("give --base-xyz or --base-llh, not both.")
    if (request.base_xyz or request.base_llh) and request.base_position:
        raise ConfigError(
            "--base-position contradicts --base-xyz and --base-llh; give one of them."
        )
    if request.base_xyz:
        point = np.array(request.base_xyz)
        if not is_on_earth(point):
            raise ConfigError(
                f"--base-xyz {words_of(request.base_xyz)} is not near the surface of the earth; "
                "wanted ECEF metres, use --base-llh for latitude, longitude, height."
            )
        return point
    return _from_llh(request.base_llh) if request.base_llh else None


def _from_llh(llh: tuple[float, float, float]) -> FloatArray:
    """ECEF (3,) [m] of latitude, longitude [deg], height [m] after a check of their ranges."""
    lat, lon, height = llh
    if not (-90 <= lat <= 90 and -180 <= lon <= 360 and -11_000 <= height <= 20_000):
        raise ConfigError(
            f"--base-llh {words_of(llh)} is out of range; wanted latitude -90..90, longitude "
            "-180..360 in degrees and the ellipsoidal height in metres."
        )
    out = np.empty(3)
    geodetic_to_ecef(np.radians(lat), np.radians(lon), height, out)
    return out


def choose_base_position(
    request: SolveRequest, base: ObsTable, nav: BroadcastTable, antenna: Antennas
) -> BasePosition:
    """The base coordinates of a run: the marker's, or the antenna's if the configuration says so.

    Options win; else the header, when it is plausible; else InputError names the options. With
    --base-position single the average code position serves and the result is marked relative.
    """
    header = np.asarray(base.station.approx_ecef_m, dtype=np.float64)
    given = position_from_options(request)
    if given is not None:
        return BasePosition(ecef_m=given, origin="option", warnings=_compare(given, header))
    if request.base_position == "single":
        return _average_code_position(base, nav, antenna)
    if not is_on_earth(header):
        name = base.source[0] if base.source else "the base"
        raise InputError(
            f"{name} states no usable APPROX POSITION XYZ and no base coordinates were given; add "
            "--base-xyz X Y Z or --base-llh LAT LON H, or --base-position single for a relative "
            "result."
        )
    point_m = header
    if antenna.coordinates == "antenna":
        point_m = header + _antenna_offset(base, header)
    note = f"base coordinates {words_of(point_m)} m taken from the header of its file"
    if np.any(point_m != header):
        note += " (marker plus antenna height and eccentricity)"
    return BasePosition(ecef_m=point_m, origin="header", notes=(note + ".",))


def _antenna_offset(base: ObsTable, marker_m: FloatArray) -> FloatArray:
    """Antenna reference point minus marker as ECEF vector (3,) [m]; headers give the marker."""
    llh, rotation = np.empty(3), np.empty((3, 3))
    ecef_to_geodetic(np.ascontiguousarray(marker_m), llh)
    enu_rotation(llh[0], llh[1], rotation)
    offset: FloatArray = rotation.T @ np.nan_to_num(base.station.antenna_enu_m)
    return offset


def _compare(given: FloatArray, header: FloatArray) -> tuple[str, ...]:
    """A sentence when options and header disagree."""
    if not is_on_earth(header):
        return ()
    apart_m = float(np.linalg.norm(given - header))
    if apart_m <= HEADER_DIFFERS_M:
        return ()
    return (f"base coordinates of the options and of its header are {apart_m:.1f} m apart.",)


def check_with_code(
    position: BasePosition, base: ObsTable, nav: BroadcastTable, *, force: bool
) -> BasePosition:
    """The base position with a warning added when its own code positions contradict it.

    More than 1 km apart raises InputError unless `force`: swapped axes, another station, degrees
    mistaken for metres. Without a code position there is nothing to compare with.
    """
    code_m = None if position.is_relative else code_position_of(base, nav)
    text = "" if code_m is None else disagreement(position.ecef_m, code_m)
    if code_m is None or not text:
        return position
    apart_m = float(np.linalg.norm(code_m - position.ecef_m))
    if apart_m > CODE_IMPOSSIBLE_M and not force:
        where = "--base-xyz" if position.origin == "option" else "its header"
        raise InputError(
            f"{text} ({words_of(np.round(code_m))} m){hint(position.ecef_m, code_m)}; "
            f"correct {where}, or go on with --force."
        )
    warnings = (*position.warnings, f"{text}; the whole result is shifted if they are wrong.")
    return dataclasses.replace(position, warnings=warnings)


def _average_code_position(base: ObsTable, nav: BroadcastTable, antenna: Antennas) -> BasePosition:
    """Mean of the middle half of the base's code positions by each axis."""
    from rtkpos.processing.run import solve

    # The base is the rover of this run, with the base's own offset if one is configured.
    own = Antennas(coordinates=antenna.coordinates, rover_offset_enu_m=antenna.base_offset_enu_m)
    config = RtkConfig(mode="single", selection=Selection(), antenna=own)
    points = solve(base, nav, config=config).ecef_m
    points = np.sort(points[np.isfinite(points).all(axis=1)], axis=0)
    if not len(points):
        raise InputError(
            "no code position of the base could be computed; add --base-xyz X Y Z or "
            "--base-llh LAT LON H."
        )
    quarter = len(points) // 4
    mean = points[quarter : len(points) - quarter].mean(axis=0)
    note = (
        f"base coordinates {words_of(mean)} m are its average code position: "
        "only the vector between base and rover is precise (relative result)."
    )
    return BasePosition(ecef_m=mean, origin="single", warnings=(note,))

"""What stands around an antenna: skylines of stations, streets between walls for vehicles."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from rtkpos._arrays import BoolArray, FloatArray, SatArray
from rtkpos.constants import DEG
from rtkpos.simulate.medium.light_time import Rays
from rtkpos.simulate.scenario.sections import Site, Vehicle

_WALL_LOSS_DB = 9.0  # of a signal reflected by glass or concrete
_BLOCK_S = 15.0  # a wall reflects a satellite, or does not, for so long


@dataclass(frozen=True)
class View:
    """What reaches the antenna; all (n_epoch, n_sat).

    open : there is a signal at all      direct : by the straight way
    excess_m, loss_db : longer way and weaker signal of reflected ones, else 0
    """

    open: BoolArray
    direct: BoolArray
    excess_m: FloatArray
    loss_db: FloatArray


def view_of(
    receiver: Site | Vehicle, sat: SatArray, rays: Rays, heading_rad: FloatArray, time_s: FloatArray
) -> View:
    """What a receiver sees of satellites (n_sat,) at seconds of the run (n_epoch,)."""
    shape = rays.elevation_rad.shape
    direct = np.ones(shape, dtype=bool)
    excess_m, loss_db = np.zeros(shape), np.zeros(shape)
    out = _within(time_s, receiver.outages_s)[:, None]
    if isinstance(receiver, Site):
        if receiver.skyline:
            direct &= rays.elevation_rad > _skyline(receiver.skyline, rays.azimuth_rad)
        return View(direct & ~out, direct, excess_m, loss_db)
    reflected = np.zeros(shape, dtype=bool)
    for start, end, height_m, width_m in receiver.canyons:
        inside = (time_s >= start) & (time_s < end)
        across = np.abs(np.sin(rays.azimuth_rad - heading_rad[:, None]))
        hidden = np.tan(rays.elevation_rad) * 0.5 * width_m < height_m * across
        hidden &= inside[:, None]
        # By the opposite wall, whose mirror image of the antenna is one street width away.
        lit = np.tan(rays.elevation_rad) * 1.5 * width_m > height_m * across
        by_wall = hidden & lit & _reflects(receiver, sat, time_s)
        direct &= ~hidden
        reflected |= by_wall
        longer = width_m * _facades(receiver, sat) * across * np.cos(rays.elevation_rad)
        excess_m = np.where(by_wall, longer, excess_m)
        loss_db = np.where(by_wall, _WALL_LOSS_DB, loss_db)
    return View((direct | reflected) & ~out, direct, excess_m, loss_db)


def _facades(vehicle: Vehicle, sat: SatArray) -> FloatArray:
    """How far back the houses stand that reflect each satellite, 0.7 to 1.3 street widths.

    One flat wall for all would show the mirror image of the antenna, which can be fixed.
    """
    names = (f"{vehicle.name}/facade/{one}" for one in sat)
    return np.array([0.7 + 0.6 * zlib.crc32(name.encode()) / 2.0**32 for name in names])


def _within(time_s: FloatArray, spans: tuple[tuple[float, float], ...]) -> BoolArray:
    """Whether times (n,) lie in any of the spans."""
    out = np.zeros(len(time_s), dtype=bool)
    for start, end in spans:
        out |= (time_s >= start) & (time_s < end)
    return out


def _skyline(corners: tuple[tuple[float, float], ...], azimuth_rad: FloatArray) -> FloatArray:
    """Elevation of the skyline [rad] at azimuths."""
    table = np.array(sorted(corners)) * DEG
    period = 2.0 * np.pi
    out: FloatArray = np.interp(azimuth_rad, table[:, 0], table[:, 1], period=period)
    return out


def _reflects(vehicle: Vehicle, sat: SatArray, time_s: FloatArray) -> BoolArray:
    """Whether a wall stands right for a satellite, the same for 15 s: (n_epoch, n_sat).

    By a checksum of name, satellite and time, so that no random state has to be carried along.
    """
    blocks, place = np.unique(np.floor(time_s / _BLOCK_S).astype(np.int64), return_inverse=True)
    share = np.array(
        [
            [zlib.crc32(f"{vehicle.name}/{one}/{block}".encode()) / 2.0**32 for one in sat]
            for block in blocks
        ]
    )
    return share.reshape(len(blocks), len(sat))[place] < vehicle.reflect_share

"""Warm-up: everything a run needs is compiled, or loaded, before the first epoch arrives.

The input is made up here: a few satellites of one orbit, observed with made-up numbers. It need
not give a position, since a kernel compiles with all it may call, whichever way it then takes.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from rtkpos._numba.decorator import Kernel, compiling
from rtkpos._numba.processes import WorkerProcesses, n_process_usable
from rtkpos.core.atmosphere.ionosphere import N_BACKGROUND, bdgim_background, bdgim_slot
from rtkpos.core.station.geodesy import ecef_to_geodetic, enu_rotation, geodetic_to_ecef
from rtkpos.core.station.many_points import enu_rotations, geodetic_of_points
from rtkpos.estimate.ambiguity.integer_step import integer_step
from rtkpos.estimate.rover_filter import filter_rover
from rtkpos.estimate.step import differential_step, point_step, run_block, track_both
from rtkpos.io.rinex.crinex import decode_crinex
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.live.engine import RtkEngine
from rtkpos.physics.satellites import satellite_states
from rtkpos.processing.epoch import epochs
from rtkpos.processing.run import solve
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.config import RtkConfig
from rtkpos.records.observations import ObsTable

PLACE_ECEF_M = np.array([-3817681.0, 3562839.0, 3650159.0])
_SATELLITES = ("G05", "G12", "G15", "G24", "G29", "R01", "R02", "E04", "C07", "C19")
_TYPES = {"G": ("1C", "2W"), "R": ("1C", "2C"), "E": ("1C", "5Q"), "C": ("2I", "6I")}
_RINEX2_TYPES = ("C1", "L1", "D1", "S1", "P2", "L2")
MAX_PROCESS = 4  # the tasks do not keep more busy
_N_EPOCH = 3
_RANGE_M = 22_000_000.0
# Eccentricity, square root of the semi-major axis and the angles of a GPS-like orbit.
_ECCENTRICITY, _SQRT_A, _ANGLE = 0.005, 5153.6, 0.96


def warm_up(n_process: int | None = None) -> float:
    """Compile, or load from the cache, all kernels of readers, solver and live engine.

    Parameters
    ----------
    n_process : int, optional
        Processes that compile side by side when the cache has no solver yet; None = one per
        processor, at most 4.

    Returns
    -------
    float
        Seconds it took; a second call takes milliseconds.
    """
    start = time.perf_counter()
    n_process = min(n_process_usable(), MAX_PROCESS) if n_process is None else n_process
    if n_process > 1 and isinstance(run_block, Kernel) and run_block.can_be_kept():
        step = RtkEngine(RtkConfig(), None, PLACE_ECEF_M).arguments()
        if not run_block.is_ready(*step):
            with compiling("all"):  # of two cold starts one compiles, and the other waits
                if not run_block.is_ready(*step):
                    _compile_together(step, n_process)
    _run_all()
    return time.perf_counter() - start


def _compile_together(step: tuple[Any, ...], n_process: int) -> None:
    """Compile with helpers: parts of the step, meanwhile the readers, and the step from its parts.

    step : arguments of `run_block`
    """
    parts = _step_parts(step)
    with WorkerProcesses((__name__, "tasks"), n_process - 1) as workers:
        workers.work(parts)
        workers.wait(parts)
        run_block.prepare(*step)
        workers.work(_READERS)
        workers.wait(_READERS)


def tasks() -> dict[str, Callable[[], object]]:
    """What helpers can do, the longest first."""
    step = RtkEngine(RtkConfig(), None, PLACE_ECEF_M).arguments()
    return _step_parts(step) | _READERS


def _step_parts(step: tuple[Any, ...]) -> dict[str, Callable[[], object]]:
    """The large kernels that `run_block` calls, to be compiled for these arguments of it."""
    return {
        kernel.__name__: functools.partial(kernel.prepare_part, *arguments)
        for kernel, arguments in step_calls(step)
    }


def step_calls(step: tuple[Any, ...]) -> tuple[tuple[Any, tuple[Any, ...]], ...]:
    """Large kernels below `run_block`, with arguments of the types it passes them.

    step : arguments of `run_block`
    """
    inputs, _, _, _, memory, out = step
    return (
        (integer_step, (inputs, 0, memory, out, 0)),
        (point_step, (inputs, 0, memory, out, 0)),
        (filter_rover, (inputs, 0, 0.0, memory, out, 0)),
        (differential_step, (inputs, 0, 0, memory)),
        (track_both, (inputs, 0, 0, 0, memory)),
    )


def _run_all() -> None:
    """Run everything once."""
    rover = _read_observations()
    _read_compact()
    nav = _read_navigation()
    _convert()
    for mode in ("kinematic", "single"):
        solve(rover, nav, rover, PLACE_ECEF_M, RtkConfig(mode=mode))
    engine = RtkEngine(RtkConfig(), nav, PLACE_ECEF_M)
    for epoch in epochs(rover):
        engine.update(epoch, epoch)


def _read_observations() -> ObsTable:
    """Both readers of observations; the table of RINEX 3."""
    read_obs(_rinex2_text())
    return read_obs(_rinex3_text())


def _read_compact() -> None:
    """The decoder of compact observations."""
    decode_crinex(_crinex_text(), 1 << 16)


def _read_navigation() -> BroadcastTable:
    """The reader of navigation files, and satellite positions."""
    nav = read_nav(_nav_text())
    satellite_states(nav, nav.sat[:1], nav.toe_ns[:1])
    return nav


def _convert() -> None:
    """Small kernels that Python calls by themselves."""
    llh, rotation, ecef_m = np.zeros(3), np.zeros((3, 3)), np.zeros(3)
    ecef_to_geodetic(PLACE_ECEF_M, llh)
    enu_rotation(llh[0], llh[1], rotation)
    geodetic_to_ecef(llh[0], llh[1], llh[2], ecef_m)
    geodetic_of_points(np.zeros((1, 3)), np.zeros((1, 3)))
    enu_rotations(np.zeros((1, 3)), np.zeros((1, 3, 3)))
    bdgim_background(int(bdgim_slot(0)), np.zeros(N_BACKGROUND))


_READERS: dict[str, Callable[[], object]] = {
    "observations": _read_observations,
    "compact observations": _read_compact,
    "navigation": _read_navigation,
    "conversions": _convert,
}


def _line(content: str, label: str) -> str:
    """A header line."""
    return f"{content:<60}{label:<20}\n"


def _rinex3_text() -> bytes:
    """A RINEX 3 observation file of a few epochs."""
    text = _line("     3.04           OBSERVATION DATA    M", "RINEX VERSION / TYPE")
    for letter, codes in _TYPES.items():
        names = "".join(f" {kind}{code}" for code in codes for kind in "CLDS")
        text += _line(f"{letter}  {4 * len(codes):3d}{names}", "SYS / # / OBS TYPES")
    first = f"{2024:6d}{6:6d}{24:6d}{8:6d}{20:6d}{0.0:13.7f}     GPS"
    text += _line(first, "TIME OF FIRST OBS") + _line("", "END OF HEADER")
    for k in range(_N_EPOCH):
        text += f"> 2024 06 24 08 20{k:11.7f}  0{len(_SATELLITES):3d}\n"
        for i, sat in enumerate(_SATELLITES):
            code_m = _RANGE_M + 1e5 * i
            one = "".join(f"{v:14.3f}  " for v in (code_m, 5.0 * code_m, -100.0 * i, 45.0))
            text += f"{sat}{one * len(_TYPES[sat[0]])}".rstrip() + "\n"
    return text.encode()


def _rinex2_text() -> bytes:
    """A RINEX 2 observation file of a few epochs."""
    names = "".join(f"{name:>6}" for name in _RINEX2_TYPES)
    text = _line("     2.11           OBSERVATION DATA    M", "RINEX VERSION / TYPE")
    text += _line(f"{len(_RINEX2_TYPES):6d}{names}", "# / TYPES OF OBSERV")
    first = f"{2024:6d}{6:6d}{24:6d}{8:6d}{20:6d}{0.0:13.7f}     GPS"
    text += _line(first, "TIME OF FIRST OBS") + _line("", "END OF HEADER")
    for k in range(_N_EPOCH):
        text += f" 24  6 24  8 20{k:11.7f}  0  2G05R01\n"
        for _ in range(2):
            text += f"{_RANGE_M:14.3f}  " * 5 + f"\n{_RANGE_M:14.3f}\n"
    return text.encode()


def _crinex_text() -> bytes:
    """A CRINEX 3 file of one epoch."""
    text = _line("3.0                 COMPACT RINEX FORMAT", "CRINEX VERS   / TYPE") + "\n"
    text += _line("     3.04           OBSERVATION DATA    M", "RINEX VERSION / TYPE")
    text += _line("G    1 C1C", "SYS / # / OBS TYPES") + _line("", "END OF HEADER")
    return (text + "> 2024 06 24 08 20  0.0000000  0  1      G05\n\n3&123 &&\n").encode()


def _nav_text() -> bytes:
    """A RINEX 3 navigation file: one orbit for all GPS, Galileo and BeiDou satellites."""
    text = _line("     3.04           N: GNSS NAV DATA    M: MIXED", "RINEX VERSION / TYPE")
    text += _line("GPSA   1.8626E-08  2.2352E-08 -1.1921E-07 -5.9605E-08", "IONOSPHERIC CORR")
    text += _line("GPSB   1.2902E+05  1.6384E+05 -1.9661E+05 -2.6214E+05", "IONOSPHERIC CORR")
    text += _line("", "END OF HEADER")
    for i, sat in enumerate(_SATELLITES):
        text += f"{sat} 2024 06 24 08 00 00" + _numbers(1e-4, 1e-12, 0.0 if sat[0] != "R" else 3e4)
        text += "\n"
        text += _glonass_lines() if sat[0] == "R" else _kepler_lines(sat[0], 0.5 * i)
    return text.encode()


def _numbers(*values: float) -> str:
    """Numbers in 19 columns each."""
    return "".join(f"{value:19.12E}" for value in values)


def _kepler_lines(letter: str, anomaly_rad: float) -> str:
    """The seven lines of a Keplerian record; the week and its seconds follow the system."""
    week, tow_s = (962.0, 115_186.0) if letter == "C" else (2320.0, 115_200.0)
    galileo_source = 517.0 if letter == "E" else 0.0  # I/NAV, clock for E1 and E5b
    rows = (
        (1.0, 0.0, 4.5e-9, anomaly_rad),
        (0.0, _ECCENTRICITY, 0.0, _SQRT_A),
        (tow_s, 0.0, _ANGLE, 0.0),
        (_ANGLE, 0.0, _ANGLE, -8e-9),
        (0.0, galileo_source, week, 0.0),
        (2.0, 0.0, 0.0, 1.0),
        (tow_s, 0.0),
    )
    return "".join(f"    {_numbers(*row)}\n" for row in rows)


def _glonass_lines() -> str:
    """The three lines of a GLONASS record: position, velocity [km], health, channel, age."""
    rows = (
        (25_480.0, 0.0, 0.0, 0.0),
        (0.0, 1.7, 0.0, 1.0),
        (0.0, 3.2, 0.0, 0.0),
    )
    return "".join(f"    {_numbers(*row)}\n" for row in rows)

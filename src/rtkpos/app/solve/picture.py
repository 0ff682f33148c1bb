"""A picture of a track and its errors."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.constants import NS_PER_S
from rtkpos.records.solution import Solution
from rtkpos.records.status import FixStatus

_COLOURS = {FixStatus.FIXED: "tab:green", FixStatus.FLOAT: "tab:orange"}
_OTHER = "tab:red"
_AXES = ("east", "north", "up")


def has_matplotlib() -> bool:
    """Whether matplotlib can be imported; it comes with the extra `plot`."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


def draw_track(solution: Solution, truth_ecef_m: FloatArray, title: str) -> bytes:
    """PNG: the track on the left, errors east, north and up over time on the right.

    truth_ecef_m : (n_epoch, 3) where the rover was [m]      A grey band around zero has twice the
    standard deviations the solution states.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 5.5), layout="constrained")
    grid = figure.add_gridspec(3, 2, width_ratios=(1.0, 1.3))
    figure.suptitle(title)
    colour = [_COLOURS.get(FixStatus(int(status)), _OTHER) for status in solution.status]
    origin_m = np.nanmean(truth_ecef_m, axis=0)
    place_m = solution.enu_m(origin_m)
    _draw_plan(figure.add_subplot(grid[:, 0]), place_m, colour)
    away_m = place_m - _enu_m(truth_ecef_m, solution, origin_m)
    time_s = (solution.time_ns - solution.time_ns[0]) / NS_PER_S
    sigma_m = solution.sigma_enu_m()
    for k, name in enumerate(_AXES):
        axes = figure.add_subplot(grid[k, 1])
        band_mm = 2000.0 * sigma_m[:, k]
        axes.fill_between(time_s, -band_mm, band_mm, color="0.85", label="2 sigma as stated")
        axes.scatter(time_s, 1000.0 * away_m[:, k], s=4, c=colour)
        axes.axhline(0.0, color="0.4", linewidth=0.6)
        axes.set_ylabel(f"{name} [mm]")
        if k == 0:
            axes.set_title("errors against the truth", fontsize=10)
            axes.legend(loc="upper right", fontsize=8)
    axes.set_xlabel("seconds since the first epoch")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    return stream.getvalue()


def _draw_plan(axes: Any, place_m: FloatArray, colour: list[str]) -> None:
    """The track seen from above, as wide as it is high even where nothing moves."""
    axes.scatter(place_m[:, 0], place_m[:, 1], s=6, c=colour)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel("east [m]")
    axes.set_ylabel("north [m]")
    axes.set_title("track (green fixed, orange float, red neither)", fontsize=10)
    axes.grid(color="0.9")


def _enu_m(ecef_m: FloatArray, solution: Solution, origin_m: FloatArray) -> FloatArray:
    """East, north, up of places (n_epoch, 3) from the origin of the picture."""
    import dataclasses

    return dataclasses.replace(solution, ecef_m=ecef_m).enu_m(origin_m)

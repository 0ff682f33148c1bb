"""What no single field of a scenario shows: sentences for what does not go together."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

import numpy as np

from rtkpos.errors import ConfigError
from rtkpos.simulate.scenario.checked import shown
from rtkpos.simulate.scenario.sections import Clocks, Place, Run, Site, Vehicle

KNOWN_SYSTEMS = "GRECJ"
_YEARS = (1999, 2098)
_HEIGHTS_M = (-500.0, 20_000.0)
_PATH_M = (1.0, 2e6)
_CLOCK_MAX_S = 0.01  # of the offset of a clock, for which the satellites' parabolas are made
_NAME = r"[A-Za-z0-9_-]{1,20}"
_TAKEN_ENDS = ("-arcs", "-delays")  # of the names of truth files
_PPM = 1e-6


def check_run(run: Run) -> None:
    """ConfigError for a time or a system that does not exist."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", run.start) or not _is_date(run.start):
        raise ConfigError(
            f"run.start = {shown(run.start)} is not allowed; it must be a GPST time from "
            f"{_YEARS[0]} to {_YEARS[1]} like 2024-06-24T08:00:00."
        )
    if not run.systems or set(run.systems) - set(KNOWN_SYSTEMS):
        raise ConfigError(
            f"run.systems = {shown(run.systems)} is not allowed; it must be letters of "
            f"{KNOWN_SYSTEMS}."
        )


def _is_date(text: str) -> bool:
    try:
        return _YEARS[0] <= dt.datetime.fromisoformat(text).year <= _YEARS[1]
    except ValueError:
        return False


def check_receivers(
    origin: Place, clocks: Clocks, run: Run, receivers: Sequence[Site | Vehicle]
) -> None:
    """ConfigError for receivers that do not go together, or that cannot be where they are put."""
    if not receivers:
        raise ConfigError("there is no receiver; add at least one [[station]] or [[vehicle]].")
    _check_names([one.name for one in receivers])
    offset_s = clocks.drift_ppm * _PPM * run.duration_s
    if clocks.kind == "drifting" and not clocks.ms_jumps and offset_s > _CLOCK_MAX_S:
        raise ConfigError(
            f"clocks.drift_ppm = {clocks.drift_ppm:g} is not allowed without ms_jumps: a clock "
            f"would be off by {1e3 * offset_s:.0f} ms at the end of the run; it must be at most "
            f"{_CLOCK_MAX_S / _PPM / run.duration_s:.3g}."
        )
    for one in receivers:
        path = one.path_enu_m if isinstance(one, Vehicle) else (one.enu_m,)
        _check_heights(one.name, [origin.height_m + up for _, _, up in path])
        spans = [("outages_s", span[:2]) for span in one.outages_s]
        if isinstance(one, Vehicle):
            _check_vehicle(one)
            spans += [("canyons", span[:2]) for span in one.canyons]
        for key, (start, end) in spans:
            if end <= start:
                raise ConfigError(
                    f"{key} of {one.name}: the span from {start:g} to {end:g} is not allowed; its "
                    f"end must be between {start:g} and 604800."
                )


def _check_names(names: list[str]) -> None:
    """Files are called after receivers, also where A and a are the same name."""
    small = [name.lower() for name in names]
    for name in names:
        is_free = small.count(name.lower()) == 1 and not name.lower().endswith(_TAKEN_ENDS)
        if not re.fullmatch(_NAME, name) or not is_free:
            raise ConfigError(
                f"name = {shown(name)} is not allowed; it must be 1 to 20 letters, digits, _ or - "
                "that no other receiver has, and not end with -arcs or -delays."
            )


def _check_heights(name: str, heights_m: list[float]) -> None:
    low, high = _HEIGHTS_M
    for height in heights_m:
        if not low <= height <= high:
            raise ConfigError(
                f"{name} would be at a height of {height:g} m; origin.height_m and up must add up "
                f"to between {low:g} and {high:g} m."
            )


def _check_vehicle(vehicle: Vehicle) -> None:
    n = len(vehicle.path_enu_m)
    if n < 2:
        raise ConfigError(f"path_enu_m of {vehicle.name} has {n} points; it must have at least 2.")
    steps = np.diff(np.array(vehicle.path_enu_m), axis=0)
    length_m = float(np.linalg.norm(steps, axis=1).sum())
    if not _PATH_M[0] <= length_m <= _PATH_M[1]:
        raise ConfigError(
            f"path_enu_m of {vehicle.name} is {length_m:g} m long; it must be between "
            f"{_PATH_M[0]:g} and {_PATH_M[1]:g} m."
        )
    rows = [("stops", row) for row in vehicle.stops] + [("speeds", row) for row in vehicle.speeds]
    for key, (number_of_point, _) in rows:
        if not (number_of_point.is_integer() and number_of_point < n):
            raise ConfigError(
                f"{key} of {vehicle.name}: point {number_of_point:g} is not allowed; it must be a "
                f"whole number between 0 and {n - 1}."
            )

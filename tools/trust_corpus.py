"""Recordings with truth, as they are and made worse, and every candidate fix on them.

Used by tools/fit_trust.py. A candidate is an integer set that passes every test but those of
probability, jump and path, which stand open here; it is right when its position is near truth.

Truth: the point or vector of `bench.accuracy.rows`; for the car, which has no independent track,
the fixed epochs of our own run of all systems in both directions (what is judged by it are runs of
one direction, of fewer systems, of single epochs and of worse data); for the walk, whose reference
is a second antenna metres away, and for a pair of unlike antennas the median error of the plain run
is taken away.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

from bench.accuracy.case import find
from bench.accuracy.rows import ROWS, Row
from rtkpos._arrays import BoolArray, FloatArray
from rtkpos.core.station.geodesy import ecef_to_geodetic, enu_rotation
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.io.solutions.nmea import parse_nmea
from rtkpos.io.solutions.reference_track import Truth
from rtkpos.physics.accuracy import WRONG_MOVING_M, WRONG_STATIC_M
from rtkpos.processing import direction
from rtkpos.processing.epoch import take_epochs
from rtkpos.processing.run import solve
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.config import RtkConfig
from rtkpos.records.observations import ObsTable
from rtkpos.records.solution import Solution
from rtkpos.records.status import FixStatus

ALL = ""  # the systems of the row
OPEN = {"probability_min": 0.0, "jump_m": 1000.0}
LIMIT_M = {"fujisawa-265-continuous": 0.2, "walk-c": 0.5, "netherlands-35km": 0.2}
LIMIT_ELSE_M = 0.15
MONITOR, MONITOR_LIMIT_M, MONITOR_HEIGHT_M = "monitor-a-moving", 0.1, 0.3
CAR, WALK = "fujisawa-265-continuous", "walk-c"
WITHOUT_OFFSET = ("igs-d", WALK)
LONG_SETS = ("monitor-a-moving", "igs-d", "netherlands-35km")
LONG_WINDOW = (200, 1400)
SEED = 1
SINGLE, MEMORY = "instantaneous", "continuous"

# Set (a name of bench.accuracy.rows), systems, and which ways of fixing.
PLAIN = (
    ("nagoya-single-epoch", (ALL, "G", "E", "C", "R", "GR"), (MEMORY, SINGLE)),
    ("monitor-a-moving", (ALL,), (MEMORY, SINGLE)),
    (CAR, (ALL, "G", "E", "GE"), (MEMORY, SINGLE)),
    ("fujisawa-078", (ALL, "G"), (MEMORY, SINGLE)),
    ("geonet-2005", (ALL,), (MEMORY, SINGLE)),
    ("igs-d", (ALL,), (MEMORY, SINGLE)),
    ("vrs-b", (ALL, "C", "G"), (MEMORY, SINGLE)),
    ("walk-c", (ALL,), (MEMORY, SINGLE)),
    ("netherlands-35km", ("G", "GR"), (MEMORY,)),
)
WORSE_SHORT = (
    ("nagoya-single-epoch", (ALL, "G", "E", "C", "GE", "GR")),
    (CAR, (ALL, "G", "E")),
    ("vrs-b", (ALL, "C", "G")),
    ("fujisawa-078", (ALL, "G")),
)
WORSE_LONG = (
    ("monitor-a-moving", (ALL,)),
    ("igs-d", (ALL,)),
    ("geonet-2005", (ALL,)),
    ("netherlands-35km", ("G", "GR")),
)
SHORT_VARIANTS = ("base 30 s", "base 10 s", "mask 30 deg", "one band", "code noise 2 m")
LONG_VARIANTS = ("mask 30 deg", "one band", "code noise 2 m", "every 4th base epoch")
OPTIONS: dict[str, dict[str, Any]] = {
    "mask 30 deg": {"selection": {"elevation_mask_deg": 30.0}},
    "one band": {"selection": {"n_band_max": 1}},
    "every 4th base epoch": {"base": {"max_age_s": 130.0}},
}
BASE_STEP = {"base 30 s": 30, "base 10 s": 10, "every 4th base epoch": 4}


class Trial(NamedTuple):
    """One run: a row's name, systems (ALL = the row's), way of fixing, variant or ""."""

    name: str
    systems: str
    ar: str
    variant: str

    @property
    def is_plain(self) -> bool:
        """Whether the recording is used as it is."""
        return not self.variant


class Recorded(NamedTuple):
    """A recording as read: rover, base and its coordinate, ephemerides, truth."""

    row: Row
    rover: ObsTable
    base: ObsTable
    base_ecef_m: FloatArray
    nav: BroadcastTable
    truth: Truth


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """The candidate fixes of one trial.

    wrong, epoch : (n,)      columns : by the names of FEATURES, (n,) each      n_epoch : of the run
    """

    trial: Trial
    wrong: BoolArray
    epoch: np.ndarray
    columns: dict[str, FloatArray]
    n_epoch: int


def features(memory: Any) -> tuple[float, ...]:
    """What the last attempt of an epoch left behind, in the order of FEATURES."""
    amb = memory.ambiguity
    misfit, apart = memory.work.code_misfit, amb.norms[1] - amb.norms[0]
    return (
        *(amb.ratio, amb.failure_rate, amb.best_norm, amb.held_out_evidence, misfit),
        *(amb.probability, amb.variance_factor, amb.n_dropped, apart),
    )


FEATURES = (
    *("ratio", "failure", "norm", "held_out", "code_misfit", "probability"),
    *("variance_factor", "n_dropped", "norms_apart"),
)


def trials() -> list[Trial]:
    """All runs of the corpus."""
    out = [Trial(n, s, ar, "") for n, systems, ways in PLAIN for s in systems for ar in ways]
    for sets, variants in ((WORSE_SHORT, SHORT_VARIANTS), (WORSE_LONG, LONG_VARIANTS)):
        for name, systems in sets:
            ways = (MEMORY,) if name == "netherlands-35km" else (MEMORY, SINGLE)
            out += [Trial(name, s, ar, v) for s in systems for ar in ways for v in variants]
    return out


@cache
def recorded(name: str) -> Recorded:
    """Read a recording; DatasetError when it is not on this machine."""
    row = next(row for row in ROWS if row.name == name)
    facts = json.loads(find(row.dataset, "truth.json").read_text(encoding="utf-8"))
    stations = facts.get("stations", {})
    base_m = np.array(stations.get(row.base_station) or facts["base_xyz"])
    rover, base = (read_obs(find(row.dataset, file)) for file in (row.rover, row.base))
    nav = read_nav([find(row.dataset, file) for file in row.nav])
    if row.truth == "combined":
        truth = own_track(row, rover, base, base_m, nav)
    elif row.truth != "point":
        text = find(row.dataset, row.truth).read_text(errors="replace")
        track = parse_nmea(text)
        good = track.quality == 4
        truth = Truth(ecef_m=track.ecef_m[good], time_ns=track.time_ns[good])
    elif row.vector_m is not None:
        truth = Truth(ecef_m=base_m + np.array(row.vector_m))
    else:
        truth = Truth(ecef_m=np.array(stations.get(row.rover_station) or facts["rover_xyz"]))
    return Recorded(row, rover, base, base_m, nav, truth)


def own_track(
    row: Row, rover: ObsTable, base: ObsTable, base_m: FloatArray, nav: BroadcastTable
) -> Truth:
    """Fixed epochs of our own run of all systems in both directions, profile safe."""
    config = RtkConfig.from_dict({"direction": "combined", "profile": "safe"})
    run = solve(rover, nav, base, base_m, config)
    fixed = run.status == FixStatus.FIXED
    return Truth(ecef_m=run.ecef_m[fixed], time_ns=run.time_ns[fixed], source=row.name)


def window(table: ObsTable, start_ns: int, end_ns: int) -> ObsTable:
    """Epochs from start to end, both included."""
    first, end = np.searchsorted(table.time_ns, [start_ns, end_ns + 1])
    return take_epochs(table, np.arange(first, end))


def tables(trial: Trial) -> tuple[ObsTable, ObsTable]:
    """Rover and base of a trial, made worse as its variant says."""
    found = recorded(trial.name)
    rover, base = found.rover, found.base
    if not trial.is_plain and trial.name in LONG_SETS:
        first, end = LONG_WINDOW
        rover = take_epochs(rover, np.arange(first, min(end, rover.n_epoch)))
        base = window(base, int(rover.time_ns[0]) - 10**9, int(rover.time_ns[-1]) + 10**9)
    if trial.variant == "code noise 2 m":
        noise = np.random.default_rng(SEED).normal(size=rover.code_m.shape)
        rover = dataclasses.replace(rover, code_m=rover.code_m + 2.0 * noise)
    step = BASE_STEP.get(trial.variant, 1)
    return rover, take_epochs(base, np.arange(0, base.n_epoch, step))


def run_trial(trial: Trial, options: dict[str, Any]) -> Solution:
    """Solve a trial; `options` are top-level keys and sections of the configuration."""
    found, (rover, base) = recorded(trial.name), tables(trial)
    values = {name: dict(section) for name, section in OPTIONS.get(trial.variant, {}).items()}
    systems = trial.systems or found.row.systems
    values["selection"] = {"systems": systems} | values.get("selection", {})
    values["antenna"] = {"coordinates": found.row.coordinates}
    config = RtkConfig.from_dict({**values, **options, "ar": trial.ar})
    return solve(rover, found.nav, base, found.base_ecef_m, config)


def error_enu_m(trial: Trial, solution: Solution) -> FloatArray:
    """Error of each epoch, east, north, up (n, 3) [m]; NaN where truth says nothing."""
    found = recorded(trial.name)
    llh, rotation = np.empty(3), np.empty((3, 3))
    ecef_to_geodetic(np.ascontiguousarray(found.base_ecef_m), llh)
    enu_rotation(llh[0], llh[1], rotation)
    error = (solution.ecef_m - found.truth.at(solution.time_ns, 0.0)) @ rotation.T
    return error - offset_enu_m(trial.name)


@cache
def offset_enu_m(name: str) -> FloatArray:
    """Median error of the fixed epochs of the plain run, where antennas stand apart, else zero."""
    if name not in WITHOUT_OFFSET:
        return np.zeros(3)
    found = recorded(name)
    llh, rotation = np.empty(3), np.empty((3, 3))
    ecef_to_geodetic(np.ascontiguousarray(found.base_ecef_m), llh)
    enu_rotation(llh[0], llh[1], rotation)
    run = run_trial(Trial(name, ALL, MEMORY, ""), {})
    error = (run.ecef_m - found.truth.at(run.time_ns, 0.0)) @ rotation.T
    good = np.isfinite(error).all(axis=1) & (run.status == FixStatus.FIXED)
    return np.asarray(np.median(error[good], axis=0))


class Verdicts(NamedTuple):
    """Of each epoch (n,): fixed and known to be right or wrong; of these wrong; far off.

    wrong : by the limits above, wide enough for right integers under a bad sky or at 35 km
    is_far : by the benchmark's limit of 0.10 m, 0.20 m on the car; never on the walk, whose
        reference antenna is metres away
    """

    known: BoolArray
    wrong: BoolArray
    is_far: BoolArray


def judged(trial: Trial, solution: Solution) -> Verdicts:
    """The fixed epochs of a run against truth."""
    error = error_enu_m(trial, solution)
    apart_m, flat_m = np.linalg.norm(error, axis=1), np.linalg.norm(error[:, :2], axis=1)
    known = (solution.status == FixStatus.FIXED) & np.isfinite(apart_m)
    wrong = apart_m > LIMIT_M.get(trial.name, LIMIT_ELSE_M)
    if trial.name == MONITOR:
        wrong = (flat_m > MONITOR_LIMIT_M) | (apart_m > MONITOR_HEIGHT_M)
    is_far = apart_m > (WRONG_MOVING_M if recorded(trial.name).row.is_moving else WRONG_STATIC_M)
    return Verdicts(known, known & wrong, known & is_far & (trial.name != WALK))


def candidates(trial: Trial) -> Candidates:
    """Run a trial with open gates and gather every candidate fix.

    The block of epochs is run one at a time, so that what the attempt left in the memory can be
    read; a second opinion has overwritten a first one by then, as it has in the solution.
    """
    recorded(trial.name)  # reading may run the car's own track, which is not to be watched
    rows: list[tuple[float, ...]] = []
    with mock.patch.object(direction, "run_block", watched(direction.run_block, rows)):
        run = run_trial(trial, {"ambiguity": OPEN})
    known, wrong, _ = judged(trial, run)
    table = np.array(rows[-run.n_epoch :])[known]  # the check of the base's place came first
    columns = {name: table[:, k] for k, name in enumerate(FEATURES)}
    columns |= {"n_fixed": run.n_fixed[known].astype(float), "age_s": np.abs(run.age_s[known])}
    return Candidates(
        trial=trial,
        wrong=wrong[known],
        epoch=np.flatnonzero(known),
        columns=columns,
        n_epoch=run.n_epoch,
    )


def watched(block: Callable[..., int], rows: list[tuple[float, ...]]) -> Callable[..., int]:
    """`run_block` that notes the features of each epoch and forgets the path of earlier fixes.

    With a path, a fix off it would be refused, and a wrong one that is believed would have its
    right successors refused.
    """

    def one_by_one(inputs: Any, index: Any, first: int, end: int, memory: Any, out: Any) -> int:
        n = 0
        for k in range(first, end):
            memory.state.n_propagated = 0
            n += block(inputs, index, k, k + 1, memory, out)
            rows.append(features(memory))
        return n

    return one_by_one

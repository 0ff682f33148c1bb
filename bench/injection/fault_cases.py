"""The faults of `bench/faults.py`: what is done to a scene, by number of the fault catalogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bench.injection import inject
from rtkpos.gnss.systems import systems_of
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.observations import ObsTable

S_NS = 1_000_000_000
TINY_CYCLE2 = 1e-6
SHIFT_M = 300.0


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A piece of a recording, and what a fault has done to it.

    at : epoch at which faults begin      until_ns : end of the fault, None = it lasts
    truth_m : (3,) or (n, 3) where the antenna is according to the observations
    options : configuration of the run      meddle : changes the memory of the step at epoch `at`
    """

    name: str
    label: str
    rover: ObsTable
    base: ObsTable
    nav: BroadcastTable
    base_ecef_m: np.ndarray
    truth_m: np.ndarray
    right_m: float
    at: int
    until_ns: int | None = None
    options: dict[str, Any] = field(default_factory=dict)
    meddle: Callable[[Any], None] | None = None

    @property
    def at_ns(self) -> int:
        """Time at which faults begin."""
        return int(self.rover.time_ns[self.at])

    @property
    def step_ns(self) -> int:
        """Sampling of the rover."""
        return int(np.median(np.diff(self.rover.time_ns)))

    def table(self, who: str) -> ObsTable:
        """The rover's or the base's observations."""
        return self.rover if who == "rover" else self.base

    def put(self, who: str, table: ObsTable, **more: Any) -> Scene:
        """The scene with another table of the rover or the base."""
        return replace(self, **{who: table}, **more)

    def best(self, first: int = 0, n: int = 1) -> list[int]:
        """Satellites from the `first` strongest on."""
        return inject.satellites(self.rover, self.base, self.at_ns, self.step_ns)[first : first + n]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault: number in the catalogue, what it is, and what it does to a scene.

    min_step_s, max_step_s : samplings it makes sense for
    """

    row: int
    what: str
    change: Callable[[Scene, np.random.Generator], Scene]
    min_step_s: float = 0.0
    max_step_s: float = 100.0


def _slip(who: str, n_sat: int, cycles: float, every: bool = False, lli: bool = False) -> Any:
    """The same number of cycles on the first band, or on every one, of some satellites."""

    def change(scene: Scene, _: np.random.Generator) -> Scene:
        table = scene.table(who)
        shifts = {}
        for sat in scene.best(0, n_sat):
            digits = inject.bands(table, sat)
            shifts |= {(sat, d): cycles for d in (digits if every else digits[:1])}
        return scene.put(who, inject.slipped(table, scene.at_ns, shifts, lli))

    return change


def _blind(scene: Scene, _: np.random.Generator) -> Scene:
    """A slip that the geometry-free combination does not see."""
    shifts = inject.unseen_by_geometry_free(scene.rover, scene.best()[0])
    return scene.put("rover", inject.slipped(scene.rover, scene.at_ns, shifts))


def _half_sky(scene: Scene, _: np.random.Generator) -> Scene:
    """Every second satellite slips by one cycle on every band."""
    sats = scene.best(0, 60)[::2]
    shifts = {(s, d): 1.0 for s in sats for d in inject.bands(scene.rover, s)}
    return scene.put("rover", inject.slipped(scene.rover, scene.at_ns, shifts))


def _sky(who: str, most: int, lli: bool) -> Any:
    """Random slips of every satellite and band."""

    def change(scene: Scene, rng: np.random.Generator) -> Scene:
        shifts = inject.whole_sky(scene.table(who), scene.at_ns, rng, most)
        return scene.put(who, inject.slipped(scene.table(who), scene.at_ns, shifts, lli))

    return change


def _bridges(scene: Scene, rng: np.random.Generator) -> Scene:
    """Random slips of the whole sky at every tenth epoch."""
    table = scene.rover
    for k in range(scene.at, table.n_epoch, 10):
        time_ns = int(table.time_ns[k])
        shifts = inject.whole_sky(scene.rover, time_ns, rng, 5)
        table = inject.slipped(table, time_ns, shifts)
    return scene.put("rover", table)


def _blip(column: str, value: float, n_sat: int, n_epoch: int) -> Any:
    """Outliers of code or phase on the strongest satellites' first bands for some epochs."""

    def change(scene: Scene, _: np.random.Generator) -> Scene:
        until_ns = scene.at_ns + n_epoch * scene.step_ns
        rows = inject.rows_between(scene.rover, scene.at_ns, until_ns)
        band = inject.band_of_row(scene.rover)
        mine = np.zeros_like(rows)
        for sat in scene.best(0, n_sat):
            mine |= (scene.rover.sat == sat) & (band == inject.bands(scene.rover, sat)[0])
        table = inject.added(scene.rover, column, rows & mine, value)
        return scene.put("rover", table, until_ns=until_ns)

    return change


def _gap(who: str, seconds: float) -> Any:
    """No epochs of a receiver for some seconds; 0 = one epoch."""

    def change(scene: Scene, _: np.random.Generator) -> Scene:
        until_ns = scene.at_ns + max(round(seconds * S_NS), scene.step_ns)
        table = inject.without_epochs(scene.table(who), scene.at_ns, until_ns)
        changed = scene.put(who, table, until_ns=until_ns)
        if who == "rover" and scene.truth_m.ndim == 2:
            kept = (scene.rover.time_ns < scene.at_ns) | (scene.rover.time_ns >= until_ns)
            changed = replace(changed, truth_m=scene.truth_m[kept])
        return changed

    return change


def _hide(n_sat: int, n_epoch: int, first: int = 0) -> Any:
    """Satellites gone for some epochs (0 = for good)."""

    def change(scene: Scene, _: np.random.Generator) -> Scene:
        until_ns = scene.at_ns + n_epoch * scene.step_ns if n_epoch else None
        rows = inject.rows_between(scene.rover, scene.at_ns, until_ns)
        gone = rows & np.isin(scene.rover.sat, scene.best(first, n_sat))
        return scene.put("rover", inject.hidden(scene.rover, gone), until_ns=until_ns)

    return change


def _system_lost(who: str) -> Any:
    """The constellation of most satellites is gone for thirty epochs."""

    def change(scene: Scene, _: np.random.Generator) -> Scene:
        table = scene.table(who)
        until_ns = scene.at_ns + 30 * scene.step_ns
        systems = [systems_of(sat) for sat in scene.best(0, 60)]
        most = max(set(systems), key=systems.count)
        gone = inject.rows_between(table, scene.at_ns, until_ns) & (systems_of(table.sat) == most)
        return scene.put(who, inject.hidden(table, gone), until_ns=until_ns)

    return change


def _few_left(scene: Scene, _: np.random.Generator) -> Scene:
    """Three satellites are left for ten epochs."""
    until_ns = scene.at_ns + 10 * scene.step_ns
    rows = inject.rows_between(scene.rover, scene.at_ns, until_ns)
    gone = rows & ~np.isin(scene.rover.sat, scene.best(0, 3))
    return scene.put("rover", inject.hidden(scene.rover, gone), until_ns=until_ns)


def _half_flag(who: str, n_sat: int, shift: float) -> Any:
    """Half cycles unresolved for ten epochs, the phase off by `shift` cycles meanwhile."""

    def change(scene: Scene, _: np.random.Generator) -> Scene:
        until_ns = scene.at_ns + 10 * scene.step_ns
        table = scene.table(who)
        rows = inject.rows_between(table, scene.at_ns, until_ns)
        rows &= np.isin(table.sat, scene.best(0, n_sat))
        table = inject.added(table, "phase_cycle", rows, shift)
        table = inject.marked(table, rows, inject.HALF_CYCLE)
        return scene.put(who, table, until_ns=until_ns)

    return change


def _clock(who: str, on_phase: bool, every: int) -> Any:
    """The clock steps by 1 ms at the fault, and again after `every` epochs (0 = once)."""

    def change(scene: Scene, _: np.random.Generator) -> Scene:
        table = scene.table(who)
        since = np.searchsorted(table.time_ns, scene.at_ns)
        k = np.arange(table.n_epoch) - since
        # Forth and back: the place of a moving antenna is that of the true time.
        n_step = np.where(k >= 0, 1 - (k // every % 2 if every else 0), 0)
        return scene.put(who, inject.with_clock_steps(table, scene.nav, n_step * 1e-3, on_phase))

    return change


def _no_cn0(value: float) -> Any:
    """No C/N0 at either end."""

    def change(scene: Scene, _: np.random.Generator) -> Scene:
        for who in ("rover", "base"):
            table = scene.table(who)
            scene = scene.put(who, inject.changed(table, cn0_dbhz=np.full(table.n_row, value)))
        return scene

    return change


def _shift(n_epoch: int) -> Any:
    """All satellites as seen from 300 m away for some epochs (0 = to the end)."""

    def change(scene: Scene, _: np.random.Generator) -> Scene:
        end_ns = int(scene.rover.time_ns[-1]) + 1
        until_ns = scene.at_ns + n_epoch * scene.step_ns if n_epoch else end_ns
        span_ns = (scene.at_ns, until_ns)
        truth = np.broadcast_to(scene.truth_m, (scene.rover.n_epoch, 3)).copy()
        inside = (scene.rover.time_ns >= scene.at_ns) & (scene.rover.time_ns < until_ns)
        # Along a parallel: at another height the troposphere would be another.
        along = np.array([-scene.base_ecef_m[1], scene.base_ecef_m[0], 0.0])
        shift_m = SHIFT_M * along / np.linalg.norm(along)
        table = inject.moved(scene.rover, scene.nav, span_ns, shift_m, truth.copy())
        truth[inside] += shift_m
        return scene.put("rover", table, truth_m=truth, until_ns=until_ns if n_epoch else None)

    return change


def _base_off(metres: float) -> Any:
    """The base coordinate is wrong; the vector from it must stay right."""

    def change(scene: Scene, _: np.random.Generator) -> Scene:
        off = metres * np.array([0.6, -0.64, 0.48])
        return replace(scene, base_ecef_m=scene.base_ecef_m + off, truth_m=scene.truth_m + off)

    return change


def _base_swapped(scene: Scene, _: np.random.Generator) -> Scene:
    """X and Y of the base are swapped."""
    return replace(scene, base_ecef_m=scene.base_ecef_m[[1, 0, 2]])


def _urban(slip_share: float, lost: float) -> Any:
    """Random slips and dropouts all the time."""

    def change(scene: Scene, rng: np.random.Generator) -> Scene:
        return scene.put("rover", inject.urban(scene.rover, rng, slip_share, lost))

    return change


def live_ambiguities(memory: Any) -> list[int]:
    """State indices of the ambiguities, those estimated longest first."""
    state = memory.state
    n_band = state.slot.shape[1]
    live = [j for j in range(int(state.n_state)) if state.owner[j] >= 0]
    age = {j: state.n_lock[divmod(int(state.owner[j]), n_band)] for j in live}
    return sorted(live, key=lambda j: (-age[j], j))


def one_wrong_integer(memory: Any) -> None:
    """One ambiguity is certain of the next integer."""
    index = live_ambiguities(memory)[0]
    state = memory.state
    state.state[index] += 1.0
    state.cov[index, :] = 0.0
    state.cov[:, index] = 0.0
    state.cov[index, index] = TINY_CYCLE2


def all_wrong_integers(memory: Any) -> None:
    """All ambiguities are certain of integers that fit an antenna 0.6 m away best."""
    state, work = memory.state, memory.work
    n_band = state.slot.shape[1]
    shift_m = np.array([0.35, -0.3, 0.38])
    row_of = {int(work.sat[i]): i for i in range(int(work.n_sat))}
    live = live_ambiguities(memory)
    for index in live:
        sat, band = divmod(int(state.owner[index]), n_band)
        if sat in row_of:
            effect_m = float(work.los[row_of[sat]] @ shift_m)
            state.state[index] += round(effect_m / work.wavelength_m[row_of[sat], band])
        state.cov[index, :] = 0.0
        state.cov[:, index] = 0.0
        state.cov[index, index] = 1e-4


def _force(meddle: Callable[[Any], None], ar: str) -> Any:
    """Wrong integers in the filter's state."""

    def change(scene: Scene, _: np.random.Generator) -> Scene:
        return replace(scene, meddle=meddle, options={**scene.options, "ar": ar})

    return change


def _fault(row: int, what: str, change: Any, low_s: float = 0.0, high_s: float = 100.0) -> Fault:
    return Fault(row=row, what=what, change=change, min_step_s=low_s, max_step_s=high_s)


CLOCKS = tuple(
    _fault(39, f"{who} clock {jumps}, {what}", _clock(who, on_phase, every))
    for who in ("rover", "base")
    for what, on_phase in (("code only", False), ("code and phase", True))
    for jumps, every in (("jumps 1 ms", 0), ("jumps 1 ms forth and back every 10 epochs", 10))
)
SLIPS = (
    *(_fault(46, f"slip of {n:g} on one band", _slip("rover", 1, n)) for n in (0.5, 1, 2, 5, -20)),
    _fault(46, "slip of 1 on one band, told by LLI", _slip("rover", 1, 1.0, lli=True)),
    _fault(46, "slip of 1 on every band", _slip("rover", 1, 1.0, every=True)),
    _fault(46, "slip of 1 on one band at the base", _slip("base", 1, 1.0)),
    _fault(46, "half cycle on every band", _slip("rover", 1, 0.5, every=True)),
    _fault(46, "slip equal in metres on two bands", _blind),
    _fault(46, "3 satellites slip by 1 on one band", _slip("rover", 3, 1.0)),
    _fault(46, "5 satellites slip by 1 on every band", _slip("rover", 5, 1.0, every=True)),
    _fault(46, "every second satellite slips by 1", _half_sky),
    _fault(46, "phase of one epoch off by 1", _blip("phase_cycle", 1.0, 1, 1)),
    _fault(46, "phase of one epoch off by 0.3", _blip("phase_cycle", 0.3, 1, 1)),
    _fault(
        46, "phases of 3 satellites off by 0.25 for 10 epochs", _blip("phase_cycle", 0.25, 3, 10)
    ),
    _fault(46, "urban: slips 1 %, dropouts 5 % per epoch", _urban(0.01, 0.05)),
    _fault(46, "urban: slips 5 %, dropouts 20 % per epoch", _urban(0.05, 0.2)),
    _fault(47, "whole sky slips by 1..40", _sky("rover", 40, False)),
    _fault(47, "whole sky slips by 1..40, told by LLI", _sky("rover", 40, True)),
    _fault(47, "whole sky slips by 1..2", _sky("rover", 2, False)),
    _fault(47, "whole sky slips by 1..2 at the base", _sky("base", 2, False)),
    _fault(47, "whole sky slips at every 10th epoch", _bridges),
)
SKY = (
    _fault(43, "one constellation lost at the rover", _system_lost("rover")),
    _fault(43, "one constellation lost at the base", _system_lost("base")),
    _fault(43, "three satellites left", _few_left),
    _fault(44, "the strongest satellite sets", _hide(1, 0)),
    _fault(44, "the three strongest satellites set", _hide(3, 0)),
)
CODES = tuple(
    _fault(45, f"code off by {m} m on {n} for 20 epochs", _blip("code_m", m, n, 20))
    for m in (5.0, 20.0, 100.0)
    for n in (1, 3)
)
GAPS = (
    _fault(48, "one rover epoch missing", _gap("rover", 0)),
    _fault(48, "one base epoch missing", _gap("base", 0)),
    _fault(48, "one satellite missing for one epoch", _hide(1, 1)),
    _fault(48, "three satellites missing for one epoch", _hide(3, 1)),
    _fault(48, "one satellite missing for 10 epochs", _hide(1, 10)),
    _fault(48, "rover gap of 10 s", _gap("rover", 10), 0, 10),
    _fault(48, "rover gap of 10 epochs of 15 s or more", _gap("rover", 150), 11),
    _fault(48, "rover gap of 10 min", _gap("rover", 600), 11),
    _fault(64, "base gap of 10 s", _gap("base", 10), 0, 10),
    _fault(64, "base gap of 90 s", _gap("base", 90), 0, 10),
    _fault(64, "base gap of 10 min", _gap("base", 600), 11),
)
HALVES = (
    _fault(49, "half cycles unresolved on 3", _half_flag("rover", 3, 0.0)),
    _fault(49, "half cycles unresolved and wrong on 3", _half_flag("rover", 3, 0.5)),
    _fault(49, "half cycles unresolved and wrong on 3 at the base", _half_flag("base", 3, 0.5)),
    _fault(49, "half cycles unresolved on all", _half_flag("rover", 60, 0.0)),
)
INTEGERS = tuple(
    _fault(50, f"{what}, {ar}", _force(meddle, ar))
    for what, meddle in (
        ("one wrong integer", one_wrong_integer),
        ("all integers wrong", all_wrong_integers),
    )
    for ar in ("continuous", "hold")
)
REST = (
    _fault(53, "C/N0 missing", _no_cn0(np.nan)),
    _fault(53, "C/N0 zero", _no_cn0(0.0)),
    _fault(54, "everything 300 m away for one epoch", _shift(1)),
    _fault(54, "everything 300 m away from now on", _shift(0)),
    _fault(56, "base 5 cm off", _base_off(0.05)),
    _fault(56, "base 1 m off", _base_off(1.0)),
    _fault(56, "base 35 m off", _base_off(35.0)),
    _fault(56, "base 2 km off", _base_off(2000.0)),
    _fault(56, "base with X and Y swapped", _base_swapped),
)
FAULTS = (*CLOCKS, *SKY, *CODES, *SLIPS, *GAPS, *HALVES, *INTEGERS, *REST)

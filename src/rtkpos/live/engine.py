"""The live engine: a vehicle hands over epochs one by one and gets a fix for each.

The step is the compiled one of `solve`, so that a drive fed epoch by epoch gives the same numbers
as its recording solved afterwards, bit for bit.
"""

from __future__ import annotations

import dataclasses
import json
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rtkpos._arrays import SmallArray, record_of
from rtkpos.constants import NS_PER_S
from rtkpos.core.atmosphere.ionosphere import IonosphereModel
from rtkpos.core.tables import EVENT_ANTENNA_MOVED, no_correction
from rtkpos.errors import DataError, check_type
from rtkpos.estimate.step import run_block
from rtkpos.estimate.step_memory import RunInputs, step_memory, step_outputs
from rtkpos.gnss.systems import SYSTEM_LETTERS, systems_from_letters
from rtkpos.io.given_files import Navigation, Observations, nav_table, obs_table
from rtkpos.live.buffer import BUFFER_COLUMNS, EpochBuffer
from rtkpos.live.fix import RtkFix, fix_of
from rtkpos.live.navigation import NAV_COLUMNS, empty_nav, joined_nav, nav_of_columns
from rtkpos.live.snapshot import (
    layout_of,
    message_facts,
    message_of,
    pack,
    record_bytes,
    record_from,
    unpack,
)
from rtkpos.physics.atmosphere import ionosphere_model, no_ionosphere
from rtkpos.prepare.align import match_epochs
from rtkpos.prepare.pairing import (
    BAND_ORDER,
    N_SLOT,
    PairingPlan,
    choose_bands,
    known_channels,
    make_plan,
    plan_of_bands,
)
from rtkpos.processing.base_check import checked_coordinate
from rtkpos.processing.direction import time_tolerance_ns
from rtkpos.processing.epoch import (
    MAX_EPOCH_ROWS,
    Epoch,
    checked_channel,
    checked_epoch,
    kernel_view,
    refuse_correction,
    table_of_epoch,
)
from rtkpos.processing.explain import explain_base, explain_rover
from rtkpos.processing.run import refuse_empty
from rtkpos.processing.run_antennas import enter_antennas, site_antennas
from rtkpos.processing.settings import config_of, run_plan
from rtkpos.records.config import RtkConfig, Selection
from rtkpos.records.observations import Station
from rtkpos.records.report import ReadReport

BASE_EPOCHS, BASE_ROWS = 64, 16 * MAX_EPOCH_ROWS
SMALL_MOVE_M = 1.0
IONOSPHERE_REACH_NS = 6 * 3600 * NS_PER_S  # a live model is renewed when the rover is past it
NAV_KEPT_NS = 24 * 3600 * NS_PER_S


class RtkEngine:
    """Real-time positioning of one rover against one base.

    config : RtkConfig      nav : ephemerides known at the start, more by `add_nav`
    base_ecef_m : (3,) base coordinate [m]; not needed in modes single and moving_base
    plan : which bands are paired, from `make_plan`; without it those of the configuration or,
        where it names none, those that the first rover and base epochs share, filled up in the
        usual order of preference, for the whole life of the engine
    glonass_channel : (64,) by slot - 1, for receivers that know them; the ephemerides do, too

    Memory is allocated once; an update costs the same after a day as after a minute. All methods
    take one lock, so that threads may call them, but the order of epochs is the caller's business.
    `warnings` tells what antennas lack; `notes` counts what was left out (unknown satellites, rows
    beyond the limit, repeated or lost base epochs).
    """

    def __init__(
        self,
        config: RtkConfig | None = None,
        nav: Navigation | None = None,
        base_ecef_m: ArrayLike | None = None,
        *,
        plan: PairingPlan | None = None,
        glonass_channel: SmallArray | None = None,
    ) -> None:
        self.config = config_of(config)
        check_type(plan, PairingPlan, "plan", optional=True)
        self.notes: Counter[str] = Counter()
        self._lock = threading.RLock()
        needs_base = self.config.mode not in ("single", "moving_base")
        place = checked_coordinate(base_ecef_m) if needs_base else np.full(3, np.nan)
        self._nav = empty_nav() if nav is None else nav_table(nav)
        self._channel = [] if glonass_channel is None else [checked_channel(glonass_channel)]
        self._has_plan = plan is not None
        pairing = plan or self._plan_of(_filled_bands({}, self.config.selection))
        self._rover = EpochBuffer(1, MAX_EPOCH_ROWS)
        self._base = EpochBuffer(BASE_EPOCHS, BASE_ROWS)
        self._inputs = RunInputs(
            self._rover.obs,
            self._base.obs,
            kernel_view(self._nav.arrays()),
            no_ionosphere(),
            run_plan(pairing, place, self.config),
            no_correction(),
        )
        self._set_antennas(None, None, None)
        self._ionosphere_span: tuple[int, int] | None = None
        self._memory, self._out, self._empty = step_memory(), step_outputs(1), step_outputs(1)
        self._n_seen = 0  # base epochs of the buffer that were looked at for slips
        self._rover_ns = self._base_ns = -1
        self._is_moved = False

    @classmethod
    def from_tables(
        cls,
        rover: Observations,
        base: Observations | None,
        nav: Navigation,
        base_ecef_m: ArrayLike | None = None,
        config: RtkConfig | None = None,
    ) -> RtkEngine:
        """An engine that decides bands and ionosphere as `solve` does for these recordings."""
        config = config_of(config)
        rover, nav = obs_table(rover, "rover"), nav_table(nav)
        used = None if base is None or config.mode == "single" else obs_table(base, "base")
        refuse_empty(rover)
        refuse_correction(used.correction if used else None)
        engine = cls(config, nav, base_ecef_m, plan=make_plan(rover, used, config, nav))
        start_ns = int(rover.time_ns[0])
        engine._set_antennas(rover.station, used.station if used else None, start_ns)
        engine._set_ionosphere(int(rover.time_ns[0]), int(rover.time_ns[-1]))
        return engine

    def arguments(self) -> tuple[Any, ...]:
        """Arguments of `run_block` as the next update would pass them, for one that compiles it."""
        index = np.zeros(1, np.int64)
        return self._inputs, index, 0, 1, self._memory, self._out

    def update(self, rover: Epoch, base: Epoch | Iterable[Epoch] | None = None) -> RtkFix:
        """The position at a rover epoch.

        rover : an epoch later than all before      base : the base epoch or epochs that came in
            since the last call, in order; None when there was none. The last one not after the
            rover serves up to `base.max_age_s`, later ones wait for their rover epoch. An epoch
            that was given before may be given again.
        Raises DataError for unusable input and for time going back; the state is then unchanged.
        """
        with self._lock:
            notes: Counter[str] = Counter()
            epoch = checked_epoch(rover, "rover", notes)
            if epoch.time_ns <= self._rover_ns:
                raise DataError(
                    f"rover time_ns {epoch.time_ns} is not after the last epoch "
                    f"{self._rover_ns}; give epochs in order, each once."
                )
            arrived = self._checked_base(base, notes)
            self.notes.update({name: n for name, n in notes.items() if n})
            return self._step(epoch, arrived)

    def add_nav(self, nav: Navigation) -> None:
        """Ephemerides (and ionosphere messages) that arrived; of the same set the new one stays.

        What is older than a day is forgotten.
        """
        nav = nav_table(nav)
        with self._lock:
            self._nav, moved = joined_nav(self._nav, nav, self._rover_ns - NAV_KEPT_NS)
            rows = self._memory.state.eph_row
            known = rows >= 0
            rows[known] = moved[rows[known]]
            self._inputs = self._inputs._replace(eph=kernel_view(self._nav.arrays()))
            if nav.ionosphere:
                self._ionosphere_span = None
            self._name_channels()

    def set_base_position(self, base_ecef_m: ArrayLike) -> None:
        """A new coordinate (3,) [m] of the base, or of the virtual station that serves as base.

        A move of up to 1 m updates the reference and keeps the ambiguities; a longer one, and in
        static mode every one, restarts the filter at the next update.
        """
        place = checked_coordinate(base_ecef_m)
        with self._lock:
            known = self._inputs.plan.base_ecef_m
            moved_m = float(np.linalg.norm(place - known))
            if moved_m > SMALL_MOVE_M or (self.config.mode == "static" and moved_m > 0.0):
                self._is_moved = True
            known[:] = place

    def snapshot(self) -> bytes:
        """Everything the engine knows; `restore` goes on from there bit for bit."""
        with self._lock:
            inputs = self._inputs
            facts = {
                "layout": layout_of(self._memory, inputs.plan),
                "config": _as_stored(self.config),
                "notes": dict(self.notes),
                "state": [self._n_seen, self._rover_ns, self._base_ns],
                "flags": [self._is_moved, self._has_plan],
                "span": self._ionosphere_span,
                "ionosphere": [inputs.ionosphere.kind, inputs.ionosphere.first_slot],
                "messages": [message_facts(message) for message in self._nav.ionosphere],
            }
            arrays = {"memory": record_bytes(self._memory), "plan": record_bytes(inputs.plan)}
            arrays |= {f"nav_{name}": getattr(self._nav, name) for name in NAV_COLUMNS}
            arrays |= {f"base_{name}": column for name, column in self._base.columns().items()}
            arrays["coefficients"] = inputs.ionosphere.coefficients
            arrays["background"] = inputs.ionosphere.background
            arrays["channel"] = np.array(self._channel, np.int8).reshape(-1, 64)
            return pack(facts, arrays)

    def restore(self, data: bytes) -> None:
        """Take over the state of a snapshot, navigation data and base coordinate included.

        Raises DataError, and changes nothing, for bytes that are no sound snapshot of this version
        made with the same configuration.
        """
        facts, arrays = unpack(data)
        with self._lock:
            if facts.get("layout") != layout_of(self._memory, self._inputs.plan):
                raise DataError("the snapshot was made by another version of rtkpos; start afresh.")
            if facts["config"] != _as_stored(self.config):
                raise DataError("the snapshot was made with another configuration; use the same.")
            memory = record_from(arrays["memory"], self._memory)
            plan = record_from(arrays["plan"], self._inputs.plan)
            messages = [message_of(values) for values in facts["messages"]]
            nav = nav_of_columns(
                {name: arrays[f"nav_{name}"] for name in NAV_COLUMNS}, tuple(messages)
            )
            kind, first_slot = facts["ionosphere"]
            ionosphere = IonosphereModel(
                kind, arrays["coefficients"], first_slot, arrays["background"]
            )
            self._memory, self._nav = memory, nav
            self._inputs = RunInputs(
                self._rover.obs,
                self._base.obs,
                kernel_view(nav.arrays()),
                ionosphere,
                plan,
                no_correction(),
            )
            self._base.load({name: arrays[f"base_{name}"] for name in BUFFER_COLUMNS})
            self._n_seen, self._rover_ns, self._base_ns = facts["state"]
            self._is_moved, self._has_plan = facts["flags"]
            self._ionosphere_span = None if facts["span"] is None else tuple(facts["span"])
            self._channel = list(arrays["channel"])
            self.notes = Counter(facts["notes"])

    def _checked_base(
        self, base: Epoch | Iterable[Epoch] | None, notes: Counter[str]
    ) -> list[Epoch]:
        """The base epochs that are new, checked; DataError when time goes back."""
        given: Any = [] if base is None else [base] if isinstance(base, Epoch) else base
        if not isinstance(given, Iterable):
            check_type(base, Epoch, "base", DataError, optional=True)
        last_ns, found = self._base_ns, []
        for one in given:
            epoch = checked_epoch(one, "base", notes)
            if epoch.time_ns < last_ns:
                raise DataError(
                    f"base time_ns {epoch.time_ns} is before the last epoch {last_ns}; "
                    "give epochs in order."
                )
            if epoch.time_ns == last_ns:
                notes["base_repeated"] += 1
                continue
            found.append(epoch)
            last_ns = epoch.time_ns
        return found

    def _step(self, rover: Epoch, arrived: list[Epoch]) -> RtkFix:
        """One compiled step; the input is known to be sound."""
        for epoch in arrived:
            self._keep(epoch)
        if not self._has_plan and self._base.size:
            self._choose_bands(rover, arrived)
        self._rover.drop(1)
        self._rover.append(rover)
        if self._is_moved:
            self._rover.obs.event[0] |= EVENT_ANTENNA_MOVED
            self._is_moved = False
        self._rover_ns = rover.time_ns
        self._renew_ionosphere(rover.time_ns)
        base_ns = self._base.obs.time_ns[: self._base.size]
        tolerance_ns = time_tolerance_ns(self.config)
        max_age_ns = int(self._inputs.plan.settings.max_age_ns)
        index = match_epochs(self._rover.obs.time_ns, base_ns, tolerance_ns, max_age_ns)
        out, state = self._out, self._memory.state
        out[0] = self._empty[0]
        state.n_base_seen = self._n_seen
        run_block(self._inputs, index, 0, 1, self._memory, out)
        explain_base(out, self._rover.obs.time_ns, base_ns, tolerance_ns)
        explain_rover(out, self._rover.obs, self._nav)
        self._n_seen = int(state.n_base_seen)
        n_gone = max(self._n_seen - 1, 0)
        self._base.drop(n_gone)
        self._n_seen -= n_gone
        return fix_of(out[0], rover.time_ns)

    def _keep(self, epoch: Epoch) -> None:
        """Put a base epoch into the buffer; epochs that fall out unseen are counted."""
        n_gone = self._base.append(epoch)
        n_unseen = max(n_gone - self._n_seen, 0)
        self._n_seen = max(self._n_seen - n_gone, 0)
        if n_unseen:
            self.notes["base_epoch_lost"] += n_unseen
            self._base.mark_lost(0)
        self._base_ns = epoch.time_ns

    def _choose_bands(self, rover: Epoch, arrived: list[Epoch]) -> None:
        """Decide the bands from the first rover and base epochs that share one."""
        if not arrived or self.config.mode == "single":
            return
        selection = self.config.selection
        common = choose_bands(table_of_epoch(rover), table_of_epoch(arrived[-1]), selection)
        if not common:
            return
        self._set_plan(self._plan_of(_filled_bands(common, selection)))
        self._has_plan = True

    def _plan_of(self, bands: dict[int, tuple[int, ...]]) -> PairingPlan:
        """A plan of these bands with the channels known so far."""
        channel = known_channels(self._channel, self._nav)
        return plan_of_bands(bands, channel, self.config.selection)

    def _set_plan(self, pairing: PairingPlan) -> None:
        """Enter a plan into the record the kernels read."""
        record = record_of(pairing)
        for name in pairing._fields:
            self._inputs.plan.pairing[name] = record[name]
        enter_antennas(self._inputs.plan, self._antennas)

    def _set_antennas(
        self, rover: Station | None, base: Station | None, time_ns: int | None
    ) -> None:
        """Offsets and calibrations of both ends; what is missing is told in `warnings`."""
        report = ReadReport()
        self._antennas = site_antennas(rover, base, self.config, time_ns, report)
        self.warnings = tuple(report.warnings)
        enter_antennas(self._inputs.plan, self._antennas)

    def _name_channels(self) -> None:
        """GLONASS carriers that new ephemerides make known; known ones stay."""
        pairing = self._inputs.plan.pairing
        digits = {
            system: tuple(int(d) for d in row if d > 0) for system, row in enumerate(pairing.digit)
        }
        known = self._plan_of({s: row for s, row in digits.items() if row}).carrier_hz
        carriers = pairing.carrier_hz
        carriers[:] = np.where(np.isnan(carriers), known, carriers)

    def _renew_ionosphere(self, time_ns: int) -> None:
        """Choose the broadcast ionosphere again when the present one is of another time."""
        span = self._ionosphere_span
        if span is None or not span[0] <= time_ns <= span[1]:
            self._set_ionosphere(time_ns, time_ns + IONOSPHERE_REACH_NS)

    def _set_ionosphere(self, start_ns: int, end_ns: int) -> None:
        """The ionosphere of a span of time."""
        choice = self.config.atmosphere.ionosphere
        report = ReadReport()
        model = ionosphere_model(self._nav, choice, start_ns, end_ns, report)
        self.notes.update({"no_ionosphere": 1} if report.warnings else {})
        self._inputs = self._inputs._replace(ionosphere=model)
        self._ionosphere_span = (start_ns, end_ns)


def _as_stored(config: RtkConfig) -> str:
    """All values of a configuration as text."""
    return json.dumps(dataclasses.asdict(config))


def _filled_bands(
    common: dict[int, tuple[int, ...]], selection: Selection
) -> dict[int, tuple[int, ...]]:
    """Bands by system: those in common first, then the usual ones until the slots are full."""
    bands: dict[int, tuple[int, ...]] = {}
    for system in systems_from_letters(selection.systems):
        named = selection.bands.get(SYSTEM_LETTERS[system])
        usual = [int(d) for d in (named or BAND_ORDER[system])]
        order = [*common.get(system, ()), *usual]
        bands[system] = tuple(dict.fromkeys(order))[: min(selection.n_band_max, N_SLOT)]
    return bands

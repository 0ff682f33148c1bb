"""The live engine: a vehicle hands over epochs one by one and gets a fix for each.

The step is the compiled one of `solve`, so that a drive fed epoch by epoch gives the same numbers
as its recording solved afterwards, bit for bit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rtkpos.core.atmosphere.ionosphere import IonosphereModel
from rtkpos.core.tables import EVENT_ANTENNA_MOVED, no_correction
from rtkpos.errors import DataError
from rtkpos.estimate.step import run_block
from rtkpos.estimate.step_memory import RunInputs
from rtkpos.io.given_files import Navigation, Observations, nav_table, obs_table
from rtkpos.live.buffer import BUFFER_COLUMNS
from rtkpos.live.engine_state import NAV_KEPT_NS, SMALL_MOVE_M, EngineState
from rtkpos.live.fix import RtkFix, fix_of
from rtkpos.live.navigation import NAV_COLUMNS, joined_nav, nav_of_columns
from rtkpos.live.snapshot import (
    layout_of,
    message_facts,
    message_of,
    pack,
    record_bytes,
    record_from,
    unpack,
)
from rtkpos.prepare.align import match_epochs
from rtkpos.prepare.pairing import (
    make_plan,
)
from rtkpos.processing.base_check import checked_coordinate
from rtkpos.processing.direction import time_tolerance_ns
from rtkpos.processing.epoch import (
    Epoch,
    checked_epoch,
    kernel_view,
    refuse_correction,
)
from rtkpos.processing.explain import explain_base, explain_rover
from rtkpos.processing.run import refuse_empty
from rtkpos.processing.settings import config_of
from rtkpos.records.config import RtkConfig


class RtkEngine(EngineState):
    """Real-time positioning of one rover against one base.

    Memory is allocated once; an update costs the same after a day as after a minute. All methods
    take one lock, so that threads may call them, but the order of epochs is the caller's business.
    `warnings` tells what antennas lack; `notes` counts what was left out (unknown satellites, rows
    beyond the limit, repeated or lost base epochs).

    Parameters
    ----------
    config : RtkConfig, optional
        What to compute and how; by default kinematic, all systems.
    nav : BroadcastTable, path, bytes, or list of them, optional
        Ephemerides known at the start, more by `add_nav`.
    base_ecef_m : array_like, optional
        (3,) ECEF coordinate of the base's marker [m]; not needed in modes single and moving_base.
    plan : PairingPlan, optional
        Which bands are paired, from `make_plan`; without it those of the configuration or, where it
        names none, those that the first rover and base epochs share, filled up in the usual order
        of preference, for the whole life of the engine.
    glonass_channel : ndarray of int8, optional
        (64,) by slot - 1, for receivers that know them; the ephemerides do, too.

    Notes
    -----
    `from_tables` gives the positions of `solve`, bit for bit. An engine made from configuration,
    ephemerides and base coordinate alone gives them, too, where nothing depends on the files'
    headers or on later epochs. It does not know that both receivers are of one type (GLONASS
    integers at once: say `ambiguity.glonass="on"`), antennas (offsets, calibrations), and bands
    that the first epochs do not show.
    """

    @classmethod
    def from_tables(
        cls,
        rover: Observations,
        base: Observations | None,
        nav: Navigation,
        base_ecef_m: ArrayLike | None = None,
        config: RtkConfig | None = None,
    ) -> RtkEngine:
        """An engine that decides bands and ionosphere as `solve` does for these recordings.

        Parameters
        ----------
        rover : ObsTable, path, bytes, or list of them
            Observations of the rover.
        base : ObsTable, path, bytes, list of them, or None
            Observations of the base.
        nav : BroadcastTable, path, bytes, or list of them
            Broadcast ephemerides.
        base_ecef_m : array_like, optional
            (3,) ECEF coordinate of the base's marker [m].
        config : RtkConfig, optional
            Configuration.

        Returns
        -------
        RtkEngine
            An engine before its first epoch.
        """
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
        """Arguments of `run_block` as the next update would pass them, for one that compiles it.

        Returns
        -------
        tuple of Any
            Inputs, index, first and last row, memory, and output rows.
        """
        index = np.zeros(1, np.int64)
        return self._inputs, index, 0, 1, self._memory, self._out

    def update(self, rover: Epoch, base: Epoch | Iterable[Epoch] | None = None) -> RtkFix:
        """The position at a rover epoch.

        Parameters
        ----------
        rover : Epoch
            An epoch later than all before.
        base : Epoch or iterable of Epoch, optional
            The base epoch or epochs that came in since the last call, in order; None when there was
            none. The last one not after the rover serves up to `base.max_age_s`, later ones wait
            for their rover epoch. An epoch that was given before may be given again.

        Returns
        -------
        RtkFix
            Position, status and what they rest on.

        Raises
        ------
        DataError
            The input is unusable or time goes back; the state is then unchanged.
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

        Parameters
        ----------
        nav : BroadcastTable, path, bytes, or list of them
            Broadcast ephemerides.
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

        Parameters
        ----------
        base_ecef_m : array_like
            (3,) ECEF coordinate [m].
        """
        place = checked_coordinate(base_ecef_m)
        with self._lock:
            known = self._inputs.plan.base_ecef_m
            moved_m = float(np.linalg.norm(place - known))
            if moved_m > SMALL_MOVE_M or (self.config.mode == "static" and moved_m > 0.0):
                self._is_moved = True
            known[:] = place

    def snapshot(self) -> bytes:
        """Everything the engine knows; `restore` goes on from there bit for bit.

        Returns
        -------
        bytes
            The state, for `restore`.
        """
        with self._lock:
            inputs = self._inputs
            facts = {
                "layout": layout_of(self._memory, inputs.plan),
                "config": self._config_text,
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

        Parameters
        ----------
        data : bytes
            What `snapshot` gave.

        Raises
        ------
        DataError
            The bytes are no sound snapshot of this version made with the same configuration;
            nothing is changed.
        """
        facts, arrays = unpack(data)
        with self._lock:
            if facts.get("layout") != layout_of(self._memory, self._inputs.plan):
                raise DataError("the snapshot was made by another version of rtkpos; start afresh.")
            if facts["config"] != self._config_text:
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

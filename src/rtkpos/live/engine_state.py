"""What a live engine holds and how it prepares a step: buffers, bands, antennas, ionosphere."""

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
from rtkpos.core.tables import no_correction
from rtkpos.errors import DataError, check_type
from rtkpos.estimate.step_memory import RunInputs, step_memory, step_outputs
from rtkpos.gnss.systems import SYSTEM_LETTERS, systems_from_letters
from rtkpos.io.given_files import Navigation, nav_table
from rtkpos.live.buffer import EpochBuffer
from rtkpos.live.navigation import empty_nav
from rtkpos.physics.atmosphere import ionosphere_model, no_ionosphere
from rtkpos.prepare.pairing import (
    BAND_ORDER,
    N_SLOT,
    PairingPlan,
    choose_bands,
    known_channels,
    plan_of_bands,
)
from rtkpos.processing.base_check import checked_coordinate
from rtkpos.processing.epoch import (
    MAX_EPOCH_ROWS,
    Epoch,
    checked_channel,
    checked_epoch,
    kernel_view,
    table_of_epoch,
)
from rtkpos.processing.run_antennas import enter_antennas, site_antennas
from rtkpos.processing.settings import config_of, run_plan
from rtkpos.records.config import RtkConfig, Selection
from rtkpos.records.observations import Station
from rtkpos.records.report import ReadReport

BASE_EPOCHS, BASE_ROWS = 64, 16 * MAX_EPOCH_ROWS
SMALL_MOVE_M = 1.0
IONOSPHERE_REACH_NS = 6 * 3600 * NS_PER_S  # a live model is renewed when the rover is past it
NAV_KEPT_NS = 24 * 3600 * NS_PER_S


class EngineState:
    """Memory and inputs of a live engine; `RtkEngine` is its public face."""

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
        # Made once: `asdict` leaves tuples in the free lists of the interpreter with every call.
        self._config_text = json.dumps(dataclasses.asdict(self.config))
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

"""Made-up observation and navigation tables, and readers and a solver that return them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rtkpos.gnss.signals import sig_index
from rtkpos.gnss.systems import BEIDOU, GPS, N_SAT, sat_index
from rtkpos.records.broadcast import BroadcastTable, sat_starts
from rtkpos.records.observations import ObsTable, Station
from rtkpos.records.solution import Solution
from tests.io.made_solution import BASE_ECEF_M, PLACE_ECEF_M, START_NS, made_solution

OBS_HEAD = f"{'     3.04           OBSERVATION DATA    M':<60}RINEX VERSION / TYPE\n"
NAV_HEAD = f"{'     3.04           NAVIGATION DATA     M':<60}RINEX VERSION / TYPE\n"
SECOND_NS = 1_000_000_000


def made_obs(
    position_m: np.ndarray = PLACE_ECEF_M,
    codes: tuple[tuple[int, str], ...] = ((GPS, "1C"), (GPS, "2W"), (BEIDOU, "2I")),
    n_epoch: int = 5,
    step_s: float = 1.0,
    start_ns: int = START_NS,
) -> ObsTable:
    """Six satellites a system, every signal in `codes`, at every epoch."""
    pairs = sorted(
        (sat_index(s, prn), sig_index(s, code)) for s, code in codes for prn in range(1, 7)
    )
    n_row = len(pairs) * n_epoch
    ones = np.ones(n_row)
    return ObsTable(
        time_ns=start_ns + (np.arange(n_epoch) * step_s * SECOND_NS).astype(np.int64),
        row_start=np.arange(n_epoch + 1, dtype=np.int64) * len(pairs),
        event=np.zeros(n_epoch, dtype=np.uint8),
        rx_clock_s=np.full(n_epoch, np.nan),
        sat=np.tile(np.array([p[0] for p in pairs], dtype=np.int16), n_epoch),
        sig=np.tile(np.array([p[1] for p in pairs], dtype=np.int16), n_epoch),
        code_m=2e7 * ones,
        phase_cycle=1e8 * ones,
        doppler_hz=ones,
        cn0_dbhz=45 * ones,
        lli=np.zeros(n_row, dtype=np.uint8),
        station=Station(marker="M", approx_ecef_m=np.array(position_m, dtype=float)),
        version=3.04,
        source=("made.obs",),
    )


def made_nav(systems: tuple[int, ...] = (GPS, BEIDOU), toe_ns: int = START_NS) -> BroadcastTable:
    """One ephemeris for each of six satellites a system; the orbits are empty."""
    sat = np.array([sat_index(s, prn) for s in systems for prn in range(1, 7)], dtype=np.int16)
    n = len(sat)
    time_ns = np.full(n, toe_ns, dtype=np.int64)
    assert N_SAT > sat.max()
    return BroadcastTable(
        sat=sat,
        sat_start=sat_starts(sat),
        message=np.zeros(n, dtype=np.int8),
        toe_ns=time_ns,
        toc_ns=time_ns,
        tx_ns=time_ns,
        issue=np.zeros(n, dtype=np.int64),
        health=np.zeros(n, dtype=np.int64),
        healthy=np.ones(n, dtype=np.int8),
        orbit=np.zeros(n, dtype=np.int8),
        accuracy_m=np.full(n, 2.0),
        param=np.full((n, 23), np.nan),
        source=("made.nav",),
    )


@dataclasses.dataclass
class Stage:
    """Files that exist, tables that reading them gives, and what solving returns."""

    folder: Path
    rover: ObsTable
    base: ObsTable
    nav: BroadcastTable
    solution: Solution
    seen: dict[str, Any] = dataclasses.field(default_factory=dict)

    def words(self, *more: str) -> list[str]:
        """Arguments of a run with base coordinates."""
        xyz = [str(v) for v in BASE_ECEF_M]
        return [*self.files(), "--base-xyz", *xyz, *more]

    def files(self) -> list[str]:
        """Arguments of a run without base coordinates."""
        f = self.folder
        return ["solve", f"{f}/rover.obs", "--base", f"{f}/base.obs", "--nav", f"{f}/brdc.nav"]


def set_stage(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Replace readers and solver; the files are only their first header lines."""
    # Loaded now: modules that bind readers and solver would keep the replaced ones.
    import rtkpos.app.network.solve_command
    import rtkpos.batch.many_jobs
    import rtkpos.io.rinex.read_navigation
    import rtkpos.io.rinex.read_observations
    import rtkpos.live.warm
    import rtkpos.processing.base_code
    import rtkpos.processing.run
    import rtkpos.simulate.world

    for name, head in (("rover.obs", OBS_HEAD), ("base.obs", OBS_HEAD), ("brdc.nav", NAV_HEAD)):
        (folder / name).write_text(head)
    stage = Stage(folder, made_obs(), made_obs(BASE_ECEF_M), made_nav(), made_solution())

    def read_obs(paths: Path | list[Path], **options: Any) -> ObsTable:
        names = [Path(path).name for path in ([paths] if isinstance(paths, Path) else paths)]
        stage.seen.setdefault("obs", []).append(names)
        stage.seen["strict"] = options.get("strict", False)
        return stage.base if names[0] == "base.obs" else stage.rover

    def read_nav(paths: list[Path], **options: Any) -> BroadcastTable:
        stage.seen["nav"] = [Path(p).name for p in paths]
        return stage.nav

    def solve(rover: ObsTable, nav: BroadcastTable, **options: Any) -> Solution:
        stage.seen |= options
        return stage.solution

    monkeypatch.setattr(rtkpos.io.rinex.read_observations, "read_obs", read_obs)
    monkeypatch.setattr(rtkpos.io.rinex.read_navigation, "read_nav", read_nav)
    monkeypatch.setattr(rtkpos.processing.run, "solve", solve)
    monkeypatch.setattr(rtkpos.processing.base_code, "execute", lambda *_: stage.solution)
    return stage

"""Truth on disk: tracks and arcs as CSV, slant delays and lines of sight as npz."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rtkpos.constants import NS_PER_S, SPEED_OF_LIGHT_MPS
from rtkpos.gnss.signals import sig_code
from rtkpos.gnss.systems import sat_name
from rtkpos.gnss.time import iso_gpst, week_and_tow
from rtkpos.records.precise import PreciseTable
from rtkpos.simulate.ephemeris import FLIGHT_S
from rtkpos.simulate.receiver import ReceiverBlock
from rtkpos.simulate.tracking import ARC_CAUSES
from rtkpos.simulate.world import World

_EVERY_S = 10.0  # a station's slant delays; a vehicle's are kept at every epoch
_SP3_STEP_S, _SP3_MARGIN_S = 300, 5400
_C2 = SPEED_OF_LIGHT_MPS**2
TRACK_COLUMNS = (
    "time_gpst,week,tow_s,ecef_x_m,ecef_y_m,ecef_z_m,antenna_x_m,antenna_y_m,antenna_z_m,"
    "velocity_x_mps,velocity_y_mps,velocity_z_mps,rx_clock_s"
)
ARC_COLUMNS = "week,tow_s,satellite,signal,integer,cause"


@dataclass
class TruthKeeper:
    """Collects the truth of one receiver over its blocks; `texts` gives the files at the end."""

    world: World
    is_station: bool
    time_ns: Any
    _track: list[str] = field(default_factory=list)
    _arcs: list[str] = field(default_factory=list)
    _delays: list[dict[str, Any]] = field(default_factory=list)

    def add(self, block: ReceiverBlock) -> None:
        """Take the truth of a block."""
        if not self.is_station:
            self._add_track(block)
        signals = list(self.world.signals.values())
        for truth, one in zip(block.truth, signals, strict=True):
            for row, sat in zip(truth.events.tolist(), truth.event_sat.tolist(), strict=True):
                week, tow_s = week_and_tow(int(self.time_ns[row[0]]))
                code = sig_code(int(one.sig[row[2]]))
                cause = ARC_CAUSES[row[4]]
                self._arcs.append(f"{week},{tow_s:.3f},{sat_name(sat)},{code},{row[3]},{cause}\n")
            self._add_delays(block, truth)

    def _add_track(self, block: ReceiverBlock) -> None:
        parts = (block.marker_ecef, block.antenna_ecef, block.velocity_mps)
        numbers = np.concatenate(parts, axis=1).tolist()
        for time_ns, row, clock in zip(
            block.time_ns.tolist(), numbers, block.clock_s.tolist(), strict=True
        ):
            week, tow_s = week_and_tow(time_ns)
            values = ",".join(f"{value:.5f}" for value in row)
            self._track.append(f"{iso_gpst(time_ns)},{week},{tow_s:.3f},{values},{clock:.12f}\n")

    def _add_delays(self, block: ReceiverBlock, truth: Any) -> None:
        start_ns = self.world.scenario.start_ns
        wanted = np.ones(len(block.time_ns), dtype=bool)
        if self.is_station:
            wanted = (block.time_ns - start_ns) % round(_EVERY_S * NS_PER_S) == 0
        epoch, sat = np.nonzero(np.isfinite(truth.trop_m) & wanted[:, None])
        self._delays.append(
            {
                "time_ns": block.time_ns[epoch],
                "sat": truth.sat[sat],
                "trop_m": truth.trop_m[epoch, sat].astype(np.float32),
                "iono_l1_m": truth.iono_l1_m[epoch, sat].astype(np.float32),
                "excess_m": truth.excess_m[epoch, sat].astype(np.float32),
                "direct": truth.direct[epoch, sat].astype(np.uint8),
            }
        )

    def files(self, name: str) -> dict[str, bytes]:
        """File name -> content."""
        out = {f"{name}-arcs.csv": (ARC_COLUMNS + "\n" + "".join(self._arcs)).encode()}
        if not self.is_station:
            out[f"{name}.csv"] = (TRACK_COLUMNS + "\n" + "".join(self._track)).encode()
        names = self._delays[0]
        merged: dict[str, Any] = {
            key: np.concatenate([one[key] for one in self._delays]) for key in names
        }
        stream = io.BytesIO()
        np.savez_compressed(stream, **merged)
        out[f"{name}-delays.npz"] = stream.getvalue()
        return out


def precise_orbits(world: World) -> PreciseTable:
    """The true satellites every five minutes, 90 min beyond the run at either end.

    They are those of the antennas' phase centres, which a simulation does not tell from the mass.
    """
    scenario = world.scenario
    step_ns = _SP3_STEP_S * NS_PER_S
    first = (scenario.start_ns - _SP3_MARGIN_S * NS_PER_S) // step_ns * step_ns
    last = scenario.start_ns + round((scenario.run.duration_s + _SP3_MARGIN_S) * NS_PER_S)
    time_ns = np.arange(first, last + step_ns, step_ns)
    places, clocks = [], []
    for system in world.sat:
        motion = world.motion(system, time_ns)
        ahead = np.full(motion.value.shape[:2], FLIGHT_S)
        state, rate = motion.at(ahead), motion.rate_at(ahead)
        places.append(state[..., :3])
        # Users add the periodic relativistic part -2 r.v/c^2 themselves.
        along = np.sum(state[..., :3] * rate[..., :3], axis=-1)
        clocks.append(state[..., 3] + 2.0 * along / _C2)
    world.forget()
    return PreciseTable(
        time_ns=time_ns,
        sat=np.concatenate(list(world.sat.values())),
        position_m=np.concatenate(places, axis=1),
        clock_s=np.concatenate(clocks, axis=1),
        frame="WGS84",
    )

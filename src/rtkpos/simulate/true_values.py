"""Truth on disk: tracks and arcs as CSV, slant delays and lines of sight as npz."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtkpos.constants import NS_PER_S, SPEED_OF_LIGHT_MPS
from rtkpos.gnss.signals import sig_code
from rtkpos.gnss.systems import sat_name
from rtkpos.gnss.time import iso_gpst, week_and_tow
from rtkpos.records.precise import PreciseTable
from rtkpos.simulate.receiver.phase_tracking import ARC_CAUSES
from rtkpos.simulate.receiver.receiver import Receiver, ReceiverBlock, SystemTruth
from rtkpos.simulate.scenario.sections import Site
from rtkpos.simulate.sky.signals import SignalSet
from rtkpos.simulate.sky.true_ephemeris import FLIGHT_S
from rtkpos.simulate.world import World

_EVERY_S = 10.0  # a station's slant delays; a vehicle's are kept at every epoch
_SP3_STEP_S, _SP3_MARGIN_S = 300, 5400
_PIECE_ROWS = 1 << 20
_C2 = SPEED_OF_LIGHT_MPS**2
TRACK_COLUMNS = (
    "time_gpst,week,tow_s,ecef_x_m,ecef_y_m,ecef_z_m,antenna_x_m,antenna_y_m,antenna_z_m,"
    "velocity_x_mps,velocity_y_mps,velocity_z_mps,rx_clock_s"
)
ARC_COLUMNS = "week,tow_s,satellite,signal,integer,cause"


# One row of slant delays, as it waits on the disk and as columns of the npz file.
_DELAYS = np.dtype(
    [
        ("time_ns", np.int64),
        ("sat", np.int16),
        ("trop_m", np.float32),
        ("iono_l1_m", np.float32),
        ("excess_m", np.float32),
        ("direct", np.uint8),
    ]
)


class TruthKeeper:
    """Writes the truth of one receiver block by block: memory does not grow with the run.

    NAME-arcs.csv, NAME-delays.npz, and NAME.csv of a vehicle in a folder; complete after `close`.
    """

    def __init__(self, world: World, receiver: Receiver, folder: Path) -> None:
        name = receiver.given.name
        self._world = world
        self._is_station = isinstance(receiver.given, Site)
        self._time_ns = receiver.time_ns
        self._arcs = folder / f"{name}-arcs.csv"
        self._track = folder / f"{name}.csv"
        self._npz = folder / f"{name}-delays.npz"
        self._rows = folder / f".{name}-delays.rows"
        self._arcs.write_text(ARC_COLUMNS + "\n", encoding="ascii")
        self._rows.write_bytes(b"")
        if not self._is_station:
            self._track.write_text(TRACK_COLUMNS + "\n", encoding="ascii")

    def add(self, block: ReceiverBlock) -> None:
        """Take the truth of a block."""
        if not self._is_station:
            _append(self._track, _track_lines(block).encode())
        signals = list(self._world.signals.values())
        lines = [
            self._arc_lines(truth, one) for truth, one in zip(block.truth, signals, strict=True)
        ]
        _append(self._arcs, "".join(lines).encode())
        rows = [self._delays(block, truth).tobytes() for truth in block.truth]
        _append(self._rows, b"".join(rows))

    def close(self) -> None:
        """Nothing more comes: turn the rows of delays into columns."""
        _write_columns(self._npz, self._rows)
        self._rows.unlink()

    def _arc_lines(self, truth: SystemTruth, signals: SignalSet) -> str:
        """New integers of a block in the order of satellites and signals as they changed."""
        lines = []
        for row, sat in zip(truth.events.tolist(), truth.event_sat.tolist(), strict=True):
            week, tow_s = week_and_tow(int(self._time_ns[row[0]]))
            code = sig_code(int(signals.sig[row[2]]))
            lines.append(
                f"{week},{tow_s:.3f},{sat_name(sat)},{code},{row[3]},{ARC_CAUSES[row[4]]}\n"
            )
        return "".join(lines)

    def _delays(self, block: ReceiverBlock, truth: SystemTruth) -> NDArray[np.void]:
        """Rows of _DELAYS: every epoch of a vehicle, every ten seconds of a station."""
        wanted = np.ones(len(block.time_ns), dtype=bool)
        if self._is_station:
            since_ns = block.time_ns - self._world.scenario.start_ns
            wanted = since_ns % round(_EVERY_S * NS_PER_S) == 0
        epoch, sat = np.nonzero(np.isfinite(truth.trop_m) & wanted[:, None])
        out = np.empty(len(epoch), _DELAYS)
        out["time_ns"], out["sat"] = block.time_ns[epoch], truth.sat[sat]
        for name in ("trop_m", "iono_l1_m", "excess_m", "direct"):
            out[name] = getattr(truth, name)[epoch, sat]
        return out


def _append(path: Path, content: bytes) -> None:
    """Opened each time: there may be more receivers than files a process may hold open."""
    with path.open("ab") as stream:
        stream.write(content)


def _track_lines(block: ReceiverBlock) -> str:
    """A vehicle's epochs."""
    parts = (block.marker_ecef, block.antenna_ecef, block.velocity_mps)
    numbers = np.concatenate(parts, axis=1).tolist()
    lines = []
    for time_ns, row, clock in zip(
        block.time_ns.tolist(), numbers, block.clock_s.tolist(), strict=True
    ):
        week, tow_s = week_and_tow(time_ns)
        values = ",".join(f"{value:.5f}" for value in row)
        lines.append(f"{iso_gpst(time_ns)},{week},{tow_s:.3f},{values},{clock:.12f}\n")
    return "".join(lines)


def _write_columns(npz: Path, rows: Path) -> None:
    """The columns of a file of _DELAYS rows as numpy's compressed archive, piece by piece."""
    n = rows.stat().st_size // _DELAYS.itemsize
    with zipfile.ZipFile(npz, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in _DELAYS.names or ():
            kind = _DELAYS[name]
            head = {"descr": kind.str, "fortran_order": False, "shape": (n,)}
            with archive.open(f"{name}.npy", "w", force_zip64=True) as out, rows.open("rb") as part:
                np.lib.format.write_array_header_1_0(out, head)
                while piece := part.read(_PIECE_ROWS * _DELAYS.itemsize):
                    out.write(np.frombuffer(piece, _DELAYS)[name].tobytes())


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

"""A simulation kept in memory: tables as our readers would give them, without rounding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.gnss.signals import sig_code
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.observations import ObsTable
from rtkpos.simulate.receiver.receiver import Receiver, ReceiverBlock, SystemTruth
from rtkpos.simulate.scenario.scenario import Scenario
from rtkpos.simulate.scenario.sections import Site, Vehicle
from rtkpos.simulate.scenario.station_files import station_head
from rtkpos.simulate.sky.signals import channel_numbers
from rtkpos.simulate.world import World, make_world

SPAN_S = 60.0  # of the blocks a run is cut into


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """Observations and truth of one receiver.

    Parameters
    ----------
    table : ObsTable
        Observations.
    antenna_ecef : ndarray of float64
        (n_epoch, 3) true places of the antenna [m].
    marker_ecef : ndarray of float64
        (n_epoch, 3) true places of the marker [m].
    velocity_mps : ndarray of float64
        (n_epoch, 3) true velocities [m/s].
    clock_s : ndarray of float64
        (n_epoch,) true clock offsets [s].
    truth : tuple[tuple of SystemTruth, ...]
        True values by span of SPAN_S with an epoch, and in it by system in the order of
        `table.signals`.
    """

    table: ObsTable
    antenna_ecef: FloatArray
    marker_ecef: FloatArray
    velocity_mps: FloatArray
    clock_s: FloatArray
    truth: tuple[tuple[SystemTruth, ...], ...]


def simulate_in_memory(scenario: Scenario) -> tuple[BroadcastTable, dict[str, Simulated]]:
    """All receivers of a scenario, by name, and the navigation data.

    Parameters
    ----------
    scenario : Scenario
        What to simulate.

    Returns
    -------
    tuple[BroadcastTable, dict[str, Simulated]]
        Ephemerides, and observations with truth by name of the receiver.
    """
    world = make_world(scenario)
    out = {}
    for given in scenario.receivers:
        blocks = [block for block in Receiver(world, given).blocks(SPAN_S) if block is not None]
        out[given.name] = _gathered(world, given, blocks)
    return world.nav, out


def _gathered(world: World, given: Site | Vehicle, blocks: list[ReceiverBlock]) -> Simulated:
    columns = [_rows(block) for block in blocks]
    merged: dict[str, Any] = {
        name: np.concatenate([one[name] for one in columns]) for name in columns[0]
    }
    time_ns = np.concatenate([block.time_ns for block in blocks])
    counts = merged.pop("count")
    table = ObsTable(
        time_ns=time_ns,
        row_start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        event=np.zeros(len(time_ns), dtype=np.uint8),
        rx_clock_s=np.full(len(time_ns), np.nan),
        **merged,
        glonass_channel=channel_numbers(world.nav),
        phase_shift_cycle={int(s): 0.0 for one in world.signals.values() for s in one.sig},
        signals={
            system: tuple(kind + sig_code(int(s)) for s in one.sig for kind in "CLDS")
            for system, one in world.signals.items()
        },
        station=station_head(world.scenario, given),
        version=world.scenario.version,
        interval_s=world.scenario.interval_of(given),
        source=(given.name,),
    )
    return Simulated(
        table=table,
        antenna_ecef=np.concatenate([block.antenna_ecef for block in blocks]),
        marker_ecef=np.concatenate([block.marker_ecef for block in blocks]),
        velocity_mps=np.concatenate([block.velocity_mps for block in blocks]),
        clock_s=np.concatenate([block.clock_s for block in blocks]),
        truth=tuple(tuple(block.truth) for block in blocks),
    )


def _rows(block: ReceiverBlock) -> dict[str, Any]:
    """Ragged rows of a block sorted by epoch, satellite, signal, and their number by epoch."""
    parts: dict[str, list[Any]] = {}
    epochs = []
    for one in block.systems:
        place = np.nonzero(np.isfinite(one.code_m))
        epochs.append(place[0])
        found = {
            "sat": one.sat[place[1]],
            "sig": one.sig[place[2]],
            "code_m": one.code_m[place],
            "phase_cycle": one.phase_cycle[place],
            "doppler_hz": one.doppler_hz[place],
            "cn0_dbhz": one.cn0_dbhz[place],
            "lli": one.lli[place],
        }
        for name, values in found.items():
            parts.setdefault(name, []).append(values)
    epoch = np.concatenate(epochs)
    merged = {name: np.concatenate(values) for name, values in parts.items()}
    order = np.lexsort((merged["sig"], merged["sat"], epoch))
    out: dict[str, Any] = {n: values[order] for n, values in merged.items()}
    out["count"] = np.bincount(epoch, minlength=len(block.time_ns))
    return out

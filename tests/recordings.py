"""Real recordings read once per test run, cut to windows, and altered on purpose."""

from __future__ import annotations

import dataclasses
import functools
import json
from typing import Any

import numpy as np

from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.gnss.signals import carrier_hz, sig_band
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.physics.satellites import satellite_states
from rtkpos.processing.run import solve
from rtkpos.records.config import RtkConfig
from tests.data import dataset_path

FILES = {
    "static-nagoya-2024": ("rover.obs.gz", "base.obs.gz", ("base.nav.gz",)),
    "bdsonly-monitoring-24h": ("rover.obs.gz", "base.obs.gz", ("base.nav.gz",)),
    "kinematic-fujisawa-2021-265": ("SEPT265G.21O.gz", "3034265G.21O.gz", ("SEPT2650.21P.gz",)),
    "static-clas-fujisawa-2021-078": (
        "SEPT078M1.21O.gz",
        "3034078M1.21O.gz",
        ("SEPT078M.21P.gz", "30340780.21q.gz"),
    ),
    "static-geonet-2005": (
        "07590920.05o.gz",
        "30400920.05o.gz",
        ("07590920.05n.gz", "30400920.05n.gz"),
    ),
    "network-netherlands-2021-001": (
        "zegv0010.21d.gz",
        "delf0010.21d.gz",
        ("AMEL00NLD_R_20210010000_01D_MN.rnx.gz",),
    ),
    "static-herstmonceux-2018": ("hert0010.18O.gz", "hers0010.18O.gz", ("brdc0010.18n.gz",)),
    "vrs-static-shanghai-2023": ("rover.obs.gz", "base.obs.gz", ("rover.nav.gz",)),
}


@functools.cache
def recording(name):
    """(rover, base, nav, truth) of a data set; skips when it is not on this machine."""
    rover, base, nav = FILES[name]
    truth = json.loads(dataset_path(name, "truth.json").read_text())
    if "stations" in truth:  # a network: the first two files are ZEGV and DELF
        truth |= {"rover_xyz": truth["stations"]["ZEGV"], "base_xyz": truth["stations"]["DELF"]}
    return (
        read_obs(dataset_path(name, rover)),
        read_obs(dataset_path(name, base)),
        read_nav([dataset_path(name, file) for file in nav]),
        truth,
    )


def window(table, first, last, step=1):
    """Epochs first..last-1 of an ObsTable, every `step`-th."""
    epochs = np.arange(first, min(last, table.n_epoch), step)
    rows = np.concatenate([np.arange(table.row_start[k], table.row_start[k + 1]) for k in epochs])
    counts = np.diff(table.row_start)[epochs]
    fields = ("sat", "sig", "code_m", "phase_cycle", "doppler_hz", "cn0_dbhz", "lli")
    return dataclasses.replace(
        table,
        time_ns=table.time_ns[epochs],
        row_start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        event=table.event[epochs],
        rx_clock_s=table.rx_clock_s[epochs],
        **{name: getattr(table, name)[rows] for name in fields},
    )


def altered(table, **arrays: Any):
    """A copy of the table with columns replaced by `function(copy of the column)`."""
    changed = {name: change(getattr(table, name).copy()) for name, change in arrays.items()}
    return dataclasses.replace(table, **changed)


def moved_epoch(table, nav, epoch, shift_m, place_m):
    """The table with one epoch as the antenna would see it from a place `shift_m` (3,) away."""
    rows = slice(table.row_start[epoch], table.row_start[epoch + 1])
    sats = table.sat[rows]
    times = np.full(len(sats), table.time_ns[epoch])
    states = satellite_states(nav, sats, times)
    line = states.ecef_m - place_m
    line /= np.linalg.norm(line, axis=1)[:, None]
    longer_m = -line @ shift_m
    hertz = np.array(
        [
            carrier_hz(int(s) >> 6, sig_band(int(g)))
            for s, g in zip(sats, table.sig[rows], strict=True)
        ]
    )
    code, phase = table.code_m.copy(), table.phase_cycle.copy()
    code[rows] += longer_m
    phase[rows] += longer_m * hertz / SPEED_OF_LIGHT_MPS
    return dataclasses.replace(table, code_m=code, phase_cycle=phase)


def rows_of(table, epoch_from, sat=None, sig=None):
    """Row mask: epochs from `epoch_from` on, optionally of one satellite and signal."""
    mask = np.arange(table.n_row) >= table.row_start[epoch_from]
    if sat is not None:
        mask &= table.sat == sat
    if sig is not None:
        mask &= table.sig == sig
    return mask


def run(name, last=40, rover=None, base=None, config=None, **options):
    """Solve the first epochs of a recording; (solution, error [m] or None)."""
    full_rover, full_base, nav, truth = recording(name)
    rover = window(full_rover, 0, last) if rover is None else rover
    base = window(full_base, 0, last + 5) if base is None else base
    config = config or RtkConfig.from_dict(options)
    solution = solve(rover, nav, base, np.array(truth["base_xyz"]), config)
    error = None
    if "rover_xyz" in truth:
        error = np.linalg.norm(solution.ecef_m - np.array(truth["rover_xyz"]), axis=1)
    return solution, error


def moving(table, nav, offset_m, velocity_mps, place_m):
    """The table as an antenna would write it that moves straight on from `offset_m` off its place.

    offset_m : (3,) at the first epoch      velocity_mps : (3,)      place_m : (3,) where it stood
    Ranges change along the line of sight, so offsets stay below some 30 m.
    """
    epoch = np.repeat(np.arange(table.n_epoch), np.diff(table.row_start))
    times = table.time_ns[epoch]
    states = satellite_states(nav, table.sat, times)
    line = states.ecef_m - place_m
    line /= np.linalg.norm(line, axis=1)[:, None]
    shift_m = offset_m + ((times - table.time_ns[0]) * 1e-9)[:, None] * velocity_mps
    longer_m = -np.sum(line * shift_m, axis=1)
    rate_mps = -np.sum(line * velocity_mps, axis=1)
    pairs = zip(table.sat, table.sig, strict=True)
    hertz = np.array([carrier_hz(int(s) >> 6, sig_band(int(g))) for s, g in pairs])
    return dataclasses.replace(
        table,
        code_m=table.code_m + longer_m,
        phase_cycle=table.phase_cycle + longer_m * hertz / SPEED_OF_LIGHT_MPS,
        doppler_hz=table.doppler_hz - rate_mps * hertz / SPEED_OF_LIGHT_MPS,
    )

"""Small simulated networks around Luoyang with what is true of them: integers and slant delays."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtkpos.gnss.signals import sig_index
from rtkpos.gnss.systems import N_SAT
from rtkpos.network.graph.graph import build_graph
from rtkpos.network.network_config import NetworkConfig
from rtkpos.network.network_engine import NetworkEngine
from rtkpos.network.network_records import StationData
from rtkpos.records.config import Selection
from rtkpos.simulate.in_memory import simulate_in_memory
from rtkpos.simulate.scenario.scenario import scenario_of
from rtkpos.simulate.world import make_world
from tests.simulate.scenes import QUIET

# A station in the middle and five around it, 36 to 48 km away; edges between them 36 to 62 km.
STATIONS = {
    "MID": (0.0, 0.0, 150.0),
    "EAST": (38_000.0, 6000.0, 210.0),
    "NORT": (8000.0, 41_000.0, 320.0),
    "WEST": (-37_000.0, 17_000.0, 480.0),
    "SOUW": (-24_000.0, -32_000.0, 260.0),
    "SOUE": (27_000.0, -33_000.0, 140.0),
}
POLE = (14_000.0, 12_000.0, 200.0)  # a receiver that stands among them
CAR = {
    "name": "CAR",
    "path_enu_m": [[12_000, 9000, 160], [15_000, 10_000, 170], [14_000, 13_000, 180]],
    "speed_mps": 16.0,
    "wait_s": 30.0,
    "corner_m": 80.0,
    "loop": True,
    "antenna_enu_m": [0.0, 0.0, 1.6],
}
ORIGIN = {"lat_deg": 34.6, "lon_deg": 112.4, "height_m": 0.0}
WAVES = {"wave_tecu": 0.5, "wave_km": 200.0, "wave_mps": 100.0, "wave_to_deg": 220.0}
CALM = {"wave_tecu": 0.0}
STILL = {"turbulence_m": 0.0}
FLAT = ("bare", "gradients")  # all receivers at one height, as no plane tells how the air thins


@dataclass(frozen=True)
class Scene:
    """A simulation in memory. nav : BroadcastTable      made : Simulated by name"""

    nav: Any
    nav_text: str
    made: dict[str, Any]

    def stations(self, names=tuple(STATIONS)):
        """StationData of the stations by name, at their true markers."""
        return [
            StationData(name=n, table=self.made[n].table, ecef_m=self.made[n].marker_ecef[0])
            for n in names
        ]

    def engine(self, names=tuple(STATIONS), config=None, **options):
        """The network of some stations; options of NetworkConfig, systems = those simulated."""
        stations = self.stations(names)
        graph = build_graph([s.name for s in stations], np.array([s.ecef_m for s in stations]))
        return NetworkEngine(stations, graph, self.nav, config or network_config(**options))


def network_config(systems="GC", **options):
    """A NetworkConfig of some systems."""
    return NetworkConfig(selection=Selection(systems=systems, elevation_mask_deg=7.0), **options)


@functools.cache
def scene(kind="calm", systems="GC", duration_s=300.0, interval_s=2.0, seed=1):
    """The network with a pole and a car in it, under one of a few skies (see `sections`)."""
    run = {"duration_s": duration_s, "interval_s": interval_s, "systems": systems, "seed": seed}
    places = {**STATIONS, "POLE": POLE}
    flat = {2: 200.0} if kind in FLAT else {}
    given = [
        {"name": name, "enu_m": [flat.get(a, enu_m[a]) for a in range(3)]}
        for name, enu_m in places.items()
    ]
    for station in given:
        station.update(OF_STATION.get(kind, {}).get(station["name"], {}))
    parts = {"run": run, "origin": ORIGIN, "station": given, "vehicle": [CAR]}
    scenario = scenario_of({**parts, **sections(kind)})
    nav, made = simulate_in_memory(scenario)
    return Scene(nav, make_world(scenario).nav_text, made)


def sections(kind):
    """Sections of a scenario: calm, waves, rough (slips, half cycles, gaps), bare, gradients.

    bare : no noise, echoes, biases, ionosphere; still air      gradients : the same with ionosphere
    """
    return {
        "calm": {"ionosphere": CALM},
        "waves": {"ionosphere": WAVES},
        "rough": {
            "ionosphere": CALM,
            "tracking": {"slips_per_hour": 3.0, "half_cycle_share": 0.3},
        },
        "bare": QUIET | {"troposphere": STILL},
        "gradients": QUIET | {"troposphere": STILL, "ionosphere": CALM},
    }[kind]


OF_STATION = {
    "rough": {
        "EAST": {"outages_s": [[100.0, 130.0]]},
        "WEST": {"outages_s": [[0.0, 60.0]]},
        "SOUE": {"outages_s": [[80.0, 250.0]]},
    }
}


def true_values(made, table):
    """What is true of each row of a table made from a Simulated one (rows may have been left out).

    Returns : (integer (n_row,), iono_l1_m (n_row,), trop_m (n_row,)) [cycle], [m]
    """
    epoch = np.repeat(
        np.searchsorted(made.table.time_ns, table.time_ns), np.diff(table.row_start)
    ).astype(int)
    integer = np.zeros(len(table.sat), np.int64)
    delays = np.full((2, made.table.n_epoch, N_SAT), np.nan)
    first = 0
    for span in made.truth:
        n = len(span[0].trop_m)
        for system, truth in zip(made.table.signals, span, strict=True):
            delays[0, first : first + n, truth.sat] = truth.iono_l1_m.T
            delays[1, first : first + n, truth.sat] = truth.trop_m.T
            sigs = [sig_index(system, name[1:]) for name in made.table.signals[system][::4]]
            for event, sat in zip(truth.events.tolist(), truth.event_sat.tolist(), strict=True):
                mine = (table.sat == sat) & (table.sig == sigs[event[2]])
                integer[mine & (epoch >= event[0])] = event[3]
        first += n
    return integer, delays[0, epoch, table.sat], delays[1, epoch, table.sat]


class Watch:
    """Follows a network epoch by epoch and compares its integers with the truth."""

    def __init__(self, scene, engine):
        self.engine = engine
        made = [scene.made[s.name] for s in engine.stations]
        pairs = zip(made, engine.tables, strict=True)
        columns = [true_values(*pair) for pair in pairs]
        self.integer, self.iono_m, self.trop_m = (
            np.concatenate([c[k] for c in columns]) for k in range(3)
        )

    def apart(self, t, e):
        """Integers of a baseline less the true ones: (sat, band, difference, verified) of epoch t.

        All held arcs; the difference is to the commonest of the system and band.
        """
        memory = self.engine.memory
        if (self.engine.index[t, memory.ends[e]] < 0).any():
            return np.zeros((0, 4), np.int64)
        edge = memory.edge[e]
        n = int(edge.work.n_sat)
        sat = np.asarray(edge.work.sat[:n], int)
        row = np.asarray(edge.work.row[:, :n])
        held = (np.asarray(edge.model.held)[sat] > 0) & (row >= 0).all(axis=0)
        i, band = np.nonzero(held)
        truth = self.integer[row[0, i, band]] - self.integer[row[1, i, band]]
        off = np.asarray(edge.integer)[sat[i], band] - truth
        group = (sat[i] >> 6) * 10 + band
        for one in np.unique(group):
            values, counts = np.unique(off[group == one], return_counts=True)
            off[group == one] -= values[np.argmax(counts)]
        return np.stack([sat[i], band, off, np.asarray(edge.verified)[sat[i], band]], axis=1)

    def run(self, n_thread=1):
        """The whole run: (wrong verified, verified) summed over epochs and baselines."""
        total = np.zeros(2, np.int64)
        for t in self.engine.steps(n_thread):
            for e in range(len(self.engine.memory.ends)):
                found = self.apart(t, e)
                good = found[:, 3] > 0
                total += (np.sum(found[good, 2] != 0), good.sum())
        return total


@functools.cache
def solved(kind, passes=2):
    """(engine, solution) of all stations under a sky; do not change them."""
    engine = scene(kind).engine(passes=passes)
    return engine, engine.solve(n_thread=1)


def double_differences(value):
    """Of values (K, S) with NaN: less the first station's, less the first satellite's."""
    single = value[1:] - value[:1]
    return single - single[:, :1]

"""What all receivers of a simulation share: satellites, signals, air, ionosphere."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from rtkpos._arrays import SatArray, TimeArray
from rtkpos.constants import NS_PER_DAY, NS_PER_S
from rtkpos.errors import ConfigError
from rtkpos.gnss.systems import (
    BEIDOU,
    GPS,
    QZSS,
    SYSTEM_LETTERS,
    SYSTEM_NAMES,
    systems_from_letters,
    systems_of,
)
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.records.broadcast import BroadcastTable, Ionosphere
from rtkpos.simulate.medium.delays import Air, Shell
from rtkpos.simulate.scenario.scenario import Scenario
from rtkpos.simulate.sky.constellation import Almanac, nominal_almanac
from rtkpos.simulate.sky.reissue import almanac_of, broadcast, own_second_of_week
from rtkpos.simulate.sky.signals import SignalSet, signals_of
from rtkpos.simulate.sky.true_ephemeris import Motion, motion_of


def stream_of(seed: int, *names: str) -> Generator:
    """A random stream of its own for every purpose, so that switching one leaves the others."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


@dataclass
class World:
    """Satellites as broadcast (`nav`, the text of its file) and the media they shine through.

    sat, signals : by system      air, shell : None where switched off
    """

    scenario: Scenario
    nav: BroadcastTable
    nav_text: str
    sat: dict[int, SatArray]
    signals: dict[int, SignalSet]
    air: Air | None
    shell: Shell | None
    _motion: dict[tuple[int, int, int], Motion] = field(default_factory=dict)

    def motion(self, system: int, time_ns: TimeArray) -> Motion:
        """Motion of the satellites of a system; receivers of one time grid share it."""
        key = (system, int(time_ns[0]), int(time_ns[-1]) + len(time_ns))
        if key not in self._motion:
            self._motion[key] = motion_of(self.nav, system, time_ns)
        return self._motion[key]

    def forget(self) -> None:
        """Drop the motions of a span of time that is over."""
        self._motion.clear()


def make_world(scenario: Scenario) -> World:
    """The world of a scenario; ConfigError when its navigation file lacks a system."""
    run, start_ns = scenario.run, scenario.start_ns
    systems = systems_from_letters(run.systems)
    almanacs = _from_file(scenario, systems) if run.nav else _nominal(scenario, systems)
    shell = Shell(scenario.ionosphere, scenario.origin) if scenario.ionosphere.on else None
    end_ns = start_ns + round(run.duration_s * NS_PER_S)
    nav, text = broadcast(
        almanacs, start_ns, end_ns, _sent(shell, systems, start_ns), scenario.version
    )
    sat = {s: np.unique(nav.sat[systems_of(nav.sat) == s]) for s in systems}
    air = Air.of(scenario.troposphere, scenario.origin, stream_of(run.seed, "air"))
    return World(
        scenario=scenario,
        nav=nav,
        nav_text=text,
        sat=sat,
        signals={
            s: signals_of(nav, s, sat[s], stream_of(run.seed, "power", SYSTEM_NAMES[s]))
            for s in systems
        },
        air=air if scenario.troposphere.on else None,
        shell=shell,
    )


def _sent(shell: Shell | None, systems: tuple[int, ...], start_ns: int) -> tuple[Ionosphere, ...]:
    """The broadcast ionosphere of the systems that send Klobuchar's model."""
    if shell is None:
        return ()
    coefficients = shell.broadcast(start_ns % NS_PER_DAY / NS_PER_S)
    return tuple(
        Ionosphere(kind="klobuchar", source=SYSTEM_LETTERS[system], coefficients=coefficients)
        for system in systems
        if system in (GPS, BEIDOU, QZSS)
    )


def _nominal(scenario: Scenario, systems: tuple[int, ...]) -> list[Almanac]:
    start_ns = scenario.start_ns
    return [
        nominal_almanac(
            system,
            start_ns,
            float(own_second_of_week(system, np.array([start_ns]))[0]),
            stream_of(scenario.run.seed, "orbits", SYSTEM_NAMES[system]),
        )
        for system in systems
    ]


def _from_file(scenario: Scenario, systems: tuple[int, ...]) -> list[Almanac]:
    """The satellites of a file; they fly on from there, so that it must be of about that time."""
    table = read_nav(scenario.run.nav)
    out = []
    for system in systems:
        almanac = almanac_of(table, system, scenario.start_ns)
        if almanac is None:
            raise ConfigError(
                f"run.nav = {scenario.run.nav!r} has no healthy {SYSTEM_NAMES[system]} satellite "
                f"within a day of run.start {scenario.run.start}; take its letter out of "
                "run.systems, or another file or time."
            )
        out.append(almanac)
    return out

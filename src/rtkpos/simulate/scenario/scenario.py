"""What is to be simulated: a TOML file as validated sections."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos._toml import parse_toml
from rtkpos.constants import NS_PER_S
from rtkpos.errors import ConfigError
from rtkpos.gnss.time import GPS_EPOCH
from rtkpos.simulate.medium.ellipsoid import from_local
from rtkpos.simulate.scenario.checked import build, plain, shown
from rtkpos.simulate.scenario.consistent import check_receivers, check_run
from rtkpos.simulate.scenario.layout import laid_out
from rtkpos.simulate.scenario.sections import (
    Biases,
    Clocks,
    IonosphereSection,
    Multipath,
    Network,
    NoiseSection,
    Place,
    Run,
    Site,
    Tracking,
    Troposphere,
    Vehicle,
)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Everything of a simulation.

    Parameters
    ----------
    run : Run
        Times, interval, seed and files.
    origin : Place
        Where local coordinates begin.
    troposphere : Troposphere
        Troposphere.
    ionosphere : IonosphereSection
        Ionosphere.
    noise : NoiseSection
        Noise of receivers.
    multipath : Multipath
        Multipath.
    tracking : Tracking
        Losses of lock and cycle slips.
    clocks : Clocks
        Clocks of receivers.
    biases : Biases
        Biases of receivers and satellites.
    stations : tuple of Site
        Stations.
    vehicles : tuple of Vehicle
        Vehicles.
    """

    run: Run
    origin: Place
    troposphere: Troposphere
    ionosphere: IonosphereSection
    noise: NoiseSection
    multipath: Multipath
    tracking: Tracking
    clocks: Clocks
    biases: Biases
    stations: tuple[Site, ...]
    vehicles: tuple[Vehicle, ...]

    @property
    def start_ns(self) -> int:
        """First epoch, GPST [ns]."""
        since = dt.datetime.fromisoformat(self.run.start) - GPS_EPOCH
        return (since.days * 86_400 + since.seconds) * NS_PER_S + since.microseconds * 1000

    @property
    def version(self) -> float:
        """Version of RINEX."""
        return float(self.run.rinex_version)

    @property
    def receivers(self) -> tuple[Site | Vehicle, ...]:
        """Stations, then vehicles."""
        return (*self.stations, *self.vehicles)

    def interval_of(self, receiver: Site | Vehicle) -> float:
        """Seconds between the epochs of a receiver.

        Parameters
        ----------
        receiver : Site or Vehicle
            A station or vehicle.

        Returns
        -------
        float
            The interval [s].
        """
        return receiver.interval_s or self.run.interval_s

    def n_epoch(self, receiver: Site | Vehicle) -> int:
        """Number of epochs of a receiver.

        Parameters
        ----------
        receiver : Site or Vehicle
            A station or vehicle.

        Returns
        -------
        int
            How many epochs it has.
        """
        return math.floor(self.run.duration_s / self.interval_of(receiver) + 1e-6) + 1

    def marker_ecef(self, receiver: Site) -> FloatArray:
        """True place of a station's marker (3,) [m].

        Parameters
        ----------
        receiver : Site
            A station.

        Returns
        -------
        ndarray of float64
            (3,) ECEF [m].
        """
        return from_local(np.array(receiver.enu_m), self.origin.llh)


SECTIONS = {
    "run": Run,
    "origin": Place,
    "troposphere": Troposphere,
    "ionosphere": IonosphereSection,
    "noise": NoiseSection,
    "multipath": Multipath,
    "tracking": Tracking,
    "clocks": Clocks,
    "biases": Biases,
}
LISTS = {"station": Site, "network": Network, "vehicle": Vehicle}


def parse_scenario(text: str, source: str = "scenario") -> Scenario:
    """A scenario from TOML text; ConfigError in one sentence for anything that is not right.

    Parameters
    ----------
    text : str
        TOML text.
    source : str, optional
        Name of the file, for messages.

    Returns
    -------
    Scenario
        The checked scenario.
    """
    try:
        values = parse_toml(text)
    except ValueError as error:
        raise ConfigError(f"{source} is not valid TOML: {error}.") from None
    return scenario_of(values)


def scenario_of(values: Mapping[str, Any]) -> Scenario:
    """A scenario from nested dictionaries, as a TOML file gives them."""
    known = (*SECTIONS, *LISTS)
    for name in values:
        if name not in known:
            raise ConfigError(f"unknown section {plain(name)}; known are {', '.join(known)}.")
    made: dict[str, Any] = {
        name: build(kind, values.get(name, {}), name) for name, kind in SECTIONS.items()
    }
    stations = _listed(Site, values, "station")
    for k, network in enumerate(_listed(Network, values, "network")):
        stations += [build(Site, one, f"network[{k}]") for one in laid_out(network)]
    vehicles = _listed(Vehicle, values, "vehicle")
    scenario = Scenario(**made, stations=tuple(stations), vehicles=tuple(vehicles))
    check_run(scenario.run)
    check_receivers(scenario.origin, scenario.clocks, scenario.run, scenario.receivers)
    return scenario


def _listed(kind: Any, values: Mapping[str, Any], name: str) -> list[Any]:
    found = values.get(name, [])
    if not isinstance(found, list):
        raise ConfigError(
            f"{name} must be a list of sections, written [[{name}]]; got {shown(found)}."
        )
    return [build(kind, one, f"{name}[{k}]") for k, one in enumerate(found)]

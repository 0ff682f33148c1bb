"""What is to be simulated: a TOML file as validated sections."""

from __future__ import annotations

import datetime as dt
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.constants import DEG, NS_PER_S
from rtkpos.errors import ConfigError
from rtkpos.gnss.time import GPS_EPOCH
from rtkpos.simulate.checked import build, real, row, rows, switch, word
from rtkpos.simulate.earth import from_local

_FAR_M = 2e6
_LONG_S = 7 * 86_400.0
KNOWN_SYSTEMS = "GRECJ"


@dataclass(frozen=True, kw_only=True)
class Run:
    """When and how often; times are GPST."""

    start: str = word("2024-06-24T08:00:00")
    duration_s: float = real(600.0, 1.0, _LONG_S)
    interval_s: float = real(1.0, 0.05, 60.0)
    seed: int = real(1, 0, 2**32 - 1)
    systems: str = word("GREC")
    nav: str = word("")


@dataclass(frozen=True, kw_only=True)
class Place:
    """The origin of local coordinates."""

    lat_deg: float = real(34.6, -89.0, 89.0)
    lon_deg: float = real(112.4, -180.0, 360.0)
    height_m: float = real(150.0, -400.0, 9000.0)

    @property
    def llh(self) -> FloatArray:
        """Latitude, longitude [rad], height [m]: (3,)."""
        return np.array([self.lat_deg * DEG, self.lon_deg * DEG, self.height_m])


@dataclass(frozen=True, kw_only=True)
class Troposphere:
    """Delay by the air: see `atmosphere.Air`."""

    on: bool = switch(True)
    wet_zenith_m: float = real(0.15, 0.0, 0.6)
    wet_height_m: float = real(2000.0, 500.0, 8000.0)
    vapour_height_m: float = real(1500.0, 100.0, 8000.0)
    turbulence_m: float = real(0.015, 0.0, 0.2)
    scale_km: float = real(150.0, 1.0, 1000.0)
    wind_mps: float = real(8.0, 0.0, 60.0)
    wind_to_deg: float = real(70.0, 0.0, 360.0)


@dataclass(frozen=True, kw_only=True)
class IonosphereSection:
    """Delay by free electrons: see `atmosphere.Shell`. Gradients are vertical, on L1."""

    on: bool = switch(True)
    shell_km: float = real(350.0, 200.0, 600.0)
    night_tecu: float = real(8.0, 0.0, 200.0)
    day_tecu: float = real(30.0, 0.0, 300.0)
    local_hour: float = real(15.5, 0.0, 24.0)
    gradient_north_mm_per_km: float = real(-1.0, -100.0, 100.0)
    gradient_east_mm_per_km: float = real(0.5, -100.0, 100.0)
    wave_tecu: float = real(0.2, 0.0, 20.0)
    wave_km: float = real(150.0, 10.0, 2000.0)
    wave_mps: float = real(100.0, 0.0, 2000.0)
    wave_to_deg: float = real(220.0, 0.0, 360.0)
    front_mm_per_km: float = real(0.0, 0.0, 500.0)
    front_width_km: float = real(50.0, 1.0, 1000.0)
    front_mps: float = real(200.0, 0.0, 3000.0)
    front_to_deg: float = real(180.0, 0.0, 360.0)
    front_start_km: float = real(-100.0, -5000.0, 5000.0)


@dataclass(frozen=True, kw_only=True)
class NoiseSection:
    """Thermal noise at 45 dB-Hz, of the code that of GPS L1 C/A; x 10 per 20 dB lost.

    Defaults are a geodetic receiver's, which smooths its codes for code_tau_s.
    """

    on: bool = switch(True)
    code_m: float = real(0.13, 0.0, 10.0)
    code_tau_s: float = real(5.0, 0.0, 1000.0)
    phase_m: float = real(0.0007, 0.0, 0.02)
    doppler_mps: float = real(0.02, 0.0, 1.0)
    cn0_db: float = real(0.25, 0.0, 5.0)


@dataclass(frozen=True, kw_only=True)
class Multipath:
    """First-order Gauss-Markov errors, at the zenith; they grow as 1 / sin(elevation) to 4-fold.

    Defaults are those of geodetic antennas on a roof: code on GPS L1, phase with what two antennas
    of a type differ by. Echoes of GEO change 20 times more slowly where the antenna stands.
    """

    on: bool = switch(True)
    code_m: float = real(0.15, 0.0, 10.0)
    phase_m: float = real(0.001, 0.0, 0.05)
    cn0_db: float = real(0.4, 0.0, 5.0)
    static_tau_s: float = real(100.0, 0.1, 10_000.0)
    static_phase_tau_s: float = real(250.0, 0.1, 10_000.0)
    moving_tau_s: float = real(4.0, 0.1, 10_000.0)


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """What is tracked, and how it is lost. Rates hold at 45 dB-Hz and grow 10-fold per 10 dB."""

    elevation_mask_deg: float = real(5.0, 0.0, 60.0)
    cn0_min_dbhz: float = real(22.0, 0.0, 50.0)
    slips_per_hour: float = real(0.05, 0.0, 1000.0)
    flagged_share: float = real(0.5, 0.0, 1.0)
    half_cycle_share: float = real(0.1, 0.0, 1.0)
    half_cycle_s: float = real(6.0, 0.0, 120.0)


@dataclass(frozen=True, kw_only=True)
class Clocks:
    """Receiver clocks: "perfect", "steered" to tens of ns, or "drifting" with ms jumps."""

    kind: str = word("steered", "perfect", "steered", "drifting")
    drift_ppm: float = real(0.3, 0.0, 10.0)
    ms_jumps: bool = switch(True)


@dataclass(frozen=True, kw_only=True)
class Biases:
    """Hardware delays of a receiver, drawn once per signal.

    The GLONASS ones per channel are those by which receivers of one type differ.
    """

    on: bool = switch(True)
    code_m: float = real(3.0, 0.0, 100.0)
    phase_cycle: float = real(0.5, 0.0, 1.0)
    glonass_code_m_per_channel: float = real(0.03, 0.0, 5.0)
    glonass_phase_m_per_channel: float = real(0.0, 0.0, 0.1)


@dataclass(frozen=True, kw_only=True)
class Site:
    """A reference station, `enu_m` from the origin.

    skyline : rows azimuth, elevation [deg]; between them it is interpolated
    outages_s, clock_resets_s : rows start, end and time, step [s] in seconds of the run
    wrong_by_enu_m : what its published coordinate is off
    """

    name: str = word(None)
    enu_m: tuple[float, float, float] = row((0.0, 0.0, 0.0), -_FAR_M, _FAR_M)
    antenna_enu_m: tuple[float, float, float] = row((0.0, 0.0, 0.0), -50.0, 50.0)
    interval_s: float = real(0.0, 0.0, 60.0)
    skyline: tuple[tuple[float, float], ...] = rows(2, 0.0, 360.0)
    outages_s: tuple[tuple[float, float], ...] = rows(2, 0.0, _LONG_S)
    clock_resets_s: tuple[tuple[float, float], ...] = rows(2, -0.01, _LONG_S)
    wrong_by_enu_m: tuple[float, float, float] = row((0.0, 0.0, 0.0), -1000.0, 1000.0)


@dataclass(frozen=True, kw_only=True)
class Vehicle:
    """A receiver that moves along a path of points east, north, up [m] from the origin.

    stops : rows of point number (0 is the first), seconds      loop : from the last point to the
    first and on      canyons : rows start, end [s], height of the walls over the antenna, width of
    the street [m]; reflect_share : of blocked signals that arrive by the opposite wall
    """

    name: str = word(None)
    path_enu_m: tuple[tuple[float, float, float], ...] = rows(3, -_FAR_M, _FAR_M)
    speed_mps: float = real(12.0, 0.1, 100.0)
    acceleration_mps2: float = real(1.5, 0.1, 10.0)
    corner_m: float = real(8.0, 1.0, 500.0)
    wait_s: float = real(0.0, 0.0, _LONG_S)
    loop: bool = switch(False)
    stops: tuple[tuple[float, float], ...] = rows(2, 0.0, _LONG_S)
    antenna_enu_m: tuple[float, float, float] = row((0.0, 0.0, 0.0), -50.0, 50.0)
    interval_s: float = real(0.0, 0.0, 60.0)
    outages_s: tuple[tuple[float, float], ...] = rows(2, 0.0, _LONG_S)
    canyons: tuple[tuple[float, float, float, float], ...] = rows(4, 0.0, _LONG_S)
    reflect_share: float = real(0.5, 0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Everything of a simulation."""

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
    def receivers(self) -> tuple[Site | Vehicle, ...]:
        """Stations, then vehicles."""
        return (*self.stations, *self.vehicles)

    def interval_of(self, receiver: Site | Vehicle) -> float:
        """Seconds between the epochs of a receiver."""
        return receiver.interval_s or self.run.interval_s

    def n_epoch(self, receiver: Site | Vehicle) -> int:
        """Number of epochs of a receiver."""
        return math.floor(self.run.duration_s / self.interval_of(receiver) + 1e-6) + 1

    def marker_ecef(self, receiver: Site) -> FloatArray:
        """True place of a station's marker (3,) [m]."""
        return from_local(np.array(receiver.enu_m), self.origin.llh)


_SECTIONS = {
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


def parse_scenario(text: str, source: str = "scenario") -> Scenario:
    """A scenario from TOML text; ConfigError in one sentence for anything that is not right."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source} is not valid TOML: {error}.") from error
    return scenario_of(values)


def scenario_of(values: Mapping[str, Any]) -> Scenario:
    """A scenario from nested dictionaries, as a TOML file gives them."""
    known = (*_SECTIONS, "station", "vehicle")
    for name in values:
        if name not in known:
            raise ConfigError(f"unknown section {name}; known are {', '.join(known)}.")
    made: dict[str, Any] = {
        name: build(kind, values.get(name, {}), name) for name, kind in _SECTIONS.items()
    }
    stations = _listed(Site, values, "station")
    vehicles = _listed(Vehicle, values, "vehicle")
    scenario = Scenario(**made, stations=tuple(stations), vehicles=tuple(vehicles))
    _check(scenario)
    return scenario


def _listed(kind: Any, values: Mapping[str, Any], name: str) -> list[Any]:
    found = values.get(name, [])
    if not isinstance(found, list):
        raise ConfigError(f"{name} must be a list of sections, written [[{name}]]; got {found!r}.")
    return [build(kind, one, f"{name}[{k}]") for k, one in enumerate(found)]


def _check(scenario: Scenario) -> None:
    """What no single field shows."""
    run = scenario.run
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", run.start) or not _is_date(run.start):
        raise ConfigError(
            f"run.start = {run.start!r} is not allowed; it must be a GPST time from 1999 to 2099 "
            "like 2024-06-24T08:00:00."
        )
    strangers = [letter for letter in run.systems if letter not in KNOWN_SYSTEMS]
    if strangers or not run.systems:
        raise ConfigError(
            f"run.systems = {run.systems!r} is not allowed; it must be letters of {KNOWN_SYSTEMS}."
        )
    receivers = scenario.receivers
    if not receivers:
        raise ConfigError("there is no receiver; add at least one [[station]] or [[vehicle]].")
    names = [one.name for one in receivers]
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,20}", name) or names.count(name) > 1:
            raise ConfigError(
                f"name = {name!r} is not allowed; it must be 1 to 20 letters, digits, _ or - that "
                "no other receiver has."
            )
    for vehicle in scenario.vehicles:
        _check_vehicle(vehicle)


def _check_vehicle(vehicle: Vehicle) -> None:
    n = len(vehicle.path_enu_m)
    if n < 2:
        raise ConfigError(f"path_enu_m of {vehicle.name} has {n} points; it must have at least 2.")
    for number_of_point, _ in vehicle.stops:
        if not (number_of_point.is_integer() and 0 <= number_of_point < n):
            raise ConfigError(
                f"stops of {vehicle.name}: point {number_of_point:g} is not allowed; it must be a "
                f"whole number from 0 to {n - 1}."
            )


def _is_date(text: str) -> bool:
    try:
        return 1999 <= dt.datetime.fromisoformat(text).year <= 2099
    except ValueError:
        return False

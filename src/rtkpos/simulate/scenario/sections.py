"""The sections of a scenario with their defaults, limits and what each key means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.constants import DEG
from rtkpos.simulate.scenario.checked import count, real, row, rows, switch, word

FAR_M = 2e6
LONG_S = 7 * 86_400.0
_ENU = (("east", -FAR_M, FAR_M), ("north", -FAR_M, FAR_M), ("up", -1e4, 3e4))
_CENTER = (("east", -5e5, 5e5), ("north", -5e5, 5e5), ("up", -1e4, 3e4))
_ANTENNA = (("east", -50.0, 50.0), ("north", -50.0, 50.0), ("up", -50.0, 50.0))
_WRONG = (("east", -1e3, 1e3), ("north", -1e3, 1e3), ("up", -1e3, 1e3))
_SPAN = (("start", 0.0, LONG_S), ("end", 0.0, LONG_S))
_POINT = ("point of the path (0 is the first)", 0.0, 1e6)
_OWN_INTERVAL = "seconds between epochs; 0: as the run"
_OUTAGES = "spans [s] without any signal"
_OFFSET = "from the marker to the antenna [m]"
_NAME = "1 to 20 letters, digits, _ or -"


@dataclass(frozen=True, kw_only=True)
class Run:
    """When and how often."""

    start: str = word("2024-06-24T08:00:00", "first epoch, GPST")
    duration_s: float = real(600.0, 1.0, LONG_S, "seconds from the first to the last epoch")
    interval_s: float = real(1.0, 0.05, 60.0, "seconds between epochs")
    seed: int = count(1, 0, 2**32 - 1, "of everything random")
    systems: str = word(
        "GREC", "letters of G (GPS), R (GLONASS), E (Galileo), C (BeiDou), J (QZSS)"
    )
    nav: str = word(
        "", "RINEX navigation file whose satellites fly; nominal constellations without"
    )
    rinex_version: str = word("3.04", "of the observation and navigation files", "3.04", "4.00")


@dataclass(frozen=True, kw_only=True)
class Place:
    """The origin of local coordinates."""

    lat_deg: float = real(34.6, -89.0, 89.0, "latitude")
    lon_deg: float = real(112.4, -180.0, 360.0, "longitude")
    height_m: float = real(150.0, -400.0, 9000.0, "above the ellipsoid; up counts from here")

    @property
    def llh(self) -> FloatArray:
        """Latitude, longitude [rad], height [m]: (3,)."""
        return np.array([self.lat_deg * DEG, self.lon_deg * DEG, self.height_m])


@dataclass(frozen=True, kw_only=True)
class Troposphere:
    """Delay by the air: see `atmosphere.Air`."""

    on: bool = switch(True, "whether the air delays")
    wet_zenith_m: float = real(0.15, 0.0, 0.6, "wet zenith delay at sea level")
    wet_height_m: float = real(2000.0, 500.0, 8000.0, "over which it falls e-fold")
    vapour_height_m: float = real(1500.0, 100.0, 8000.0, "where rays meet the turbulence")
    turbulence_m: float = real(0.015, 0.0, 0.2, "standard deviation of the turbulent zenith delay")
    scale_km: float = real(150.0, 1.0, 1000.0, "its Matern range (smoothness 5/6)")
    wind_mps: float = real(8.0, 0.0, 60.0, "that carries it, frozen")
    wind_to_deg: float = real(70.0, 0.0, 360.0, "azimuth the wind blows to")


@dataclass(frozen=True, kw_only=True)
class IonosphereSection:
    """Delay by free electrons, gradients vertical and on L1: see `atmosphere.Shell`."""

    on: bool = switch(True, "whether the ionosphere delays")
    shell_km: float = real(350.0, 200.0, 600.0, "height of the thin shell")
    night_tecu: float = real(8.0, 0.0, 200.0, "vertical electron content at night")
    day_tecu: float = real(30.0, 0.0, 300.0, "the same at 14 h")
    local_hour: float = real(15.5, 0.0, 24.0, "local time over the origin at the start")
    gradient_north_mm_per_km: float = real(-1.0, -100.0, 100.0, "change to the north")
    gradient_east_mm_per_km: float = real(0.5, -100.0, 100.0, "change to the east")
    wave_tecu: float = real(0.2, 0.0, 20.0, "amplitude of a travelling wave")
    wave_km: float = real(150.0, 10.0, 2000.0, "its length")
    wave_mps: float = real(100.0, 0.0, 2000.0, "its speed")
    wave_to_deg: float = real(220.0, 0.0, 360.0, "azimuth it travels to")
    front_mm_per_km: float = real(0.0, 0.0, 500.0, "slope of a front")
    front_width_km: float = real(50.0, 1.0, 1000.0, "over which it rises")
    front_mps: float = real(200.0, 0.0, 3000.0, "its speed")
    front_to_deg: float = real(180.0, 0.0, 360.0, "azimuth it travels to")
    front_start_km: float = real(-100.0, -5000.0, 5000.0, "where it is at the start, along its way")


@dataclass(frozen=True, kw_only=True)
class NoiseSection:
    """Thermal noise at 45 dB-Hz, of the code that of GPS L1 C/A; it grows tenfold per 20 dB lost.

    Defaults are a geodetic receiver's, which smooths its codes for code_tau_s.
    """

    on: bool = switch(True, "whether receivers have noise")
    code_m: float = real(0.13, 0.0, 10.0, "standard deviation of codes")
    code_tau_s: float = real(5.0, 0.0, 1000.0, "correlation time of codes")
    phase_m: float = real(0.0007, 0.0, 0.02, "of phases")
    doppler_mps: float = real(0.02, 0.0, 1.0, "of range rates")
    cn0_db: float = real(0.25, 0.0, 5.0, "of C/N0")


@dataclass(frozen=True, kw_only=True)
class Multipath:
    """First-order Gauss-Markov errors, at the zenith; they grow as 1 / sin(elevation) to 4-fold.

    Defaults are those of geodetic antennas on a roof: code on GPS L1, phase with what two antennas
    of a type differ by. Echoes of GEO change 20 times more slowly where the antenna stands.
    """

    on: bool = switch(True, "whether there are echoes")
    code_m: float = real(0.15, 0.0, 10.0, "standard deviation on codes")
    phase_m: float = real(0.001, 0.0, 0.05, "on phases")
    cn0_db: float = real(0.4, 0.0, 5.0, "on C/N0")
    static_tau_s: float = real(100.0, 0.1, 10_000.0, "correlation time at stations")
    static_phase_tau_s: float = real(250.0, 0.1, 10_000.0, "the same of phases")
    moving_tau_s: float = real(4.0, 0.1, 10_000.0, "correlation time at vehicles")


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """What is tracked, and how it is lost. Rates hold at 45 dB-Hz and grow 10-fold per 10 dB."""

    elevation_mask_deg: float = real(5.0, 0.0, 60.0, "lowest elevation")
    cn0_min_dbhz: float = real(22.0, 0.0, 50.0, "weakest signal")
    slips_per_hour: float = real(0.05, 0.0, 1000.0, "cycle slips of a signal")
    flagged_share: float = real(0.5, 0.0, 1.0, "of slips that the receiver notices")
    half_cycle_share: float = real(0.1, 0.0, 1.0, "of arcs that begin with an open half cycle")
    half_cycle_s: float = real(6.0, 0.0, 120.0, "until it is resolved")


@dataclass(frozen=True, kw_only=True)
class Clocks:
    """Receiver clocks."""

    kind: str = word(
        "steered", "right, within tens of ns, or running away", "perfect", "steered", "drifting"
    )
    drift_ppm: float = real(0.3, 0.0, 10.0, "of a drifting clock")
    ms_jumps: bool = switch(True, "whether it jumps by milliseconds to stay within half of one")


@dataclass(frozen=True, kw_only=True)
class Biases:
    """Hardware delays of a receiver, drawn once per signal; one of satellites is their own.

    The GLONASS ones per channel are those by which receivers of one type differ.
    """

    on: bool = switch(True, "whether receivers delay signals")
    code_m: float = real(3.0, 0.0, 100.0, "standard deviation of code delays")
    phase_cycle: float = real(0.5, 0.0, 1.0, "largest phase delay of a band")
    glonass_code_m_per_channel: float = real(0.03, 0.0, 5.0, "standard deviation of the slope")
    glonass_phase_m_per_channel: float = real(0.0, 0.0, 0.1, "standard deviation of the slope")
    beidou2_code: bool = switch(
        True, "whether codes of BeiDou-2 IGSO and MEO change with elevation, also where on is false"
    )


@dataclass(frozen=True, kw_only=True)
class Site:
    """A reference station, `enu_m` from the origin."""

    name: str = word(None, _NAME)
    enu_m: tuple[float, float, float] = row((0.0, 0.0, 0.0), "marker, from the origin", *_ENU)
    antenna_enu_m: tuple[float, float, float] = row((0.0, 0.0, 0.0), _OFFSET, *_ANTENNA)
    interval_s: float = real(0.0, 0.05, 60.0, _OWN_INTERVAL, or_zero=True)
    skyline: tuple[tuple[float, float], ...] = rows(
        "corners of the horizon [deg], interpolated between",
        ("azimuth", 0.0, 360.0),
        ("elevation", 0.0, 90.0),
    )
    outages_s: tuple[tuple[float, float], ...] = rows(_OUTAGES, *_SPAN)
    clock_resets_s: tuple[tuple[float, float], ...] = rows(
        "steps of the clock [s]", ("time", 0.0, LONG_S), ("step", -0.01, 0.01)
    )
    wrong_by_enu_m: tuple[float, float, float] = row(
        (0.0, 0.0, 0.0), "error of the published coordinate", *_WRONG
    )


@dataclass(frozen=True, kw_only=True)
class Network:
    """Reference stations laid out by rule, named NAME01, NAME02, and so on."""

    name: str = word(None, "beginning of their names")
    layout: str = word("grid", "rows and columns, or no order", "grid", "random")
    number: int = count(9, 1, 400, "of stations")
    spacing_km: float = real(40.0, 0.1, 100.0, "between neighbours; the least of random ones")
    center_enu_m: tuple[float, float, float] = row((0.0, 0.0, 0.0), "from the origin", *_CENTER)
    height_scatter_m: float = real(0.0, 0.0, 200.0, "standard deviation of their heights")
    antenna_enu_m: tuple[float, float, float] = row((0.0, 0.0, 0.0), _OFFSET, *_ANTENNA)
    interval_s: float = real(0.0, 0.05, 60.0, _OWN_INTERVAL, or_zero=True)
    seed: int = count(1, 0, 2**32 - 1, "of the layout; that of the run leaves it as it is")


@dataclass(frozen=True, kw_only=True)
class Vehicle:
    """A receiver that moves along a path, from rest to rest; a loop has no end."""

    name: str = word(None, _NAME)
    path_enu_m: tuple[tuple[float, float, float], ...] = rows("at least two points, in turn", *_ENU)
    speed_mps: float = real(12.0, 0.1, 100.0, "on the straight")
    speeds: tuple[tuple[float, float], ...] = rows(
        "another speed from a point on, on every lap", _POINT, ("speed", 0.1, 100.0)
    )
    acceleration_mps2: float = real(1.5, 0.1, 10.0, "largest, along and across")
    corner_m: float = real(8.0, 1.0, 500.0, "over which corners are rounded")
    wait_s: float = real(0.0, 0.0, LONG_S, "before it starts")
    loop: bool = switch(False, "from the last point to the first and on, until the run is over")
    stops: tuple[tuple[float, float], ...] = rows(
        "where it stands for so many seconds",
        _POINT,
        ("seconds", 0.0, LONG_S),
    )
    antenna_enu_m: tuple[float, float, float] = row((0.0, 0.0, 0.0), _OFFSET, *_ANTENNA)
    interval_s: float = real(0.0, 0.05, 60.0, _OWN_INTERVAL, or_zero=True)
    outages_s: tuple[tuple[float, float], ...] = rows(_OUTAGES, *_SPAN)
    canyons: tuple[tuple[float, float, float, float], ...] = rows(
        "streets between walls: when [s], height of the walls over the antenna, width [m]",
        *_SPAN,
        ("height", 0.0, 1000.0),
        ("width", 1.0, 1000.0),
    )
    reflect_share: float = real(0.5, 0.0, 1.0, "of blocked signals that come by the opposite wall")

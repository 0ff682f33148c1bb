"""Configuration: frozen sections, units in every name, validated with value, limit and path."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rtkpos._toml import parse_toml
from rtkpos.errors import LONGEST_QUOTE, ConfigError, quoted, shortened
from rtkpos.gnss.systems import SYSTEM_LETTERS

MODES = ("single", "dgnss", "kinematic", "static", "moving_base")
DIRECTIONS = ("forward", "backward", "combined")


class Certainty(NamedTuple):
    """How much certainty a fix needs.

    failure_rate : of the ratio test      probability_min : that the integers are right
    """

    failure_rate: float
    probability_min: float


# Wrong-fix rates measured with each: docs/decisions/trust.md.
PROFILES = {
    "safe": Certainty(0.001, 0.998),
    "balanced": Certainty(0.01, 0.99),
    "available": Certainty(0.01, 0.9),
}
AR_MODES = ("instantaneous", "continuous", "hold", "off")


def limited(default: float | None, low: float, high: float) -> Any:
    """A number field with its allowed closed range in the metadata."""
    return field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which satellites and signals take part.

    bands : RINEX band digits by system letter in order of preference; a system that is not named
            takes the best `n_band_max` bands both receivers have
    """

    systems: str = "GRECJI"
    bands: dict[str, str] = field(default_factory=dict)
    n_band_max: int = limited(3, 1, 3)
    exclude: tuple[str, ...] = ()
    elevation_mask_deg: float = limited(10.0, 0.0, 60.0)
    cn0_min_dbhz: float = limited(0.0, 0.0, 60.0)


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Observation noise: sigma^2 = a^2 + (b / sin E)^2 for phase, code by a ratio."""

    phase_a_m: float = limited(0.002, 1e-4, 0.1)
    phase_b_m: float = limited(0.002, 0.0, 0.1)
    code_phase_ratio: float = limited(100.0, 10.0, 1000.0)
    code_correlation_s: float = limited(100.0, 0.01, 3600.0)
    phase_correlation_s: float = limited(100.0, 0.01, 3600.0)
    cn0_reference_dbhz: float = limited(40.0, 0.0, 60.0)
    phase_baseline_mm_per_km: float = limited(0.5, 0.0, 20.0)
    beidou_geo_factor: float = limited(2.0, 1.0, 10.0)
    position_reset_m: float = limited(30.0, 1.0, 1000.0)
    ambiguity_drift_cycle_per_sqrt_s: float = limited(0.02, 0.0, 0.1)


@dataclass(frozen=True, kw_only=True)
class Slips:
    """Cycle-slip detectors, and when the filter is given up.

    geometry_free_m : largest threshold; quiet band pairs have a smaller one of their own
    wide_lane_sigma : departure of the wide lane from its mean, in its standard deviations
    divergence_epochs : epochs in a row without a fix in which the filter contradicts what it sees
    """

    geometry_free_m: float = limited(0.05, 0.005, 10.0)
    doppler_cycle_per_s: float = limited(1.0, 0.05, 100.0)
    code_minus_phase_m: float = limited(10.0, 1.0, 1000.0)
    wide_lane_sigma: float = limited(5.0, 1.0, 100.0)
    max_gap_s: float = limited(60.0, 0.0, 3600.0)
    divergence_epochs: int = limited(10, 2, 100_000)


@dataclass(frozen=True, kw_only=True)
class Ambiguity:
    """Integer fixing and its validation.

    ratio_min, ratio_max : limits of the ratio threshold, which otherwise follows the failure rate
    admit_after_epochs : a satellite that joins a fixed set waits so long
    failure_rate, probability_min : None takes those of the profile
    glonass : its integers at once between receivers of one type, else when the channel bias is
        learnt (auto); at once (on); never (off)
    """

    elevation_mask_deg: float = limited(10.0, 0.0, 60.0)
    min_pairs: int = limited(4, 3, 20)
    success_rate_min: float = limited(0.9, 0.5, 1.0)
    failure_rate: float | None = limited(None, 0.001, 0.01)
    probability_min: float | None = limited(None, 0.0, 1.0)
    ratio_min: float = limited(1.0, 1.0, 10.0)
    ratio_max: float = limited(5.0, 1.0, 100.0)
    position_sigma_max_m: float = limited(0.1, 0.005, 10.0)
    postfit_phase_max_m: float = limited(0.05, 0.005, 1.0)
    jump_m: float = limited(0.5, 0.0, 1000.0)
    hold_after_s: float = limited(10.0, 0.0, 3600.0)
    hold_sigma_cycle: float = limited(0.1, 0.01, 1.0)
    n_search_max: int = limited(20000, 100, 10_000_000)
    n_drop_max: int = limited(10, 0, 20)
    drop_penalty: float = limited(1.05, 1.0, 3.0)
    glonass: str = field(default="auto", metadata={"one_of": ("auto", "on", "off")})
    admit_after_epochs: int = limited(10, 0, 1000)
    misfit_max: float = limited(5.0, 1.0, 100.0)


@dataclass(frozen=True, kw_only=True)
class BaseLink:
    """How base epochs are matched to the rover's, and how their age adds noise.

    age_noise_m_per_s : sigma added per second of age; satellite clocks wander by some 5e-12
    """

    max_age_s: float = limited(30.0, 0.0, 3600.0)
    time_tolerance_s: float = limited(0.02, 0.0, 0.5)
    age_noise_m_per_s: float = limited(1.5e-3, 0.0, 0.1)
    force: bool = False


@dataclass(frozen=True, kw_only=True)
class Atmosphere:
    """Atmosphere of code positions and of the difference between rover and base.

    long_from_km : lines from this length on have ionosphere and wet delay states
    long_noise_share : part of noise.phase_baseline_mm_per_km that remains on such lines [1]
    ionosphere_mm_per_km, wet_delay_mm_per_km : their spread; the ionosphere as seen in the zenith
    ionosphere_correlation_s, wet_delay_correlation_s : how long what was learnt holds
    """

    troposphere: str = field(default="saastamoinen", metadata={"one_of": ("saastamoinen", "off")})
    ionosphere: str = field(
        default="broadcast", metadata={"one_of": ("broadcast", "klobuchar", "bdgim", "off")}
    )
    long_from_km: float = limited(10.0, 0.0, 1000.0)
    long_noise_share: float = limited(0.2, 0.0, 1.0)
    ionosphere_mm_per_km: float = limited(0.8, 0.01, 100.0)
    ionosphere_correlation_s: float = limited(600.0, 1.0, 100_000.0)
    wet_delay_mm_per_km: float = limited(0.5, 0.0, 10.0)
    wet_delay_correlation_s: float = limited(7200.0, 1.0, 100_000.0)


@dataclass(frozen=True, kw_only=True)
class Antennas:
    """Antennas of rover and base, and the points whose coordinates are given and reported.

    antex : file of antenna calibrations (ANTEX); "" = phase centres at the reference points
    rover, base : "TYPE RADOME" where the file's header does not say it or says it wrongly
    coordinates : "marker": those of the markers, the offsets of the headers lead up to the
                  antennas; "antenna": those of the antennas' reference points, no offset is used
    rover_offset_enu_m, base_offset_enu_m : reference point minus marker instead of the header's
    """

    antex: str = ""
    rover: str = ""
    base: str = ""
    coordinates: str = field(default="marker", metadata={"one_of": ("marker", "antenna")})
    rover_offset_enu_m: tuple[float, ...] = ()
    base_offset_enu_m: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Tides:
    """Movement of the ground. solid_earth : the difference of the tide at rover and base."""

    solid_earth: bool = True


@dataclass(frozen=True, kw_only=True)
class RtkConfig:
    """Everything that steers a run; the defaults serve every data set of the benchmark.

    mode : "moving_base": the base moves, too; only the vector from it to the rover is precise
    direction : of a run over a recording; a live engine goes forward whatever it says
    static_start_s : the antenna is known to stand still for so long (mode kinematic)
    """

    mode: str = field(default="kinematic", metadata={"one_of": MODES})
    profile: str = field(default="balanced", metadata={"one_of": tuple(PROFILES)})
    ar: str = field(default="continuous", metadata={"one_of": AR_MODES})
    direction: str = field(default="forward", metadata={"one_of": DIRECTIONS})
    static_start_s: float = limited(0.0, 0.0, 86400.0)
    selection: Selection = field(default_factory=Selection)
    noise: Noise = field(default_factory=Noise)
    slips: Slips = field(default_factory=Slips)
    ambiguity: Ambiguity = field(default_factory=Ambiguity)
    base: BaseLink = field(default_factory=BaseLink)
    atmosphere: Atmosphere = field(default_factory=Atmosphere)
    antenna: Antennas = field(default_factory=Antennas)
    tide: Tides = field(default_factory=Tides)

    def __post_init__(self) -> None:
        """Validate every field of every section; ConfigError names path, limit and value."""
        checked(self, "")
        strangers = sorted(set(self.selection.systems.upper()) - set(SYSTEM_LETTERS))
        if strangers or not self.selection.systems:
            raise ConfigError(
                f"selection.systems must be letters of {SYSTEM_LETTERS}; "
                f"got {quoted(self.selection.systems)}."
            )
        _check_offsets(self.antenna)
        for letter, digits in self.selection.bands.items():
            if letter not in SYSTEM_LETTERS or not digits.isdecimal() or len(digits) > 3:
                raise ConfigError(
                    "selection.bands must map a system letter to one to three band digits, "
                    f'like {{C = "26"}}; got {letter} = {quoted(digits)}.'
                )

    @property
    def certainty(self) -> Certainty:
        """How much certainty a fix needs: the profile, but for what the section says itself."""
        own = self.ambiguity
        given = {"failure_rate": own.failure_rate, "probability_min": own.probability_min}
        return PROFILES[self.profile]._replace(**{k: v for k, v in given.items() if v is not None})

    @classmethod
    def from_toml(cls, text: str, **top_level: Any) -> RtkConfig:
        """From TOML text; unknown keys are errors; keywords override its top level."""
        try:
            values = parse_toml(text)
        except ValueError as error:
            raise ConfigError(f"configuration is not valid TOML: {error}.") from None
        return cls.from_dict(values | top_level)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RtkConfig:
        """Configuration from nested dictionaries; unknown keys are errors."""
        built: RtkConfig = _build(cls, values, "")
        return built


def _build(kind: Any, values: dict[str, Any], path: str) -> Any:
    """An instance of a configuration class from a dictionary, sections included."""
    known = {f.name: f for f in dataclasses.fields(kind)}
    for name in values:
        if name not in known:
            raise ConfigError(
                f"unknown key {path}{shortened(name, LONGEST_QUOTE)}; known are {', '.join(known)}."
            )
    arguments = {}
    for name, value in values.items():
        section: Any = known[name].default_factory
        if dataclasses.is_dataclass(section):
            if not isinstance(value, dict):
                raise ConfigError(f"{path}{name} must be a section of keys; got {quoted(value)}.")
            arguments[name] = _build(section, value, f"{path}{name}.")
        else:
            arguments[name] = tuple(value) if isinstance(value, list) else value
    return kind(**arguments)


def checked(section: Any, path: str) -> None:
    """Check types, ranges and choices of one section and of the sections below it."""
    for item in dataclasses.fields(section):
        value, where = getattr(section, item.name), f"{path}{item.name}"
        if dataclasses.is_dataclass(value):
            checked(value, f"{where}.")
        elif "one_of" in item.metadata and value not in item.metadata["one_of"]:
            choices = ", ".join(item.metadata["one_of"])
            raise ConfigError(f"{where} must be one of {choices}; got {quoted(value)}.")
        elif value is None and item.default is None:
            continue
        elif "low" in item.metadata:
            _check_range(where, value, item.metadata["low"], item.metadata["high"])
        elif isinstance(item.default, str) and not isinstance(value, str):
            raise ConfigError(f"{where} must be text; got {quoted(value)}.")
        elif isinstance(item.default, bool) and not isinstance(value, bool):
            raise ConfigError(f"{where} must be true or false; got {quoted(value)}.")


def _check_offsets(antenna: Antennas) -> None:
    """Raise ConfigError unless the offsets are three lengths each and have a use."""
    for name in ("rover_offset_enu_m", "base_offset_enu_m"):
        value = getattr(antenna, name)
        is_list = isinstance(value, tuple) and len(value) in (0, 3)
        if not is_list or not all(isinstance(v, int | float) and abs(v) <= 100.0 for v in value):
            raise ConfigError(
                f"antenna.{name} must be three numbers [m], east, north, up; got {quoted(value)}."
            )
        if value and antenna.coordinates != "marker":
            raise ConfigError(
                f"antenna.{name} leads from the marker to the antenna, but antenna.coordinates is "
                f'"{antenna.coordinates}"; leave one of them out.'
            )


def _check_range(where: str, value: Any, low: float, high: float) -> None:
    """Raise ConfigError unless low <= value <= high."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not low <= value <= high:
        raise ConfigError(f"{where} must lie between {low:g} and {high:g}; got {quoted(value)}.")

"""Configuration: frozen sections, units in every name, validated with value, limit and path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rtkpos._toml import parse_toml
from rtkpos.errors import ConfigError, check_sequence, check_type, quoted
from rtkpos.gnss.systems import SYSTEM_LETTERS
from rtkpos.records.config_field import (
    Section,
    checked,
    described,
    documented,
    limited,
    one_of,
    section_from,
)
from rtkpos.records.status import RunMode

MODES = tuple(mode.name.lower() for mode in RunMode)
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


@documented
@dataclass(frozen=True, kw_only=True, repr=False)
class Selection(Section):
    """Which satellites and signals take part."""

    systems: str = described("GRECJI", "letters of the satellite systems that take part")
    bands: dict[str, str] = field(
        default_factory=dict,
        metadata={
            "text": "RINEX band digits by system letter in order of preference; a system that is "
            "not named takes the best bands that both receivers have"
        },
    )
    n_band_max: int = limited(3, 1, 3, "bands that a system not named in bands takes at most")
    exclude: tuple[str, ...] = described((), 'satellites that are left out, like "C03"')
    elevation_mask_deg: float = limited(
        10.0, 0.0, 60.0, "satellites below this elevation are not used"
    )
    cn0_min_dbhz: float = limited(0.0, 0.0, 60.0, "signals weaker than this are not used")


@documented
@dataclass(frozen=True, kw_only=True, repr=False)
class Noise(Section):
    """Observation noise: sigma^2 = a^2 + (b / sin E)^2 for phase, code by a ratio."""

    phase_a_m: float = limited(0.002, 1e-4, 0.1, "a: part that is the same at every elevation")
    phase_b_m: float = limited(0.002, 0.0, 0.1, "b: part that grows towards the horizon")
    code_phase_ratio: float = limited(100.0, 10.0, 1000.0, "sigma of code over sigma of phase")
    code_correlation_s: float = limited(
        100.0, 0.01, 3600.0, "correlation time of the noise and multipath of codes"
    )
    phase_correlation_s: float = limited(
        100.0, 0.01, 3600.0, "correlation time of phase errors, for the covariance of static means"
    )
    cn0_reference_dbhz: float = limited(40.0, 0.0, 60.0, "below this C/N0 sigma grows")
    phase_baseline_mm_per_km: float = limited(
        0.5, 0.0, 20.0, "noise of phase differences per length of the baseline"
    )
    beidou_geo_factor: float = limited(
        2.0, 1.0, 10.0, "sigma of geostationary BeiDou satellites over that of others"
    )
    position_reset_m: float = limited(
        30.0, 1.0, 1000.0, "sigma with which each epoch starts from its code position"
    )
    ambiguity_drift_cycle_per_sqrt_s: float = limited(
        0.02, 0.0, 0.1, "process noise of float ambiguities"
    )


@documented
@dataclass(frozen=True, kw_only=True, repr=False)
class Slips(Section):
    """Thresholds of the cycle-slip detectors, and when the filter is given up."""

    geometry_free_m: float = limited(
        0.05, 0.005, 10.0, "largest threshold; quiet band pairs have a smaller one of their own"
    )
    doppler_cycle_per_s: float = limited(
        1.0, 0.05, 100.0, "phase rate against Doppler, per second between epochs"
    )
    code_minus_phase_m: float = limited(10.0, 1.0, 1000.0, "jump of code minus phase")
    wide_lane_sigma: float = limited(
        5.0, 1.0, 100.0, "departure of the wide lane from its mean, in its standard deviations"
    )
    max_gap_s: float = limited(
        60.0, 0.0, 3600.0, "the ambiguity of a satellite unseen for longer is reset"
    )
    divergence_epochs: int = limited(
        10, 2, 100_000,
        "the filter is reset after so many epochs in a row without a fix in which it "
        "contradicts what it sees",
    )  # fmt: skip


@documented
@dataclass(frozen=True, kw_only=True, repr=False)
class Ambiguity(Section):
    """Integer fixing and its validation."""

    elevation_mask_deg: float = limited(10.0, 0.0, 60.0, "integers are fixed above this elevation")
    min_pairs: int = limited(4, 3, 20, "double differences that a fix needs at least")
    success_rate_min: float = limited(
        0.9, 0.5, 1.0, "success rate (bootstrapping) that a subset must reach to be searched"
    )
    failure_rate: float | None = limited(
        None, 0.001, 0.01, "failure rate of the ratio test; not given: that of the profile"
    )
    probability_min: float | None = limited(
        None, 0.0, 1.0,
        "probability that the integers are right which a fix needs; not given: that of the profile",
    )  # fmt: skip
    ratio_min: float = limited(1.0, 1.0, 10.0, "least threshold that the failure rate may lead to")
    ratio_max: float = limited(
        5.0, 1.0, 100.0, "largest threshold that the failure rate may lead to"
    )
    position_sigma_max_m: float = limited(
        0.1, 0.005, 10.0, "a fix whose position is less certain (3D sigma) is refused"
    )
    postfit_phase_max_m: float = limited(
        0.05, 0.005, 1.0, "a fix with larger phase residuals (rms) is refused"
    )
    jump_m: float = limited(
        0.5, 0.0, 1000.0, "a fix that lies further from where the motion leads is refused"
    )
    hold_after_s: float = limited(
        10.0, 0.0, 3600.0, "ar = hold: integers are held after fixes of so long a time"
    )
    hold_sigma_cycle: float = limited(0.1, 0.01, 1.0, "ar = hold: sigma of the held integers")
    n_search_max: int = limited(20000, 100, 10_000_000, "nodes that the integer search may visit")
    n_drop_max: int = limited(
        10, 0, 20, "satellites that may be left out one by one after a failed validation"
    )
    drop_penalty: float = limited(
        1.05, 1.0, 3.0, "factor on the ratio threshold for every satellite left out"
    )
    glonass: str = one_of(
        "auto",
        ("auto", "on", "off"),
        "integers of GLONASS: auto = at once between receivers of one type, else when the bias "
        "between channels is learnt; on = at once; off = never",
    )
    admit_after_epochs: int = limited(
        10, 0, 1000, "a satellite that joins a fixed set waits so long"
    )
    misfit_max: float = limited(
        5.0, 1.0, 100.0, "squared norm of the best integers per double difference, at most"
    )


@documented
@dataclass(frozen=True, kw_only=True, repr=False)
class BaseLink(Section):
    """How base epochs are matched to the rover's, and how their age adds noise."""

    max_age_s: float = limited(30.0, 0.0, 3600.0, "older base epochs are not used")
    time_tolerance_s: float = limited(
        0.02, 0.0, 0.5, "epochs of rover and base this close are the same"
    )
    age_noise_m_per_s: float = limited(
        1.5e-3, 0.0, 0.1, "sigma added per second of age; satellite clocks vary by some 5e-12"
    )
    force: bool = described(False, "go on although base coordinates contradict the base's own data")


@documented
@dataclass(frozen=True, kw_only=True, repr=False)
class Atmosphere(Section):
    """Atmosphere of code positions and of the difference between rover and base."""

    troposphere: str = one_of("saastamoinen", ("saastamoinen", "off"), "model of the troposphere")
    ionosphere: str = one_of(
        "broadcast",
        ("broadcast", "klobuchar", "bdgim", "off"),
        "model of the ionosphere; broadcast = the best that the navigation file holds",
    )
    long_from_km: float = limited(
        10.0, 0.0, 1000.0, "longer baselines estimate ionosphere and wet delay"
    )
    long_noise_share: float = limited(
        0.2, 0.0, 1.0, "part of noise.phase_baseline_mm_per_km that remains on such baselines"
    )
    ionosphere_mm_per_km: float = limited(
        0.8, 0.01, 100.0, "spread of the ionosphere per length, in the zenith"
    )
    ionosphere_correlation_s: float = limited(
        600.0, 1.0, 100_000.0, "correlation time of the ionosphere"
    )
    wet_delay_mm_per_km: float = limited(
        0.5, 0.0, 10.0, "spread of the wet delay per length, in the zenith"
    )
    wet_delay_correlation_s: float = limited(
        7200.0, 1.0, 100_000.0, "correlation time of the wet delay"
    )


@documented
@dataclass(frozen=True, kw_only=True, repr=False)
class Antennas(Section):
    """Antennas of rover and base, and the points whose coordinates are given and reported."""

    antex: str = described(
        "", "file of antenna calibrations (ANTEX); none: phase centres at the reference points"
    )
    rover: str = described(
        "", '"TYPE RADOME" of the rover where its header does not say it, or wrongly'
    )
    base: str = described(
        "", '"TYPE RADOME" of the base where its header does not say it, or wrongly'
    )
    coordinates: str = one_of(
        "marker",
        ("marker", "antenna"),
        "points whose coordinates are given and reported: the markers, from which the offsets of "
        "the headers lead to the antennas, or the antennas' reference points, without any offset",
    )
    rover_offset_enu_m: tuple[float, ...] = described(
        (), "east, north, up from the rover's marker to its antenna, instead of its header's"
    )
    base_offset_enu_m: tuple[float, ...] = described(
        (), "east, north, up from the base's marker to its antenna, instead of its header's"
    )


@documented
@dataclass(frozen=True, kw_only=True, repr=False)
class Tides(Section):
    """Movement of the ground."""

    solid_earth: bool = described(
        True, "correct the difference of the solid earth tide between rover and base"
    )


@documented
@dataclass(frozen=True, kw_only=True, repr=False)
class RtkConfig(Section):
    """Everything that steers a run; the defaults serve every data set of the benchmark.

    Each field carries its limits or choices and its meaning; `rtkpos config` prints them all.
    """

    mode: str = one_of(
        "kinematic",
        MODES,
        "kind of position; static = the rover does not move, moving_base = the base moves, too, "
        "and only the vector from it to the rover is precise",
    )
    profile: str = one_of("balanced", PROFILES, "how certain a fix must be")
    ar: str = one_of("continuous", AR_MODES, "integer ambiguity resolution")
    direction: str = one_of(
        "forward",
        DIRECTIONS,
        "way in time through a recording; combined = each way checked by the other; a live engine "
        "always goes forward",
    )
    static_start_s: float = limited(
        0.0, 0.0, 86400.0, "at the start the antenna stands still for so long (mode kinematic)"
    )
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
        _check_selection(self.selection)
        _check_offsets(self.antenna)

    @property
    def certainty(self) -> Certainty:
        """How much certainty a fix needs: the profile, but for what the section says itself."""
        own = self.ambiguity
        given = {"failure_rate": own.failure_rate, "probability_min": own.probability_min}
        return PROFILES[self.profile]._replace(**{k: v for k, v in given.items() if v is not None})

    @classmethod
    def from_toml(cls, text: str, **top_level: Any) -> RtkConfig:
        """From TOML text; unknown keys are errors; keywords override its top level.

        Parameters
        ----------
        text : str
            TOML text.
        **top_level : Any
            Values of the top level that override those of the text.

        Returns
        -------
        RtkConfig
            The checked configuration.
        """
        check_type(text, str, "the text of a configuration", ConfigError)
        try:
            values = parse_toml(text)
        except ValueError as error:
            raise ConfigError(f"configuration is not valid TOML: {error}.") from None
        return cls.from_dict(values | top_level)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RtkConfig:
        """Configuration from nested dictionaries; unknown keys are errors.

        Parameters
        ----------
        values : dict[str, Any]
            Values by name, sections as dictionaries.

        Returns
        -------
        RtkConfig
            The checked configuration.
        """
        check_type(values, dict, "a configuration", ConfigError)
        built: RtkConfig = section_from(cls, values)
        return built


def _check_selection(selection: Selection) -> None:
    """Raise ConfigError unless the texts, lists and tables of the selection are such."""
    unknown = sorted(set(selection.systems.upper()) - set(SYSTEM_LETTERS))
    if unknown or not selection.systems:
        raise ConfigError(
            f"selection.systems must be letters of {SYSTEM_LETTERS}; "
            f"got {quoted(selection.systems)}."
        )
    check_type(selection.exclude, (tuple, list), "selection.exclude", ConfigError)
    check_sequence(selection.exclude, str, "selection.exclude", ConfigError)
    check_type(selection.bands, dict, "selection.bands", ConfigError)
    for letter, digits in selection.bands.items():
        is_text = str(digits).isdecimal() and len(str(digits)) <= 3 and digits == str(digits)
        if letter not in list(SYSTEM_LETTERS) or not is_text:
            raise ConfigError(
                "selection.bands must map a system letter to one to three band digits, "
                f'like {{C = "26"}}; got {letter} = {quoted(digits)}.'
            )


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

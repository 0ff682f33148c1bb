"""What the user asked `solve` for, and the configuration that follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rtkpos.errors import ConfigError, quoted
from rtkpos.io.text.toml_file import read_toml
from rtkpos.records.config import RtkConfig

SUFFIX_FORMAT = {
    ".nmea": "nmea",
    ".csv": "csv",
    ".geojson": "geojson",
    ".json": "geojson",
    ".kml": "kml",
}


@dataclass(frozen=True, kw_only=True)
class SolveRequest:
    """Options of `rtkpos solve` as given; None where not given.

    options : value by path in the configuration, like "selection.systems"
    stations : list of stations with their coordinates
    base_xyz : X Y Z [m]      base_llh : latitude, longitude [deg], ellipsoidal height [m]
    base_position : "header" or "single"      truth : "X Y Z" or the name of a file
    """

    rover: tuple[Path, ...]
    base: tuple[Path, ...] = ()
    nav: tuple[Path, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    config: Path | None = None
    stations: Path | None = None
    base_xyz: tuple[float, float, float] | None = None
    base_llh: tuple[float, float, float] | None = None
    base_position: str | None = None
    output: Path | None = None
    format: str | None = None
    week_and_tow: bool = False
    with_velocity: bool = False
    summary: Path | None = None
    truth: str | None = None
    strict: bool = False
    quiet: bool = False

    @property
    def result_format(self) -> str:
        """Format as asked for, else by the ending of the output file, else pos."""
        if self.format:
            return self.format
        return SUFFIX_FORMAT.get(self.output.suffix.lower(), "pos") if self.output else "pos"


def build_config(request: SolveRequest) -> RtkConfig:
    """Configuration of a run: defaults, then the TOML file, then the options.

    Without a base the mode is "single" unless it was named; a named mode that needs a base and has
    none raises ConfigError, as do unknown keys and values out of range.
    """
    values = config_values_of(request)
    if not request.base and request.stations is None:
        if values.setdefault("mode", "single") != "single":
            raise ConfigError(
                f"mode {values['mode']} needs a base; add --base or use --mode single."
            )
    return RtkConfig.from_dict(values)


def config_values_of(request: SolveRequest) -> dict[str, Any]:
    """The values that the TOML file and the options give, in nested dictionaries."""
    values = toml_of(request.config)
    values.pop("network", None)  # of the stations, see `network_run.network_config`
    for path, value in request.options.items():
        _set(values, path.split("."), parse_bands(value) if path.endswith(".bands") else value)
    return values


def parse_bands(text: str) -> dict[str, str]:
    """Band digits by system letter from "C26,G12"; ConfigError for anything else."""
    bands: dict[str, str] = {}
    for word in text.replace(",", " ").split():
        letter, digits = word[:1].upper(), word[1:]
        if not letter.isalpha() or not digits.isdecimal() or letter in bands:
            raise ConfigError(
                f'--bands takes each system letter once with its band digits, like "C26,G12"; '
                f"got {quoted(text)}."
            )
        bands[letter] = digits
    return bands


def toml_of(path: Path | None) -> dict[str, Any]:
    """Contents of the configuration file; empty without one."""
    if path is None:
        return {}
    return read_toml(path, kind="configuration", wrong=ConfigError)


def _set(values: dict[str, Any], path: list[str], value: Any) -> None:
    """Put a value into nested dictionaries."""
    for key in path[:-1]:
        inner = values.setdefault(key, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"configuration key {key} must be a section; got {quoted(inner)}.")
        values = inner
    values[path[-1]] = value

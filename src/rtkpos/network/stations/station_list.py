"""The list of stations of a network: what a TOML or CSV file says, and what headers add."""

from __future__ import annotations

import dataclasses
import glob
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.core.station.earth import is_on_earth
from rtkpos.errors import ConfigError, DataError, InputError, quoted
from rtkpos.io.text.toml_file import read_toml
from rtkpos.network.graph.network_graph import GraphLimits
from rtkpos.network.stations.station_headers import HeaderFacts, header_facts
from rtkpos.network.stations.station_table import table_rows
from rtkpos.physics.coordinates import point_from_degrees

KEYS = ("name", "files", "xyz", "llh", "frame", "epoch", "antenna", "interval_s")
LIMIT_KEYS = ("edge_max_km", "angle_min_deg", "twin_max_m")
_EPOCH_DIFFERS_YEAR = 0.01  # 0.5 mm of the fastest plate
_HEADER_DIFFERS_M = 100.0


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkStation:
    """A reference station: where it is, and its recordings.

    Parameters
    ----------
    name : str
        Name, each once in a list.
    ecef_m : ndarray of float64
        (3,) coordinates of the marker [m].
    frame : str, optional
        Reference frame of the coordinates, "" where it is not stated.
    epoch_year : float, optional
        Their epoch in decimal years, NaN where it is not stated.
    files : tuple of Path, optional
        Consecutive observation files.
    antenna : str, optional
        "TYPE RADOME" that overrides the header's, "" = the header's.
    interval_s : float, optional
        Between epochs [s], NaN where it is not known.
    from_header : bool, optional
        The coordinates are the header's, which may be rounded or approximate.
    """

    name: str
    ecef_m: FloatArray
    frame: str = ""
    epoch_year: float = math.nan
    files: tuple[Path, ...] = ()
    antenna: str = ""
    interval_s: float = math.nan
    from_header: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class StationList:
    """All stations of a network, in the order of the list; one frame, one epoch.

    Parameters
    ----------
    source : str
        File of the list.
    stations : tuple of NetworkStation
        The stations.
    limits : GraphLimits, optional
        Limits of the graph, as the list sets them.
    notes : tuple of str, optional
        Sentences for the user about what was taken from headers or does not fit.
    """

    source: str
    stations: tuple[NetworkStation, ...]
    limits: GraphLimits = field(default_factory=GraphLimits)
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names (n,)."""
        return tuple(station.name for station in self.stations)

    @property
    def ecef_m(self) -> FloatArray:
        """Coordinates (n, 3) [m]."""
        return np.array([station.ecef_m for station in self.stations]).reshape(-1, 3)

    @property
    def frame(self) -> str:
        """The frame of all coordinates, "" = not stated."""
        return next((one.frame for one in self.stations if one.frame), "")

    @property
    def epoch_year(self) -> float:
        """The epoch of all coordinates in decimal years, NaN = not stated."""
        years = (one.epoch_year for one in self.stations)
        return next((year for year in years if not math.isnan(year)), math.nan)


class _ValueError(Exception):
    """A value that cannot be used; the sentence lacks file and station."""


def read_stations(path: Path) -> StationList:
    """The stations of a list; file names in it are relative to its folder.

    coordinates, the interval; `notes` say so. InputError in one sentence with file, station, key
    and value for whatever is wrong, and where stations state different frames or epochs.

    Parameters
    ----------
    path : Path
        TOML with [[station]] tables (and [defaults], [network]), or a table of text with a line of
        column names.

    Returns
    -------
    StationList
        The stations.
    """
    is_toml = path.suffix.lower() == ".toml"
    limits, rows, notes = _from_toml(path) if is_toml else _from_table(path)
    root = path.resolve().parent
    stations: list[NetworkStation] = []
    for number, (where, values) in enumerate(rows, 1):
        called = f" ({values['name']})" if isinstance(values.get("name"), str) else ""
        try:
            stations.append(_station(values, root, notes))
        except (_ValueError, DataError) as error:
            raise InputError(f"{path}: {where or f'station {number}'}{called}: {error}") from None
    _check_names(stations, path)
    _check_frames(stations, path)
    notes += _unlike(stations)
    return StationList(
        source=str(path), stations=tuple(stations), limits=limits, notes=tuple(notes)
    )


_Rows = list[tuple[str, dict[str, Any]]]


def _from_table(path: Path) -> tuple[GraphLimits, _Rows, list[str]]:
    """The usual limits and the lines of a table, with a note about columns nobody reads."""
    rows, ignored = table_rows(path)
    notes = [f"{path} has columns that mean nothing here: {_some(ignored)}."] if ignored else []
    return GraphLimits(), rows, notes


def _from_toml(path: Path) -> tuple[GraphLimits, _Rows, list[str]]:
    """Limits of the graph and the tables of stations with the defaults filled in; no notes."""
    content = read_toml(path)
    unknown = sorted(set(content) - {"defaults", "network", "station"})
    if unknown:
        raise InputError(
            f"{path}: unknown key {quoted(unknown[0])}; known are [defaults], "
            "[network], [[station]]."
        )
    tables, defaults = content.get("station", []), content.get("defaults", {})
    if not isinstance(tables, list) or not tables or not isinstance(defaults, dict):
        raise InputError(f"{path}: no [[station]] table; wanted one for each station.")
    rows: _Rows = []
    for number, table in enumerate(tables, 1):
        if not isinstance(table, dict):
            raise InputError(
                f"{path}: station {number} must be a [[station]]; got {quoted(table)}."
            )
        rows.append(("", defaults | table))
    return _limits(content.get("network", {}), path), rows, []


def _limits(values: Any, path: Path) -> GraphLimits:
    """The section [network]."""
    if not isinstance(values, dict):
        raise InputError(f"{path}: network must be a section of keys; got {quoted(values)}.")
    for key, value in values.items():
        if key not in LIMIT_KEYS:
            raise InputError(
                f"{path}: unknown key network.{quoted(key)[1:-1]}; "
                f"known are {', '.join(LIMIT_KEYS)}."
            )
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{path}: network.{key} must be a number; got {quoted(value)}.")
    try:
        return limits_of(**values)
    except ConfigError as error:
        raise InputError(f"{path}: {error}") from None


def limits_of(
    edge_max_km: float | None = None,
    angle_min_deg: float | None = None,
    twin_max_m: float | None = None,
    base: GraphLimits | None = None,
) -> GraphLimits:
    """Limits of the graph from the units of people; None keeps those of `base`."""
    given = {
        "edge_max_m": None if edge_max_km is None else edge_max_km * 1e3,
        "angle_min_deg": angle_min_deg,
        "twin_max_m": twin_max_m,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    return dataclasses.replace(base or GraphLimits(), **changes)


def _station(values: Mapping[str, Any], root: Path, notes: list[str]) -> NetworkStation:
    """One station from its keys and, for what they leave out, its first header."""
    for key, value in values.items():
        if key not in KEYS:
            raise _ValueError(
                f"unknown key {quoted(key)[1:-1]} = {quoted(value)}; known are {', '.join(KEYS)}."
            )
    files = _files(values.get("files", []), root)
    place = _place(values)
    facts = header_facts(files[0]) if files else HeaderFacts()
    name = _text(values, "name") or facts.marker
    if not name:
        raise _ValueError("the name is missing and no header gives a MARKER NAME; add name.")
    if place is None:
        place = _place_of_header(facts)
    elif np.linalg.norm(place - facts.ecef_m) > _HEADER_DIFFERS_M:
        apart_km = float(np.linalg.norm(place - facts.ecef_m)) / 1e3
        notes.append(f"{name}: its header places it {apart_km:.1f} km from its coordinates.")
    return NetworkStation(
        name=name,
        ecef_m=place,
        frame=_text(values, "frame"),
        epoch_year=_number(values, "epoch", 1900.0, 2200.0),
        files=files,
        antenna=_text(values, "antenna"),
        interval_s=_interval(values, facts),
        from_header="xyz" not in values and "llh" not in values,
    )


def _place(values: Mapping[str, Any]) -> FloatArray | None:
    """ECEF (3,) [m] of xyz or llh, None without them."""
    if "xyz" in values and "llh" in values:
        raise _ValueError("xyz and llh are both given; leave one of them out.")
    if "xyz" in values:
        place = np.array(_three(values["xyz"], "xyz"))
        if not is_on_earth(place):
            raise _ValueError(
                f"xyz = {quoted(values['xyz'])} is not near the surface of the earth; wanted "
                "ECEF metres, use llh for latitude, longitude [deg] and ellipsoidal height [m]."
            )
        return place
    if "llh" not in values:
        return None
    lat, lon, height = _three(values["llh"], "llh")
    if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 360.0 and -1000.0 <= height <= 20_000.0):
        raise _ValueError(
            f"llh = {quoted(values['llh'])} is out of range; wanted latitude -90..90, "
            "longitude -180..360 in degrees and the ellipsoidal height in metres."
        )
    return point_from_degrees(lat, lon, height)


def _place_of_header(facts: HeaderFacts) -> FloatArray:
    """Coordinates from a header."""
    if not is_on_earth(facts.ecef_m):
        raise _ValueError(
            "no coordinates are given and no header of its files states a usable APPROX POSITION "
            "XYZ; add xyz or llh."
        )
    return facts.ecef_m


def _interval(values: Mapping[str, Any], facts: HeaderFacts) -> float:
    """Seconds between epochs: as listed, else as the header says."""
    listed_s = _number(values, "interval_s", 0.01, 3600.0)
    return facts.interval_s if math.isnan(listed_s) else listed_s


def _files(given: Any, root: Path) -> tuple[Path, ...]:
    """The files of a name, a pattern or a list of them; a pattern gives what it finds, sorted."""
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise _ValueError(f"files must be a file name or a list of them; got {quoted(given)}.")
    return tuple(path for name in names for path in _found(name, root))


def _found(name: str, root: Path) -> Iterable[Path]:
    """Files of one name or pattern; at least one."""
    if not glob.has_magic(name):
        if not os.path.exists(root / name):
            raise _ValueError(f"files: there is no {root / name}.")
        return [root / name]
    paths = [root / hit for hit in sorted(glob.glob(name, root_dir=root, recursive=True))]
    paths = [path for path in paths if not path.is_dir()]
    if not paths:
        raise _ValueError(f"files = {quoted(name)} finds no file in {root}.")
    return paths


def _text(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key, "")
    if not isinstance(value, str):
        raise _ValueError(f"{key} must be text; got {quoted(value)}.")
    return value.strip()


def _number(values: Mapping[str, Any], key: str, low: float, high: float) -> float:
    """A number between limits, NaN when it is not given."""
    if key not in values:
        return math.nan
    value = values[key]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:
        raise _ValueError(f"{key} must lie between {low:g} and {high:g}; got {quoted(value)}.")
    return float(value)


def _three(value: Any, key: str) -> list[float]:
    numbers = value if isinstance(value, list) else []
    is_fine = len(numbers) == 3 and all(
        isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one)
        for one in numbers
    )
    if not is_fine:
        raise _ValueError(f"{key} must be three numbers; got {quoted(value)}.")
    return [float(one) for one in numbers]


def _check_names(stations: list[NetworkStation], path: Path) -> None:
    """Each name once: results and messages go by it."""
    seen: set[str] = set()
    for station in stations:
        if station.name in seen:
            raise InputError(
                f"{path}: station {station.name} is listed twice; put all its files into one entry."
            )
        seen.add(station.name)


def _check_frames(stations: list[NetworkStation], path: Path) -> None:
    """One frame and one epoch: coordinates of several cannot be subtracted."""
    stated = [one for one in stations if one.frame]
    for station in stated:
        first = stated[0]
        if station.frame != first.frame or _epochs_differ(station, first):
            raise InputError(
                f"{path}: {first.name} is given in {_frame_words(first)} but {station.name} in "
                f"{_frame_words(station)}; transform all coordinates to one frame and epoch."
            )


def _epochs_differ(station: NetworkStation, first: NetworkStation) -> bool:
    one, other = station.epoch_year, first.epoch_year
    return math.isnan(one) != math.isnan(other) or abs(one - other) > _EPOCH_DIFFERS_YEAR


def _frame_words(station: NetworkStation) -> str:
    epoch = station.epoch_year
    return station.frame + ("" if math.isnan(epoch) else f" at epoch {epoch:g}")


def _unlike(stations: list[NetworkStation]) -> list[str]:
    """Notes about stations that do not fit the others."""
    notes = []
    doubtful = [one.name for one in stations if one.from_header]
    if doubtful:
        notes.append(
            f"coordinates of {_some(doubtful)} are those of their headers, which are often rounded "
            "or approximate; centimetres need trusted ones."
        )
    silent = [one.name for one in stations if not one.frame]
    if silent and len(silent) < len(stations):
        notes.append(f"no frame is stated for {_some(silent)}; taken to be that of the others.")
    rates = {one.interval_s for one in stations if not math.isnan(one.interval_s)}
    if len(rates) > 1:
        words = ", ".join(f"{rate:g} s" for rate in sorted(rates))
        notes.append(f"stations record at different intervals ({words}): common epochs are used.")
    return notes


def _some(names: list[str]) -> str:
    """Up to eight names."""
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")

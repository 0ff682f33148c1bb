"""Which files given as --base belong together: one base, or the stations of a network."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.app.solve.request import SolveRequest
from rtkpos.core.station.earth import is_on_earth
from rtkpos.errors import ConfigError, InputError, RinexError
from rtkpos.network.stations.station_headers import header_facts
from rtkpos.network.stations.station_list import NetworkStation, StationList, read_stations
from rtkpos.records.config import RtkConfig

SAME_BASE_M = 10.0


@dataclass(frozen=True, kw_only=True, eq=False)
class BaseGroup:
    """Consecutive files of one base; marker "" and place (3,) NaN [m] where headers are silent."""

    marker: str
    ecef_m: FloatArray
    files: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkPlan:
    """The stations of a run with several bases.

    notes, warnings : sentences for the user      left_out : why files cannot serve, one each
    """

    stations: tuple[NetworkStation, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def plan_network(request: SolveRequest, config: RtkConfig) -> NetworkPlan | None:
    """The stations of a request with several bases or a list; None when there is one base or none.

    Files with the same marker and places within 10 m are consecutive files of one base. ConfigError
    for options that have no meaning with several bases, InputError for a base without coordinates.
    """
    if config.mode == "single" or (request.stations is None and len(request.base) < 2):
        return None
    groups, left_out = group_bases(request.base)
    if request.stations is None and len(groups) < 2:
        return None
    _refuse(request, config)
    if request.stations is None:
        stations = _from_headers(groups)
        told = _header_warning(tuple(one.name for one in stations))
        return NetworkPlan(stations=stations, warnings=(told,), left_out=left_out)
    listed = read_stations(request.stations)
    stations, notes = with_files(listed) if not groups else (_matched(groups, listed), ())
    return NetworkPlan(stations=stations, notes=(*listed.notes, *notes), left_out=left_out)


def group_bases(paths: Sequence[Path]) -> tuple[list[BaseGroup], tuple[str, ...]]:
    """The bases of files in the order given, and a sentence about each file without a header.

    FileError for a file that is missing.
    """
    groups: list[BaseGroup] = []
    broken = []
    for path in paths:
        try:
            facts = header_facts(path)
        except RinexError as error:
            broken.append(f"left out: {error}")
            continue
        one = BaseGroup(marker=facts.marker, ecef_m=facts.ecef_m, files=(path,))
        same = next((k for k, other in enumerate(groups) if _is_same(one, other)), None)
        if same is None:
            groups.append(one)
        else:
            files = (*groups[same].files, path)
            groups[same] = dataclasses.replace(groups[same], files=files)
    return groups, tuple(broken)


def _is_same(one: BaseGroup, other: BaseGroup) -> bool:
    """Whether two headers are those of one base; a place that is not stated contradicts nothing."""
    if one.marker != other.marker:
        return False
    if not (is_on_earth(one.ecef_m) and is_on_earth(other.ecef_m)):
        return True
    return bool(np.linalg.norm(one.ecef_m - other.ecef_m) <= SAME_BASE_M)


def _refuse(request: SolveRequest, config: RtkConfig) -> None:
    """ConfigError for what a network of bases cannot do."""
    from rtkpos.network.rover_solution import NETWORK_MODES

    if config.mode not in NETWORK_MODES:
        raise ConfigError(
            f"mode {config.mode} takes one base, but several are given; "
            f"give one, or use mode {', '.join(NETWORK_MODES[:-1])} or {NETWORK_MODES[-1]}."
        )
    options = {
        "--base-xyz": request.base_xyz,
        "--base-llh": request.base_llh,
        "--base-position": request.base_position,
        "--base-antenna": config.antenna.base,
    }
    named = [name for name, value in options.items() if value]
    if named:
        raise ConfigError(
            f"{named[0]} is of one base, but several are given; put coordinates and antennas of "
            "all into a list and give it with --stations LIST."
        )


def _from_headers(groups: Sequence[BaseGroup]) -> tuple[NetworkStation, ...]:
    """Stations with the coordinates of their headers; InputError where one states none."""
    for group in groups:
        if not is_on_earth(group.ecef_m):
            raise InputError(
                f"{group.files[0]} states no usable APPROX POSITION XYZ; give the coordinates of "
                "all bases in a list with --stations LIST."
            )
    names = _names(groups)
    return tuple(
        NetworkStation(name=name, ecef_m=group.ecef_m, files=group.files, from_header=True)
        for name, group in zip(names, groups, strict=True)
    )


def _header_warning(names: tuple[str, ...]) -> str:
    """That coordinates of headers are not to be trusted."""
    return (
        f"base coordinates of {_some(names)} are those of the headers, which are often "
        "approximate; centimetres need trusted ones: --stations LIST."
    )


def _names(groups: Sequence[BaseGroup]) -> list[str]:
    """A name for each base, each once: its marker, else its file, else with a number."""
    markers = [group.marker for group in groups]
    names: list[str] = []
    for group in groups:
        is_good = group.marker and markers.count(group.marker) == 1
        name = group.marker if is_good else group.files[0].name.split(".")[0]
        names.append(name if name not in names else f"{name}-{len(names) + 1}")
    return names


def _matched(groups: Sequence[BaseGroup], listed: StationList) -> tuple[NetworkStation, ...]:
    """The listed station of each base, by file or marker; InputError for a base not listed."""
    stations: dict[str, NetworkStation] = {}
    for group in groups:
        entry = next((one for one in listed.stations if _is_of(group, one)), None)
        if entry is None:
            raise InputError(
                f"{group.files[0]} (marker {group.marker or 'not named'}) is no station of "
                f"{listed.source}; listed are {_some(listed.names)}."
            )
        files = stations[entry.name].files if entry.name in stations else ()
        stations[entry.name] = dataclasses.replace(entry, files=(*files, *group.files))
    return tuple(stations.values())


def _is_of(group: BaseGroup, station: NetworkStation) -> bool:
    """Whether a base is a listed station: one of its files, or its marker or file name."""
    known = {path.resolve() for path in station.files}
    if known & {path.resolve() for path in group.files}:
        return True
    names = {group.marker.upper(), group.files[0].name.split(".")[0].upper()}
    return station.name.upper() in names


def with_files(listed: StationList) -> tuple[tuple[NetworkStation, ...], tuple[str, ...]]:
    """The listed stations that have files, and a note about those without; InputError for none."""
    usable = tuple(one for one in listed.stations if one.files)
    if not usable:
        raise InputError(
            f"{listed.source} names no observation files; add files to its stations or give them "
            "with --base."
        )
    silent = [one.name for one in listed.stations if not one.files]
    notes = (f"no files are listed for {_some(silent)}: not used.",) if silent else ()
    return usable, notes


def _some(names: Iterable[str]) -> str:
    """Up to eight names."""
    known = list(names)
    return ", ".join(known[:8]) + (f" and {len(known) - 8} more" if len(known) > 8 else "")

"""Recordings made ready: files found and unpacked, tables read, coordinates known."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.accuracy.row import Row
from rtkpos.errors import DatasetError
from rtkpos.io.datasets.catalogue import dataset, find_file
from rtkpos.io.datasets.folders import dataset_dir
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.io.solutions.nmea import parse_nmea
from rtkpos.io.solutions.reference_track import Truth
from rtkpos.io.text.decompress import read_content, read_text
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.observations import ObsTable

NS = 1_000_000_000
NMEA_FIXED = 4


@dataclass(frozen=True, kw_only=True)
class Case:
    """A row with its files as plain RINEX, so that every program reads the same bytes.

    antex : file of antenna calibrations, None without
    span_ns : first and last time that takes part [ns], None for the whole recording
    base_ecef_m : (3,) NaN without a base      truth : point or track, None when a peer gives it
    """

    row: Row
    rover: Path
    base: Path | None
    nav: tuple[Path, ...]
    base_ecef_m: np.ndarray
    truth: Truth | None
    span_ns: tuple[int, int] | None
    antex: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Tables:
    """What one run of a case needs in memory."""

    rover: ObsTable
    base: ObsTable | None
    nav: BroadcastTable


def find(dataset: str, name: str) -> Path:
    """A file of a data set, as published or with .gz; DatasetError when there is none."""
    folder = dataset_dir(dataset)
    path = find_file(folder, name)
    if path is None:
        raise DatasetError(f"a data set lacks {name}.")
    return path


def unpacked(dataset: str, name: str, work: Path) -> Path:
    """Plain RINEX of a file of a data set in the working folder, unpacked once."""
    source = find(dataset, name)
    # RTKLIB goes by the ending: .21d would be unpacked once more.
    target = work / dataset / re.sub(r"(\.\d\d)d$", r"\1o", name)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        is_antex = name.endswith(".atx")
        target.write_bytes(read_text(source) if is_antex else read_content(source))
    return target


def prepare(row: Row, work: Path, quick: bool) -> Case:
    """Find and unpack the files of a row; DatasetError when some are not on this machine."""
    rover = unpacked(row.dataset, row.rover, work)
    base = unpacked(row.dataset, row.base, work) if row.base else None
    nav = tuple(unpacked(row.dataset, name, work) for name in row.nav)
    facts = truth_record(row.dataset)
    stations = facts.get("stations", {})
    base_xyz = stations.get(row.base_station) or facts.get("base_xyz") or [np.nan] * 3
    rover_xyz = stations.get(row.rover_station) or facts.get("rover_xyz")
    span = None
    if quick:
        start = int(read_obs(rover).time_ns[0])
        span = (start, start + row.quick_s * NS)
    return Case(
        row=row,
        rover=rover,
        base=base,
        nav=nav,
        base_ecef_m=np.array(base_xyz, dtype=np.float64),
        truth=_truth(row, rover_xyz if row.vector_m is None else _vector_end(base_xyz, row)),
        span_ns=span,
        antex=unpacked(*row.antex, work) if row.antex else None,
    )


def truth_record(name: str) -> dict[str, Any]:
    """Coordinates of a data set: its truth.json, else what the catalogue says (fetched sets)."""
    path = find_file(dataset_dir(name), "truth.json")
    if path is None:
        return dataset(name).truth or {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _vector_end(base_xyz: list[float], row: Row) -> list[float]:
    """The rover where the vector of the row ends."""
    return [a + b for a, b in zip(base_xyz, row.vector_m or (0.0, 0.0, 0.0), strict=True)]


def _truth(row: Row, rover_xyz: list[float] | None) -> Truth | None:
    """The point or the fixed part of the NMEA track of a row; None when a peer must make it."""
    if row.truth == "combined":
        return None
    if row.truth == "point":
        return Truth(ecef_m=np.array(rover_xyz, dtype=np.float64))
    content = find(row.dataset, row.truth).read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    track = parse_nmea(content.decode("ascii", errors="replace"))
    good = track.quality == NMEA_FIXED
    return Truth(ecef_m=track.ecef_m[good], time_ns=track.time_ns[good])


def read(case: Case) -> Tables:
    """Read the files of a case and cut them to its span."""
    rover, nav = read_obs(case.rover), read_nav(case.nav)
    base = read_obs(case.base) if case.base else None
    if case.span_ns:
        rover = cut(rover, *case.span_ns)
        base = cut(base, *case.span_ns) if base else None
    return Tables(rover=rover, base=base, nav=nav)


def cut(table: ObsTable, start_ns: int, end_ns: int) -> ObsTable:
    """The epochs from `start_ns` to `end_ns`, both included."""
    first, end = np.searchsorted(table.time_ns, [start_ns, end_ns + 1])
    rows = slice(int(table.row_start[first]), int(table.row_start[end]))
    epochs = slice(int(first), int(end))
    by_epoch = {name: getattr(table, name)[epochs] for name in ("time_ns", "event", "rx_clock_s")}
    names = ("sat", "sig", "code_m", "phase_cycle", "doppler_hz", "cn0_dbhz", "lli")
    by_row: dict[str, Any] = {name: getattr(table, name)[rows] for name in names}
    start = table.row_start[first : end + 1] - table.row_start[first]
    parts = {name: np.ascontiguousarray(value) for name, value in (by_epoch | by_row).items()}
    return replace(table, row_start=np.ascontiguousarray(start), **parts)

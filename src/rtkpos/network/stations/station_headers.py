"""What the header of a station's first file says, without reading the file."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.errors import RinexError
from rtkpos.io.rinex.header import ObsHeader, read_header
from rtkpos.io.text.decompress import read_content, text_head


@dataclass(frozen=True, kw_only=True, eq=False)
class HeaderFacts:
    """Facts of a header; "" and NaN where it is silent.

    ecef_m : (3,) APPROX POSITION XYZ [m]      interval_s : between epochs
    """

    marker: str = ""
    ecef_m: FloatArray = field(default_factory=lambda: np.full(3, np.nan))
    interval_s: float = math.nan


def header_facts(path: Path) -> HeaderFacts:
    """Facts of the header of an observation file; FileError or RinexError when it is none."""
    header = _header(path)
    station = header.as_station()
    return HeaderFacts(
        marker=station.marker.split()[0] if station.marker else "",
        ecef_m=station.approx_ecef_m,
        interval_s=header.interval_s,
    )


def _header(path: Path) -> ObsHeader:
    """The header from the beginning of a file; from all of it where it is longer than usual."""
    try:
        return read_header(text_head(path), str(path))[0]
    except RinexError:
        return read_header(read_content(path), str(path))[0]

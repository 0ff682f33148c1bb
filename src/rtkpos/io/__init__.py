"""Readers and writers: file or frame to record and back, one file per format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtkpos._lazy import public_words

if TYPE_CHECKING:
    from rtkpos.io.products.antex import read_antex
    from rtkpos.io.products.sp3 import read_sp3
    from rtkpos.io.rinex.read_navigation import read_nav
    from rtkpos.io.rinex.read_observations import read_obs
    from rtkpos.io.solutions.csv_table import format_csv
    from rtkpos.io.solutions.geojson import format_geojson
    from rtkpos.io.solutions.kml import format_kml
    from rtkpos.io.solutions.nmea import format_nmea
    from rtkpos.io.solutions.pos import PosTable, format_pos, read_pos
    from rtkpos.io.xarray_bridge import from_xarray, to_xarray

_PLACES = {
    "products.antex": ("read_antex",),
    "products.sp3": ("read_sp3",),
    "rinex.read_navigation": ("read_nav",),
    "rinex.read_observations": ("read_obs",),
    "solutions.csv_table": ("format_csv",),
    "solutions.geojson": ("format_geojson",),
    "solutions.kml": ("format_kml",),
    "solutions.nmea": ("format_nmea",),
    "solutions.pos": (
        "PosTable",
        "format_pos",
        "read_pos",
    ),
    "xarray_bridge": (
        "from_xarray",
        "to_xarray",
    ),
}
__getattr__, __dir__ = public_words(__name__, _PLACES)

__all__ = [
    "PosTable",
    "format_csv",
    "format_geojson",
    "format_kml",
    "format_nmea",
    "format_pos",
    "from_xarray",
    "read_antex",
    "read_nav",
    "read_obs",
    "read_pos",
    "read_sp3",
    "to_xarray",
]

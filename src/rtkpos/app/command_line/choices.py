"""Words that options of the command line choose from."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """What kind of position is wanted."""

    single = "single"
    dgnss = "dgnss"
    kinematic = "kinematic"
    static = "static"
    moving_base = "moving_base"


class Ar(StrEnum):
    """How integer ambiguities are treated."""

    instantaneous = "instantaneous"
    continuous = "continuous"
    hold = "hold"
    off = "off"


class Direction(StrEnum):
    """Which way in time a recording is run through."""

    forward = "forward"
    backward = "backward"
    combined = "combined"


class BaseFrom(StrEnum):
    """Where the base coordinates come from when no option gives them."""

    header = "header"
    single = "single"


class PointOf(StrEnum):
    """Which point the coordinates of rover and base are those of."""

    marker = "marker"
    antenna = "antenna"


class Format(StrEnum):
    """Kind of the result file."""

    pos = "pos"
    nmea = "nmea"
    csv = "csv"
    geojson = "geojson"
    kml = "kml"


class Profile(StrEnum):
    """How much certainty a fix needs."""

    safe = "safe"
    balanced = "balanced"
    available = "available"


class Rinex(StrEnum):
    """Version of a written observation file."""

    v3 = "3.04"
    v4 = "4.00"


class Cpu(StrEnum):
    """What processor kernels are compiled for."""

    host = "host"
    generic = "generic"

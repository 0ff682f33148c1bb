"""Solutions as KML 2.2: a track line and one point per epoch, coloured by status."""

from __future__ import annotations

import math
from xml.sax.saxutils import escape

import numpy as np

from rtkpos.gnss.time import gpst_minus_utc_s, iso_gpst
from rtkpos.records.solution import Solution
from rtkpos.records.status import FixStatus

# aabbggrr: the colours RTKLIB's plots have taught people to read.
STATUS_COLOUR = {
    FixStatus.FIXED: "ff00b000",
    FixStatus.FLOAT: "ff00a5ff",
    FixStatus.DGNSS: "ffff6000",
    FixStatus.SPP: "ff0000ff",
}
_STYLE = (
    '<Style id="{name}"><IconStyle><color>{colour}</color><scale>0.4</scale><Icon>'
    "<href>http://maps.google.com/mapfiles/kml/shapes/shaded_dot.png</href></Icon></IconStyle>"
    "<LabelStyle><scale>0</scale></LabelStyle></Style>"
)


def format_kml(solution: Solution, name: str = "rtkpos") -> str:
    """Text of a KML document; coordinates lon,lat,height (ellipsoidal, clamped to the ground).

    Epochs without a position are left out. Time stamps are UTC, as KML demands.

    Parameters
    ----------
    solution : Solution
        The result of a run.
    name : str, optional
        Name of the document.

    Returns
    -------
    str
        The text.
    """
    llh = solution.llh()
    rows = np.flatnonzero(np.isfinite(llh[:, 0]))
    places = {int(k): _coordinates(llh[k]) for k in rows}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>',
        f"<name>{escape(name)}</name>",
        *_description(solution),
        '<Style id="track"><LineStyle><color>ffffffff</color></LineStyle></Style>',
    ]
    lines += [_STYLE.format(name=s.name, colour=colour) for s, colour in STATUS_COLOUR.items()]
    lines.append("<Placemark><name>track</name><styleUrl>#track</styleUrl><LineString>")
    lines.append(f"<coordinates>{' '.join(places.values())}</coordinates></LineString></Placemark>")
    lines.append("<Folder><name>epochs</name>")
    lines += [_placemark(solution, k, place) for k, place in places.items()]
    lines.append("</Folder></Document></kml>")
    return "\n".join(lines) + "\n"


def _description(solution: Solution) -> list[str]:
    """Where the result comes from, where that is known."""
    text = escape("\n".join(solution.history.lines()))
    return [f"<description>{text}</description>"] if text else []


def _coordinates(llh: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    """Longitude, latitude [deg], height [m] as KML writes a point."""
    return f"{math.degrees(llh[1]):.9f},{math.degrees(llh[0]):.9f},{llh[2]:.4f}"


def _placemark(solution: Solution, k: int, place: str) -> str:
    """One epoch."""
    time_ns = int(solution.time_ns[k])
    utc = iso_gpst(time_ns - gpst_minus_utc_s(time_ns) * 1_000_000_000).replace(" ", "T") + "Z"
    status = FixStatus(int(solution.status[k])).name
    return (
        f"<Placemark><name>{iso_gpst(time_ns)} {status}</name><styleUrl>#{status}</styleUrl>"
        f"<TimeStamp><when>{utc}</when></TimeStamp>"
        f"<Point><coordinates>{place}</coordinates></Point></Placemark>"
    )

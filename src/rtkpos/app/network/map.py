"""A network as a map: GeoJSON for map programs, or a picture."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray
from rtkpos.app.network.facts import baseline_facts
from rtkpos.errors import ConfigError
from rtkpos.network.graph.graph import MEAN_RADIUS_M
from rtkpos.network.graph.network_graph import NetworkGraph
from rtkpos.physics.coordinates import degrees_from_ecef

_MOST_LABELS = 60
_COLOURS = 10  # of matplotlib's usual cycle


def network_geojson(graph: NetworkGraph) -> str:
    """Text of a FeatureCollection (RFC 7946): stations, baselines, triangles.

    Degrees and ellipsoidal metres. What crosses the antimeridian goes on beyond 180 degrees.
    """
    llh = degrees_from_ecef(graph.ecef_m)
    features = [
        _feature("Point", [_place(llh[k])], {"kind": "station", "name": name})
        for k, name in enumerate(graph.names)
    ]
    for pair, facts in zip(graph.edges, baseline_facts(graph), strict=True):
        line = [_place(point) for point in _unwrapped(llh[pair])]
        features.append(_feature("LineString", line, {"kind": "baseline", **facts}))
    for corners in graph.triangles:
        ring = [_place(point) for point in _unwrapped(llh[[*corners, corners[0]]])]
        names = [graph.names[k] for k in corners]
        features.append(_feature("Polygon", ring, {"kind": "triangle", "corners": names}))
    body = ",\n".join(json.dumps(feature, allow_nan=False) for feature in features)
    return f'{{"type": "FeatureCollection", "features": [\n{body}\n]}}\n'


def _feature(kind: str, points: list[list[float]], properties: dict[str, Any]) -> dict[str, Any]:
    """One feature of a point, a line or a ring."""
    places: Any = {"Point": points[0], "LineString": points, "Polygon": [points]}[kind]
    geometry = {"type": kind, "coordinates": places}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _place(llh: FloatArray) -> list[float]:
    """Longitude, latitude [deg], height [m]."""
    return [round(float(llh[1]), 9), round(float(llh[0]), 9), round(float(llh[2]), 3)]


def _unwrapped(llh: FloatArray) -> FloatArray:
    """Points (k, 3) whose longitudes go on over the antimeridian."""
    out = llh.copy()
    out[:, 1] = np.unwrap(out[:, 1], period=360.0)
    return out


def network_picture(graph: NetworkGraph, cell_of: IndexArray | None = None) -> bytes:
    """A PNG of the network; with cells, each in its colour.

    ConfigError when matplotlib, the extra `plot`, is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError(
            'a picture needs matplotlib; install it with `pip install "rtkpos[plot]"`, or ask for '
            "--geojson."
        ) from None
    figure = Figure(figsize=(9.0, 7.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _draw(axes, graph, cell_of)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=130, metadata={"Software": None})
    return stream.getvalue()


def _draw(axes: Any, graph: NetworkGraph, cell_of: IndexArray | None) -> None:
    """Triangles, baselines and stations on axes."""
    from matplotlib.collections import LineCollection, PolyCollection

    x_km, y_km = _flat_km(graph)
    place = np.stack([x_km, y_km], axis=1)
    if len(graph.triangles) and cell_of is None:
        areas = PolyCollection(list(place[graph.triangles]), facecolors="tab:blue", alpha=0.1)
        axes.add_collection(areas)
    size = float(np.clip(8000.0 / graph.n_station, 3.0, 30.0))
    tree_colour = "tab:blue" if cell_of is None else "0.4"
    for rows, colour, width, words in (
        (graph.edges[~graph.in_tree], "0.65", 0.8, "baseline that closes a loop"),
        (graph.edges[graph.in_tree], tree_colour, 1.6, "baseline of the spanning tree"),
    ):
        if len(rows):
            thin = width if graph.n_station <= 1000 else width / 4
            lines = LineCollection(list(place[rows]), colors=colour, linewidths=thin, label=words)
            axes.add_collection(lines)
    colours = "tab:red" if cell_of is None else [f"C{k}" for k in _cell_colours(graph, cell_of)]
    axes.scatter(x_km, y_km, s=size, c=colours, zorder=3, label="station")
    if graph.n_station <= _MOST_LABELS:
        for k, name in enumerate(graph.names):
            axes.annotate(name, place[k], xytext=(4, 4), textcoords="offset points", fontsize=8)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel("east [km]")
    axes.set_ylabel("north [km]")
    axes.set_title(_title(graph, cell_of))
    axes.legend(loc="best", fontsize=8)


def _title(graph: NetworkGraph, cell_of: IndexArray | None) -> str:
    cells = "" if cell_of is None else f", {int(cell_of.max()) + 1} cells"
    return (
        f"{graph.n_station} stations, {len(graph.edges)} baselines, "
        f"{len(graph.triangles)} triangles{cells}"
    )


def _cell_colours(graph: NetworkGraph, cell_of: IndexArray) -> IndexArray:
    """A colour number for each station; cells that touch have different ones."""
    touching = np.unique(cell_of[graph.edges].reshape(-1, 2), axis=0)
    colour = np.full(int(cell_of.max()) + 1, -1, np.int64)
    for cell in range(len(colour)):
        beside = touching[(touching == cell).any(axis=1)].reshape(-1)
        taken = set(colour[beside].tolist())
        free = [k for k in range(_COLOURS) if k not in taken]
        colour[cell] = free[0] if free else cell % _COLOURS
    return colour[cell_of]


def _flat_km(graph: NetworkGraph) -> tuple[FloatArray, FloatArray]:
    """East and north (n,) [km] around the middle of the network, distances from it kept.

    Azimuthal equidistant on a sphere. Source: Snyder (1987), p. 195.
    """
    middle = graph.unit.mean(axis=0)
    middle = middle / max(float(np.linalg.norm(middle)), 1e-9)
    east = np.cross([0.0, 0.0, 1.0], middle)
    length = float(np.linalg.norm(east))
    east = east / length if length > 1e-9 else np.array([0.0, 1.0, 0.0])
    x, y = graph.unit @ east, graph.unit @ np.cross(middle, east)
    away_km = np.arccos(np.clip(graph.unit @ middle, -1.0, 1.0)) * MEAN_RADIUS_M / 1e3
    stretch = away_km / np.maximum(np.hypot(x, y), 1e-12)
    return x * stretch, y * stretch

"""Stations of a network and what connects them, as a record."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from rtkpos._arrays import BoolArray, FloatArray, IndexArray
from rtkpos.errors import ConfigError
from rtkpos.network.graph import triangulation as tri


@dataclass(frozen=True, kw_only=True)
class GraphLimits:
    """What makes an edge or a triangle of the network.

    Parameters
    ----------
    edge_max_m : float, optional
        Longest baseline [m].
    angle_min_deg : float, optional
        A triangle on the rim of the network with a smaller angle and its longest side outwards
        spans no area to interpolate in, and is dropped [deg].
    twin_max_m : float, optional
        A station nearer than this to another hangs on it by one edge [m].
    """

    edge_max_m: float = 150e3
    angle_min_deg: float = 15.0
    twin_max_m: float = 100.0

    def __post_init__(self) -> None:
        """ConfigError for a limit that makes no sense."""
        allowed = {"edge_max_m": (1.0, 2e7), "angle_min_deg": (0.0, 59.0), "twin_max_m": (1.0, 1e4)}
        for name, (low, high) in allowed.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ConfigError(
                    f"network.{name} must lie between {low:g} and {high:g}; got {value!r}."
                )


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkGraph:
    """Stations of a network and what connects them; made by `build_graph`, never changed.

    Parameters
    ----------
    names : tuple of str
        The n stations.
    ecef_m : ndarray of float64
        (n, 3) coordinates [m].
    limits : GraphLimits
        What it was made with.
    edges : ndarray of int64
        (n_edge, 2) station numbers, the smaller first, rows sorted: the baselines.
    triangles : ndarray of int64
        (m, 3) anticlockwise seen from above, the smallest number first, rows sorted.
    in_tree : ndarray of bool
        (n_edge,) edges of the spanning tree (a forest where the network falls apart).
    component : ndarray of int64
        (n,) number of the connected part a station belongs to, the largest part is 0.
    twin_of : ndarray of int64
        (n,) station it stands beside and hangs on, -1 = none.
    facets : ndarray of int64
        Closed triangulation of the sphere behind it, for changes.
    notes : tuple of str, optional
        Sentences for the user about what is unusual.
    """

    names: tuple[str, ...]
    ecef_m: FloatArray
    limits: GraphLimits
    edges: IndexArray
    triangles: IndexArray
    in_tree: BoolArray
    component: IndexArray
    twin_of: IndexArray
    facets: IndexArray
    notes: tuple[str, ...] = field(default=())

    @property
    def n_station(self) -> int:
        """Number of stations."""
        return len(self.names)

    @cached_property
    def unit(self) -> FloatArray:
        """Directions (n, 3) of the stations from the earth's centre."""
        unit: FloatArray = self.ecef_m / np.linalg.norm(self.ecef_m, axis=1)[:, None]
        return unit

    @cached_property
    def length_m(self) -> FloatArray:
        """Lengths (n_edge,) of the baselines [m]."""
        return lengths_m(self.ecef_m, self.edges)

    @cached_property
    def number(self) -> dict[str, int]:
        """Station numbers by name."""
        return {name: k for k, name in enumerate(self.names)}

    @cached_property
    def edge_number(self) -> dict[tuple[int, int], int]:
        """Edge numbers by their two stations, the smaller first."""
        return {(int(a), int(b)): k for k, (a, b) in enumerate(self.edges)}

    @cached_property
    def _adjacency(self) -> tuple[IndexArray, IndexArray, IndexArray]:
        """Edges at each station: start (n + 1,), then neighbour and edge number by station."""
        ends = np.concatenate([self.edges[:, 0], self.edges[:, 1]])
        others = np.concatenate([self.edges[:, 1], self.edges[:, 0]])
        numbers = np.tile(np.arange(len(self.edges)), 2)
        order = np.lexsort((others, ends))
        start = np.searchsorted(ends[order], np.arange(self.n_station + 1))
        return start, others[order], numbers[order]

    def neighbours(self, station: int) -> IndexArray:
        """Stations that share a baseline with a station, in order.

        Parameters
        ----------
        station : int
            Number of the station.

        Returns
        -------
        ndarray of int64
            Station numbers.
        """
        start, other, _ = self._adjacency
        return other[start[station] : start[station + 1]]

    def edges_at(self, station: int) -> IndexArray:
        """Numbers of the baselines of a station, in the order of `neighbours`.

        Parameters
        ----------
        station : int
            Number of the station.

        Returns
        -------
        ndarray of int64
            Baseline numbers.
        """
        start, _, edge = self._adjacency
        return edge[start[station] : start[station + 1]]

    @cached_property
    def triangle_edges(self) -> IndexArray:
        """Edges (m, 3) of each triangle: from its corner k to the next."""
        low, high = np.minimum(*self._sides), np.maximum(*self._sides)
        key = low * self.n_station + high
        known = self.edges[:, 0] * self.n_station + self.edges[:, 1]
        return np.searchsorted(known, key).astype(np.int64)

    @cached_property
    def triangle_signs(self) -> IndexArray:
        """+1 (m, 3) where an edge runs as its triangle turns, -1 where it runs against it."""
        return np.where(self._sides[0] < self._sides[1], 1, -1).astype(np.int64)

    @property
    def _sides(self) -> tuple[IndexArray, IndexArray]:
        return self.triangles, np.roll(self.triangles, -1, axis=1)

    @cached_property
    def side_normals(self) -> FloatArray:
        """Unit normals (m, 3, 3) of the planes through sides and the earth's centre, inwards."""
        corner = self.unit[self.triangles]
        normal = np.cross(corner, np.roll(corner, -1, axis=1))
        normal /= np.maximum(np.linalg.norm(normal, axis=-1), 1e-300)[..., None]
        return np.ascontiguousarray(normal)

    @cached_property
    def rim(self) -> IndexArray:
        """Edges (k, 2) with a triangle on their left and none on their right: the outline."""
        return tri.rim_of(self.triangles)


def lengths_m(ecef_m: FloatArray, pairs: IndexArray) -> FloatArray:
    """Straight distance [m] between pairs (..., 2) of stations."""
    length: FloatArray = np.linalg.norm(ecef_m[pairs[..., 0]] - ecef_m[pairs[..., 1]], axis=-1)
    return length

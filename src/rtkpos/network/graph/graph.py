"""The graph of a network: stations, baselines between neighbours, triangles, a spanning tree.

Baselines are the edges of the spherical Delaunay triangulation that are short enough; the spanning
tree of least length among them carries the ambiguities, the others close loops. Delaunay edges
contain the Euclidean minimum spanning tree (Shamos & Hoey, 1975).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from rtkpos._arrays import FloatArray, IndexArray
from rtkpos.constants import DEG
from rtkpos.core.station.earth import is_on_earth
from rtkpos.errors import DataError
from rtkpos.network.graph import triangulation as tri
from rtkpos.network.graph.network_graph import GraphLimits, NetworkGraph, lengths_m

MEAN_RADIUS_M = 6_371_000.0  # mean radius, for distances along the surface


def build_graph(
    names: Sequence[str], ecef_m: ArrayLike, limits: GraphLimits | None = None
) -> NetworkGraph:
    """The graph of stations.

    One station gives no edge, two a single one, stations in line a chain. DataError for no
    station, a name that is listed twice, or a coordinate that is not on the earth.

    Parameters
    ----------
    names : sequence of str
        The n different names.
    ecef_m : array_like
        (n, 3) [m]; heights do not matter to the triangulation.
    limits : GraphLimits, optional
        What makes an edge or a triangle.

    Returns
    -------
    NetworkGraph
        The graph.
    """
    limits = limits or GraphLimits()
    ecef = _checked(names, ecef_m)
    unit = ecef / np.linalg.norm(ecef, axis=1)[:, None]
    twin_of = _twins(unit, limits.twin_max_m)
    alone = np.flatnonzero(twin_of < 0)
    facets = tri.triangulate(np.ascontiguousarray(unit[alone]))
    return _graph_of(tuple(names), ecef, twin_of, _numbered(facets, alone), limits)


def add_station(graph: NetworkGraph, name: str, ecef_m: ArrayLike) -> NetworkGraph:
    """The graph with one more station, last in order; only the triangles around it change.

    Parameters
    ----------
    graph : NetworkGraph
        Stations and baselines.
    name : str
        Name of the new station.
    ecef_m : array_like
        (3,) its coordinate [m].

    Returns
    -------
    NetworkGraph
        A new graph.
    """
    names = (*graph.names, name)
    place = np.asarray(ecef_m, np.float64).reshape(-1)
    if place.shape != (3,):
        raise DataError(f"ecef_m of station {name} must have the shape (3,); got {place.shape}.")
    ecef = _checked(names, np.vstack([graph.ecef_m, place]))
    new = graph.n_station
    unit = np.vstack([graph.unit, place / np.linalg.norm(place)])
    near_m = tri.great_circle_m(unit[:new], unit[new], MEAN_RADIUS_M)
    if (graph.twin_of >= 0).any() or near_m.min() < graph.limits.twin_max_m:
        return build_graph(names, ecef, graph.limits)
    facets = tri.insert_point(unit, graph.facets) if len(graph.facets) else None
    if facets is None:
        return build_graph(names, ecef, graph.limits)
    return _graph_of(names, ecef, np.append(graph.twin_of, -1), facets, graph.limits)


def remove_station(graph: NetworkGraph, name: str) -> NetworkGraph:
    """The graph without a station; only the triangles around it change.

    Parameters
    ----------
    graph : NetworkGraph
        Stations and baselines.
    name : str
        Name of the station.

    Returns
    -------
    NetworkGraph
        A new graph.
    """
    if name not in graph.number:
        raise DataError(f"station {name} is not in the network and cannot leave it.")
    gone = graph.number[name]
    names = graph.names[:gone] + graph.names[gone + 1 :]
    ecef = np.delete(graph.ecef_m, gone, axis=0)
    facets = None
    if len(graph.facets) and not (graph.twin_of >= 0).any():
        facets = tri.remove_point(graph.unit, graph.facets, gone)
    if facets is None:
        return build_graph(names, ecef, graph.limits)
    return _graph_of(names, ecef, np.delete(graph.twin_of, gone), facets, graph.limits)


def _checked(names: Sequence[str], ecef_m: ArrayLike) -> FloatArray:
    """Coordinates (n, 3); DataError when names or coordinates cannot be those of a network."""
    ecef = np.ascontiguousarray(ecef_m, np.float64)
    if not len(names):
        raise DataError("the network has no station; list at least one.")
    if ecef.shape != (len(names), 3):
        raise DataError(
            f"ecef_m must have the shape ({len(names)}, 3) for {len(names)} stations; "
            f"got {ecef.shape}."
        )
    if len(set(names)) < len(names):
        twice = next(name for k, name in enumerate(names) if name in names[:k])
        raise DataError(f"station {twice} is listed twice; give each station its own name.")
    for name, place in zip(names, ecef, strict=True):
        if not is_on_earth(place):
            raise DataError(
                f"station {name} at {place[0]:.1f} {place[1]:.1f} {place[2]:.1f} is not near the "
                "surface of the earth; wanted earth-fixed metres."
            )
    return ecef


def _twins(unit: FloatArray, twin_max_m: float) -> IndexArray:
    """The earlier station (n,) a station stands beside, -1 = none."""
    from scipy.spatial import cKDTree

    twin_of = np.full(len(unit), -1, np.int64)
    pairs = cKDTree(unit).query_pairs(twin_max_m / MEAN_RADIUS_M, output_type="ndarray")
    for low, high in sorted((int(min(pair)), int(max(pair))) for pair in pairs):
        if twin_of[low] < 0 and twin_of[high] < 0:
            twin_of[high] = low
    return twin_of


def _numbered(facets: IndexArray, alone: IndexArray) -> IndexArray:
    """Facets over the triangulated stations as facets over all stations."""
    return alone[facets].reshape(-1, 3)


def _graph_of(
    names: tuple[str, ...],
    ecef_m: FloatArray,
    twin_of: IndexArray,
    facets: IndexArray,
    limits: GraphLimits,
) -> NetworkGraph:
    """Everything that follows from a closed triangulation."""
    unit = ecef_m / np.linalg.norm(ecef_m, axis=1)[:, None]
    twin_of = _with_lost_ones(unit, twin_of, facets)
    triangles = tri.canonical(_kept_triangles(unit, ecef_m, facets, limits))
    tree = _spanning_tree(ecef_m, _candidates(facets, twin_of), limits.edge_max_m)
    edges = tri.unique_edges(np.concatenate([tri.directed_edges(triangles), tree]))
    n = len(names)
    in_tree = np.isin(edges[:, 0] * n + edges[:, 1], tree[:, 0] * n + tree[:, 1])
    component = _components(n, tree)
    return NetworkGraph(
        names=names,
        ecef_m=ecef_m,
        limits=limits,
        edges=edges,
        triangles=triangles,
        in_tree=in_tree,
        component=component,
        twin_of=twin_of,
        facets=facets,
        notes=_notes(names, component, twin_of, triangles, limits),
    )


def _with_lost_ones(unit: FloatArray, twin_of: IndexArray, facets: IndexArray) -> IndexArray:
    """Stations the triangulation could not tell from others made twins of the nearest."""
    if not len(facets):
        return twin_of
    lost = np.setdiff1d(np.flatnonzero(twin_of < 0), facets)
    twin_of = twin_of.copy()
    for station in lost:
        near = np.argsort(np.linalg.norm(unit - unit[station], axis=1), kind="stable")
        twin_of[station] = next(k for k in near if k != station and k not in lost)
    return twin_of


def _kept_triangles(
    unit: FloatArray, ecef_m: FloatArray, facets: IndexArray, limits: GraphLimits
) -> IndexArray:
    """Facets that are triangles of the network: local, short-sided, no slivers on the rim."""
    facets = facets[tri.is_local(unit, facets)]
    sides = np.stack([facets, np.roll(facets, -1, axis=1)], axis=-1)
    side_m = lengths_m(ecef_m, sides)
    is_short = side_m.max(axis=1, initial=0.0) <= limits.edge_max_m
    facets, side_m = facets[is_short], side_m[is_short]
    is_sliver = tri.smallest_angles(side_m) < limits.angle_min_deg * DEG
    return facets[tri.peeled(facets, is_sliver, side_m)]


def _candidates(facets: IndexArray, twin_of: IndexArray) -> IndexArray:
    """Edges (k, 2) among which the spanning tree is sought."""
    twins = np.flatnonzero(twin_of >= 0)
    hanging = np.stack([twin_of[twins], twins], axis=1)
    alone = np.flatnonzero(twin_of < 0)
    if not len(facets) and len(alone) == 2:
        hanging = np.concatenate([hanging, alone[None, :]])
    return tri.unique_edges(np.concatenate([tri.directed_edges(facets), hanging]))


def _spanning_tree(ecef_m: FloatArray, edges: IndexArray, edge_max_m: float) -> IndexArray:
    """Edges (k, 2) of the tree (or forest) of least length, none over the limit."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    length_m = lengths_m(ecef_m, edges)
    edges, length_m = edges[length_m <= edge_max_m], length_m[length_m <= edge_max_m]
    cost = length_m + 1e-3  # a length of zero would be no edge to scipy
    n = len(ecef_m)
    tree = minimum_spanning_tree(csr_array((cost, (edges[:, 0], edges[:, 1])), shape=(n, n)))
    return tri.unique_edges(np.stack(tree.nonzero(), axis=1).astype(np.int64))


def _components(n: int, tree: IndexArray) -> IndexArray:
    """Connected part (n,) of each station, numbered by falling size, then by first station."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    links = csr_array((np.ones(len(tree)), (tree[:, 0], tree[:, 1])), shape=(n, n))
    _, label = connected_components(links, directed=False)
    _, first, inverse, count = np.unique(
        label, return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty(len(first), np.int64)
    rank[np.lexsort((first, -count))] = np.arange(len(first))
    return rank[inverse]


def _notes(
    names: tuple[str, ...],
    component: IndexArray,
    twin_of: IndexArray,
    triangles: IndexArray,
    limits: GraphLimits,
) -> tuple[str, ...]:
    """What the user should know about the shape of the network."""
    notes = [
        f"{names[k]} stands beside {names[twin_of[k]]} and hangs on it by one baseline."
        for k in np.flatnonzero(twin_of >= 0)
    ]
    n_part = int(component.max()) + 1
    if n_part > 1:
        outside = [names[k] for k in np.flatnonzero(component > 0)]
        shown = ", ".join(outside[:8]) + (", ..." if len(outside) > 8 else "")
        notes.append(
            f"the network falls into {n_part} parts: no baseline of at most "
            f"{limits.edge_max_m / 1e3:g} km joins {shown} to the largest part."
        )
    if not len(triangles):
        notes.append(
            "the network has no triangle: corrections can be given along baselines only, and "
            "integers cannot be checked by closure."
        )
    return tuple(notes)

"""The Delaunay triangulation of points on the sphere, and how it changes with one point.

A triangulation is closed: it covers the whole sphere, so that a regional network has local
triangles and large ones around the back of the earth. It is the convex hull of the unit vectors,
since a plane through three points of the sphere cuts off the cap inside their circumcircle
(Brown, 1979). Points on one circle have no volume: they are a polygon with two sides.

unit : (n, 3) unit vectors      facets : (m, 3) point numbers, anticlockwise seen from outside
"""

from __future__ import annotations

import numpy as np

from rtkpos._arrays import BoolArray, FloatArray, IndexArray

_FLAT_RAD = 1e-6  # smallest angle of a triangle that has no inside
_FLAT = 1e-13  # height over a plane [earth radii] that is rounding: below a micrometre


def triangulate(unit: FloatArray) -> IndexArray:
    """Facets of the closed triangulation; none for fewer than three points.

    A point that cannot be told from its neighbours' circle is missing from the facets.
    """
    if len(unit) < 3:
        return np.empty((0, 3), np.int64)
    facets = _hull(unit)
    return canonical(_polygon(unit) if facets is None else facets)


def canonical(facets: IndexArray) -> IndexArray:
    """Facets turned so that each starts with its smallest point, rows sorted."""
    turn = np.argmin(facets, axis=1)[:, None] + np.arange(3)
    turned = np.take_along_axis(facets, turn % 3, axis=1)
    return np.ascontiguousarray(turned[np.lexsort(turned.T[::-1])], np.int64)


def _hull(unit: FloatArray) -> IndexArray | None:
    """Facets by Qhull; None when all points lie on one circle."""
    from scipy.spatial import ConvexHull, QhullError

    if len(unit) == 3:
        return None
    # Regional networks are flat disks to Qhull: shifted and scaled it keeps all digits.
    spread = unit - unit.mean(axis=0)
    try:
        hull = ConvexHull(spread / np.abs(spread).max())
    except QhullError:
        return None
    facets: IndexArray = hull.simplices.astype(np.int64)
    inwards = np.einsum("ij,ij->i", _normals(unit, facets), hull.equations[:, :3]) < 0.0
    facets[inwards] = facets[inwards][:, [0, 2, 1]]
    return facets


def _polygon(unit: FloatArray) -> IndexArray:
    """Points on one circle as a polygon with an upper and a lower side, cut into fans."""
    centre = unit.mean(axis=0)
    axes = np.linalg.svd(unit - centre)[2]
    up = axes[2] if axes[2] @ centre >= 0.0 else -axes[2]
    x = (unit - centre) @ axes[0]
    y = (unit - centre) @ np.cross(up, axes[0])
    ring = np.argsort(np.arctan2(y, x), kind="stable")
    fan = np.stack([np.full(len(ring) - 2, ring[0]), ring[1:-1], ring[2:]], axis=1)
    return np.concatenate([fan, fan[:, [0, 2, 1]]])


def _normals(unit: FloatArray, facets: IndexArray) -> FloatArray:
    """Normals (m, 3) of facets, outwards; as long as twice their areas."""
    a, b, c = (unit[facets[:, k]] for k in range(3))
    normal: FloatArray = np.cross(b - a, c - a)
    return normal


def heights_over(unit: FloatArray, facets: IndexArray, point: FloatArray) -> FloatArray:
    """Height (m,) of a point (3,) over the planes of facets: positive inside the circumcircle."""
    normal = _normals(unit, facets)
    length = np.linalg.norm(normal, axis=1)
    height = np.einsum("ij,ij->i", normal, point - unit[facets[:, 0]])
    scaled: FloatArray = np.divide(height, length, out=np.zeros_like(height), where=length > 0.0)
    return scaled


def insert_point(unit: FloatArray, facets: IndexArray) -> IndexArray | None:
    """The triangulation with the last of the points added; None when it must be made again.

    Only the cavity changes, the facets whose circumcircle contains the point: they are replaced by
    a fan from its rim to the point (Bowyer, 1981; Watson, 1981).
    """
    new = len(unit) - 1
    height = heights_over(unit, facets, unit[new])
    is_hit = height > 0.0
    if not is_hit.any() or np.abs(height).min() < _FLAT:
        return None
    rim = rim_of(facets[is_hit])
    fan = np.column_stack([rim, np.full(len(rim), new)])
    return canonical(np.concatenate([facets[~is_hit], fan]))


def remove_point(unit: FloatArray, facets: IndexArray, gone: int) -> IndexArray | None:
    """The triangulation without a point, numbers above it one lower; None: it must be made again.

    unit : (n, 3) with the point. Only the hole changes, the facets around the point: it is filled
    with those facets of the hull of its rim that lie under the point.
    """
    is_hit = (facets == gone).any(axis=1)
    rim = np.unique(facets[is_hit])
    rim = rim[rim != gone]
    patch = _patch(unit, rim, gone) if len(rim) > 2 else None
    n_wanted = is_hit.sum() - 2
    if patch is None or len(patch) != n_wanted or not _same_rim(patch, facets[is_hit], gone):
        return None
    left = np.concatenate([facets[~is_hit], patch])
    return canonical(left - (left > gone))


def _patch(unit: FloatArray, rim: IndexArray, gone: int) -> IndexArray | None:
    """Facets that fill the hole with this rim."""
    if len(rim) == 3:
        both = np.stack([rim, rim[[0, 2, 1]]])
    else:
        hull = _hull(unit[rim])
        if hull is None:
            return None
        both = rim[hull]
    height = heights_over(unit, both, unit[gone])
    return None if np.abs(height).min() < _FLAT else both[height > 0.0]


def rim_of(facets: IndexArray) -> IndexArray:
    """Directed edges (k, 2) around a patch of facets: those without their reverse."""
    edges = directed_edges(facets)
    n = int(facets.max(initial=0)) + 1
    is_lonely = ~np.isin(edges[:, 1] * n + edges[:, 0], edges[:, 0] * n + edges[:, 1])
    return np.ascontiguousarray(edges[is_lonely])


def _same_rim(patch: IndexArray, around: IndexArray, gone: int) -> bool:
    """Whether a patch has the same rim as the facets around a point."""
    wanted = {(int(a), int(b)) for a, b in directed_edges(around) if gone not in (a, b)}
    return {(int(a), int(b)) for a, b in rim_of(patch)} == wanted


def directed_edges(facets: IndexArray) -> IndexArray:
    """Edges (3 m, 2) of facets in their sense of rotation: all first edges, then second, third."""
    return np.concatenate([facets[:, [0, 1]], facets[:, [1, 2]], facets[:, [2, 0]]])


def is_local(unit: FloatArray, facets: IndexArray) -> BoolArray:
    """Whether each facet has an area on the sphere, and a circumcircle below a hemisphere.

    Points in line on the sphere are corners of a triangle that stands upright.
    """
    a, b, c = (unit[facets[:, k]] for k in range(3))
    volume = np.einsum("ij,ij->i", np.cross(b - a, c - a), a)
    side = np.sort([np.linalg.norm(p - q, axis=1) for p, q in ((a, b), (b, c), (c, a))], axis=0)
    result: BoolArray = volume > _FLAT_RAD * side[1] * side[2]
    return result


def smallest_angles(side_m: FloatArray) -> FloatArray:
    """Smallest angle (m,) [rad] of triangles by their sides (m, 3) [m]; 0 where degenerate."""
    side = np.sort(side_m, axis=1)
    below = 2.0 * side[:, 1] * side[:, 2]
    above = side[:, 1] ** 2 + side[:, 2] ** 2 - side[:, 0] ** 2
    cosine = np.divide(above, below, out=np.ones(len(side)), where=below > 0.0)
    angle: FloatArray = np.arccos(np.clip(cosine, -1.0, 1.0))
    return angle


def great_circle_m(unit: FloatArray, other: FloatArray, radius_m: float) -> FloatArray:
    """Distance along the sphere (...) [m] between unit vectors (..., 3)."""
    chord = np.linalg.norm(unit - other, axis=-1)
    distance: FloatArray = 2.0 * radius_m * np.arcsin(np.minimum(chord / 2.0, 1.0))
    return distance


def unique_edges(edges: IndexArray) -> IndexArray:
    """Undirected edges (k, 2), each once: the smaller number first, rows sorted."""
    n = int(edges.max(initial=0)) + 1
    return np.stack(np.divmod(np.unique(_edge_keys(edges.reshape(-1, 2), n)), n), axis=1)


def _edge_keys(edges: IndexArray, n: int) -> IndexArray:
    """One number (k,) for each undirected edge (k, 2) between n points."""
    key: IndexArray = np.minimum(edges[:, 0], edges[:, 1]) * n + np.maximum(
        edges[:, 0], edges[:, 1]
    )
    return key


def peeled(facets: IndexArray, is_bad: BoolArray, side_m: FloatArray) -> BoolArray:
    """Which facets stay (m,) when bad ones are taken off the rim until it shows none.

    side_m : (m, 3) sides from corner k to the next. A bad facet goes when its longest side lies on
    the rim: what it spans is then a strip along the outline. One that a rim will never reach stays,
    for a hole in the network would be worse. The result does not depend on the order.
    """
    keep = np.ones(len(facets), np.bool_)
    longest = np.arange(len(facets)) + side_m.argmax(axis=1) * len(facets)
    side = _edge_numbers(facets)
    while True:
        n_use = np.bincount(side[np.tile(keep, 3)], minlength=len(side))
        go = keep & is_bad & (n_use[side[longest]] == 1)
        if not go.any():
            return keep
        keep &= ~go


def _edge_numbers(facets: IndexArray) -> IndexArray:
    """Number (3 m,) of the undirected edge of each of `directed_edges`."""
    key = _edge_keys(directed_edges(facets), int(facets.max(initial=0)) + 1)
    return np.unique(key, return_inverse=True)[1].reshape(-1).astype(np.int64)

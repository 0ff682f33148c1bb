"""Cells: parts of a network small enough for one task, with a ring of neighbours around each.

Each station belongs to one cell. A cell also sees the stations that share a baseline or a triangle
with its own: the ring. A baseline is computed once, by the lower of the cells of its two stations.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray
from rtkpos.errors import ConfigError
from rtkpos.network.graph.network_graph import NetworkGraph

CELL_SIZE = 40  # stations of a cell without its ring


@dataclass(frozen=True, kw_only=True, eq=False)
class CellPlan:
    """A network cut into cells.

    Parameters
    ----------
    graph : NetworkGraph
        Stations and baselines.
    cell_of : ndarray of int64
        (n,) cell of each station.
    edge_cell : ndarray of int64
        (n_edge,) cell that computes a baseline.
    """

    graph: NetworkGraph
    cell_of: IndexArray
    edge_cell: IndexArray

    @property
    def n_cell(self) -> int:
        """Number of cells."""
        return int(self.cell_of.max()) + 1

    def core(self, cell: int) -> IndexArray:
        """Stations of a cell.

        Parameters
        ----------
        cell : int
            Number of the cell.

        Returns
        -------
        ndarray of int64
            Station numbers.
        """
        return np.flatnonzero(self.cell_of == cell)

    def ring(self, cell: int) -> IndexArray:
        """Stations of other cells that are neighbours of the cell's own.

        Parameters
        ----------
        cell : int
            Number of the cell.

        Returns
        -------
        ndarray of int64
            Station numbers.
        """
        is_own = self.cell_of == cell
        is_near = np.zeros(len(is_own), np.bool_)
        for group in (self.graph.edges, self.graph.triangles):
            is_near[group[is_own[group].any(axis=1)]] = True
        return np.flatnonzero(is_near & ~is_own)

    def edges(self, cell: int) -> IndexArray:
        """Baselines a cell computes.

        Parameters
        ----------
        cell : int
            Number of the cell.

        Returns
        -------
        ndarray of int64
            Baseline numbers.
        """
        return np.flatnonzero(self.edge_cell == cell)

    @cached_property
    def triangle_cell(self) -> IndexArray:
        """Cell (m,) that checks a triangle: the lowest of its corners'."""
        return _lowest(self.cell_of, self.graph.triangles)

    def n_crossing(self) -> int:
        """Baselines between stations of different cells.

        Returns
        -------
        int
            How many there are.
        """
        ends = self.cell_of[self.graph.edges]
        return int((ends[:, 0] != ends[:, 1]).sum())


def plan_cells(graph: NetworkGraph, cell_size: int = CELL_SIZE) -> CellPlan:
    """Cut a network into compact cells of `cell_size` stations or fewer.

    Each connected part is halved across its longer axis until its pieces are small enough: pieces
    then differ by one station at most, and the cut does not depend on the order of the stations.

    Parameters
    ----------
    graph : NetworkGraph
        Stations and baselines.
    cell_size : int, optional
        Most stations of a cell.

    Returns
    -------
    CellPlan
        The cells.
    """
    if cell_size < 1:
        raise ConfigError(f"the size of a cell must be at least 1 station; got {cell_size}.")
    pieces: list[IndexArray] = []
    for part in range(int(graph.component.max()) + 1):
        pieces += _halved(graph.unit, np.flatnonzero(graph.component == part), cell_size)
    cell_of = np.empty(graph.n_station, np.int64)
    for number, piece in enumerate(pieces):
        cell_of[piece] = number
    return CellPlan(graph=graph, cell_of=cell_of, edge_cell=_lowest(cell_of, graph.edges))


def _lowest(cell_of: IndexArray, group: IndexArray) -> IndexArray:
    """The lowest cell (k,) of the stations of edges or triangles."""
    lowest: IndexArray = cell_of[group].min(axis=1, initial=np.iinfo(np.int64).max)
    return lowest


def _halved(unit: FloatArray, stations: IndexArray, cell_size: int) -> list[IndexArray]:
    """Pieces of nearly equal size, none larger than a cell."""
    n_piece = -(-len(stations) // cell_size)
    if n_piece == 1:
        return [stations]
    place = unit[stations] - unit[stations].mean(axis=0)
    axis = np.linalg.svd(place, full_matrices=False)[2][0]
    along = place @ (axis * np.sign(axis[np.abs(axis).argmax()]))
    order = stations[np.lexsort((stations, along))]
    cut = round(len(order) * (n_piece // 2) / n_piece)
    sides = (np.sort(order[:cut]), np.sort(order[cut:]))
    return [piece for side in sides for piece in _halved(unit, side, cell_size)]

"""What a network costs: computing, data and tasks of a stretch of time, from a few rates."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rtkpos.network.graph.cells import CellPlan


@dataclass(frozen=True, kw_only=True)
class CostRates:
    """What one unit of work takes; docs/how-to/scale.md shows how they were measured.

    ms_per_baseline_epoch : processor time of a baseline's filter and integers [ms], one core
    ms_per_station_epoch  : of reading an epoch of a station, in every cell that sees it [ms]
    bytes_per_station_epoch : of its compressed recording      s_per_task : of starting a task [s]
    """

    ms_per_baseline_epoch: float = 1.0
    ms_per_station_epoch: float = 0.1
    bytes_per_station_epoch: float = 1200.0
    s_per_task: float = 2.0


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Sums over a network and a stretch of time.

    cores : at work without a pause, if the stretch is computed in its own length
    """

    n_task: int
    baseline_core_s: float
    reading_core_s: float
    task_core_s: float
    data_bytes: float
    seconds: float

    @property
    def core_s(self) -> float:
        """Processor time [s]."""
        return self.baseline_core_s + self.reading_core_s + self.task_core_s

    @property
    def cores(self) -> float:
        """Cores busy all the time."""
        return self.core_s / self.seconds


def network_cost(
    plan: CellPlan, rates: CostRates, *, seconds: float = 86_400.0, interval_s: float = 1.0
) -> Cost:
    """The cost of a network over some time: one task for each cell and hour.

    A station is stored once but read by each cell that sees it, its own and those it is a ring of.
    """
    n_epoch = seconds / interval_s
    n_read = plan.graph.n_station + sum(len(plan.ring(cell)) for cell in range(plan.n_cell))
    n_task = plan.n_cell * math.ceil(seconds / 3600.0)
    return Cost(
        n_task=n_task,
        baseline_core_s=len(plan.graph.edges) * n_epoch * rates.ms_per_baseline_epoch / 1e3,
        reading_core_s=n_read * n_epoch * rates.ms_per_station_epoch / 1e3,
        task_core_s=n_task * rates.s_per_task,
        data_bytes=plan.graph.n_station * n_epoch * rates.bytes_per_station_epoch,
        seconds=seconds,
    )

"""The page about scale: its arithmetic, from made-up figures."""

from __future__ import annotations

from bench.scale import PRICE_CORE_HOUR, PRICE_GB_MONTH, Measured, least_s, report
from rtkpos.batch.cost import CostRates, network_cost
from rtkpos.network.graph.cells import plan_cells
from rtkpos.network.graph.graph import build_graph
from rtkpos.simulate.scenario.country import country_stations

PLAN = plan_cells(build_graph(*country_stations(200)))
MEASURED = Measured(
    n_station=200, n_edge=len(PLAN.graph.edges), n_triangle=len(PLAN.graph.triangles),
    n_cell=PLAN.n_cell, mean_ring=15.0, median_km=50.0, graph_s=0.1, plan_s=0.01, change_ms=5.0,
    locate_us=50.0, stations_sim=12, baselines_sim=26, cells_sim=3, epochs_sim=121,
    satellites_sim=37.0, reading_ms=0.5, baseline_ms=2.5, bytes_text=9800.0, bytes_packed=1000.0,
    task_ms={"threads": 0.1, "cluster": 2.0},
)  # fmt: skip


def rows(text):
    """Cells of the lines of the last table."""
    lines = [line for line in text.splitlines() if line.startswith(("| 1 s", "| 30 s"))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_cost_is_the_sum_of_its_parts():
    rates = CostRates(
        ms_per_baseline_epoch=2.0,
        ms_per_station_epoch=0.5,
        bytes_per_station_epoch=1000.0,
        s_per_task=3.0,
    )
    cost = network_cost(PLAN, rates, seconds=7200.0, interval_s=10.0)
    n_read = 200 + sum(len(PLAN.ring(cell)) for cell in range(PLAN.n_cell))
    assert cost.n_task == 2 * PLAN.n_cell
    assert cost.baseline_core_s == len(PLAN.graph.edges) * 720 * 2e-3
    assert abs(cost.reading_core_s - n_read * 720 * 0.5e-3) < 1e-9
    assert cost.task_core_s == 3.0 * cost.n_task
    assert cost.data_bytes == 200 * 720 * 1000
    parts = cost.baseline_core_s + cost.reading_core_s + cost.task_core_s
    assert cost.core_s == parts
    assert cost.cores == parts / 7200.0


def test_page_has_a_day_at_both_intervals():
    found = rows(report(MEASURED, PLAN, None))
    assert [row[0] for row in found] == ["1 s", "1 s", "30 s", "30 s"]
    goal = found[0]
    assert goal[1] == "1.00 (goal)"
    assert float(goal[2]) == round(len(PLAN.graph.edges) * 86_400 * 1e-3 / 3600.0)
    gigabytes = 200 * 86_400 * 1000.0 / 1e9
    assert float(goal[6]) == round(gigabytes)
    assert abs(float(goal[8]) - gigabytes * PRICE_GB_MONTH) <= 0.05
    hours = sum(float(cell) for cell in goal[2:5])
    assert abs(float(goal[7]) - hours * PRICE_CORE_HOUR) < 0.1
    assert abs(float(goal[5]) - hours / 24.0) < 0.1


def test_given_cost_of_a_baseline_comes_first():
    found = rows(report(MEASURED, PLAN, 0.4))
    assert found[0][1] == "0.40 (given)"
    assert len(found) == 6


def test_least_time_is_that_of_the_quickest_run():
    calls = []
    assert least_s(lambda: calls.append(sum(range(1000))), 4) >= 0.0
    assert len(calls) == 4

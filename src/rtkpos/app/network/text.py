"""The facts of `rtkpos network` as lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_MOST_ROWS = 60  # of a table on the screen; JSON has all


def check_lines(facts: dict[str, Any]) -> list[str]:
    """A network: counts, stations, baselines, triangles, the point asked for, notes."""
    summary = facts["network"]
    lines = [
        f"{summary['source']}: {_count(summary['stations'], 'station')}, "
        f"{_count(summary['baselines'], 'baseline')} ({summary['tree_baselines']} in the spanning "
        f"tree), {_count(summary['triangles'], 'triangle')}, {_count(summary['loops'], 'loop')} "
        f"for closure, {_count(summary['parts'], 'part')}",
        f"frame {_frame(summary)}; baselines {_lengths(summary['baseline_km'])}",
        "",
    ]
    lines += _table(*_station_rows(facts["stations"]), left=1)
    if "solved" in facts:
        lines += ["", solved_line(facts["solved"]), *report_lines(facts["stations"])]
    if facts["baselines"]:
        lines += ["", *_table(*_baseline_rows(facts["baselines"]), left=2)]
    if facts["triangles"]:
        lines += ["", *_table(*_triangle_rows(facts["triangles"]), left=3)]
    if "point" in facts:
        lines += ["", *_point_lines(facts["point"])]
    if facts.get("faults"):
        lines += ["", "Not in order:", *(f"  - {fault}" for fault in facts["faults"])]
    if facts["notes"]:
        lines += ["", "Worth knowing:", *(f"  - {note}" for note in facts["notes"])]
    return lines


def solved_line(solved: dict[str, Any]) -> str:
    """Integers and closures of a solved network."""
    counts = solved["counts"]
    share = _number(solved["fixed_share"] and 100.0 * solved["fixed_share"], ".1f")
    return (
        f"{_count(solved['epochs'], 'epoch')}: {share} % of the satellite-epochs above 15 degrees "
        f"have their integers; triangles closed {counts['closure_agrees']} times and did not "
        f"{counts['closure_differs']} times, arcs released by closure "
        f"{counts['released_by_closure']}, by a step {counts['released_by_step']}"
    )


def report_lines(stations: Sequence[dict[str, Any]]) -> list[str]:
    """What a solved network says of its stations, as a table."""
    head = ["station", "epochs", "satellites", "integers %", "lost", "geometry mm", "ionosphere mm"]
    rows = [
        [
            one["name"],
            str(one["epochs"]),
            _number(one["satellites"], ".1f"),
            _number(one["fixed_share"] and 100.0 * one["fixed_share"], ".1f"),
            str(one["lost_integers"]),
            _number(one["nondispersive_mm"], ".1f"),
            _number(one["dispersive_mm"], ".1f"),
            one["health"],
        ]
        for one in stations
        if "epochs" in one
    ]
    return _table([*head, "health"], rows, left=1)


def plan_lines(facts: dict[str, Any]) -> list[str]:
    """A plan: the network, the cells, what they cost."""
    network, cost = facts["network"], facts["cost"]
    lines = [
        f"{_count(network['stations'], 'station')}, {_count(network['baselines'], 'baseline')}, "
        f"{_count(network['triangles'], 'triangle')} in {_count(network['cells'], 'cell')}; "
        f"{network['crossing_baselines']} baselines cross from cell to cell",
        f"baselines {_lengths(network['baseline_km'])}",
        "",
        *_table(*_cell_rows(facts["cells"]), left=0),
        "",
        f"{cost['seconds'] / 3600.0:g} h in {_count(cost['tasks'], 'task')} of a cell and an hour: "
        f"{cost['core_hours']:.1f} core hours ({cost['cores']:.2f} cores all the time), "
        f"{cost['gigabytes']:.1f} GB of compressed recordings",
    ]
    if facts["notes"]:
        lines += ["", "Worth knowing:", *(f"  - {note}" for note in facts["notes"])]
    return lines


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _frame(summary: dict[str, Any]) -> str:
    epoch = summary["epoch_year"]
    return (summary["frame"] or "not stated") + ("" if epoch is None else f" at epoch {epoch:g}")


def _lengths(km: dict[str, float] | None) -> str:
    if km is None:
        return "none"
    return f"{km['min']:.1f} to {km['max']:.1f} km, median {km['median']:.1f} km"


def _station_rows(stations: Sequence[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    head = ["station", "latitude", "longitude", "height m", "files", "every s", "baselines"]
    rows = [
        [
            one["name"],
            f"{one['lat_deg']:.6f}",
            f"{one['lon_deg']:.6f}",
            f"{one['height_m']:.3f}",
            str(len(one["files"])),
            _number(one["interval_s"], "g"),
            str(one["baselines"]),
            one["nearest"] or "-",
            _number(one["nearest_km"], ".1f"),
            str(one["part"]),
            one["health"],
        ]
        for one in stations
    ]
    return [*head, "nearest", "km", "part", "health"], rows


def _baseline_rows(baselines: Sequence[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    rows = [
        [one["from"], one["to"], f"{one['km']:.1f}", "tree" if one["in_tree"] else "loop"]
        for one in baselines
    ]
    return ["baseline", "to", "km", "closes"], rows


def _triangle_rows(triangles: Sequence[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    rows = [
        [*one["corners"], f"{one['smallest_angle_deg']:.0f}", f"{one['longest_km']:.1f}"]
        for one in triangles
    ]
    return ["triangle", "", "", "smallest deg", "longest km"], rows


def _cell_rows(cells: Sequence[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    head = [
        "cell",
        "stations",
        "ring",
        "baselines",
        "triangles",
        "latitude",
        "longitude",
        "km wide",
    ]
    rows = [
        [
            str(one["cell"]),
            str(one["stations"]),
            str(one["ring"]),
            str(one["baselines"]),
            str(one["triangles"]),
            f"{one['lat_deg']:.2f}",
            f"{one['lon_deg']:.2f}",
            f"{2.0 * one['reach_km']:.0f}",
        ]
        for one in cells
    ]
    return head, rows


def _point_lines(point: dict[str, Any]) -> list[str]:
    """Where a point stands."""
    place = f"{point['lat_deg']:.6f} {point['lon_deg']:.6f}"
    near = ", ".join(f"{one['name']} {one['km']:.1f} km" for one in point["nearest"])
    if point["inside"]:
        return [f"{place} is inside, in {' '.join(point['triangle'])}; nearest {near}"]
    return [
        f"{place} is outside, {point['outside_km']:.1f} km from the network: corrections there are "
        f"extrapolated; nearest {near}"
    ]


def _table(head: list[str], rows: list[list[str]], left: int) -> list[str]:
    """Aligned columns, the first `left` flush left; long tables are cut with a word about it."""
    shown = rows[:_MOST_ROWS]
    width = [max(len(row[k]) for row in [head, *shown]) for k in range(len(head))]
    lines = []
    for row in [head, *shown]:
        cells = [
            cell.ljust(width[k]) if k < left or k == len(head) - 1 else cell.rjust(width[k])
            for k, cell in enumerate(row)
        ]
        lines.append("  ".join(cells).rstrip())
    if len(rows) > len(shown):
        lines.append(f"... and {len(rows) - len(shown)} more (--json shows all)")
    return lines


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)

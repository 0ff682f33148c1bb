"""The report of `bench/network.py` as Markdown."""

from __future__ import annotations

from typing import Any


def markdown(report: dict[str, Any]) -> str:
    """All tables."""
    lines = ["# Network RTK", "", *_simulated(report["simulated"])]
    if "dutch" in report:
        lines += _dutch(report["dutch"])
    made = report["made"]
    lines += ["", f"{made.get('version', '')} {made.get('machine', '')}".strip()]
    return "\n".join(lines).rstrip() + "\n"


def _simulated(days: list[dict[str, Any]]) -> list[str]:
    """Network, cars and interpolation of the simulated days."""
    lines = ["## Simulated: 12 stations, 38 to 50 km to the nearest neighbour", ""]
    lines += _table(
        "day | stations, baselines | epochs | integers known above 15 deg % | checked against truth"
        " | wrong | triangles differ | ms per baseline-epoch"
        " | us per virtual epoch, master modelled (in all)",
        [
            f"{d['day']} | {d['n_station']}, {d['n_baseline']} | {d['n_epoch']} | "
            f"{100 * d['fixed_share']:.2f} | {d['integers_checked']} | {d['integers_wrong']} | "
            f"{d['counts']['closure_differs']} of "
            f"{d['counts']['closure_differs'] + d['counts']['closure_agrees']} | "
            f"{d['ms_per_baseline_epoch']:.2f} ({d['satellites']:.0f} satellites) | "
            f"{d['virtual_us']['master modelled']:.0f} ({d['virtual_us']['in all']:.0f})"
            for d in days
        ],
    )
    lines += ["", "Cars inside, as moving, errors over all epochs:", ""]
    lines += _table(
        "day | car | systems | base | fixed % | wrong | H95 mm | V95 mm",
        [
            f"{d['day']} | {c['car']} | {c['systems']} | {c['base']} | {c['fixed_percent']:.1f} | "
            f"{c['wrong']} | {c['h95_mm']:.0f} | {c['v95_mm']:.0f}"
            for d in days
            for c in d["cars"]
        ],
    )
    lines += [
        "",
        "Each station's corrections predicted from the others, RMS in the zenith [mm]; what all "
        "satellites of a system share is taken out:",
        "",
    ]
    methods = list(days[0]["interpolation"]["dispersive"])
    lines += _table(
        f"day | part | {' | '.join(methods)}",
        [
            f"{d['day']} | {part} | " + " | ".join(f"{row[m]:.1f}" for m in methods)
            for d in days
            for part, row in d["interpolation"].items()
        ],
    )
    return lines


def _dutch(found: dict[str, Any]) -> list[str]:
    """The real network."""
    lines = ["", "## network-netherlands-2021-001, GPS, 30 s, one day", ""]
    lines += _table(
        "stations | baselines | passes | integers known above 15 deg % | triangles differ",
        [
            f"{r['stations']} | {r['n_baseline']} | {r['passes']} | "
            f"{100 * r['fixed_share']:.1f} | {r['closure_differs']} of "
            f"{r['closure_differs'] + r['closure_agrees']}"
            for r in found["network"]
        ],
    )
    lines += ["", "ZEGV as a rover; its own header coordinates are the reference:", ""]
    lines += _table(
        "base | mode | fixed % or hours | first fix, epoch | fixes > 10 cm off their median | "
        "H95 mm | V95 mm, or scatter of up",
        [_rover_row(r) for r in found["rover"]],
    )
    return lines


def _rover_row(row: dict[str, Any]) -> str:
    """One row of the rover's table."""
    if "hours_fixed" in row:
        return (
            f"{row['base']} | {row['mode']} | {row['hours_fixed']} of 24 h |  |  | "
            f"{row['h95_mm']:.0f} (RMS {row['h_rms_mm']:.0f}) | {row['up_scatter_mm']:.0f}"
        )
    return (
        f"{row['base']} | {row['mode']} | {row['fixed_percent']:.1f} | {row['first_fix_epoch']} | "
        f"{row['off_median']} | {row['h95_mm']:.0f} | {row['v95_mm']:.0f}"
    )


def _table(head: str, rows: list[str]) -> list[str]:
    """A Markdown table."""
    return [f"| {head} |", "|" + " --- |" * (head.count("|") + 1), *(f"| {row} |" for row in rows)]

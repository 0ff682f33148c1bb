"""A rover's network in words; a module of its own, for most runs have none and load none."""

from __future__ import annotations

import math
from typing import Any


def rounded(value: float, digits: int) -> float | None:
    """A number for JSON, which has no NaN and no infinity."""
    return round(float(value), digits) if math.isfinite(value) else None


def result_line(facts: dict[str, Any]) -> str:
    """The network of a run in one line."""
    used = [one["name"] for one in facts["stations"] if one["used"]]
    if not facts["used"]:
        return f"network    none; {facts['master']} serves alone"
    share = facts["fixed_share"]
    line = f"network    {len(used)} of {len(facts['stations'])} stations, master {facts['master']}"
    if share is not None:
        line += f", {100.0 * share:.1f} % integers"
    if facts["sigma_ionosphere_mm"] is not None and facts["sigma_wet_mm"] is not None:
        line += (
            f", corrections good to {facts['sigma_ionosphere_mm']:.0f} mm (ionosphere) and "
            f"{facts['sigma_wet_mm']:.0f} mm (wet delay)"
        )
    return line

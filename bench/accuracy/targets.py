"""What the benchmark should reach, as data, and the one function that checks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

AXES = "ENU"
TOLERANCE = 1e-4  # rates are rounded: 115 of 120 epochs reach 115 / 120
# Wrong fixes over all fixed epochs of all recordings, by profile.
PROFILE_WRONG = {"safe": 0.0, "balanced": 0.001, "available": 0.01}
# Share of epochs within the 95 % ellipse and interval that passes as calibrated.
CALIBRATED = (0.93, 0.97)

Axes = tuple[float | None, float | None, float | None]


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a row should reach; None = no demand. Rates are shares, lengths millimetres.

    first_fix_s : from the first epoch of the recording
    cold_start_s : the same for 95 % of starts spread over the recording
    final_enu_mm : error of the last position of mode static
    restart_std_enu_mm : static restarted each hour: how the means of the hours repeat
    restart_rms_enu_mm : the same: errors of the last positions of the hours
    """

    fix_rate: float | None = None
    wrong_rate: float | None = None
    first_fix_s: float | None = None
    cold_start_s: float | None = None
    rms_enu_mm: Axes | None = None
    final_enu_mm: Axes | None = None
    fixed_p99_mm: float | None = None
    height_step_mm: float | None = None
    restart_std_enu_mm: Axes | None = None
    restart_rms_enu_mm: Axes | None = None


class Demand(NamedTuple):
    """How a field of Target is checked.

    words : what it is      path : where its figure stands in a result      unit : of both
    is_least : the target is a lower bound
    """

    words: str
    path: tuple[str, ...]
    unit: str
    is_least: bool = False


DEMANDS = {
    "fix_rate": Demand("fixed", ("fix_rate",), "%", is_least=True),
    "wrong_rate": Demand("wrong fixes", ("wrong_rate",), "%"),
    "first_fix_s": Demand("first fix", ("first_fix_s",), "s"),
    "cold_start_s": Demand("first fix, 95 % of the cold starts", ("cold_starts", "p95_s"), "s"),
    "rms_enu_mm": Demand("RMS", ("fixed_rms_enu_mm",), "mm"),
    "final_enu_mm": Demand("final position", ("final_enu_mm",), "mm"),
    "fixed_p99_mm": Demand("99 % of fixed 3D", ("fixed_3d_mm", "p99"), "mm"),
    "height_step_mm": Demand("height step", ("height_step_mm",), "mm"),
    "restart_std_enu_mm": Demand("hourly means repeat", ("hourly_restarted", "std_enu_mm"), "mm"),
    "restart_rms_enu_mm": Demand(
        "hourly solutions RMS", ("hourly_restarted", "final_rms_enu_mm"), "mm"
    ),
}


class Check(NamedTuple):
    """One demand on one result.

    low, high : bounds, None = open      got, peer : None where there is no figure: not reached
    """

    what: str
    unit: str
    low: float | None
    high: float | None
    got: float | None
    peer: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether the figure lies within the bounds."""
        if self.got is None:
            return False
        is_low = self.low is not None and self.got < self.low - TOLERANCE
        return not is_low and (self.high is None or self.got <= self.high)


def checks(target: Target, ours: dict[str, Any], peers: list[dict[str, Any]]) -> list[Check]:
    """Every demand of a target on our result; beside it the best figure of a peer's results."""
    found = []
    for name, demand in DEMANDS.items():
        wanted = getattr(target, name)
        is_vector = isinstance(wanted, tuple)
        for k, bound in enumerate(wanted if is_vector else (wanted,)):
            if bound is None:
                continue
            got, *theirs = (_figure(entry, demand, k) for entry in (ours, *peers))
            known = [value for value in theirs if value is not None]
            best = (max if demand.is_least else min)(known) if known else None
            words = f"{demand.words} {AXES[k]}" if is_vector else demand.words
            low, high = (bound, None) if demand.is_least else (None, bound)
            found.append(Check(words, demand.unit, low, high, got, best))
    return found


def _figure(entry: dict[str, Any], demand: Demand, axis: int) -> float | None:
    """The figure of a result, its size where it has a sign; None where it has none."""
    value: Any = entry
    for key in demand.path:
        value = (value or {}).get(key)
    if isinstance(value, list):
        value = value[axis]
    return None if value is None else abs(value)

"""Statistics of a pair's residuals as rows of a table; see `pair_statistics`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.pairs.pair_statistics import Pair, Signal
from rtkpos.constants import SPEED_OF_LIGHT_MPS

BINS_DEG = ((10, 25), (25, 40), (40, 60), (60, 90))
BINS_DBHZ = ((30, 36), (36, 42), (42, 48), (48, 56))
LAGS_S = (1, 5, 15, 30, 60, 120, 300, 600)
GROUPS = {
    "narrow": ("G:1C", "G:2L", "R:1C", "R:2C", "E:1C", "C:2I", "C:7I", "C:1P", "J:1C", "J:2L"),
    "wide": ("G:5Q", "E:5Q", "E:7Q", "C:6I", "C:5P", "J:5Q"),
    "L2 P(Y)": ("G:2W",),
}
WIDE_LANES = (("G:1C", "G:2L"), ("G:1C", "G:5Q"), ("E:1C", "E:5Q"), ("C:2I", "C:6I"))
_ONE_SIGMA = (15.865, 84.135)
_OF_ONE = np.sqrt(0.5)  # of the spread of a difference between two alike receivers


@dataclass(frozen=True)
class Row:
    """One figure.

    tolerance : largest difference that is agreement; None where ratios are compared
    """

    label: str
    unit: str
    value: float
    digits: int = 2
    tolerance: float | None = None

    def text(self, value: float) -> str:
        return f"{value:.{self.digits}f}"

    def verdict(self, made: np.ndarray, factor: float) -> str:
        """Ratio or difference of simulated values, bold where they do not agree."""
        middle = float(np.nanmedian(made))
        agrees = bool(np.nanmin(made) <= self.value <= np.nanmax(made))
        if self.tolerance is not None:
            away = middle - self.value
            text, agrees = f"{away:+.{self.digits}f}", agrees or abs(away) <= self.tolerance
        elif self.value == 0.0:
            text = "-"
        else:
            ratio = middle / self.value
            text, agrees = f"{ratio:.2f}", agrees or 1.0 / factor <= ratio <= factor
        return text if agrees else f"**{text}**"


def statistics(pair: Pair) -> list[Row]:
    """All figures of a pair, in a fixed order; NaN where it has no such signal."""
    return [
        *_strength(pair),
        *_spreads(pair),
        *_by_strength(pair),
        *_correlations(pair),
        *_wide_lanes(pair),
        *_events(pair),
    ]


def members(pair: Pair, group: str) -> Iterator[Signal]:
    """The signals of a group that the pair has."""
    return (pair.signals[name] for name in GROUPS[group] if name in pair.signals)


def half_width(values: np.ndarray) -> float:
    """Half the width of the middle 68 %, of finite values: robust against a few slips."""
    finite = values[np.isfinite(values)]
    return (
        float(np.diff(np.percentile(finite, _ONE_SIGMA))[0] / 2.0) if len(finite) > 20 else np.nan
    )


def within(one: Signal, low: float, high: float) -> np.ndarray:
    """Where a signal's satellites stand between two elevations."""
    out: np.ndarray = (one.elevation_deg >= low) & (one.elevation_deg < high)
    return out


def spread(pair: Pair, what: str, group: str) -> np.ndarray:
    """Of one receiver by elevation: the spread of code or phase [m], the median C/N0 [dB-Hz]."""
    out = []
    for low, high in BINS_DEG:
        found = [
            (one.cn0_dbhz if what == "cn0_dbhz" else getattr(one, what))[
                ..., within(one, low, high)
            ]
            for one in members(pair, group)
        ]
        pooled = np.concatenate([values.ravel() for values in found]) if found else np.array([])
        if what == "cn0_dbhz":
            out.append(float(np.nanmedian(pooled)) if np.isfinite(pooled).any() else np.nan)
        else:
            out.append(half_width(pooled) * _OF_ONE)
    return np.array(out)


def correlation(pair: Pair, what: str, lag_s: float, group: str) -> float:
    """Correlation of residuals a lag apart, satellites pooled; their mean is known to be zero."""
    lag = round(lag_s / pair.interval_s)
    if lag < 1 or abs(lag * pair.interval_s - lag_s) > 1e-6:
        return np.nan
    product = first = second = 0.0
    for one in members(pair, group):
        values = getattr(one, what)
        if lag > len(values) / 2:
            return np.nan
        limit = 6.0 * half_width(values)
        a, b = values[:-lag], values[lag:]
        good = (np.abs(a) < limit) & (np.abs(b) < limit)
        product += float(np.sum(a[good] * b[good]))
        first += float(np.sum(a[good] ** 2))
        second += float(np.sum(b[good] ** 2))
    return product / np.sqrt(first * second) if first > 0.0 else np.nan


def _strength(pair: Pair) -> Iterator[Row]:
    for group in GROUPS:
        for (low, high), value in zip(BINS_DEG, spread(pair, "cn0_dbhz", group), strict=True):
            label = f"C/N0, {group}, {low}-{high} deg"
            yield Row(label, "dB-Hz", float(value), 1, 3.0)


def _spreads(pair: Pair) -> Iterator[Row]:
    for what, unit, scale, digits in (("code_m", "m", 1.0, 3), ("phase_m", "mm", 1e3, 2)):
        for group in GROUPS:
            values = scale * spread(pair, what, group)
            for (low, high), value in zip(BINS_DEG, values, strict=True):
                name = what.split("_")[0]
                yield Row(f"{name}, {group}, {low}-{high} deg", unit, float(value), digits)


def _by_strength(pair: Pair) -> Iterator[Row]:
    """What changes from epoch to epoch, by C/N0: noise without slow multipath."""
    if pair.interval_s > 2.0:
        return
    for what, unit, scale, digits in (("code_m", "m", 1.0, 3), ("phase_m", "mm", 1e3, 2)):
        for group in ("narrow", "wide"):
            for low, high in BINS_DBHZ:
                found = []
                for one in members(pair, group):
                    weaker = one.cn0_dbhz.min(axis=0)[1:]
                    step = np.diff(getattr(one, what), axis=0)
                    found.append(step[(weaker >= low) & (weaker < high)])
                value = half_width(np.concatenate(found)) / 2.0 if found else np.nan
                label = f"{what.split('_')[0]} from second to second, {group}, {low}-{high} dB-Hz"
                yield Row(label, unit, scale * value, digits)


def _correlations(pair: Pair) -> Iterator[Row]:
    for what in ("code_m", "phase_m"):
        for group in ("narrow", "wide"):
            for lag in LAGS_S:
                value = correlation(pair, what, lag, group)
                label = f"correlation of {what.split('_')[0]}, {group}, {lag} s"
                yield Row(label, "", value, 2, 0.2)


def _wide_lanes(pair: Pair) -> Iterator[Row]:
    """Melbourne-Wuebbena combinations of one receiver by elevation, integers removed [cycle]."""
    for first, second in WIDE_LANES:
        for low, high in BINS_DEG:
            value = np.nan
            if first in pair.signals and second in pair.signals:
                one, two = pair.signals[first], pair.signals[second]
                mw = melbourne_wuebbena_cycle(one, two)
                value = half_width(mw[within(one, low, high)]) * _OF_ONE
            yield Row(f"wide lane {first} {second[2:]}, {low}-{high} deg", "cycle", value, 3)


def melbourne_wuebbena_cycle(one: Signal, two: Signal) -> np.ndarray:
    """(n_epoch, n_sat); Source: Melbourne (1985), Wuebbena (1985), integers and geometry gone."""
    f1, f2 = (SPEED_OF_LIGHT_MPS / each.wavelength_m for each in (one, two))
    phase = (f1 * one.phase_m - f2 * two.phase_m) / (f1 - f2)
    code = (f1 * one.code_m + f2 * two.code_m) / (f1 + f2)
    out: np.ndarray = (phase - code) * (f1 - f2) / SPEED_OF_LIGHT_MPS
    return out


def _events(pair: Pair) -> Iterator[Row]:
    """Changed integers and new arcs per hour of one satellite and signal above 25 deg."""
    hours = jumps = silent = starts = 0.0
    for one in pair.signals.values():
        seen = np.isfinite(one.phase_m) & within(one, 25, 90)
        both = seen[1:] & seen[:-1] & (one.reference[1:] == one.reference[:-1])[:, None]
        step = np.where(both, np.diff(one.cycle, axis=0), np.nan)
        # When the reference slips, all others seem to: not they but one did.
        step = step - np.nan_to_num(np.nanmedian(step, axis=1, keepdims=True))
        slipped = np.abs(step) > 0.5
        flagged = (np.nan_to_num(one.lli).astype(int) & 1).any(axis=0)[1:]
        hours += both.sum() * pair.interval_s / 3600.0
        jumps += slipped.sum()
        silent += (slipped & ~flagged).sum()
        starts += (seen[1:] & ~seen[:-1] & within(one, 25, 90)[:-1]).sum()
    yield Row("changed integers above 25 deg", "1/h", jumps / hours, 3)
    yield Row("of these not flagged", "1/h", silent / hours, 3)
    yield Row("interruptions above 25 deg", "1/h", starts / hours, 3)

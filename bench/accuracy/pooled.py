"""What only many recordings together can show: wrong fixes by profile, and calibrated ellipses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bench.accuracy.rows import ROWS
from bench.accuracy.targets import CALIBRATED, PROFILE_WRONG, Check

ALL = "all recordings"
N_SMALL = 100  # shares of fewer epochs are shown, but not judged
KINDS = ("fixed", "float")
_ROW = {row.name: row for row in ROWS}
Counts = dict[str, int]


def ours_with_variants(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Our results that were judged by a truth, with the variants of `measure.variants`."""
    return [e for e in entries if not e["is_peer"] and e.get("variants")]


def summed(counts: Iterable[Counts]) -> Counts:
    """Sums by name."""
    total: Counts = {}
    for one in counts:
        for name, value in one.items():
            total[name] = total.get(name, 0) + value
    return total


def profiles(entries: list[dict[str, Any]]) -> dict[str, dict[str, Counts]]:
    """Epochs, fixed epochs, wrong ones by recording (ALL last) and profile."""
    names = ("n_epoch", "n_fixed", "n_fixed_judged", "n_wrong")
    groups: dict[str, dict[str, list[Counts]]] = {}
    for entry in ours_with_variants(entries):
        for profile in PROFILE_WRONG:
            figures = entry if profile == "balanced" else entry["variants"][profile]
            counts = {name: figures[name] for name in names}
            for group in (entry["label"], ALL):
                groups.setdefault(group, {}).setdefault(profile, []).append(counts)
    found = {g: {p: summed(c) for p, c in by.items()} for g, by in groups.items()}
    return {g: found[g] for g in sorted(found, key=lambda name: name == ALL)}


def calibrations(entries: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Counts]]:
    """Epochs within their 95 % limits, fixed and float, by recording (ALL last) and movement.

    Float epochs are those of the row and those of the same row without fixing. Fixed epochs of
    a row whose truth is no better than a fix stand in its own line only.
    """
    groups: dict[tuple[str, str], dict[str, list[Counts]]] = {}
    for entry in ours_with_variants(entries):
        row = _ROW[entry["row"]]
        how = "static" if row.mode == "static" else "as moving"
        off = entry["variants"]["off"]["calibration"]["float"]
        counts = {"fixed": [entry["calibration"]["fixed"]]}
        counts["float"] = [entry["calibration"]["float"], off]
        for group in ((entry["label"], how), (ALL, how), (ALL, "all modes")):
            for kind in KINDS:
                if kind == "float" or row.is_truth_exact or group[0] != ALL:
                    groups.setdefault(group, {}).setdefault(kind, []).extend(counts[kind])
    found = {g: {k: summed(c) for k, c in by.items()} for g, by in groups.items()}
    return {g: found[g] for g in sorted(found, key=lambda name: name[0] == ALL)}


def pooled_checks(entries: list[dict[str, Any]]) -> list[Check]:
    """The targets that concern all recordings together."""
    found = []
    for profile, counts in profiles(entries).get(ALL, {}).items():
        rate = counts["n_wrong"] / max(counts["n_fixed_judged"], 1)
        found.append(
            Check(f"wrong fixes, profile {profile}", "%", None, PROFILE_WRONG[profile], rate)
        )
    for (label, how), by_kind in calibrations(entries).items():
        if label != ALL:
            continue
        for kind, counts in by_kind.items():
            for words, name in (("95 % ellipse", "n_horizontal"), ("95 % up", "n_vertical")):
                share = counts[name] / counts["n"] if counts["n"] else None
                what = f"truth within the {words} of {kind} epochs, {how}"
                found.append(Check(what, "%", *CALIBRATED, share))
    return found


def profile_lines(entries: list[dict[str, Any]]) -> list[list[str]]:
    """Cells of the table of profiles, header first."""
    lines = [["recording", "epochs", *(f"{p}: fixed %, wrong" for p in PROFILE_WRONG)]]
    for group, by_profile in profiles(entries).items():
        cells = [
            f"{100 * c['n_fixed'] / max(c['n_epoch'], 1):.2f}, {c['n_wrong']} "
            f"({100 * c['n_wrong'] / max(c['n_fixed_judged'], 1):.3f} %)"
            for c in by_profile.values()
        ]
        lines.append([group, str(by_profile["balanced"]["n_epoch"]), *cells])
    return lines


def calibration_lines(entries: list[dict[str, Any]]) -> list[list[str]]:
    """Cells of the table of calibration, header first."""
    head = [f"{kind}: {word}" for kind in KINDS for word in ("epochs", "ellipse %", "up %")]
    lines = [["recording", "processed as", *head]]
    for (label, how), by_kind in calibrations(entries).items():
        cells = []
        for kind in KINDS:
            counts = by_kind.get(kind, {"n": 0, "n_horizontal": 0, "n_vertical": 0})
            cells += [
                str(counts["n"]),
                *(_share(counts, k) for k in ("n_horizontal", "n_vertical")),
            ]
        lines.append([label, how, *cells])
    return lines


def _share(counts: Counts, name: str) -> str:
    """A share in per cent, with a mark where it is not calibrated."""
    if not counts["n"]:
        return "-"
    share = counts[name] / counts["n"]
    low, high = CALIBRATED
    mark = (
        "" if counts["n"] < N_SMALL or low <= share <= high else " low" if share < low else " high"
    )
    return f"{100 * share:.1f}{mark}"

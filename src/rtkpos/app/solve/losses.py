"""What the readers lost or skipped, in words."""

from __future__ import annotations

from rtkpos.records.report import ReadReport

# Counters of the readers that mean lost data: these make a result partial. Lost fields and
# what is unknown (codes, satellites) is told to the user, but cost no epoch.
LOST = (
    "epoch_bad_header", "epoch_count_wrong", "epoch_truncated", "epoch_bad_time",
    "epoch_conflict", "satellite_count_wrong", "misplaced_field", "date_beyond_month",
    "damaged_compression", "system_dropped", "bad_record", "short_record",
)  # fmt: skip
TOLD = (
    *LOST, "bad_field", "bad_prn", "unknown_system", "conflicting_satellite", "event_cut",
    "event_bad_header", "stray_line", "out_of_range", "toe_toc_mismatch", "issue_mismatch",
    "unknown_label",
)  # fmt: skip


def losses(report: ReadReport) -> dict[str, int]:
    """Counters of lost data by name in words, empty for an undamaged file."""
    return {name.replace("_", " "): report.counts[name] for name in LOST if report.counts[name]}


def skip_lines(report: ReadReport) -> list[str]:
    """What was skipped, with count and first place, for people."""
    return [
        f"{report.counts[name]} {name.replace('_', ' ')}"
        + (f" (first: {report.first[name]})" if name in report.first else "")
        for name in TOLD
        if report.counts[name]
    ]

"""What the scan of an observation file met, in counts and sentences."""

from __future__ import annotations

from rtkpos._arrays import IndexArray
from rtkpos.io.rinex._observations.lines import (
    N_DATE_BEYOND_MONTH,
    N_EPOCH_BAD_HEADER,
    N_EPOCH_TRUNCATED,
    N_MISPLACED_FIELD,
    N_SATELLITE_COUNT_WRONG,
    SCAN_COUNTERS,
)
from rtkpos.io.rinex.header import ObsHeader

_BAD_COUNTERS = ("epoch_bad_header", "epoch_count_wrong", "epoch_truncated", "bad_field")
_SENTENCES = {
    N_EPOCH_TRUNCATED: "{name}: the last epoch, from byte {offset} on, is cut; left out.",
    N_MISPLACED_FIELD: (
        "{name}: {n} values do not stand in the columns of the observation types (first in the "
        "epoch of line {line}); they are not read. Blanks were lost or added, or the types are "
        "not those of the records."
    ),
    N_SATELLITE_COUNT_WRONG: (
        "{name}: {n} epochs announce another number of satellites than they have (first line "
        "{line}); the lines decide."
    ),
    N_DATE_BEYOND_MONTH: (
        "{name}: {n} epochs have a day beyond the end of their month (first line {line}); "
        "carried over into the next."
    ),
}


def report_counters(
    header: ObsHeader, content: bytes, counts: IndexArray, first: IndexArray
) -> None:
    """Kernel counters into the report, with the line of the first occurrence.

    content : text of the file      counts, first : (N_COUNTER,), bytes of the first occurrences
    """
    name = header.name
    for k, counter in enumerate(SCAN_COUNTERS):
        if counts[k]:
            offset, n = int(first[k]), int(counts[k])
            line = content.count(b"\n", 0, max(offset, 0)) + 1
            where = f"{name} line {line}" if counter != "epoch_kept" else ""
            header.report.add(counter, where, n)
            if k in _SENTENCES:
                said = _SENTENCES[k].format(name=name, offset=offset, line=line, n=n)
                header.report.warn(said)


def no_epochs(header: ObsHeader, content: bytes, first: IndexArray) -> str:
    """One sentence on a file without a usable epoch."""
    counts = header.report.counts
    seen = {name: counts[name] for name in _BAD_COUNTERS if counts[name]}
    if not seen:
        return f"{header.name}: no epochs in it."
    said = ", ".join(f"{name}: {n}" for name, n in seen.items())
    offset = int(first[N_EPOCH_BAD_HEADER])
    if offset >= 0:
        number = content.count(b"\n", 0, offset) + 1
        line = content[offset : offset + 60].split(b"\n", 1)[0].decode("latin-1").rstrip()
        n_bad = counts["epoch_bad_header"]
        said = f"{n_bad} epoch lines are not of the format or have no such date, "
        said += f"first line {number}: {line!r}"
    return f"{header.name}: no epochs could be read ({said})."

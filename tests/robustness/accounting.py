"""Loss accounting: damage at one place may cost the epoch or record it touches, and no other."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from rtkpos.errors import RtkposError
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.observations import ObsTable
from tests.robustness.corpus import Case, epoch_starts, record_starts
from tests.robustness.harness import generator
from tests.robustness.mutators import ONE_PLACE, body_start

ROWS = ("sat", "sig", "code_m", "phase_cycle", "doppler_hz", "cn0_dbhz", "lli")
RECORD = ("sat", "message", "toe_ns", "toc_ns", "tx_ns", "issue", "health", "healthy", "accuracy_m")


def epochs_of(table: ObsTable) -> dict[int, tuple[bytes, ...]]:
    """The bytes of each epoch's rows by time."""
    columns = [getattr(table, name) for name in ROWS]
    spans = zip(table.time_ns, table.row_start[:-1], table.row_start[1:], strict=True)
    return {int(t): tuple(column[a:b].tobytes() for column in columns) for t, a, b in spans}


def records_of(table: BroadcastTable) -> Counter[tuple[bytes, ...]]:
    """The bytes of each record."""
    columns = [*(getattr(table, name) for name in RECORD), table.param]
    return Counter(tuple(c[k].tobytes() for c in columns) for k in range(table.n_ephemeris))


def touched_blocks(starts: list[int], end: int, span: tuple[int, int]) -> set[int]:
    """Which blocks (each reaches to the next start) a damage of [start, stop) touches.

    Taking away the last newline of a block joins it with the next: both are touched. What is put
    between two blocks counts as part of the one before.
    """
    edges = [*starts, end]
    low, high = span
    found = set()
    for k in range(len(starts)):
        inside = edges[k] < high and low < edges[k + 1]
        joined = low < edges[k] <= high and high > low
        at_end = low == high and edges[k] <= low <= edges[k + 1]
        if inside or joined or at_end:
            found.add(k)
    return found


def damage_once(case: Case, seed: int, index: int) -> tuple[bytes, tuple[int, int], str] | None:
    """A mutant with damage at one place behind the header; None when it fell elsewhere."""
    rng = generator(seed, index)
    mutator = ONE_PLACE[index % len(ONE_PLACE)]
    text, span = mutator(rng, case.text)
    if span[0] < body_start(case.text) or text == case.text:
        return None
    return text, span, mutator.__name__


def check_observations(case: Case, text: bytes, span: tuple[int, int]) -> str:
    """Complaint about the epochs of a mutant, "" when only touched ones are lost."""
    clean = read_obs(case.text)
    starts = epoch_starts(case.text)
    if clean.events or len(starts) != clean.n_epoch:
        return ""
    touched = touched_blocks(starts, len(case.text), span)
    try:
        table = read_obs(text)
    except RtkposError as error:
        return "" if len(touched) >= clean.n_epoch else f"refused: {error}"
    kept = epochs_of(table)
    for k, (time_ns, rows) in enumerate(epochs_of(clean).items()):
        # A damaged or inserted tag may repeat this epoch's: of two one is kept, and it is said.
        if table.report.counts["epoch_conflict"] and kept.get(time_ns, rows) != rows:
            continue
        if k not in touched and kept.get(time_ns) != rows:
            what = "lost" if time_ns not in kept else "changed"
            return f"epoch {k} {what}, touched were {sorted(touched)}: {table.report.lines()}"
    return check_books(table, clean.n_epoch, touched)


def check_books(table: ObsTable, n_clean: int, touched: set[int]) -> str:
    """Complaint when an epoch is neither kept nor counted."""
    counts = table.report.counts
    if counts["epoch_kept"] != table.n_epoch:
        return f"{table.n_epoch} epochs, but {counts['epoch_kept']} are booked as kept"
    # Of several epochs wiped out by one run of bytes, those without any line left are one.
    accounted = counts["epoch_in_file"] + counts["event_cut"]  # a flag of 2 or more: an event
    if accounted < n_clean - max(len(touched) - 1, 0):
        return f"{n_clean} epochs in, {counts['epoch_in_file']} accounted: {table.report.lines()}"
    if table.n_epoch < n_clean - len(touched):
        return f"{n_clean} epochs in, {table.n_epoch} kept, {len(touched)} touched"
    return ""


def check_compact(case: Case, text: bytes, span: tuple[int, int]) -> str:
    """Complaint when an epoch that ends before the damaged line of a CRINEX file is not kept."""
    before = case.text[: case.text.rfind(b"\n", 0, span[0]) + 1]
    try:
        wanted = epochs_of(read_obs(before))
    except RtkposError:
        return ""
    try:
        kept = epochs_of(read_obs(text))
    except RtkposError as error:
        return f"refused: {error}"
    lost = [time_ns for time_ns, rows in wanted.items() if kept.get(time_ns) != rows]
    return f"{len(lost)} of {len(wanted)} epochs before the damage are not kept" if lost else ""


def check_navigation(case: Case, text: bytes, span: tuple[int, int]) -> str:
    """Complaint about the records of a mutant, "" when only touched ones are lost."""
    body = body_start(case.text)
    starts = [body + k for k in record_starts(case.text)]
    touched = touched_blocks(starts, len(case.text), span)
    edges = [*starts, len(case.text)]
    rest = b"".join(
        case.text[edges[k] : edges[k + 1]] for k in range(len(starts)) if k not in touched
    )
    wanted = records_of(read_nav(case.text[:body] + rest))
    try:
        table = read_nav(text)
    except RtkposError as error:
        return f"refused: {error}"
    found = records_of(table)
    # A damaged record may repeat another one's satellite, issue and time: then one of them stays.
    keys = {record[:3] + record[5:6] for record in found}
    n = sum((wanted - found)[record] for record in wanted if record[:3] + record[5:6] not in keys)
    return f"{n} of {sum(wanted.values())} others lost: {table.report.lines()}" if n else ""


CHECKS: dict[str, Any] = {
    "obs": check_observations,
    "crx": check_compact,
    "nav": check_navigation,
}


def losses(case: Case, seed: int, indices: range) -> tuple[int, list[str]]:
    """Number of mutants checked, and the complaints."""
    n, complaints = 0, []
    for index in indices:
        made = damage_once(case, seed, index)
        if made is None:
            continue
        text, span, name = made
        n += 1
        said = CHECKS[case.kind](case, text, span)
        if said:
            complaints.append(f"{case.name} seed {seed} index {index} {name} {span}: {said}")
    return n, complaints


def digest(text: bytes, kind: str) -> str:
    """Hash of everything read from a text, or the message of its refusal; one NaN for all NaNs."""
    import hashlib

    try:
        table: Any = read_nav(text) if kind == "nav" else read_obs(text)
    except RtkposError as error:
        return str(error)
    found = hashlib.sha256()
    names = (*RECORD, "param") if kind == "nav" else ("time_ns", "row_start", "event", *ROWS)
    for name in names:
        column = np.asarray(getattr(table, name))
        if column.dtype.kind == "f":
            column = np.where(np.isnan(column), np.nan, column)
        found.update(column.tobytes())
    found.update(repr(sorted(table.report.counts.items())).encode())
    return found.hexdigest()

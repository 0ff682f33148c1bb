"""Tables and kernels that collect the lines and satellites of one epoch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtkpos._arrays import FlagArray, FloatArray, IndexArray, SatArray, SigArray, TimeArray
from rtkpos._numba.decorator import kernel
from rtkpos.gnss.systems import MAX_PRN, PRN_PER_SYSTEM
from rtkpos.io.rinex._observations.epoch_line import is_marker
from rtkpos.io.text.numbers import DOT, SPACE, ZERO, trimmed_end
from rtkpos.io.text.words64 import line_end

SCAN_END, SCAN_FULL, SCAN_EVENT = range(3)
# Entries of the cursor: where the scan stands and what it carries on.
CUR_POSITION, CUR_EVENT, CUR_EPOCHS, CUR_ROWS, CUR_DEFAULT_SYSTEM, CUR_VERSION = range(6)
N_CURSOR = 6
# Counters, each with the byte offset of its first occurrence.
(
    N_EPOCH_KEPT,
    N_EPOCH_BAD_HEADER,
    N_EPOCH_COUNT_WRONG,
    N_EPOCH_TRUNCATED,
    N_BAD_FIELD,
    N_UNKNOWN_SYSTEM,
    N_BAD_PRN,
    N_DUPLICATE_SATELLITE,
    N_CONFLICTING_SATELLITE,
    N_BLANK_LINE,
    N_COMMENT_LINE,
    N_SATELLITE_COUNT_WRONG,
    N_MISPLACED_FIELD,
    N_DATE_BEYOND_MONTH,
    N_EMPTY_SATELLITE,
) = range(15)
N_COUNTER = 15
SCAN_COUNTERS = (
    "epoch_kept",
    "epoch_bad_header",
    "epoch_count_wrong",
    "epoch_truncated",
    "bad_field",
    "unknown_system",
    "bad_prn",
    "duplicate_satellite",
    "conflicting_satellite",
    "blank_line",
    "comment_line",
    "satellite_count_wrong",
    "misplaced_field",
    "date_beyond_month",
    "empty_satellite",
)
EPOCH_OK, EPOCH_COUNT_WRONG, EPOCH_CUT = range(3)
UNUSED_SAT, UNKNOWN_SAT, BAD_SAT = -1, -2, -3
FIELDS_PER_LINE_2, SATS_PER_LINE_2 = 5, 12
MAX_PRNS = np.array(MAX_PRN)


class EpochRows(NamedTuple):
    """Output of one scan call: one entry per epoch; rows of epoch k end at row_stop[k].

    offset : byte at which the epoch line starts
    """

    time_ns: TimeArray
    event: FlagArray
    rx_clock_s: FloatArray
    row_stop: IndexArray
    offset: IndexArray


class ObsRows(NamedTuple):
    """Output of one scan call: one entry per row, as in `ObsTable`."""

    sat: SatArray
    sig: SigArray
    code_m: FloatArray
    phase_cycle: FloatArray
    doppler_hz: FloatArray
    cn0_dbhz: FloatArray
    lli: FlagArray


class ScanWork(NamedTuple):
    """Scratch of one epoch.

    line_start, line_stop : (n_line,) lines of the epoch, without trailing blanks
    sat, first_line : (n_sat,) satellites found and their first line, sorted by satellite
    seen : (N_SAT,) index into `sat` + 1, 0 = not seen      slip : (N_SAT,) slip records pending
    head : (N_HEAD,)      line : (LINE_*,) results of the line gathering
    letter_system : (256,) system index by letter, -1 unknown
    """

    line_start: IndexArray
    line_stop: IndexArray
    sat: IndexArray
    first_line: IndexArray
    seen: IndexArray
    slip: FlagArray
    head: IndexArray
    line: IndexArray
    letter_system: IndexArray


# Entries of ScanWork.line. LINE_OPEN is the gathered line that ends without a newline, or -1.
# LINE_BLANK counts stray blank lines, LINE_EMPTY those of RINEX 2 that may be a satellite;
# LINE_MISPLACED counts values that do not stand in the columns of the format.
(
    LINE_STORED,
    LINE_TOTAL,
    LINE_BLANK,
    LINE_EMPTY,
    LINE_COMMENT,
    LINE_NEXT,
    LINE_OPEN,
    LINE_CUT,
    LINE_MISPLACED,
) = range(9)
N_LINE = 9
NAME_WIDTH = 3


@kernel
def is_comment(text, start, stop):
    """Whether a line carries the header label COMMENT in column 61."""
    return (
        stop - start >= 67
        and text[start + 60] == 67
        and text[start + 61] == 79
        and text[start + 62] == 77
        and text[start + 63] == 77
    )


@kernel
def gather_lines(text, words, position, version, work):
    """Collect the lines from `position` up to the next epoch line into `work`.

    text : (n,) uint8      words : (n // 8,) uint64, the same memory
    Blank lines are kept for RINEX 2, where they may be a satellite without observations.
    Returns : int, number of lines kept in `work` (LINE_TOTAL counts also those beyond its size)
    """
    line_start, line_stop = work.line_start, work.line_stop
    stored, total, n_blank, n_empty = 0, 0, 0, 0
    n_comment, open_line = 0, -1
    stop = text.shape[0]
    while position < stop:
        end = line_end(text, words, position)
        last = trimmed_end(text, position, end)
        if is_marker(text, position, last, version):
            break
        if is_comment(text, position, last):
            n_comment += 1
        elif last == position and version >= 3:
            n_blank += 1
        else:
            n_empty += 1 if last == position else 0
            if stored < line_start.shape[0]:
                line_start[stored], line_stop[stored] = position, last
                stored += 1
            total += 1
        open_line = stored - 1 if end == stop and last > position else -1
        position = end + 1
    work.line[LINE_STORED], work.line[LINE_TOTAL] = stored, total
    work.line[LINE_BLANK], work.line[LINE_EMPTY] = n_blank, n_empty
    work.line[LINE_COMMENT] = n_comment
    work.line[LINE_NEXT], work.line[LINE_OPEN] = min(position, stop), open_line
    return stored


@kernel
def drop_blank_lines(work):
    """Remove blank lines from the gathered ones; returns how many remain."""
    kept = 0
    for k in range(work.line[LINE_STORED]):
        if work.line_stop[k] > work.line_start[k]:
            work.line_start[kept], work.line_stop[kept] = work.line_start[k], work.line_stop[k]
            kept += 1
    return kept


@kernel
def sat_at(text, start, default_system, letter_system, wanted):
    """Satellite named at `start` (three bytes): index, or UNUSED_SAT, UNKNOWN_SAT, BAD_SAT.

    letter_system : (256,) system index by letter      wanted : (N_SYSTEM,) systems to read
    A blank letter stands for the file's one system (RINEX 2.11, 4.1).
    """
    letter, tens, ones = text[start], np.int64(text[start + 1]), np.int64(text[start + 2])
    system = default_system if letter == SPACE else letter_system[letter]
    if system < 0:
        return UNKNOWN_SAT
    tens = 0 if tens == SPACE else tens - ZERO
    prn = 10 * tens + ones - ZERO
    if not (0 <= tens <= 9 and ZERO <= ones <= ZERO + 9 and 1 <= prn <= MAX_PRNS[system]):
        return BAD_SAT
    if not wanted[system]:
        return UNUSED_SAT
    return system * PRN_PER_SYSTEM + prn - 1


@kernel
def same_text(text, first, first_stop, second, second_stop):
    """Whether two stretches of text are equal byte by byte."""
    if first_stop - first != second_stop - second:
        return False
    for k in range(first_stop - first):
        if text[first + k] != text[second + k]:
            return False
    return True


@kernel
def is_empty_record(text, line, n_line, name_width, work):
    """Whether the `n_line` lines of a satellite from `line` on hold blanks and zeros alone.

    text : (n,) uint8      name_width : bytes of the name in front of the observations
    """
    for k in range(line, line + n_line):
        for position in range(work.line_start[k] + name_width, work.line_stop[k]):
            char = text[position]
            if char != SPACE and char != DOT and char != ZERO:
                return False
    return True


@kernel
def meet_again(text, sat, line, n_line, n_sat, work, counts):
    """A satellite named twice in an epoch: the same text is dropped, another bars it; returns 0.

    text : (n,) uint8      line : first line of the later record
    n_line : lines per satellite in RINEX 2, 0 = one line that starts with the name
    counts : (N_COUNTER,) the case is counted
    Of two records one of which is empty the other is taken.
    """
    first, name_width = work.seen[sat] - 1, NAME_WIDTH if n_line == 0 else 0
    n_line = max(n_line, 1)
    if first + n_line <= line and line + n_line <= work.line[LINE_STORED]:
        is_empty = is_empty_record(text, line, n_line, name_width, work)
        if not is_empty and is_empty_record(text, first, n_line, name_width, work):
            is_empty = True
            work.seen[sat] = line + 1
            for k in range(n_sat):
                if work.sat[k] == sat:
                    work.first_line[k] = line
        if is_empty:
            counts[N_EMPTY_SATELLITE] += 1
            return 0
    is_same = first + n_line <= line
    for k in range(n_line):
        is_same = is_same and same_text(
            text,
            work.line_start[first + k],
            work.line_stop[first + k],
            work.line_start[line + k],
            work.line_stop[line + k],
        )
    counts[N_DUPLICATE_SATELLITE if is_same else N_CONFLICTING_SATELLITE] += 1
    for k in range(n_sat):
        if work.sat[k] == sat and not is_same:
            work.first_line[k] = -1
    return 0


@kernel
def insert_sorted(sat, line, n_sat, sats, first_line):
    """Insert a satellite and its first line into the sorted lists; returns the new length.

    Files list satellites nearly in order, so that few entries move.
    """
    k = n_sat
    while k > 0 and sats[k - 1] > sat:
        sats[k], first_line[k] = sats[k - 1], first_line[k - 1]
        k -= 1
    sats[k], first_line[k] = sat, line
    return n_sat + 1


@kernel
def collect_sats(text, head, claimed, n_line, default_system, columns, work, counts):
    """Satellites of the gathered lines into `work.sat`, sorted: int, how many.

    head   : (start, stop) of the epoch line       claimed : satellites it announces
    counts : (N_COUNTER,) satellites that cannot be used are counted
    n_line : lines per satellite in RINEX 2, whose names stand from column 33 of the epoch line
             and its continuations on, twelve to a line; 0 = names stand before the observations
    """
    sats, first_line, seen = work.sat, work.first_line, work.seen
    line_start, line_stop = work.line_start, work.line_stop
    letter_system, wanted = work.letter_system, columns.wanted
    n_sat, n_head = 0, max((claimed - 1) // SATS_PER_LINE_2, 0)
    for k in range(claimed):
        start, stop, line = head[0], head[1], k
        if n_line == 0:
            start, stop = line_start[k], line_stop[k]
        else:
            line = n_head + k * n_line
            if k >= SATS_PER_LINE_2:
                start = line_start[k // SATS_PER_LINE_2 - 1]
                stop = line_stop[k // SATS_PER_LINE_2 - 1]
            start += 32 + NAME_WIDTH * (k % SATS_PER_LINE_2)
        sat = BAD_SAT
        if start + NAME_WIDTH <= stop:
            sat = sat_at(text, start, default_system, letter_system, wanted)
        if sat < 0:
            counts[N_UNKNOWN_SYSTEM] += 1 if sat == UNKNOWN_SAT else 0
            counts[N_BAD_PRN] += 1 if sat == BAD_SAT else 0
        elif seen[sat] > 0:
            meet_again(text, sat, line, n_line, n_sat, work, counts)
        else:
            seen[sat] = line + 1
            n_sat = insert_sorted(sat, line, n_sat, sats, first_line)
    return n_sat

"""Kernels that walk over the epochs of a RINEX observation file, all in one pass."""

from __future__ import annotations

from rtkpos._numba.decorator import kernel
from rtkpos.core.tables import EVENT_POWER_FAILURE
from rtkpos.io.rinex._observations.epoch_line import (
    HEAD_BEYOND,
    HEAD_COUNT,
    HEAD_FLAG,
    HEAD_TIME,
    is_marker,
    read_clock,
    read_head,
)
from rtkpos.io.rinex._observations.field_text import emit_rows, read_sats
from rtkpos.io.rinex._observations.lines import (
    BAD_SAT,
    CUR_DEFAULT_SYSTEM,
    CUR_EPOCHS,
    CUR_EVENT,
    CUR_POSITION,
    CUR_ROWS,
    CUR_VERSION,
    EPOCH_COUNT_WRONG,
    EPOCH_CUT,
    EPOCH_OK,
    FIELDS_PER_LINE_2,
    LINE_BLANK,
    LINE_COMMENT,
    LINE_CUT,
    LINE_EMPTY,
    LINE_MISPLACED,
    LINE_NEXT,
    LINE_OPEN,
    LINE_STORED,
    LINE_TOTAL,
    N_BAD_FIELD,
    N_BLANK_LINE,
    N_COMMENT_LINE,
    N_COUNTER,
    N_DATE_BEYOND_MONTH,
    N_EPOCH_BAD_HEADER,
    N_EPOCH_COUNT_WRONG,
    N_EPOCH_KEPT,
    N_EPOCH_TRUNCATED,
    N_MISPLACED_FIELD,
    N_SATELLITE_COUNT_WRONG,
    NAME_WIDTH,
    SATS_PER_LINE_2,
    SCAN_END,
    SCAN_EVENT,
    SCAN_FULL,
    UNUSED_SAT,
    collect_sats,
    drop_blank_lines,
    gather_lines,
    is_comment,
    sat_at,
)
from rtkpos.io.text.numbers import SPACE, trimmed_end
from rtkpos.io.text.words64 import line_end

MAX_MISCOUNT = 3  # satellites an epoch line may be off by while its lines are still taken


@kernel
def repeats_name(text, line, claimed, work):
    """Whether a gathered line starts with the satellite of one of the first `claimed` lines.

    text : (n,) uint8      line : index of the gathered line
    """
    first = work.line_start[line]
    if work.line_stop[line] - first < 3:
        return False
    for k in range(claimed):
        start = work.line_start[k]
        if work.line_stop[k] - start >= 3 and (
            text[start] == text[first]
            and text[start + 1] == text[first + 1]
            and text[start + 2] == text[first + 2]
        ):
            return True
    return False


@kernel
def judge_lines_3(text, claimed, default_system, columns, work):
    """Whether the gathered lines are the claimed satellites of a RINEX 3 or 4 epoch.

    text : (n,) uint8      claimed : satellites the epoch line announces

    More lines than claimed are another epoch whose marker is damaged, if they do not start with
    a satellite or one of them has a satellite of this epoch; otherwise the count is wrong.
    Returns : int EPOCH_*
    """
    total = work.line[LINE_TOTAL]
    if total < claimed:
        at_end = work.line[LINE_NEXT] >= text.shape[0]
        return EPOCH_CUT if at_end else EPOCH_COUNT_WRONG
    if total == claimed:
        return EPOCH_OK
    if claimed == 0 or claimed >= work.line[LINE_STORED]:
        return EPOCH_COUNT_WRONG
    if work.line_stop[claimed] - work.line_start[claimed] < 3:
        return EPOCH_OK
    start = work.line_start[claimed]
    extra = sat_at(text, start, default_system, work.letter_system, columns.wanted)
    if extra == BAD_SAT or extra < -1:
        return EPOCH_OK
    for extra_line in range(claimed, work.line[LINE_STORED]):
        if repeats_name(text, extra_line, claimed, work):
            return EPOCH_OK
    return EPOCH_COUNT_WRONG


@kernel
def recount_3(text, claimed, default_system, columns, work):
    """Satellites of a RINEX 3 or 4 epoch that announces up to three more or fewer: int, or -1.

    text : (n,) uint8      claimed : satellites the epoch line announces, not those gathered
    Every gathered line must start with a satellite of its own; -1 where the count cannot be told.
    """
    total = work.line[LINE_TOTAL]
    if total != work.line[LINE_STORED] or total == 0 or abs(total - claimed) > MAX_MISCOUNT:
        return -1
    if total < claimed and work.line[LINE_OPEN] >= 0:
        return -1
    letters, wanted = work.letter_system, columns.wanted
    for k in range(total):
        start = work.line_start[k]
        if work.line_stop[k] - start < NAME_WIDTH or repeats_name(text, k, k, work):
            return -1
        if sat_at(text, start, default_system, letters, wanted) < UNUSED_SAT:
            return -1
    return total


@kernel
def listed_sats(text, head, default_system, columns, work):
    """How many satellites a RINEX 2 epoch line and its continuation lines name, without a gap.

    text : (n,) uint8      head : (start, stop) of the epoch line
    """
    n, start, stop = 0, head[0], head[1]
    while True:
        if n > 0 and n % SATS_PER_LINE_2 == 0:
            line = n // SATS_PER_LINE_2 - 1
            if line >= work.line[LINE_STORED]:
                return n
            start, stop = work.line_start[line], work.line_stop[line]
            for position in range(start, min(start + 32, stop)):
                if text[position] != SPACE:
                    return n
        at = start + 32 + NAME_WIDTH * (n % SATS_PER_LINE_2)
        if at + NAME_WIDTH > stop:
            return n
        if sat_at(text, at, default_system, work.letter_system, columns.wanted) < UNUSED_SAT:
            return n
        n += 1


@kernel
def recount_2(text, head, claimed, n_line, default_system, columns, work):
    """Satellites of a RINEX 2 epoch that announces up to three more or fewer: int, or -1.

    text : (n,) uint8      head : (start, stop) of the epoch line
    claimed : satellites it announces      n_line : lines per satellite
    The names decide, where the gathered lines are as many as they need.
    """
    listed = listed_sats(text, head, default_system, columns, work)
    needed = max((listed - 1) // SATS_PER_LINE_2, 0) + listed * n_line
    total = work.line[LINE_TOTAL]
    is_plain = total == needed and total == work.line[LINE_STORED] and listed > 0
    if not is_plain or listed == claimed or abs(listed - claimed) > MAX_MISCOUNT:
        return -1
    return -1 if total < claimed * n_line and work.line[LINE_OPEN] >= 0 else listed


@kernel
def judge_lines_2(text, expected, work):
    """Whether the gathered lines can be the `expected` ones of a RINEX 2 epoch: int EPOCH_*.

    text : (n,) uint8      expected : lines the epoch line announces

    A blank line may be a satellite without observations or a stray one: only what makes the
    count right decides. Other surplus lines are an epoch whose own line is damaged.
    """
    total, stored = work.line[LINE_TOTAL], work.line[LINE_STORED]
    if total < expected:
        at_end = work.line[LINE_NEXT] >= text.shape[0]
        return EPOCH_CUT if at_end else EPOCH_COUNT_WRONG
    if total == expected:
        return EPOCH_OK if stored == total else EPOCH_COUNT_WRONG
    if total - work.line[LINE_EMPTY] == expected and stored == total:
        n_tail = 0
        for k in range(expected, stored):
            n_tail += 1 if work.line_stop[k] == work.line_start[k] else 0
        if n_tail < total - expected:
            drop_blank_lines(work)
        work.line[LINE_BLANK] = total - expected
        work.line[LINE_TOTAL] = expected
        return EPOCH_OK
    n_data = 0
    for k in range(expected, stored):
        n_data += 1 if work.line_stop[k] > work.line_start[k] else 0
    if n_data == 0 and stored == total:
        work.line[LINE_BLANK] = total - expected
        work.line[LINE_TOTAL] = expected
        return EPOCH_OK
    return EPOCH_COUNT_WRONG if expected == 0 or expected > stored else EPOCH_OK


@kernel
def read_epoch(text, words, head, cursor, columns, fields, work, rows, counts):
    """Judge the gathered lines of one epoch and read its satellites into `rows`: int EPOCH_*.

    text : (n,) uint8      words : (n // 8,) uint64, the same memory
    head : (start, stop) of the epoch line      cursor : (N_CURSOR,) CUR_ROWS moves on
    counts : (N_COUNTER,) what is skipped on the way
    """
    version, claimed = cursor[CUR_VERSION], work.head[HEAD_COUNT]
    default_system = cursor[CUR_DEFAULT_SYSTEM]
    n_line, n_head, expected, verdict = 0, 0, claimed, EPOCH_OK
    if version < 3:
        n_line = (columns.n_col[default_system] + FIELDS_PER_LINE_2 - 1) // FIELDS_PER_LINE_2
        n_head = max((claimed - 1) // SATS_PER_LINE_2, 0)
        expected = n_head + claimed * n_line
    recounted = -1
    if work.line[LINE_TOTAL] != expected:
        if version < 3:
            recounted = recount_2(text, head, claimed, n_line, default_system, columns, work)
        else:
            recounted = recount_3(text, claimed, default_system, columns, work)
    if recounted >= 0:
        claimed, expected = recounted, work.line[LINE_TOTAL]
    elif version < 3:
        verdict = judge_lines_2(text, expected, work)
    else:
        verdict = judge_lines_3(text, claimed, default_system, columns, work)
    if verdict != EPOCH_OK:
        return verdict
    counts[N_SATELLITE_COUNT_WRONG] += 1 if recounted >= 0 else 0
    counts[N_DATE_BEYOND_MONTH] += work.head[HEAD_BEYOND]
    if work.line[LINE_TOTAL] > expected:
        counts[N_EPOCH_BAD_HEADER] += 1
    n_sat = collect_sats(text, head, claimed, n_line, default_system, columns, work, counts)
    counts[N_BAD_FIELD] += read_sats(text, words, n_sat, n_line, columns, fields, work)
    counts[N_MISPLACED_FIELD] += work.line[LINE_MISPLACED]
    open_line = work.line[LINE_OPEN]
    is_name_cut = open_line >= 0 and work.line_stop[open_line] - work.line_start[open_line] < 3
    for k in range(n_sat):
        work.seen[work.sat[k]] = 0
    if open_line < expected and (work.line[LINE_CUT] == 1 or (is_name_cut and version >= 3)):
        return EPOCH_CUT
    for k in range(n_sat):
        work.slip[work.sat[k]] = 0
    cursor[CUR_ROWS] = emit_rows(n_sat, columns, fields, work, rows, cursor[CUR_ROWS])
    return EPOCH_OK


@kernel
def room_needed(columns, work):
    """Upper bound of the rows the gathered lines can give."""
    n_slot = 0
    for system in range(columns.n_slot.shape[0]):
        n_slot = max(n_slot, columns.n_slot[system])
    return n_slot * min(work.line[LINE_STORED], work.sat.shape[0], work.line[LINE_TOTAL])


@kernel
def skip_to_marker(text, words, position, version):
    """Start of the next epoch line at or after the line that starts at `position`."""
    stop = text.shape[0]
    while position < stop:
        end = line_end(text, words, position)
        if is_marker(text, position, trimmed_end(text, position, end), version):
            return position
        position = end + 1
    return stop


@kernel
def note_first(position, counts, first):
    """Remember where each counter first rose; returns 0."""
    for k in range(N_COUNTER):
        if counts[k] > 0 and first[k] < 0:
            first[k] = position
    return 0


@kernel
def close_epoch(text, position, last, verdict, cursor, work, epochs, counts):
    """Book one epoch by its verdict: kept with time, event and clock, or counted; returns 0.

    text : (n,) uint8; the epoch line is [position, last)      verdict : EPOCH_*
    cursor : (N_CURSOR,) a kept epoch takes the pending event      counts : (N_COUNTER,)
    """
    counts[N_BLANK_LINE] += work.line[LINE_BLANK]
    counts[N_COMMENT_LINE] += work.line[LINE_COMMENT]
    if verdict == EPOCH_OK:
        k = cursor[CUR_EPOCHS]
        epochs.time_ns[k] = work.head[HEAD_TIME]
        power = EVENT_POWER_FAILURE if work.head[HEAD_FLAG] == 1 else 0
        epochs.event[k] = cursor[CUR_EVENT] | power
        epochs.rx_clock_s[k] = read_clock(text, position, last, cursor[CUR_VERSION])
        epochs.row_stop[k], epochs.offset[k] = cursor[CUR_ROWS], position
        cursor[CUR_EPOCHS], cursor[CUR_EVENT] = k + 1, 0
        counts[N_EPOCH_KEPT] += 1
    elif verdict == EPOCH_CUT:
        counts[N_EPOCH_TRUNCATED] += 1
    else:
        counts[N_EPOCH_COUNT_WRONG] += 1
    return 0


@kernel
def scan_epochs(text, words, columns, fields, work, epochs, rows, cursor, counts, first):
    """Read epochs from the cursor on, until the text ends, an event comes or the output is full.

    text : (n,) uint8 the whole file        words : (n // 8,) uint64, the same memory
    columns, fields, work : see their classes
    epochs, rows : outputs, filled from 0 on; their lengths are what fits
    cursor : (N_CURSOR,) where to start; left at the event's line or the epoch that did not fit
    counts, first : (N_COUNTER,) counters and the byte offset of their first occurrence
    Returns : int SCAN_*
    """
    stop, version = text.shape[0], cursor[CUR_VERSION]
    position = cursor[CUR_POSITION]
    while position < stop:
        end = line_end(text, words, position)
        last = trimmed_end(text, position, end)
        cursor[CUR_POSITION] = position
        if last == position or is_comment(text, position, last):
            counts[N_BLANK_LINE if last == position else N_COMMENT_LINE] += 1
            position = end + 1
            continue
        is_epoch = is_marker(text, position, last, version)
        if not is_epoch or not read_head(text, position, last, version, work.head):
            is_cut = end == stop
            counts[N_EPOCH_TRUNCATED if is_cut else N_EPOCH_BAD_HEADER] += 1
            note_first(position, counts, first)
            position = skip_to_marker(text, words, end + 1, version)
            continue
        if work.head[HEAD_FLAG] >= 2:
            return SCAN_EVENT
        gather_lines(text, words, min(end + 1, stop), version, work)
        if (
            cursor[CUR_EPOCHS] >= epochs.time_ns.shape[0]
            or cursor[CUR_ROWS] + room_needed(columns, work) > rows.sat.shape[0]
        ):
            return SCAN_FULL
        head = (position, last)
        verdict = read_epoch(text, words, head, cursor, columns, fields, work, rows, counts)
        close_epoch(text, position, last, verdict, cursor, work, epochs, counts)
        note_first(position, counts, first)
        position = work.line[LINE_NEXT]
    cursor[CUR_POSITION] = stop
    return SCAN_END

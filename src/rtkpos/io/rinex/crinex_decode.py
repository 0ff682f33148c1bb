"""Kernels that turn compact RINEX (CRINEX 1 and 3) into RINEX text, epoch by epoch.

Source: Hatanaka (2008), A Compression Format and Tools for GNSS Observation Data, Bulletin of the
GSI 55. An epoch line and the flags of a satellite are stored as what changed from the epoch
before: a blank keeps the character, "&" is a blank, anything else is new. Values are integers in
units of their last digit: "3&123" begins an arc of differences up to order 3, later fields hold
the difference of the highest order there is, and an empty field is a missing value.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtkpos._arrays import FlagArray, IndexArray
from rtkpos._numba.decorator import kernel
from rtkpos.io.text.numbers import DOT, MINUS, NEWLINE, SPACE, ZERO, fixed_int, trimmed_end
from rtkpos.io.text.words64 import line_end

N_CURSOR_CRX = 7
CUR_IN, CUR_OUT, CUR_LENGTH, CUR_EPOCH, CUR_FORMAT, CUR_WHY, CUR_BLANK = range(N_CURSOR_CRX)
CRX_END, CRX_EVENT, CRX_FULL, CRX_DAMAGED = range(4)
WHY_START, WHY_HEAD, WHY_NAME, WHY_FIELD, WHY_CUT = range(5)

N_NAME_LETTER, N_NUMBER = 27, 100  # names of satellites: A to Z and blank, 00 to 99
MAX_ORDER = 9
MAX_LINE = 41 + 3 * 999
_ORDER, _LIMIT, _DIFFERENCE = 0, 1, 2  # places in an arc
ARC_SIZE = _DIFFERENCE + MAX_ORDER + 1
_MAX_DIGITS = 18
_AND, _GREATER = ord("&"), ord(">")
_VALUE_WIDTH, _FIELD_WIDTH, _FIELDS_PER_LINE, _SATS_PER_LINE = 14, 16, 5, 12
_CLOCK_AT_2, _CLOCK_WIDTH_2, _CLOCK_AT_3, _CLOCK_WIDTH_3 = 68, 12, 41, 15


class CrinexState(NamedTuple):
    """What the decoder knows of the epoch before.

    line : (MAX_LINE,) epoch line with all satellites      n_obs : (128,) values by system letter
    arc : (n_name, n_obs, ARC_SIZE) order reached (-1 = none), highest order, differences
    flag : (n_name, 2 n_obs) characters      seen : (n_name,) epoch a satellite was last in
    clock : (ARC_SIZE,) arc of the receiver clock
    """

    line: FlagArray
    n_obs: IndexArray
    arc: IndexArray
    flag: FlagArray
    seen: IndexArray
    clock: IndexArray


def crinex_state(n_obs: IndexArray) -> CrinexState:
    """The state before the first epoch; n_obs : (128,) int64."""
    n_name, most = N_NAME_LETTER * N_NUMBER, max(int(n_obs.max()), 1)
    return CrinexState(
        line=np.full(MAX_LINE, SPACE, np.uint8),
        n_obs=n_obs,
        arc=np.zeros((n_name, most, ARC_SIZE), np.int64),
        flag=np.zeros((n_name, 2 * most), np.uint8),
        seen=np.full(n_name, -1, np.int64),
        clock=np.full(ARC_SIZE, -1, np.int64),
    )


@kernel
def patch(data, start, stop, line):
    """Apply stored changes to a text of blanks and characters; returns the length they reach.

    data : (n,) uint8 changes in [start, stop)      line : (m,) uint8; changes beyond it are dropped
    """
    length = min(stop - start, line.shape[0])
    for k in range(length):
        c = data[start + k]
        if c == _AND:
            line[k] = SPACE
        elif c != SPACE:
            line[k] = c
    return length


@kernel
def take_value(data, at, stop, arc):
    """Read one field of a line into its arc: the position behind it, or -1 for what is no field.

    data : (n,) uint8, the line is [at, stop)      arc : (ARC_SIZE,) int64
    """
    if at >= stop or data[at] == SPACE:
        arc[_ORDER] = -1
        return at
    is_start = at + 1 < stop and data[at + 1] == _AND
    if is_start:
        arc[_LIMIT] = np.int64(data[at]) - ZERO
        if arc[_LIMIT] < 0 or arc[_LIMIT] > MAX_ORDER:
            return -1
        at += 2
    elif arc[_ORDER] < 0:
        return -1
    is_negative = at < stop and data[at] == MINUS
    at += 1 if is_negative else 0
    first, value = at, 0
    while at < stop and data[at] != SPACE:
        digit = np.int64(data[at]) - ZERO
        if digit < 0 or digit > 9 or at - first >= _MAX_DIGITS:
            return -1
        value = 10 * value + digit
        at += 1
    if at == first:
        return -1
    order = 0 if is_start else min(arc[_ORDER] + 1, arc[_LIMIT])
    arc[_ORDER] = order
    arc[_DIFFERENCE + order] = -value if is_negative else value
    for k in range(_DIFFERENCE + order - 1, _DIFFERENCE - 1, -1):
        arc[k] += arc[k + 1]
    return at


@kernel
def put_number(value, n_decimal, width, out, at):
    """Write an integer in units of its last decimal, right-aligned; False when it is too wide.

    out : (n,) uint8, blank in [at, at + width)      A zero before the point is not written.
    """
    rest, k = abs(value), at + width - 1
    for _ in range(n_decimal):
        out[k] = ZERO + rest % 10
        rest //= 10
        k -= 1
    out[k] = DOT
    k -= 1
    while rest > 0 and k >= at:
        out[k] = ZERO + rest % 10
        rest //= 10
        k -= 1
    if value < 0 and k >= at:
        out[k] = MINUS
        return rest == 0
    return rest == 0 and value >= 0


@kernel
def end_line(out, start, stop):
    """Take blanks off the line [start, stop) and end it; where the next one starts."""
    while stop > start and out[stop - 1] == SPACE:
        stop -= 1
    out[stop] = NEWLINE
    return stop + 1


@kernel
def name_index(line, at):
    """Index of the satellite whose name stands in a line, -1 when it is none."""
    letter = np.int64(line[at])
    tens, units = np.int64(line[at + 1]) - ZERO, np.int64(line[at + 2]) - ZERO
    if line[at + 1] == SPACE:
        tens = 0
    if tens < 0 or tens > 9 or units < 0 or units > 9:
        return -1
    if letter == SPACE:
        return (N_NAME_LETTER - 1) * N_NUMBER + 10 * tens + units
    if letter < 65 or letter > 90:
        return -1
    return (letter - 65) * N_NUMBER + 10 * tens + units


@kernel
def put_satellite(data, at, stop, name, n_obs, is_new, state, is_2, out, out_at):
    """Read the line [at, stop) of a satellite and write its values: the new end of the output.

    data : (n,) uint8      name : index of the satellite
    is_new : it was not in the epoch before
    is_2 : RINEX 2, where a missing value has no flags, and five values make a line
    out : (n,) uint8, written from out_at on; -1 for a line that is damaged
    """
    arc, flag = state.arc[name], state.flag[name]
    if is_new:
        for i in range(n_obs):
            arc[i, _ORDER] = -1
            flag[2 * i] = flag[2 * i + 1] = SPACE
    for i in range(n_obs):
        at = take_value(data, at, stop, arc[i])
        if at < 0 or (at < stop and data[at] != SPACE):
            return -1
        at += 1
    if at < stop:
        patch(data, at, stop, flag[: 2 * n_obs])
    start = out_at
    for i in range(n_obs):
        if is_2 and i > 0 and i % _FIELDS_PER_LINE == 0:
            out_at = end_line(out, start, out_at)
            start = out_at
        for k in range(_FIELD_WIDTH):
            out[out_at + k] = SPACE
        if arc[i, _ORDER] < 0 and is_2:
            flag[2 * i] = flag[2 * i + 1] = SPACE
        if arc[i, _ORDER] >= 0 and not put_number(
            arc[i, _DIFFERENCE], 3, _VALUE_WIDTH, out, out_at
        ):
            return -1
        out[out_at + 14], out[out_at + 15] = flag[2 * i], flag[2 * i + 1]
        out_at += _FIELD_WIDTH
    return end_line(out, start, out_at)


@kernel
def put_head(state, n_sat, version, out, out_at):
    """Write an epoch line (RINEX 2: with the names) and the clock; the new end, -1 = too wide.

    state : CrinexState      out : (n,) uint8, written from out_at on
    """
    line, has_clock, start = state.line, state.clock[_ORDER] >= 0, out_at
    width, at, decimals = _CLOCK_WIDTH_3, _CLOCK_AT_3, 12
    n_text = _CLOCK_AT_3
    if version < 3:
        width, at, decimals = _CLOCK_WIDTH_2, _CLOCK_AT_2, 9
        n_text = 32 + 3 * min(n_sat, _SATS_PER_LINE)
    for k in range(at + width):
        out[start + k] = line[k] if k < n_text else SPACE
    if has_clock and not put_number(state.clock[_DIFFERENCE], decimals, width, out, start + at):
        return -1
    out_at = end_line(out, start, start + at + width)
    if version < 3:
        for first in range(_SATS_PER_LINE, n_sat, _SATS_PER_LINE):
            start, n_name = out_at, min(n_sat - first, _SATS_PER_LINE)
            for k in range(32):
                out[start + k] = SPACE
            for k in range(3 * n_name):
                out[start + 32 + k] = line[32 + 3 * first + k]
            out_at = end_line(out, start, start + 32 + 3 * n_name)
    return out_at


@kernel
def put_epoch(data, words, position, n_sat, cursor, state, out):
    """Decode the lines behind an epoch line: the position of the next one, or -1 - WHY_*.

    data : (n,) uint8      words : (n // 8,) uint64, the same memory
    cursor : (N_CURSOR_CRX,) CUR_OUT moves on      out : (m,) uint8
    """
    version, epoch = cursor[CUR_FORMAT], cursor[CUR_EPOCH]
    names_at = 32 if version < 3 else 41
    end = line_end(data, words, position)
    if end >= data.shape[0]:
        return -1 - WHY_CUT
    stop = trimmed_end(data, position, end)
    if take_value(data, position, stop, state.clock) != stop:
        return -1 - WHY_FIELD
    out_at = put_head(state, n_sat, version, out, cursor[CUR_OUT])
    if out_at < 0:
        return -1 - WHY_FIELD
    for k in range(n_sat):
        position = end + 1
        cursor[CUR_IN] = min(position, data.shape[0])
        end = line_end(data, words, cursor[CUR_IN])
        if end >= data.shape[0]:
            return -1 - WHY_CUT
        at = names_at + 3 * k
        name = name_index(state.line, at)
        n_obs = state.n_obs[state.line[at] & 127]
        if name < 0 or n_obs < 0:
            return -1 - WHY_NAME
        if version >= 3:
            for i in range(3):
                out[out_at + i] = state.line[at + i]
            out_at += 3
        stop = trimmed_end(data, position, end)
        is_new = state.seen[name] != epoch - 1
        out_at = put_satellite(
            data, position, stop, name, n_obs, is_new, state, version < 3, out, out_at
        )
        if out_at < 0:
            return -1 - WHY_FIELD
        state.seen[name] = epoch
    cursor[CUR_OUT] = out_at
    return end + 1


@kernel
def decode_epochs(data, words, cursor, state, room, out):
    """Decode epochs from the cursor on, until the data end, an event comes or the output is full.

    data : (n,) uint8 the whole file      words : (n // 8,) uint64, the same memory
    cursor : (N_CURSOR_CRX,) CUR_IN and CUR_OUT move on; at the line of an event, and after damage
        at the damaged line, with CUR_WHY and the output up to the epoch before; from CUR_BLANK on
        the data are blank
    state : CrinexState      room : the most bytes an epoch can take      out : (m,) uint8
    Returns : int CRX_*
    """
    version = cursor[CUR_FORMAT]
    flag_at, count_at = (28, 29) if version < 3 else (31, 32)
    names_at = 32 if version < 3 else 41
    while cursor[CUR_IN] < data.shape[0]:
        position = cursor[CUR_IN]
        if cursor[CUR_OUT] + room > out.shape[0]:
            return CRX_FULL
        end = line_end(data, words, position)
        stop = trimmed_end(data, position, end)
        is_start = stop > position and data[position] == (_AND if version < 3 else _GREATER)
        if position >= cursor[CUR_BLANK]:
            break
        if not is_start and cursor[CUR_LENGTH] == 0:
            cursor[CUR_WHY] = WHY_START
            return CRX_DAMAGED
        if end == data.shape[0]:  # a line without its end may have lost more than that
            cursor[CUR_WHY] = WHY_CUT
            return CRX_DAMAGED
        if is_start:
            if stop - position > flag_at and data[position + flag_at] > ZERO + 1:
                return CRX_EVENT
            for k in range(cursor[CUR_LENGTH]):
                state.line[k] = SPACE
            cursor[CUR_LENGTH] = 0
            cursor[CUR_EPOCH] += 1
        length = patch(data, position, stop, state.line)
        cursor[CUR_LENGTH] = max(cursor[CUR_LENGTH], length)
        cursor[CUR_EPOCH] += 1
        n_sat = fixed_int(state.line, count_at, count_at + 3)
        flag = state.line[flag_at]
        is_flag = flag == SPACE or flag == ZERO or flag == ZERO + 1
        is_cut = n_sat > 0 and names_at + 3 * n_sat > cursor[CUR_LENGTH]
        if n_sat < 0 or is_cut or not is_flag:
            cursor[CUR_WHY] = WHY_HEAD
            return CRX_DAMAGED
        cursor[CUR_IN] = end + 1
        position = put_epoch(data, words, end + 1, n_sat, cursor, state, out)
        if position < 0:
            cursor[CUR_WHY] = -1 - position
            return CRX_DAMAGED
        cursor[CUR_IN] = position
    return CRX_END

"""Kernels that read the observation fields of the satellites of one epoch."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rtkpos._arrays import BoolArray, FlagArray, FloatArray, IndexArray, SigArray
from rtkpos._numba.decorator import kernel
from rtkpos.gnss.systems import PRN_PER_SYSTEM
from rtkpos.io.rinex._observations.lines import (
    FIELDS_PER_LINE_2,
    LINE_CUT,
    LINE_MISPLACED,
    LINE_OPEN,
    NAME_WIDTH,
)
from rtkpos.io.text.numbers import (
    BAD_INT,
    DOT,
    FIELD_BAD,
    FIELD_MISSING,
    FIELD_OK,
    MINUS,
    PLUS,
    SPACE,
    ZERO,
    general_number,
    is_digit,
)
from rtkpos.io.text.words64 import eight_bytes, fixed_milli

N_KIND = 4
KIND_CODE, KIND_PHASE, KIND_DOPPLER, KIND_CN0 = range(N_KIND)
FIELD_WIDTH, VALUE_WIDTH, DOT_COLUMN = 16, 14, 10
FIELD_MISPLACED = 3  # one more than the FIELD_* of a number alone
_WHOLE_DIGITS = 6  # more than the decimals and the two flags behind a point can be
LLI_MASK = 7  # RINEX 3.05, 6.5: bits 0..2; digits 8 and 9 carry a bit that means nothing


class Columns(NamedTuple):
    """What stands in which header column, per system index.

    wanted   : (N_SYSTEM,) the system is to be read
    n_col    : (N_SYSTEM,) columns in the file       n_slot : (N_SYSTEM,) signals among them
    target   : (N_SYSTEM, n) signal slot * N_KIND + KIND_* of a column, -1 = not read
    divisor  : (N_SYSTEM, n) SYS / SCALE FACTOR      lli_flip : (N_SYSTEM, n) bits to invert
    sig      : (N_SYSTEM, n) signal index of a slot, ascending
    """

    wanted: BoolArray
    n_col: IndexArray
    n_slot: IndexArray
    target: IndexArray
    divisor: FloatArray
    lli_flip: FlagArray
    sig: SigArray


class FieldWork(NamedTuple):
    """Scratch of one epoch, a line per entry of ScanWork.sat.

    value : (N_SAT, N_KIND * n_slot) by column target      lli : (N_SAT, n_slot)
    """

    value: FloatArray
    lli: FlagArray


@kernel
def is_in_place(text, start, stop):
    """Whether the number in a field [start, stop) stands where F14.3 has it, or is no piece of one.

    text : (n,) uint8
    The point of F14.3 is in column 11. What has other characters (an exponent, damage), or is a
    long number without a point that ends before the field does, is no matter of shifted columns.
    """
    dot, n_digit = -1, 0
    for k in range(start, stop):
        char = text[k]
        if is_digit(char):
            n_digit += 1
        elif char == DOT:
            dot = k - start if dot < 0 else dot
        elif char != SPACE and char != MINUS and char != PLUS:
            return True
    if dot >= 0 or n_digit == 0:
        return dot < 0 or dot == DOT_COLUMN
    return n_digit >= _WHOLE_DIGITS and text[stop - 1] == SPACE


@kernel
def odd_value(text, start, stop):
    """Value of a field [start, stop) that is not a plain F14.3: (FIELD_* status, value).

    Zero means "not observed" (RINEX 3.05, 6.6) and so counts as missing. A field cut short by
    the line's end is bad; one whose number is not in the columns of F14.3 is misplaced.
    """
    blank = np.int64(0)
    for k in range(start, stop):
        blank |= np.int64(text[k]) ^ SPACE
    if blank == 0:
        return FIELD_MISSING, math.nan
    status, value = general_number(text, start, stop)
    if status == FIELD_OK and stop - start < VALUE_WIDTH:
        return FIELD_BAD, math.nan
    if status == FIELD_OK and value == 0.0:
        return FIELD_MISSING, math.nan
    if not is_in_place(text, start, stop):
        return FIELD_MISPLACED, math.nan
    return status, value


@kernel
def read_sats(text, words, n_sat, n_line, columns, fields, work):
    """Read the fields of all satellites in `work` into `fields`; slip records set LLI bit 0.

    text   : (n,) uint8      words : (n // 8,) uint64, the same memory
    n_sat  : satellites in work.sat; those with first_line < 0 are left out
    n_line : lines per satellite in RINEX 2; 0 = one line that starts with its name
    Returns : int, number of bad fields; work.line[LINE_CUT] tells whether the line
              work.line[LINE_OPEN] ends inside a value, work.line[LINE_MISPLACED] how many values
              do not stand in their columns

    One function over a whole epoch, with the arrays of the tuples as locals: passing the tuples
    per satellite or field costs more than reading a number.
    """
    target_of, divisor_of, flip_of = columns.target, columns.divisor, columns.lli_flip
    n_col_of, n_slot_of = columns.n_col, columns.n_slot
    value, lli_of, slip, sats = fields.value, fields.lli, work.slip, work.sat
    line_start, line_stop, first_line = work.line_start, work.line_stop, work.first_line
    open_line, is_cut, n_bad = work.line[LINE_OPEN], 0, 0
    work.line[LINE_MISPLACED] = 0
    plain_stop = (words.shape[0] - 3) * 8
    for k in range(n_sat):
        system = sats[k] // PRN_PER_SYSTEM
        n_col = n_col_of[system]
        for slot in range(n_slot_of[system]):
            lli_of[k, slot] = slip[sats[k]]
        for target in range(N_KIND * n_slot_of[system]):
            value[k, target] = math.nan
        for row in range(max(n_line, 1) if first_line[k] >= 0 else 0):
            line = first_line[k] + row
            position = line_start[line] + (NAME_WIDTH if n_line == 0 else 0)
            stop, column = line_stop[line], FIELDS_PER_LINE_2 * row
            last_column = n_col if n_line == 0 else min(column + FIELDS_PER_LINE_2, n_col)
            while column < last_column and position < stop:
                target, field_stop = target_of[system, column], position + VALUE_WIDTH
                if field_stop > stop:
                    field_stop = stop
                    is_cut |= 1 if line == open_line else 0
                if target >= 0:
                    milli = BAD_INT
                    if position < plain_stop and field_stop - position == VALUE_WIDTH:
                        low, high = eight_bytes(words, position), eight_bytes(words, position + 8)
                        milli = fixed_milli(low, high)
                    status, number = FIELD_OK, milli / 1000.0
                    if milli == BAD_INT or milli == 0:
                        status, number = odd_value(text, position, field_stop)
                        if status >= FIELD_BAD:
                            n_bad += 1 if status == FIELD_BAD else 0
                            work.line[LINE_MISPLACED] += 1 if status == FIELD_MISPLACED else 0
                    if status == FIELD_OK:
                        divisor = divisor_of[system, column]
                        value[k, target] = number if divisor == 1.0 else number / divisor
                    if target & 3 == KIND_PHASE:
                        lli = np.int64(flip_of[system, column]) if status == FIELD_OK else 0
                        if field_stop < stop and text[field_stop] != SPACE:
                            digit = np.int64(text[field_stop]) - ZERO
                            lli ^= digit & LLI_MASK if 0 <= digit <= 9 else 0
                        lli_of[k, target >> 2] |= lli
                column += 1
                position += FIELD_WIDTH
    work.line[LINE_CUT] = is_cut
    return n_bad


@kernel
def emit_rows(n_sat, columns, fields, work, rows, first_row):
    """Write one row per observed signal of the epoch in `fields`; int, number of rows after it."""
    value, lli, sig_of, n_slot_of = fields.value, fields.lli, columns.sig, columns.n_slot
    sats, first_line = work.sat, work.first_line
    sat_of, rows_sig, rows_lli = rows.sat, rows.sig, rows.lli
    code_of, phase_of, doppler_of, cn0_of = (
        rows.code_m,
        rows.phase_cycle,
        rows.doppler_hz,
        rows.cn0_dbhz,
    )
    row = first_row
    for k in range(n_sat):
        sat = sats[k]
        system = sat // PRN_PER_SYSTEM
        for slot in range(n_slot_of[system] if first_line[k] >= 0 else 0):
            item = N_KIND * slot
            code, phase = value[k, item], value[k, item + 1]
            doppler, cn0 = value[k, item + 2], value[k, item + 3]
            if math.isnan(code) and math.isnan(phase) and math.isnan(doppler) and math.isnan(cn0):
                continue
            sat_of[row], rows_sig[row], rows_lli[row] = sat, sig_of[system, slot], lli[k, slot]
            code_of[row], phase_of[row], doppler_of[row], cn0_of[row] = code, phase, doppler, cn0
            row += 1
    return row

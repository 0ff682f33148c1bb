"""Kernels that look at eight bytes of text at a time: line ends and F14.3 numbers.

The text is also seen as little-endian 64-bit words; all constants are uint64, because numba turns
a mix of signed and unsigned integers into floats. No step carries from one byte into the next.
"""

from __future__ import annotations

import numpy as np

from rtkpos._numba.decorator import kernel
from rtkpos.io.text.numbers import BAD_INT, DOT, MINUS, NEWLINE, SPACE, ZERO

_NO_BITS, _LOW_7 = np.uint64(0), np.uint64(0x7F7F7F7F7F7F7F7F)
_HIGH_BITS, _NEWLINES = np.uint64(0x8080808080808080), np.uint64(0x0A0A0A0A0A0A0A0A)
_ZEROS, _OVER_9 = np.uint64(0x3030303030303030), np.uint64(0x7676767676767676)
_SPACES, _TO_MINUS = np.uint64(0x2020202020202020), np.uint64(0x0D0D0D0D0D0D0D0D)
_DIGITS = np.uint64(0x0F0F0F0F0F0F0F0F)
_PAIRS, _QUADS = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF)
_EIGHT = np.uint64(0xFFFFFFFF)
_BYTE, _THREE_BYTES = np.uint64(0xFF), np.uint64(0xFFFFFF)
_ONE, _TEN, _HUNDRED = np.uint64(1), np.uint64(10), np.uint64(100)
_TEN_4, _NIBBLE = np.uint64(10_000), np.uint64(15)
_B7, _B8, _B16, _B24, _B32, _B48, _B63 = (np.uint64(n) for n in (7, 8, 16, 24, 32, 48, 63))
_DOT, _SPACE = np.uint64(DOT), np.uint64(SPACE)


@kernel
def line_end(text, words, start):
    """Index of the newline that ends the line at `start`, or the text's length without one.

    text : (n,) uint8      words : (n // 8,) uint64, the same memory      0 <= start <= n
    Returns : int

    Eight bytes at a time: word XOR "newline everywhere" has a zero byte where a newline stands
    (test without carries between bytes: H. Warren, Hacker's Delight, 2nd ed., 6-1).
    """
    position, stop = start, text.shape[0]
    while position < stop and position & 7 != 0:
        if text[position] == NEWLINE:
            return position
        position += 1
    word, n_word = position >> 3, words.shape[0]
    while word < n_word:
        difference = words[word] ^ _NEWLINES
        if ~(((difference & _LOW_7) + _LOW_7) | difference | _LOW_7) != _NO_BITS:
            break
        word += 1
    position = max(position, word << 3)
    while position < stop and text[position] != NEWLINE:
        position += 1
    return position


@kernel
def _eight_digits(digits):
    """Number of eight digit bytes 0..9, the first in the lowest byte."""
    pairs = (digits * _TEN + (digits >> _B8)) & _PAIRS
    quads = (pairs * _HUNDRED + (pairs >> _B16)) & _QUADS
    return (quads * _TEN_4 + (quads >> _B32)) & _EIGHT


@kernel
def _non_digits(word):
    """High bit of every byte that is not one of "0".."9"."""
    difference = word ^ _ZEROS
    return (((difference & _LOW_7) + _OVER_9) | difference) & _HIGH_BITS


@kernel
def eight_bytes(words, start):
    """The eight bytes from `start` on as a word; they must lie in `words` with one to spare."""
    word, shift = start >> 3, np.uint64((start & 7) << 3)
    return (words[word] >> shift) | ((words[word + 1] << _ONE) << (_B63 - shift))


@kernel
def fixed_milli(low, high):
    """Mantissa of an F14.3 field in thousandths, when it has exactly that form and 9 digits fit.

    low, high : uint64, bytes 0-7 and 8-15 from the field's start on
    Returns : int, or BAD_INT when the field is written in any other way

    Without branches, because where a number starts varies from field to field and a mispredicted
    branch costs more than all digits. Bytes 2-9 hold the integer part of all but the largest
    values (blanks, perhaps a sign, digits), byte 1 is a blank or one digit or sign more.
    """
    integer = (low >> _B16) | (high << _B48)
    decimals = (high >> _B24) & _THREE_BYTES
    first = np.int64((low >> _B8) & _BYTE)
    has_digit, has_sign = (first >= ZERO) & (first <= ZERO + 9), first == MINUS
    other = (_non_digits(integer) >> _B7) * _BYTE
    difference = (integer ^ _SPACES) & other
    is_signed = difference != _NO_BITS
    is_bad = (
        (low & _BYTE != _SPACE)
        | ((high >> _B16) & _BYTE != _DOT)
        | (_non_digits(decimals | (_ZEROS << _B24)) != _NO_BITS)
        | ((other >> _B8) & ~other != _NO_BITS)
        | (is_signed & (difference != (other ^ (other >> _B8)) & _TO_MINUS))
        | (not (has_digit | has_sign | (first == SPACE)))
        | ((first != SPACE) & (other != _NO_BITS))
    )
    whole = np.int64(_eight_digits(integer & _DIGITS & ~other))
    whole += (first - ZERO) * 100_000_000 if has_digit else 0
    value = whole * 1000 + _milli(decimals)
    value = -value if is_signed | has_sign else value
    return BAD_INT if is_bad else value


@kernel
def _milli(decimals):
    """Number of three digits, the first in the lowest byte."""
    first, second = decimals & _NIBBLE, (decimals >> _B8) & _NIBBLE
    return np.int64((first * _TEN + second) * _TEN + ((decimals >> _B16) & _NIBBLE))

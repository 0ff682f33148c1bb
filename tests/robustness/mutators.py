"""Seeded damage for RINEX files: each mutator takes (rng, text) and returns (mutant, span).

`span` = (start, stop) is the part of the clean text that was touched; WHOLE for damage that is
not at one place. The same seed gives the same mutant.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable

import numpy as np

Mutator = Callable[[np.random.Generator, bytes], tuple[bytes, tuple[int, int]]]
WHOLE = (-1, -1)
END_OF_HEADER = b"END OF HEADER"
EPOCH_3 = re.compile(rb"^>.*$", re.MULTILINE)
EPOCH_2 = re.compile(rb"^[ &]\d\d [ \d]\d [ \d]\d [ \d]\d [ \d]\d[ \d.]{11}  \d.*$", re.MULTILINE)
NUMBER = re.compile(rb"[-+]?\d*\.\d+(?:[DEde][-+]?\d+)?")
RECORD = re.compile(rb"^(?:[A-Z ][ \d]\d|> EPH).*$", re.MULTILINE)
ODD_COUNTS = (b"  0", b"  1", b" 99", b"999", b" -1", b"   ", b"***", b"1 2", b"+ 5")
ODD_NUMBERS = (
    b"1e308", b"-1D+99", b"NaN", b"inf", b"9999999999.999", b"-0.000", b"0.0", b"1e-320", b".",
    b"-", b"1234567890123456789012345678", b"1,5", b"0x1F", b"*****",
)  # fmt: skip


def body_start(text: bytes) -> int:
    """Offset of the first line after the header; 0 without a header."""
    found = text.find(END_OF_HEADER)
    return 0 if found < 0 else text.find(b"\n", found) + 1


def a_line(rng: np.random.Generator, text: bytes, header_share: float = 0.2) -> tuple[int, int]:
    """(start, stop) of a line without its end: mostly of the body, sometimes of the header."""
    body = body_start(text)
    low, high = (0, body) if rng.random() < header_share and body else (body, len(text))
    place = int(rng.integers(low, max(high, low + 1)))
    start = text.rfind(b"\n", 0, place) + 1
    stop = text.find(b"\n", place)
    return start, len(text) if stop < 0 else stop


def replaced(text: bytes, start: int, stop: int, new: bytes) -> tuple[bytes, tuple[int, int]]:
    """The text with [start, stop) replaced, and that span."""
    return text[:start] + new + text[stop:], (start, stop)


def bit_flip(rng, text):
    k = int(rng.integers(len(text)))
    return replaced(text, k, k + 1, bytes([text[k] ^ (1 << int(rng.integers(8)))]))


def byte_replace(rng, text):
    k = int(rng.integers(len(text)))
    return replaced(text, k, k + 1, bytes([int(rng.integers(256))]))


def printable_replace(rng, text):
    start, stop = a_line(rng, text)
    k = int(rng.integers(start, max(stop, start + 1)))
    letters = b" 0123456789.-+>&GRECJS"
    return replaced(text, k, k + 1, bytes([letters[int(rng.integers(len(letters)))]]))


def byte_noise(rng, text):
    data = bytearray(text)
    for _ in range(int(rng.integers(2, 30))):
        data[int(rng.integers(len(data)))] = int(rng.integers(256))
    return bytes(data), WHOLE


def delete_line(rng, text):
    start, stop = a_line(rng, text)
    return replaced(text, start, stop + 1, b"")


def delete_bytes(rng, text):
    k = int(rng.integers(len(text)))
    return replaced(text, k, min(k + int(rng.integers(1, 60)), len(text)), b"")


def duplicate_line(rng, text):
    start, stop = a_line(rng, text)
    line = text[start:stop] + b"\n"
    return text[:start] + line * int(rng.integers(2, 5)) + text[stop + 1 :], (start, stop)


def insert_line(rng, text):
    start, _ = a_line(rng, text)
    other = a_line(rng, text)
    choices = (b"", b" " * 80, rng.bytes(60), text[slice(*other)], b"COMMENT".rjust(67))
    line = choices[int(rng.integers(len(choices)))]
    return text[:start] + line + b"\n" + text[start:], (start, start)


def swap_lines(rng, text):
    first, second = sorted((a_line(rng, text), a_line(rng, text)))
    if first[1] >= second[0]:
        return text, WHOLE
    a, b = text[slice(*first)], text[slice(*second)]
    middle = text[first[1] : second[0]]
    return text[: first[0]] + b + middle + a + text[second[1] :], WHOLE


def join_lines(rng, text):
    _, stop = a_line(rng, text)
    return replaced(text, stop, stop + 1, b"")


def truncate(rng, text):
    k = int(rng.integers(1, len(text)))
    return text[:k], (k, len(text))


def odd_count(rng, text):
    heads = [m.span() for m in (*EPOCH_3.finditer(text), *EPOCH_2.finditer(text))]
    if not heads:
        return byte_replace(rng, text)
    start, stop = heads[int(rng.integers(len(heads)))]
    place = start + (32 if text[start : start + 1] == b">" else 29)
    new = ODD_COUNTS[int(rng.integers(len(ODD_COUNTS)))]
    if rng.random() < 0.4 and text[place : place + 3].strip().isdigit():
        new = b"%3d" % (int(text[place : place + 3]) + int(rng.choice((-2, -1, 1, 2))))
    return replaced(text, min(place, stop), min(place + 3, stop), new)


def odd_flag(rng, text):
    heads = [m.span() for m in (*EPOCH_3.finditer(text), *EPOCH_2.finditer(text))]
    if not heads:
        return byte_replace(rng, text)
    start, stop = heads[int(rng.integers(len(heads)))]
    place = min(start + (31 if text[start : start + 1] == b">" else 28), stop)
    return replaced(text, place, min(place + 1, stop), b"123456789 x"[int(rng.integers(11)) :][:1])


def blank_field(rng, text):
    start, stop = a_line(rng, text)
    k = int(rng.integers(start, max(stop, start + 1)))
    end = min(k + int(rng.integers(1, 20)), stop)
    return replaced(text, k, end, b" " * (end - k))


def digits_to_letters(rng, text):
    start, stop = a_line(rng, text)
    line = bytearray(text[start:stop])
    for k, byte in enumerate(line):
        if 48 <= byte < 58 and rng.random() < 0.3:
            line[k] = 97 + int(rng.integers(26))
    return replaced(text, start, stop, bytes(line))


def odd_number(rng, text):
    start, stop = a_line(rng, text)
    found = list(NUMBER.finditer(text, start, stop))
    if not found:
        return digits_to_letters(rng, text)
    number = found[int(rng.integers(len(found)))]
    new = ODD_NUMBERS[int(rng.integers(len(ODD_NUMBERS)))]
    keeps_width = rng.random() < 0.7
    new = new[: len(number[0])].rjust(len(number[0])) if keeps_width else new
    return replaced(text, *number.span(), new)


def shifted_number(rng, text):
    """A plausible number that is wrong: one digit of one value changed."""
    start, stop = a_line(rng, text, 0.0)
    digits = [k for k in range(start, stop) if 48 <= text[k] < 58]
    if not digits:
        return byte_replace(rng, text)
    k = digits[int(rng.integers(len(digits)))]
    return replaced(text, k, k + 1, b"%d" % rng.integers(10))


def long_line(rng, text):
    start, stop = a_line(rng, text)
    k = int(rng.integers(start, stop + 1))
    filler = (b" ", b"x", b"0", b"1.0 ", b"\0")[int(rng.integers(5))]
    size = int(10 ** rng.uniform(2, 5))
    return text[:k] + filler * size + text[k:], (k, k)


def nul_run(rng, text):
    k = int(rng.integers(len(text)))
    size = int(10 ** rng.uniform(0, 3.5))
    stop = k if rng.random() < 0.5 else min(k + size, len(text))
    return replaced(text, k, stop, b"\0" * size)


def line_ends(rng, text):
    end = (b"\r\n", b"\r", b"\n\r", b"\n\n", b" \n", b"\x0b\n")[int(rng.integers(6))]
    return text.replace(b"\n", end), WHOLE


def mixed_line_ends(rng, text):
    parts = text.split(b"\n")
    ends = (b"\n", b"\r\n", b"\r")
    return b"".join(p + ends[int(rng.integers(3))] for p in parts), WHOLE


def duplicate_block(rng, text):
    start, _ = a_line(rng, text)
    _, stop = a_line(rng, text)
    low, high = min(start, stop), max(start, stop)
    return text[:high] + b"\n" + text[low:high] + text[high:], WHOLE


def delete_block(rng, text):
    start, _ = a_line(rng, text)
    stop = min(start + int(rng.integers(80, 4000)), len(text))
    return replaced(text, start, stop, b"")


def odd_time(rng, text):
    """Digits of the calendar of one epoch or one navigation record."""
    heads = [m.start() for m in (*EPOCH_3.finditer(text), *EPOCH_2.finditer(text))]
    heads = heads or [m.start() for m in RECORD.finditer(text, body_start(text))]
    if not heads:
        return byte_replace(rng, text)
    start = heads[int(rng.integers(len(heads)))]
    digits = [k for k in range(start, min(start + 29, len(text))) if 48 <= text[k] < 58]
    k = digits[int(rng.integers(len(digits)))] if digits else start
    return replaced(text, k, k + 1, b"%d" % rng.integers(10))


def header_lines(text: bytes) -> list[bytes]:
    """The lines of the header with their ends."""
    return text[: body_start(text)].splitlines(keepends=True)


def remove_header_line(rng, text):
    lines = header_lines(text)
    if not lines:
        return delete_line(rng, text)
    del lines[int(rng.integers(len(lines)))]
    return b"".join(lines) + text[body_start(text) :], WHOLE


def repeat_header_line(rng, text):
    lines = header_lines(text)
    if not lines:
        return duplicate_line(rng, text)
    k = int(rng.integers(len(lines)))
    lines.insert(int(rng.integers(len(lines) + 1)), lines[k])
    return b"".join(lines) + text[body_start(text) :], WHOLE


def odd_header_count(rng, text):
    """The number of observation types, the version, or another integer of the header."""
    found = list(re.finditer(rb"\d+", text[: body_start(text)]))
    if not found:
        return byte_replace(rng, text)
    number = found[int(rng.integers(len(found)))]
    new = (b"0", b"9", b"99", b"999", b"-1", b"1000000000", b"")[int(rng.integers(7))]
    start, stop = number.span()
    return text[:start] + new.rjust(stop - start) + text[stop:], WHOLE


def odd_satellite(rng, text):
    found = list(re.finditer(rb"[GRECJIS][ \d]\d", text[body_start(text) :]))
    if not found:
        return byte_replace(rng, text)
    start = body_start(text) + found[int(rng.integers(len(found)))].start()
    new = (b"G00", b"X05", b"G99", b"R 0", b"g05", b"\xe905", b"C63", b"   ")[int(rng.integers(8))]
    return replaced(text, start, start + 3, new)


def damaged_gzip(rng, text):
    data = bytearray(gzip.compress(text, 6, mtime=0))
    kind = int(rng.integers(4))
    if kind == 0:
        data = data[: int(rng.integers(1, len(data)))]
    elif kind == 1:
        data += rng.bytes(int(rng.integers(1, 200)))
    else:
        for _ in range(int(rng.integers(1, 4))):
            data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
    return bytes(data), WHOLE


def spliced(rng, text):
    """The file, or a part of it, behind itself."""
    a, b = (int(rng.integers(len(text))) for _ in range(2))
    return (text + text[a:], text[:a] + text[b:])[int(rng.integers(2))], WHOLE


def crinex_mark(rng, text):
    """Marks of Compact RINEX: initialisations (3&), data flags (&), epoch starts."""
    found = [m.start() for m in re.finditer(rb"[&>]|\d&", text[body_start(text) :])]
    if not found:
        return byte_replace(rng, text)
    k = body_start(text) + found[int(rng.integers(len(found)))]
    new = (b"", b"&", b"9&", b"0&", b">", b"&&", b"-", b" ")[int(rng.integers(8))]
    return replaced(text, k, k + 1, new)


def crinex_difference(rng, text):
    found = list(re.finditer(rb"-?\d+", text[body_start(text) :]))
    if not found:
        return byte_replace(rng, text)
    number = found[int(rng.integers(len(found)))]
    start, stop = (body_start(text) + k for k in number.span())
    new = (b"99999999999999999999", b"-", b"0", b"-9223372036854775808", b"1")[int(rng.integers(5))]
    return replaced(text, start, stop, new)


def swapped_values(rng, text):
    """Two values of one navigation record exchanged."""
    start, _ = a_line(rng, text, 0.0)
    found = [m.span() for m in NUMBER.finditer(text, start, min(start + 500, len(text)))]
    if len(found) < 2:
        return digits_to_letters(rng, text)
    i, j = sorted(int(k) for k in rng.choice(len(found), 2, replace=False))
    (a, b), (c, d) = found[i], found[j]
    return text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:], (a, d)


def other_message(rng, text):
    found = list(re.finditer(rb"> (EPH|ION|STO|EOP) ... ?\w*", text))
    if not found:
        return odd_satellite(rng, text)
    start, stop = found[int(rng.integers(len(found)))].span()
    words = (b"> EPH G05 LNAV", b"> ION G05 CNVX", b"> STO", b"> EPH C07 CNV3", b"> XXX E11 INAV")
    return replaced(text, start, stop, words[int(rng.integers(len(words)))])


ANY: tuple[Mutator, ...] = (
    bit_flip, byte_replace, printable_replace, byte_noise, delete_line, delete_bytes,
    duplicate_line, insert_line, swap_lines, join_lines, truncate, blank_field, digits_to_letters,
    odd_number, shifted_number, long_line, nul_run, line_ends, mixed_line_ends, duplicate_block,
    delete_block, odd_time, remove_header_line, repeat_header_line, odd_header_count,
    odd_satellite, damaged_gzip, spliced,
)  # fmt: skip
OBSERVATION = (*ANY, odd_count, odd_count, odd_flag)
CRINEX = (*ANY, odd_count, crinex_mark, crinex_mark, crinex_difference)
NAVIGATION = (*ANY, swapped_values, other_message, odd_number)
KINDS: dict[str, tuple[Mutator, ...]] = {"obs": OBSERVATION, "crx": CRINEX, "nav": NAVIGATION}
# Damage at one place, for which the loss is accounted for.
ONE_PLACE = (
    bit_flip, byte_replace, printable_replace, delete_line, duplicate_line, insert_line,
    blank_field, digits_to_letters, odd_number, shifted_number, nul_run, odd_count, odd_satellite,
    delete_bytes, join_lines,
)  # fmt: skip

"""Lists of observation types whose length is not the announced one, judged by the records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from statistics import median

from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.gnss.signals import CARRIER_HZ
from rtkpos.gnss.systems import BEIDOU
from rtkpos.io.rinex._observations.lines import FIELDS_PER_LINE_2, SATS_PER_LINE_2
from rtkpos.io.rinex.header import ObsHeader, drop_doubtful, number

_CARRIER_SHARE = 0.001  # B1I and B1C differ by 0.009 of their carriers
_N_RECORD = 500  # records of a system that are looked at
_MIN_SHARE = 0.9  # of the values that must be of the kind of their column
_RANGE_M, _MAX_CN0, _MAX_DOPPLER_HZ = (1.0e6, 1.0e8), 1000.0, 1.0e5
_HEAD_2 = re.compile(
    rb"^ ?\d?\d [ \d]\d [ \d]\d [ \d]\d [ \d]\d[ \d]{3}\.\d{7}  [01]([ \d]{3})", re.MULTILINE
)


def settle_types(header: ObsHeader, content: bytes, start: int) -> None:
    """Keep the lists of `header.doubtful` that the records from byte `start` on fit; drop others.

    A list fits where some record has as many columns and none has more, and the values are of the
    kinds it names: ranges, signal strengths and Doppler shifts differ by orders of magnitude.
    """
    for key in list(header.doubtful):
        codes = header.types[key]
        if header.version < 3:
            records = _records_2(content, start, len(codes))
        else:
            records = _records_3(content, start, key)
        if _fit(codes, list(islice(records, _N_RECORD))):
            said = header.doubtful.pop(key)
            header.report.add("type_count_wrong", f"{header.name} header, system {key}")
            header.report.warn(f"{said}; the records have the listed ones.")
    drop_doubtful(header, list(header.doubtful))


def settle_beidou_1c(header: ObsHeader, content: bytes, start: int) -> None:
    """Name BeiDou 1C, which RINEX does not have, by its carrier: B1I (2I) or the pilot of B1C (1P).

    The carrier is told from phase over range in the records from byte `start` on; a phase that is
    counted from elsewhere tells none, and the code stays unknown.
    """
    codes = header.types.get("C", [])
    if header.version < 3 or "C1C" not in codes or "L1C" not in codes:
        return
    columns = codes.index("C1C"), codes.index("L1C")
    ratios = []
    for fields in islice(_records_3(content, start, "C"), _N_RECORD):
        if len(fields) > max(columns):
            code_m, phase_cycle = (number(fields[column], 0.0) for column in columns)
            if code_m > 0.0 and phase_cycle:
                ratios.append(phase_cycle / code_m * SPEED_OF_LIGHT_MPS)
    hz = median(ratios) if ratios else 0.0
    for band, name in ((2, "2I"), (1, "1P")):
        carrier = CARRIER_HZ[BEIDOU][band]
        if abs(hz / carrier - 1.0) < _CARRIER_SHARE and not any(c[1:] == name for c in codes):
            header.types["C"] = [c[0] + name if c[1:] == "1C" else c for c in codes]
            for of_code in (header.scale, header.shifts):
                for letter, code in list(of_code):
                    if letter == "C" and code[1:] == "1C":
                        of_code[("C", code[0] + name)] = of_code[("C", code)]
            header.report.add("code_renamed", f"C 1C as {name}")
            header.report.warn(f"{header.name}: signal 1C of system C is read as {name}.")


def _records_3(content: bytes, start: int, letter: str) -> Iterator[list[str]]:
    """Fields of the satellites of one system, RINEX 3 and 4."""
    line_of = re.compile(rb"^%b[ \d]\d(.*)$" % letter.encode(), re.MULTILINE)
    for match in line_of.finditer(content, start):
        line = match[1].decode("latin-1").rstrip()
        yield [line[k : k + 14] for k in range(0, len(line), 16)]


def _records_2(content: bytes, start: int, n_code: int) -> Iterator[list[str]]:
    """Fields of all satellites of RINEX 2; an epoch that has other lines gives a field too many."""
    per_sat = -(-n_code // FIELDS_PER_LINE_2)
    heads = list(islice(_HEAD_2.finditer(content, start), _N_RECORD))
    stops = [match.start() for match in heads[1:]] + [len(content)]
    for match, stop in zip(heads[:-1] or heads, stops, strict=False):
        lines = content[match.start() : stop].decode("latin-1").split("\n")[1:-1]
        n_sat = int(match[1])
        lines = lines[max(n_sat - 1, 0) // SATS_PER_LINE_2 :]
        if len(lines) != n_sat * per_sat:
            yield ["x"] * (n_code + 1)
        for k in range(0, len(lines), per_sat):
            text = "".join(line[:80].ljust(80) for line in lines[k : k + per_sat])
            fields = [text[column : column + 14] for column in range(0, len(text), 16)]
            while fields and not fields[-1].strip():
                fields.pop()
            yield fields


def _fit(codes: list[str], records: list[list[str]]) -> bool:
    """Whether records can be of these codes."""
    if max(map(len, records), default=0) != len(codes):
        return False
    good, n = 0, 0
    for fields in records:
        for code, text in zip(codes, fields, strict=False):
            if text.strip():
                n, good = n + 1, good + _is_of_kind(code[:1], text)
    return n > 0 and good >= _MIN_SHARE * n


def _is_of_kind(kind: str, text: str) -> bool:
    """Whether a value can be a range, a phase, a Doppler shift or a signal strength."""
    try:
        value = float(text)
    except ValueError:
        return False
    if kind in ("C", "P"):
        return value == 0.0 or _RANGE_M[0] < value < _RANGE_M[1]
    if kind == "S":
        return 0.0 <= value < _MAX_CN0
    return kind != "D" or abs(value) < _MAX_DOPPLER_HZ

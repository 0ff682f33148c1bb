"""From the observation codes of a header to the column tables of the scan kernels."""

from __future__ import annotations

import numpy as np

from rtkpos.gnss.signals import sig_code, sig_index
from rtkpos.gnss.systems import (
    BEIDOU,
    GALILEO,
    GLONASS,
    GPS,
    IRNSS,
    N_SYSTEM,
    QZSS,
    SBAS,
    SYSTEM_LETTERS,
)
from rtkpos.io.rinex._observations.field_text import (
    KIND_CN0,
    KIND_CODE,
    KIND_DOPPLER,
    KIND_PHASE,
    N_KIND,
    Columns,
)
from rtkpos.io.rinex.header import ObsHeader

_KIND = {"C": KIND_CODE, "L": KIND_PHASE, "D": KIND_DOPPLER, "S": KIND_CN0}
_VERSION_303 = 3.025  # anything below is an earlier version
_HALF_WAVE_FLIP = 2  # LLI bit 1 means "the other wavelength factor" (RINEX 2.11, table A2)

# RINEX 2 codes -> signal, by system. RINEX 2.11 table A1 knows C1, P1, C2, P2 and, with L, D, S,
# the bands 5-8; which tracking a band's single code stands for follows RINEX 2.11, 5.1 and
# RINEX 2.12 table 1 (CA, CB, CC, CD and the combined Galileo and BeiDou channels).
_CODES_2: dict[int, dict[str, str]] = {
    GPS: {
        "C1": "1C",
        "P1": "1W",
        "C2": "2X",
        "P2": "2W",
        "C5": "5X",
        "CA": "1C",
        "CB": "1X",
        "CC": "2X",
    },
    GLONASS: {"C1": "1C", "P1": "1P", "C2": "2C", "P2": "2P", "CA": "1C", "CD": "2C"},
    GALILEO: {"C1": "1X", "C5": "5X", "C6": "6X", "C7": "7X", "C8": "8X"},
    BEIDOU: {"C1": "2I", "C2": "2I", "C6": "6I", "C7": "7I", "C5": "5X"},
    QZSS: {"C1": "1C", "C2": "2X", "C5": "5X", "C6": "6X", "CA": "1C", "CB": "1X", "CC": "2X"},
    IRNSS: {"C5": "5X"},
    SBAS: {"C1": "1C", "C5": "5X", "CA": "1C"},
}


def codes_from_rinex2(system: int, codes: list[str]) -> list[str]:
    """Three-letter codes ("C1C", "" = not used) of a RINEX 2 column list for one system.

    Phase, Doppler and C/N0 of a band carry no tracking mode in RINEX 2: on band 1 they belong to
    C1 where the file has it, else to P1; on band 2 to P2 where the file has it, else to C2. In a
    2.12 file with CA columns, "1" means the P-code's carrier and "A" that of C/A.
    """
    table = _CODES_2[system]
    is_212 = any(code[1:] == "A" for code in codes)
    primary = {"1": "P1" if is_212 else "C1", "2": "P2"}
    secondary = {"1": "P1" if not is_212 else "C1", "2": "C2"}
    named = []
    for code in codes:
        kind, band = code[:1], code[1:]
        if kind in ("C", "P"):
            signal = table.get(code, "")
        elif kind in ("L", "D", "S"):
            code_of_band = primary.get(band, "C" + band)
            if code_of_band not in codes or code_of_band not in table:
                code_of_band = secondary.get(band, "C" + band)
            if code_of_band not in codes or code_of_band not in table:
                code_of_band = "C" + band if "C" + band in table else "P" + band
            signal = table.get(code_of_band, "")
        else:
            signal = ""
        named.append(("C" if kind == "P" else kind) + signal if signal else "")
    return named


# Names that converters gave to signals before or beside the tables of RINEX: what they stand for.
_CONVERTER_CODES: dict[int, dict[str, str]] = {
    BEIDOU: {
        "1I": "2I", "1Q": "2Q",  # B1I, by the number of RINEX 3.02
        "5I": "5D", "5Q": "5P",  # B2a, by the letters of GPS L5
        "8I": "8D", "8Q": "8P",  # B2a+B2b, by the letters of Galileo E5
    },
}  # fmt: skip
_B1_BEFORE_303 = {"1X": "2X"}  # B1I+Q of RINEX 3.02, table 9; later 1X is B1C


def of_converter(system: int, code: str, codes: list[str], version: float) -> str:
    """A code in the naming of RINEX 3.05 where a converter or an older version named it else.

    codes : all codes of the system; none of them becomes another that the file has by itself
    """
    table = _CONVERTER_CODES.get(system, {})
    if system == BEIDOU and version < _VERSION_303:
        table = table | _B1_BEFORE_303
    if code[1:] not in table:
        return code
    renamed = table[code[1:]]
    is_taken = any(other[1:] == renamed for other in codes)
    return code if is_taken else code[0] + renamed


def signal_columns(header: ObsHeader) -> tuple[dict[int, list[str]], list[tuple[str, str]]]:
    """Codes by system index in column order, and (letter, code) that no signal stands for.

    A code that is not read is kept as "" so that the columns stay in place.
    """
    unknown: list[tuple[str, str]] = []
    renamed: dict[tuple[str, str, str], bool] = {}
    columns: dict[int, list[str]] = {}
    for letter, codes in _types_by_letter(header):
        system = SYSTEM_LETTERS.find(letter)
        if system < 0:
            unknown.append((letter, "(system)"))
            continue
        if header.version < 3:
            columns[system] = codes_from_rinex2(system, codes)
            continue
        named = []
        for code in codes:
            name = of_converter(system, code, codes, header.version)
            if name != code:
                renamed[(letter, code[1:], name[1:])] = True
            is_known = name[0] in _KIND and len(name) == 3 and sig_index(system, name[1:]) >= 0
            if not is_known and name[:1] not in ("X", "I"):
                unknown.append((letter, code))
            named.append(name if is_known else "")
        columns[system] = named
    for letter, old, new in renamed:
        header.report.add("code_renamed", f"{letter} {old} as {new}")
        header.report.warn(f"{header.name}: signal {old} of system {letter} is read as {new}.")
    return columns, unknown


def _types_by_letter(header: ObsHeader) -> list[tuple[str, list[str]]]:
    """Column codes per system letter; RINEX 2 has one list for all systems."""
    if header.version < 3:
        return [(letter, header.types["*"]) for letter in SYSTEM_LETTERS]
    return list(header.types.items())


def build_columns(header: ObsHeader, systems: tuple[int, ...]) -> Columns:
    """Column tables of a header for the wanted systems."""
    named, unknown = signal_columns(header)
    for letter, code in unknown:
        header.report.add("unknown_code", f"{letter} {code}")
        header.report.warn(
            f"{header.name}: observation code {code} of system {letter} is not known; skipped."
        )
    width = max((len(codes) for codes in named.values()), default=0) or 1
    columns = Columns(
        wanted=np.zeros(N_SYSTEM, np.bool_),
        n_col=np.zeros(N_SYSTEM, np.int64),
        n_slot=np.zeros(N_SYSTEM, np.int64),
        target=np.full((N_SYSTEM, width), -1, np.int64),
        divisor=np.ones((N_SYSTEM, width)),
        lli_flip=np.zeros((N_SYSTEM, width), np.uint8),
        sig=np.zeros((N_SYSTEM, width), np.int16),
    )
    for system, codes in named.items():
        columns.n_col[system] = len(codes)
        columns.wanted[system] = system in systems
        _fill_system(columns, system, codes, header)
    return columns


def _fill_system(columns: Columns, system: int, codes: list[str], header: ObsHeader) -> None:
    """Slots, kinds and divisors of one system's columns."""
    sigs = sorted({sig_index(system, code[1:]) for code in codes if code})
    columns.n_slot[system] = len(sigs)
    columns.sig[system, : len(sigs)] = sigs
    taken: set[str] = set()
    for k, code in enumerate(codes):
        if not code or code in taken:
            continue
        taken.add(code)
        slot = sigs.index(sig_index(system, code[1:]))
        columns.target[system, k] = N_KIND * slot + _KIND[code[0]]
        columns.divisor[system, k] = _divisor(header, system, k)
        if header.version < 3 and code[0] == "L" and int(code[1]) in header.half_wave:
            columns.lli_flip[system, k] = _HALF_WAVE_FLIP


def _divisor(header: ObsHeader, system: int, column: int) -> float:
    """SYS / SCALE FACTOR of a column: stored values are to be divided by it."""
    letter = SYSTEM_LETTERS[system]
    if header.version < 3 or not header.scale:
        return 1.0
    code = header.types[letter][column]
    factor = header.scale.get((letter, code), header.scale.get((letter, ""), 1.0))
    return factor if factor in (1.0, 10.0, 100.0, 1000.0) else 1.0


def phase_shifts(header: ObsHeader) -> dict[int, float]:
    """SYS / PHASE SHIFT by signal index [cycle]; 0 for a code named without a correction."""
    shifts: dict[int, float] = {}
    for (letter, code), shift in header.shifts.items():
        system = SYSTEM_LETTERS.index(letter)
        codes = header.types.get(letter, [])
        name = of_converter(system, code, codes, header.version)
        sig = sig_index(system, name[1:]) if len(name) == 3 else -1
        if sig >= 0:
            shifts.setdefault(sig, shift)
    return shifts


def signals_by_system(columns: Columns) -> dict[int, tuple[str, ...]]:
    """Codes that are read ("C1C", ...) by system, in column order."""
    letters = {kind: letter for letter, kind in _KIND.items()}
    signals: dict[int, tuple[str, ...]] = {}
    for system in np.flatnonzero(columns.wanted & (columns.n_slot > 0)):
        targets = columns.target[system, : columns.n_col[system]]
        signals[int(system)] = tuple(
            letters[target % N_KIND] + sig_code(int(columns.sig[system, target // N_KIND]))
            for target in targets.tolist()
            if target >= 0
        )
    return signals

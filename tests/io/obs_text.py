"""Small RINEX observation texts for tests, written by hand-made rules."""

from __future__ import annotations

from collections.abc import Sequence

TYPES_3 = {"G": ("C1C", "L1C", "S1C", "C2W", "L2W"), "C": ("C2I", "L2I", "S2I")}
TYPES_2 = ("L1", "C1", "L2", "P2", "S1", "D1")


def header_line(content: str, label: str) -> str:
    """One header line with its label in column 61."""
    return f"{content:<60}{label:<20}\n"


def header_3(
    *, version: str = "3.04", time_system: str = "GPS", extra: Sequence[str] = (), types=None
) -> str:
    """A RINEX 3 header; `extra` are ready header lines."""
    types = TYPES_3 if types is None else types
    lines = [
        header_line(
            f"{version:>9}{'':11}{'OBSERVATION DATA':<20}{'M':<20}", "RINEX VERSION / TYPE"
        ),
        header_line("TEST", "MARKER NAME"),
        header_line("  4027894.0060   307045.9160  4919474.9100", "APPROX POSITION XYZ"),
        header_line(f"{1.5:14.4f}{0.25:14.4f}{-0.5:14.4f}", "ANTENNA: DELTA H/E/N"),
    ]
    for letter, codes in types.items():
        for k in range(0, len(codes), 13):
            head = f"{letter}  {len(codes):3d}" if k == 0 else " " * 6
            listed = "".join(f" {code:<3}" for code in codes[k : k + 13])
            lines.append(header_line(head + listed, "SYS / # / OBS TYPES"))
    first = f"  2024     6    24     8    20    0.0000000     {time_system:<3}"
    lines += [*extra, header_line(first, "TIME OF FIRST OBS"), header_line("", "END OF HEADER")]
    return "".join(lines)


def field(value: float | None, lli: str = " ", ssi: str = " ") -> str:
    """One observation field F14.3, I1, I1."""
    return (" " * 14 if value is None else f"{value:14.3f}") + lli + ssi


def value_of(sat: str, second: float, column: int) -> float:
    """A value that tells satellite, time and column apart."""
    number = int(sat[1:]) + (40 if sat[0] == "C" else 0)
    return round(20_000_000.0 + 1000.0 * number + second + 0.125 * column + 0.001, 3)


def sat_line(sat: str, second: float = 0.0, types=None, lli: str = " ") -> str:
    """The line of one satellite of a RINEX 3 file; `lli` goes to the phases."""
    codes = (TYPES_3 if types is None else types)[sat[0]]
    fields = [
        field(value_of(sat, second, k), lli if code[0] == "L" else " ")
        for k, code in enumerate(codes)
    ]
    return (sat + "".join(fields)).rstrip() + "\n"


def epoch_line(second: float, count: int, flag: int = 0, minute: int = 20, day: int = 24) -> str:
    """A RINEX 3 epoch line of 2024-06-24 08:20."""
    return f"> 2024 06 {day:02d} 08 {minute:02d}{second:11.7f}  {flag}{count:3d}\n"


def epoch_3(second: float, sats: Sequence[str] = ("G05", "G12", "C07"), **words: int) -> str:
    """A RINEX 3 epoch with its satellites."""
    return epoch_line(second, len(sats), **words) + "".join(sat_line(s, second) for s in sats)


def file_3(n_epoch: int = 4, **words) -> str:
    """A RINEX 3 file of `n_epoch` seconds."""
    return header_3(**words) + "".join(
        epoch_3(float(k % 60), minute=20 + k // 60) for k in range(n_epoch)
    )


def header_2(*, version: str = "2.11", letter: str = "M", types: Sequence[str] = TYPES_2) -> str:
    """A RINEX 2 header."""
    kinds = "".join(f"{code:>6}" for code in types[:9])
    first = "  2024     6    24     8    20    0.0000000     GPS"
    return "".join(
        [
            header_line(
                f"{version:>9}{'':11}{'OBSERVATION DATA':<20}{letter:<20}", "RINEX VERSION / TYPE"
            ),
            header_line(f"{len(types):6d}{kinds}", "# / TYPES OF OBSERV"),
            header_line(first, "TIME OF FIRST OBS"),
            header_line("", "END OF HEADER"),
        ]
    )


def epoch_2(second: float, sats: Sequence[str], types: Sequence[str] = TYPES_2) -> str:
    """A RINEX 2 epoch, continuation lines included."""
    head = f" 24  6 24  8 20{second:11.7f}  0{len(sats):3d}"
    lines = []
    for k in range(0, max(len(sats), 1), 12):
        lines.append((head if k == 0 else " " * 32) + "".join(sats[k : k + 12]) + "\n")
    for sat in sats:
        fields = [field(value_of(sat.replace(" ", "0"), second, k)) for k in range(len(types))]
        for k in range(0, len(types), 5):
            lines.append("".join(fields[k : k + 5]).rstrip() + "\n")
    return "".join(lines)

"""RINEX 3.04 and 4.00 observation files, written block by block with bounded memory."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from rtkpos._arrays import (
    BoolArray,
    FlagArray,
    FloatArray,
    SatArray,
    SigArray,
    SmallArray,
    TimeArray,
)
from rtkpos.constants import NS_PER_S
from rtkpos.errors import FileError
from rtkpos.gnss.signals import SIG_PER_SYSTEM, sig_code
from rtkpos.gnss.systems import GLONASS, PRN_PER_SYSTEM, SYSTEM_LETTERS, sat_name
from rtkpos.gnss.time import calendar_from_ns, gpst_minus_utc_s
from rtkpos.io.rinex._observations.number_text import (
    FIELD,
    NUMBER_WIDTH,
    print_f14_3,
    print_flags,
    strength_digit,
)
from rtkpos.records.observations import UNKNOWN_CHANNEL, ObsTable, Station

_KINDS = "CLDS"
_NAME = 3  # columns of the satellite's name
_BLANK = 32
_TABLE_EPOCHS = 64  # of a table, laid out densely at a time


@dataclass(frozen=True, kw_only=True)
class SystemBlock:
    """Observations of one system over consecutive epochs, dense; NaN where there is none.

    sat : (n_sat,) int16, increasing      sig : (n_sig,) int16
    code_m, phase_cycle, doppler_hz, cn0_dbhz : (n_epoch, n_sat, n_sig)
    lli : (n_epoch, n_sat, n_sig) loss-of-lock bits of the phase
    """

    sat: SatArray
    sig: SigArray
    code_m: FloatArray
    phase_cycle: FloatArray
    doppler_hz: FloatArray
    cn0_dbhz: FloatArray
    lli: FlagArray

    @property
    def present(self) -> BoolArray:
        """Whether a satellite has anything at an epoch: (n_epoch, n_sat)."""
        parts = (self.code_m, self.phase_cycle, self.doppler_hz, self.cn0_dbhz)
        return np.logical_or.reduce([np.isfinite(part).any(axis=2) for part in parts])


@dataclass(frozen=True, kw_only=True)
class ObsHead:
    """What the header of an observation file says.

    sig : system -> its signals in column order      glonass_channel : (64,) int8 by slot - 1
    phase_shift_cycle : sig -> correction [cycle] the phases already have, 0 where not named
    version : 3.04, or 4.00, which differs by what older headers had to say and it need not
    """

    station: Station
    sig: dict[int, SigArray]
    first_ns: int
    interval_s: float
    glonass_channel: SmallArray = field(
        default_factory=lambda: np.full(PRN_PER_SYSTEM, UNKNOWN_CHANNEL, np.int8)
    )
    phase_shift_cycle: dict[int, float] = field(default_factory=dict)
    comments: tuple[str, ...] = ()
    version: float = 3.04


class ObsWriter:
    """An observation file under construction; the name appears when it is complete.

    Use as a context manager: what was written is renamed at its end, and removed if it fails.
    """

    def __init__(self, path: Path | str, head: ObsHead) -> None:
        self._path = Path(path)
        self._part = self._path.with_name(f".{self._path.name}.{os.getpid()}.part")
        self._stream: BinaryIO | None = None
        self._head = head

    def __enter__(self) -> ObsWriter:
        try:
            self._stream = self._part.open("wb")
        except OSError as error:
            cause = (error.strerror or str(error)).lower()
            raise FileError(f"{self._path} cannot be written: {cause}.", str(self._path)) from None
        self._stream.write(format_obs_head(self._head).encode("ascii", "replace"))
        return self

    def write(self, time_ns: TimeArray, blocks: Sequence[SystemBlock]) -> None:
        """Append consecutive epochs; time_ns : (n_epoch,) receiver's tags, GPST [ns]."""
        self.append(format_epochs(time_ns, blocks))

    def append(self, text: bytes) -> None:
        """Append what `format_epochs` made."""
        if self._stream is None:
            raise FileError(f"{self._path} is not open for writing; use it in a with block.")
        self._stream.write(text)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            self._stream.close()
        if kind is None:
            self._part.replace(self._path)
        else:
            with contextlib.suppress(OSError):
                self._part.unlink()


def write_obs(
    path: Path | str, table: ObsTable, *, comments: Sequence[str] = (), version: float = 3.04
) -> None:
    """Write an ObsTable as RINEX; epoch flags and special records are not kept.

    comments : lines of the header, cut at 60 characters      version : 3.04 or 4.00
    Values are rounded to RINEX's three decimals. FileError when the file cannot be written,
    DataError when a number does not fit its columns.
    """
    sigs = np.unique(table.sig)
    by_system = {
        int(s): sigs[sigs // SIG_PER_SYSTEM == s] for s in np.unique(sigs // SIG_PER_SYSTEM)
    }
    head = ObsHead(
        station=table.station,
        sig=by_system,
        first_ns=int(table.time_ns[0]) if table.n_epoch else 0,
        interval_s=table.interval_s,
        glonass_channel=table.glonass_channel,
        phase_shift_cycle=table.phase_shift_cycle,
        comments=tuple(comments),
        version=version,
    )
    with ObsWriter(path, head) as writer:
        for first in range(0, table.n_epoch, _TABLE_EPOCHS):
            last = min(first + _TABLE_EPOCHS, table.n_epoch)
            blocks = [_dense(table, first, last, sig) for sig in by_system.values()]
            writer.write(table.time_ns[first:last], blocks)


def _dense(table: ObsTable, first: int, last: int, sig: SigArray) -> SystemBlock:
    """Epochs first..last-1 of the signals of one system."""
    rows = np.arange(table.row_start[first], table.row_start[last])
    epoch = np.repeat(np.arange(last - first), np.diff(table.row_start[first : last + 1]))
    mine = np.isin(table.sig[rows], sig)
    rows, epoch = rows[mine], epoch[mine]
    sat, s = np.unique(table.sat[rows], return_inverse=True)
    place = (epoch, s, np.searchsorted(sig, table.sig[rows]))
    shape = (last - first, len(sat), len(sig))

    def laid_out(values: FloatArray) -> FloatArray:
        out = np.full(shape, np.nan)
        out[place] = values[rows]
        return out

    lli = np.zeros(shape, np.uint8)
    lli[place] = table.lli[rows]
    return SystemBlock(
        sat=sat,
        sig=sig,
        code_m=laid_out(table.code_m),
        phase_cycle=laid_out(table.phase_cycle),
        doppler_hz=laid_out(table.doppler_hz),
        cn0_dbhz=laid_out(table.cn0_dbhz),
        lli=lli,
    )


def format_obs_head(head: ObsHead) -> str:
    """Header lines of an observation file (RINEX 3.04 and 4.00, table A2)."""
    s = head.station
    place = np.where(np.isfinite(s.approx_ecef_m), s.approx_ecef_m, 0.0)
    east, north, up = s.antenna_enu_m
    rows = [
        (f"{head.version:9.2f}           {'OBSERVATION DATA':<20}M: MIXED", "RINEX VERSION / TYPE"),
        ("rtkpos", "PGM / RUN BY / DATE"),
        *((comment[:60], "COMMENT") for comment in head.comments),
        (s.marker[:60] or "UNKNOWN", "MARKER NAME"),
        (s.marker_type[:20], "MARKER TYPE"),
        ("", "OBSERVER / AGENCY"),
        (f"{s.receiver_serial[:20]:<20}{s.receiver[:20]:<20}", "REC # / TYPE / VERS"),
        (f"{s.antenna_serial[:20]:<20}{s.antenna[:20]:<20}", "ANT # / TYPE"),
        ("".join(f"{v:14.4f}" for v in place), "APPROX POSITION XYZ"),
        (f"{up:14.4f}{east:14.4f}{north:14.4f}", "ANTENNA: DELTA H/E/N"),
        *_type_rows(head.sig),
    ]
    if np.isfinite(head.interval_s):
        rows.append((f"{head.interval_s:10.3f}", "INTERVAL"))
    rows.append((_first_time(head.first_ns), "TIME OF FIRST OBS"))
    rows += _shift_rows(head)
    if GLONASS in head.sig:
        rows += _channel_rows(head.glonass_channel)
        rows.append((" C1C    0.000 C1P    0.000 C2C    0.000 C2P    0.000", "GLONASS COD/PHS/BIS"))
    rows += [(f"{gpst_minus_utc_s(head.first_ns):6d}", "LEAP SECONDS"), ("", "END OF HEADER")]
    return "".join(f"{text:<60}{label}\n" for text, label in rows)


def _type_rows(sig: dict[int, SigArray]) -> list[tuple[str, str]]:
    rows = []
    for system, signals in sig.items():
        codes = [kind + sig_code(int(one)) for one in signals for kind in _KINDS]
        for k in range(0, len(codes), 13):
            start = f"{SYSTEM_LETTERS[system]}  {len(codes):3d}" if k == 0 else " " * 6
            words = "".join(f" {code:<3}" for code in codes[k : k + 13])
            rows.append((start + words, "SYS / # / OBS TYPES"))
    return rows


def _shift_rows(head: ObsHead) -> list[tuple[str, str]]:
    rows = []
    for system, sig in head.sig.items():
        for one in sig.tolist():
            shift = head.phase_shift_cycle.get(one, 0.0)
            word = f"{SYSTEM_LETTERS[system]} L{sig_code(one)}"
            rows.append((word + (f" {shift:8.5f}" if shift else ""), "SYS / PHASE SHIFT"))
    return rows


def _first_time(time_ns: int) -> str:
    year, month, day, hour, minute, ns = calendar_from_ns(time_ns)
    date = f"{year:6d}{month:6d}{day:6d}{hour:6d}{minute:6d}"
    return f"{date}{ns / NS_PER_S:13.7f}     GPS"


def _channel_rows(channel: SmallArray) -> list[tuple[str, str]]:
    slots = np.flatnonzero(channel != UNKNOWN_CHANNEL)
    words = [f"R{slot + 1:02d} {int(channel[slot]):2d} " for slot in slots]
    rows = []
    for k in range(0, max(len(words), 1), 8):
        count = f"{len(words):3d} " if k == 0 else " " * 4
        rows.append((count + "".join(words[k : k + 8]), "GLONASS SLOT / FRQ #"))
    return rows


def format_epochs(time_ns: TimeArray, blocks: Sequence[SystemBlock]) -> bytes:
    """Bytes of consecutive epochs; one without any satellite is left out.

    Systems stand in the order of `blocks`, satellites in that of the block.
    """
    texts, ends = [], []
    n_sat = np.zeros(len(time_ns), dtype=np.int64)
    for block in blocks:
        present = block.present
        count = present.sum(axis=1)
        texts.append(_satellite_lines(block, present))
        ends.append(np.concatenate([[0], np.cumsum(count)]))
        n_sat += count
    out: list[bytes] = []
    for k in np.flatnonzero(n_sat).tolist():
        out.append(_epoch_line(int(time_ns[k]), int(n_sat[k])))
        out += [text[end[k] : end[k + 1]].tobytes() for text, end in zip(texts, ends, strict=True)]
    return b"".join(out)


def _epoch_line(time_ns: int, n_sat: int) -> bytes:
    year, month, day, hour, minute, ns = calendar_from_ns((time_ns + 50) // 100 * 100)
    seconds = f"{ns // NS_PER_S:3d}.{ns % NS_PER_S // 100:07d}"
    date = f"{year:4d} {month:02d} {day:02d} {hour:02d} {minute:02d}"
    return f"> {date}{seconds}  0{n_sat:3d}\n".encode()


def _satellite_lines(block: SystemBlock, present: BoolArray) -> FlagArray:
    """Lines of all (epoch, satellite) that are present: (n_line, width) bytes."""
    epoch, sat = np.nonzero(present)
    n_sig = len(block.sig)
    lines = np.full((len(epoch), _NAME + 4 * n_sig * FIELD + 1), _BLANK, dtype=np.uint8)
    names = np.array([list(sat_name(int(one)).encode()) for one in block.sat], dtype=np.uint8)
    lines[:, :_NAME] = names.reshape(-1, _NAME)[sat]
    lines[:, -1] = ord("\n")
    fields = lines[:, _NAME:-1].reshape(len(epoch), n_sig, 4, FIELD)
    strength = print_flags(strength_digit(block.cn0_dbhz[epoch, sat]))
    columns = (block.code_m, block.phase_cycle, block.doppler_hz, block.cn0_dbhz)
    for kind, values in enumerate(columns):
        _print_column(values[epoch, sat], fields[:, :, kind, :NUMBER_WIDTH])
    has_code, has_phase = (np.isfinite(values[epoch, sat]) for values in columns[:2])
    fields[:, :, 0, NUMBER_WIDTH + 1] = np.where(has_code, strength, _BLANK)
    fields[:, :, 1, NUMBER_WIDTH + 1] = np.where(has_phase, strength, _BLANK)
    lli = print_flags(block.lli[epoch, sat])
    fields[:, :, 1, NUMBER_WIDTH] = np.where(has_phase, lli, _BLANK)
    return lines


def _print_column(values: FloatArray, out_fields: FlagArray) -> None:
    """Print (n_line, n_sig) numbers into (n_line, n_sig, 14) bytes."""
    for k in range(values.shape[1]):
        out_fields[:, k] = print_f14_3(np.ascontiguousarray(values[:, k]))

"""Compact RINEX (Hatanaka) to RINEX, from bytes to bytes, bounded in time and memory."""

from __future__ import annotations

import numpy as np

from rtkpos._arrays import FlagArray, IndexArray
from rtkpos.io.rinex.crinex_decode import (
    CRX_DAMAGED,
    CRX_END,
    CRX_EVENT,
    CRX_FULL,
    CUR_BLANK,
    CUR_FORMAT,
    CUR_IN,
    CUR_LENGTH,
    CUR_OUT,
    CUR_WHY,
    N_CURSOR_CRX,
    CrinexState,
    crinex_state,
    decode_epochs,
)
from rtkpos.io.text.numbers import fixed_int

_LABEL = b"CRINEX VERS   / TYPE"
_WORDS = (
    "an epoch that changes another one, but there is none before it",
    "an epoch line without a number of satellites, or with fewer names",
    "a satellite name, or a system that the header does not have",
    "a value that is no number, or that continues nothing",
    "the end of the data in the middle of an epoch",
)
_TYPES_2, _TYPES_3 = b"# / TYPES OF OBSERV", b"SYS / # / OBS TYPES"
_RATIO = 5  # text is about so many times as long
_MOST_TYPES = 400
_EPOCH_HEAD, _LINE_END = 2 * 81 * 84, 8  # an epoch of 999 satellites names 12 in a line


def is_crinex(data: bytes) -> bool:
    """Whether bytes start with a CRINEX 1 or 3 header."""
    return _LABEL in data[:160]


def decode_crinex(data: bytes, limit: int) -> tuple[bytes, str]:
    """RINEX text of CRINEX bytes: (text, complaint); "" when nothing is wrong.

    data : CRINEX 1 or 3      limit : longest text [bytes]
    Damage ends the decoding and the epochs before it are kept: what follows is stored as
    differences to the damaged ones.
    """
    decoder = _Decoder(data, limit)
    try:
        decoder.header()
        decoder.epochs()
    except _DamageError as damage:
        line = data.count(b"\n", 0, int(decoder.cursor[CUR_IN])) + 1
        return decoder.text(), f"damaged CRINEX data (line {line}: {damage})"
    except _TooLongError:
        return b"", f"too large: CRINEX data unpack to more than {limit} bytes"
    return decoder.text(), ""


class _DamageError(Exception):
    """What is wrong, in words; the place is at the cursor."""


class _TooLongError(Exception):
    """The text is longer than allowed."""


class _Decoder:
    """The decoding of one file. cursor : where it stands in the data and in the text."""

    def __init__(self, data: bytes, limit: int) -> None:
        self._data, self._limit = data, limit
        self._bytes = np.frombuffer(data, np.uint8)
        self._words = np.frombuffer(data, np.uint64, len(data) // 8)
        self._out: FlagArray = np.empty(min(_RATIO * len(data), limit) + 1, np.uint8)
        self._n_obs: IndexArray = np.full(128, -1, np.int64)
        self._state: CrinexState | None = None
        self.cursor: IndexArray = np.zeros(N_CURSOR_CRX, np.int64)
        is_whole = data.endswith(b"\n")  # blanks without a line end may begin a line that is cut
        self.cursor[CUR_BLANK] = len(data.rstrip(b" \r\n")) if is_whole else len(data)

    def text(self) -> bytes:
        """What is decoded so far."""
        return self._out[: self.cursor[CUR_OUT]].tobytes()

    def header(self) -> None:
        """Copy the header behind the two lines of CRINEX's own."""
        first = self._line()
        self.cursor[CUR_FORMAT] = 1 if first[:1] == b"1" else 3
        self._line()
        while True:
            if self.cursor[CUR_IN] >= len(self._data):
                raise _DamageError("the header does not end")
            line = self._line()
            self._put(line)
            self._take_types(line)
            if line[60:].startswith(b"END OF HEADER"):
                return

    def epochs(self) -> None:
        """Decode all epochs; events are copied."""
        status = CRX_FULL
        while status != CRX_END:
            state, room = self._ready()
            status = decode_epochs(self._bytes, self._words, self.cursor, state, room, self._out)
            if self.cursor[CUR_OUT] > self._limit:
                raise _TooLongError
            if status == CRX_DAMAGED:
                raise _DamageError(_WORDS[int(self.cursor[CUR_WHY])])
            if status == CRX_EVENT:
                self._copy_event()

    def _ready(self) -> tuple[CrinexState, int]:
        """The state, and room in the output for another epoch, which may take so many bytes."""
        if self._state is None:
            self._state = crinex_state(self._n_obs)
        most = max(int(self._n_obs.max()), 1)
        room = _EPOCH_HEAD + 999 * (16 * most + most // 5 + _LINE_END)
        self._reserve(room)
        return self._state, room

    def _reserve(self, n: int) -> None:
        """Make room for so many bytes and, by what came so far, for the rest of the data."""
        used = int(self.cursor[CUR_OUT])
        if used + n <= len(self._out):
            return
        share = max(int(self.cursor[CUR_IN]), 1) / max(len(self._data), 1)
        size = min(max(int(1.05 * used / share), 2 * used), self._limit)
        grown = np.empty(max(size, used) + n, np.uint8)
        grown[:used] = self._out[:used]
        self._out = grown

    def _line(self) -> bytes:
        """The next line of the data, without blanks at its end; one without its end is damage."""
        start = int(self.cursor[CUR_IN])
        stop = self._data.find(b"\n", start)
        if stop < 0:
            raise _DamageError("the end of the data where a whole line was expected")
        self.cursor[CUR_IN] = stop + 1
        return self._data[start:stop].rstrip(b" \r")

    def _put(self, line: bytes) -> None:
        """Write a line."""
        at = int(self.cursor[CUR_OUT])
        end = at + len(line) + 1
        if end > self._limit:
            raise _TooLongError
        self._reserve(len(line) + 1)
        self._out[at:end] = np.frombuffer(line + b"\n", np.uint8)
        self.cursor[CUR_OUT] = end

    def _take_types(self, line: bytes) -> None:
        """How many values a satellite has, where a header line says so."""
        label = line[60:]
        if label.startswith(_TYPES_2) and line[:6].strip():
            self._n_obs[:] = self._number(line[:6])
        elif label.startswith(_TYPES_3) and line[:1].strip():
            self._n_obs[line[0] & 127] = self._number(line[1:6])
        else:
            return
        self._state = None  # the arcs have other places now

    def _number(self, word: bytes) -> int:
        """A number of types."""
        try:
            number = int(word)
        except ValueError:
            number = -1
        if not 0 <= number <= _MOST_TYPES:
            raise _DamageError(f"{word.decode('latin-1').strip()!r} observation types")
        return number

    def _copy_event(self) -> None:
        """Copy an event, whole or not at all; an epoch that is written in full must follow."""
        start = int(self.cursor[CUR_OUT])
        try:
            self._copy_lines_of_event()
        except _DamageError:
            self.cursor[CUR_OUT] = start
            raise
        self._state = None
        self.cursor[CUR_LENGTH] = 0

    def _copy_lines_of_event(self) -> None:
        """Copy the line of an event and those it announces, and take their types."""
        line = self._line()
        count_at = 29 if self.cursor[CUR_FORMAT] < 3 else 32
        padded = np.frombuffer(line.ljust(count_at + 3), np.uint8)
        n_line = int(fixed_int(padded, count_at, count_at + 3))
        self._put(b" " + line[1:] if self.cursor[CUR_FORMAT] < 3 else line)
        for _ in range(max(n_line, 0)):
            inner = self._line()
            self._put(inner)
            self._take_types(inner)

"""Compact RINEX (Hatanaka) to RINEX, from bytes to bytes, bounded in time and memory."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from typing import IO

_LABEL = b"CRINEX VERS   / TYPE"
_NEWLINE = 10
_SECONDS_BASE, _BYTES_PER_SECOND = 20.0, 200_000.0
_OK = (0, 2)  # exit status of RNXCMP: 2 = done with a warning
_STOPPED = 1  # its status after an error in the data, also taken for a decoder we stopped


def is_crinex(data: bytes) -> bool:
    """Whether bytes start with a CRINEX 1 or 3 header."""
    return _LABEL in data[:160]


def decode_crinex(data: bytes, limit: int) -> tuple[bytes, str]:
    """RINEX text of CRINEX bytes: (text, complaint); "" when nothing is wrong.

    data : CRINEX 1 or 3      limit : longest text [bytes]
    Damage ends the decoding and the epochs before it are kept: what follows is stored as
    differences to the damaged ones. The decoder's time is limited in proportion to the size.
    """
    text, status, words = _decode(data, limit)
    if status not in (*_OK, _STOPPED):
        text = _before_crash(data, limit)
    if len(text) > limit:
        return b"", f"too large: CRINEX data unpack to more than {limit} bytes"
    if status in _OK:
        return text, ""
    return text, f"damaged CRINEX data ({words[:120] or 'the decoder did not come to an end'})"


def _decode(data: bytes, limit: int) -> tuple[bytes, int, str]:
    """Output, exit status and complaint of the decoder for CRINEX bytes."""
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as said:
        source.write(data)
        source.seek(0)
        text, status = _run(source, said, limit, _SECONDS_BASE + len(data) / _BYTES_PER_SECOND)
        said.seek(0)
        words = b" ".join(said.read(2000).split()).decode("ascii", "replace")
    return text, status, words


def _before_crash(data: bytes, limit: int) -> bytes:
    """Text of the longest run of first lines at which the decoder does not crash.

    A crash takes the text with it that the decoder had not written yet, up to several epochs.
    """
    ends = [k for k, byte in enumerate(data) if byte == _NEWLINE]
    low, high, best = 0, len(ends), b""
    while high - low > 1:
        middle = (low + high) // 2
        text, status, _ = _decode(data[: ends[middle - 1] + 1], limit)
        if status in (*_OK, _STOPPED):
            low, best = middle, text
        else:
            high = middle
    return best


def _run(source: IO[bytes], said: IO[bytes], limit: int, seconds: float) -> tuple[bytes, int]:
    """Output (at most limit + 1 bytes) and exit status of the CRX2RNX program of RNXCMP."""
    from hatanaka.hatanaka import executables

    command = [str(executables.joinpath("crx2rnx")), "-"]
    try:
        process = subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE, stderr=said)
    except OSError as error:
        said.write(str(error).encode())
        return b"", _STOPPED
    stopped: list[bool] = []

    def stop() -> None:
        stopped.append(True)
        process.kill()

    with process:
        stopper = threading.Timer(seconds, stop)
        stopper.start()
        try:
            text = process.stdout.read(limit + 1) if process.stdout else b""
        finally:
            stopper.cancel()
        if len(text) > limit:
            stop()
        status = process.wait()
        return text, _STOPPED if stopped else status

"""Compact RINEX (Hatanaka) to RINEX, from bytes to bytes, bounded in time and memory."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from typing import IO

_LABEL = b"CRINEX VERS   / TYPE"
_SECONDS_BASE, _BYTES_PER_SECOND = 20.0, 200_000.0
_OK = (0, 2)  # exit status of RNXCMP: 2 = done with a warning


def is_crinex(data: bytes) -> bool:
    """Whether bytes start with a CRINEX 1 or 3 header."""
    return _LABEL in data[:160]


def decode_crinex(data: bytes, limit: int) -> tuple[bytes, str]:
    """RINEX text of CRINEX bytes: (text, complaint); "" when nothing is wrong.

    data : CRINEX 1 or 3      limit : longest text [bytes]
    Damage ends the decoding and the epochs before it are kept: what follows is stored as
    differences to the damaged ones. The decoder's time is limited in proportion to the size.
    """
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as said:
        source.write(data)
        source.seek(0)
        text, status = _run(source, said, limit, _SECONDS_BASE + len(data) / _BYTES_PER_SECOND)
        said.seek(0)
        words = b" ".join(said.read(2000).split()).decode("ascii", "replace")
    if len(text) > limit:
        return b"", f"too large: CRINEX data unpack to more than {limit} bytes"
    if status in _OK:
        return text, ""
    return text, f"damaged CRINEX data ({words[:120] or 'the decoder did not come to an end'})"


def _run(source: IO[bytes], said: IO[bytes], limit: int, seconds: float) -> tuple[bytes, int]:
    """Output (at most limit + 1 bytes) and exit status of the CRX2RNX program of RNXCMP."""
    from hatanaka.hatanaka import executables

    command = [str(executables.joinpath("crx2rnx")), "-"]
    try:
        process = subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE, stderr=said)
    except OSError as error:
        said.write(str(error).encode())
        return b"", -1
    with process:
        stopper = threading.Timer(seconds, process.kill)
        stopper.start()
        try:
            text = process.stdout.read(limit + 1) if process.stdout else b""
        finally:
            stopper.cancel()
        if len(text) > limit:
            process.kill()
        return text, process.wait()

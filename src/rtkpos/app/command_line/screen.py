"""The standard streams of the process, made safe, and the messages on stderr.

A full disk, a pipe without reader or a closed stream never stops a command: what cannot be written
is dropped, files are written all the same, and `stdout_failure` tells the exit code about it.
Messages are coloured on a terminal and plain elsewhere.
"""

from __future__ import annotations

import codecs
import errno
import functools
import io
import os
import sys
from contextlib import suppress
from typing import Any

from rtkpos.errors import LONGEST_MESSAGE, shortened

_ERRORS = "rtkpos.names"


class SafeStream(io.TextIOWrapper):
    """A text stream that remembers its first failure and then drops what it is given."""

    failure: OSError | None = None

    def write(self, text: str) -> int:
        """Write; the number of characters also when they were dropped."""
        try:
            return super().write(text)
        except OSError as error:
            self._drop(error)
        return len(text)

    def flush(self) -> None:
        """Flush, or drop what is left."""
        try:
            super().flush()
        except OSError as error:
            self._drop(error)

    def _drop(self, error: OSError) -> None:
        """Remember why, and send what is still held back and what follows to nowhere."""
        self.failure = self.failure or error
        with suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            super().flush()


def prepare_streams() -> None:
    """Replace the standard streams by safe ones; to be called once, before any file is opened.

    A closed stream gets its number back, so that no file of ours takes it: writing to the standard
    output then fails, messages vanish, and reading finds nothing.
    """
    codecs.register_error(_ERRORS, _encoded)
    if sys.stdin is None:
        sys.stdin = open(_reopened(os.O_RDONLY), encoding="utf-8")
    sys.stdout = _safe(sys.stdout, os.O_RDONLY)
    sys.stderr = _safe(sys.stderr, os.O_WRONLY)


def stdout_failure() -> str:
    """Why the standard output lacks something, in words; "" when all went there.

    A reader that has seen enough and closed its pipe is no failure.
    """
    failure = getattr(sys.stdout, "failure", None)
    if failure is None or isinstance(failure, BrokenPipeError):
        return ""
    cause = "it is closed" if failure.errno == errno.EBADF else str(failure.strerror).lower()
    return f"standard output cannot be written: {cause}."


def _safe(stream: Any, flags: int) -> SafeStream:
    """A safe stream in place of a text stream, or of a closed one (None).

    flags : with which the null device stands in for a closed one
    """
    if stream is None:
        buffer = io.BufferedWriter(io.FileIO(_reopened(flags), "wb"))
        return SafeStream(buffer, encoding="utf-8", errors=_ERRORS)
    settings = (stream.encoding, stream.line_buffering, stream.write_through)
    encoding, line_buffering, write_through = settings
    return SafeStream(
        stream.detach(),
        encoding=encoding,
        errors=_ERRORS,
        line_buffering=line_buffering,
        write_through=write_through,
    )


def _reopened(flags: int) -> int:
    """The null device under the lowest free number: that of the closed stream."""
    handle = os.open(os.devnull, flags)
    os.set_inheritable(handle, True)
    return handle


def _encoded(error: UnicodeError) -> tuple[str | bytes, int]:
    r"""What stands for a character that an encoding lacks.

    A byte of a file name that is not valid in the encoding of the system stays that byte; others
    become \u escapes.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    after = error.start + 1
    if 0xDC80 <= ord(character) <= 0xDCFF:
        return bytes([ord(character) - 0xDC00]), after
    return character.encode("ascii", "backslashreplace").decode("ascii"), after


@functools.cache
def _console(_stream_id: int) -> Any:
    """A rich console on the present stderr (tests replace it, hence the key)."""
    from rich.console import Console

    return Console(file=sys.stderr, highlight=False, soft_wrap=True, emoji=False)


def say(text: str = "", style: str = "") -> None:
    """One line of plain text on stderr; `style` is a rich style used on a terminal."""
    if sys.stderr.isatty():
        _console(id(sys.stderr)).print(text, style=style or None, markup=False)
    else:
        sys.stderr.write(f"{text}\n")


def warn(text: str) -> None:
    """A warning on stderr."""
    say(f"warning: {text}", "yellow")


def fail(text: str) -> None:
    """The one line of an error on stderr."""
    say(f"rtkpos: {shortened(' '.join(text.split()), LONGEST_MESSAGE)}", "bold red")

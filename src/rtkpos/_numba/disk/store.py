"""Compiled forms of kernels on disk: one file each, with a checksum and a stamp.

An entry that is damaged, unreadable, or of other sources, versions, processors or options is a
miss. Nothing that is wrong with a file or a folder raises.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from rtkpos._numba.cache_folder import (
    ENTRY_SUFFIX,
    NUMBA_VARIABLE,
    kernel_folders,
    numba_version,
    source_hash,
)
from rtkpos._numba.calls import CPU_VARIABLES, processor, runnable_processors
from rtkpos._numba.disk.trusted import trusted_bytes

_DIGEST_SIZE = 16
# Variables of numba that do not change the code it makes, or stand in the processor's name.
_HARMLESS = (
    NUMBA_VARIABLE,
    "NUMBA_DISABLE_JIT",
    "NUMBA_NUM_THREADS",
    "NUMBA_THREADING_LAYER",
    *CPU_VARIABLES,
)
_SETTINGS_FILE = ".numba_config.yaml"
_log = logging.getLogger(__name__)


class Store:
    """Where the compiled forms of one function are kept.

    kind : "whole", "part" or "unit"; see `compiler`
    Wholes are also looked for in the folders of ready kernels; see `cache_folder`.
    """

    def __init__(self, function: Callable[..., Any], kind: str) -> None:
        self._function = function
        self._kind = kind
        # Sources are hashed at import: an edit that follows does not concern the running code.
        self._source = _source_of(function)
        self._is_used = bool(self._source) and function.__closure__ is None

    @property
    def name(self) -> str:
        """Module and name of the function."""
        return f"{self._function.__module__}.{self._function.__qualname__}"

    def is_open(self) -> bool:
        """Whether compiled forms can be kept."""
        return self._is_used and kernel_folders().own is not None

    def load(self, key: str) -> bytes | None:
        """The payload stored for a key, or None when there is no sound one."""
        if not self._is_used:
            return None
        for path, stamp in self._candidates(key):
            try:
                payload = _read_entry(path, stamp)
            except OSError as error:
                if not isinstance(error, FileNotFoundError):
                    self.note("not loaded", error)
                continue
            if payload is not None:
                return payload
        return None

    def save(self, key: str, payload: bytes) -> None:
        """Keep a payload; a full disk or a read-only folder leaves it uncached."""
        folder = kernel_folders().own
        if not self._is_used or folder is None:
            return
        try:
            path = folder / self._file_name(f"{self._place}|{processor()}|{key}")
            _write_entry(path, self._stamp(f"{processor()}|{key}"), payload)
        except OSError as error:
            self.note("not kept", error)

    def hand_over(self, key: str, folder: Path) -> bool:
        """Write a payload kept here into a folder of ready kernels; whether there is one."""
        payload = self.load(key)
        if payload is None:
            return False
        name = f"{processor()}|{key}"
        path = folder / self._file_name(name)
        _write_entry(path, self._ready_stamp(name), payload)
        path.chmod(0o644)
        return True

    def note(self, what: str, error: Exception) -> None:
        """Log why an entry is not used."""
        _log.debug("compiled %s %s: %s: %s", self.name, what, type(error).__name__, error)

    def _candidates(self, key: str) -> Iterator[tuple[Path, bytes]]:
        """Files that may hold a payload, the best first, each with the stamp it must have."""
        folders, host = kernel_folders(), processor()
        for folder in folders.read:
            yield (
                folder / self._file_name(f"{self._place}|{host}|{key}"),
                self._stamp(f"{host}|{key}"),
            )
        for folder in folders.ready if self._kind == "whole" else ():
            for name in (f"{cpu}|{key}" for cpu in runnable_processors()):
                yield folder / self._file_name(name), self._ready_stamp(name)

    @property
    def _place(self) -> str:
        """Folder of the source: two checkouts must not write over each other's entries."""
        return os.path.dirname(os.path.abspath(self._function.__code__.co_filename))

    def _file_name(self, key: str) -> str:
        """Name of the file of an entry."""
        digest = hashlib.sha256(f"{self._kind}|{key}".encode()).hexdigest()[:12]
        return f"{re.sub(r'[^.a-zA-Z0-9_]', '', self.name)}-{digest}{ENTRY_SUFFIX}"

    def _stamp(self, key: str) -> bytes:
        """What an entry must say of itself to be this function in this version."""
        return self._digest(numba_version(), sys.implementation.cache_tag, key)

    def _ready_stamp(self, key: str) -> bytes:
        """The same for ready kernels: machine code asks neither for numba nor for this Python."""
        return self._digest("ready", str(object.__basicsize__), key)

    def _digest(self, *facts: str | None) -> bytes:
        """Digest of facts, and of what makes the function and the user's settings what they are."""
        line = self._function.__code__.co_firstlineno
        every = (*facts, _options(), self._source, self._kind, str(line))
        return hashlib.sha256("|".join(map(str, every)).encode()).digest()


def _options() -> str:
    """What the user's settings of numba do to the code, as text."""
    chosen = sorted(
        f"{name}={value}"
        for name, value in os.environ.items()
        if name.startswith("NUMBA_") and name not in _HARMLESS
    )
    with suppress(OSError):
        chosen.append(Path(_SETTINGS_FILE).read_text(errors="replace"))
    return str(chosen)


def _source_of(function: Callable[..., Any]) -> str:
    """Hash of the sources of a function as they are now, at import; "" when there are no files."""
    try:
        return source_hash(os.path.abspath(function.__code__.co_filename))
    except OSError:
        return ""


def _read_entry(path: Path, stamp: bytes) -> bytes | None:
    """Payload of an entry; None when it is damaged or of other code, OSError when not readable."""
    content = trusted_bytes(path)
    digest, rest = content[:_DIGEST_SIZE], memoryview(content)[_DIGEST_SIZE:]
    if hashlib.blake2b(rest, digest_size=_DIGEST_SIZE).digest() != digest:
        return None
    return bytes(rest[len(stamp) :]) if rest[: len(stamp)] == stamp else None


def _write_entry(path: Path, stamp: bytes, payload: bytes) -> None:
    """Write an entry under a temporary name and rename it, so that readers see it whole."""
    rest = stamp + payload
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.blake2b(rest, digest_size=_DIGEST_SIZE).digest() + rest)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise

"""Compiled forms of kernels on disk: one file each, with a checksum and a stamp.

An entry that is damaged, unreadable, or of other sources, versions, processors or options is a
miss. Nothing that is wrong with a file or a folder raises.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import re
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from rtkpos._numba.cache_folder import (
    ENTRY_SUFFIX,
    NUMBA_VARIABLE,
    numba_version,
    source_hash,
    user_cache_dir,
)

_DIGEST_SIZE = 16
# Variables of numba that do not change the code it makes.
_HARMLESS = (NUMBA_VARIABLE, "NUMBA_DISABLE_JIT", "NUMBA_NUM_THREADS", "NUMBA_THREADING_LAYER")
_SETTINGS_FILE = ".numba_config.yaml"
_log = logging.getLogger(__name__)


class Store:
    """Where the compiled forms of one function are kept.

    kind : "whole" or "part"; see `compiler`
    The place is NUMBA_CACHE_DIR where it is set, else `__pycache__`, else the user's cache.
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
        if not self._is_used:
            return False
        try:
            return _is_writable(entry_folder(os.path.abspath(self._function.__code__.co_filename)))
        except OSError:
            return False

    def load(self, key: str) -> bytes | None:
        """The payload stored for a key, or None when there is no sound one."""
        if not self._is_used:
            return None
        try:
            return _read_entry(self._path(key), self._stamp(key))
        except OSError as error:
            self.note("not loaded", error)
            return None

    def save(self, key: str, payload: bytes) -> None:
        """Keep a payload; a full disk or a read-only folder leaves it uncached."""
        if not self._is_used:
            return
        try:
            path = self._path(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_entry(path, self._stamp(key), payload)
        except OSError as error:
            self.note("not kept", error)

    def note(self, what: str, error: Exception) -> None:
        """Log why an entry is not used."""
        _log.debug("compiled %s %s: %s: %s", self.name, what, type(error).__name__, error)

    def _path(self, key: str) -> Path:
        """File of an entry; OSError where there is no place for it."""
        digest = hashlib.sha256(f"{self._kind}|{key}".encode()).hexdigest()[:12]
        folder = entry_folder(os.path.abspath(self._function.__code__.co_filename))
        return folder / f"{re.sub(r'[^.a-zA-Z0-9_]', '', self.name)}-{digest}{ENTRY_SUFFIX}"

    def _stamp(self, key: str) -> bytes:
        """What an entry must say of itself to be this function in this version."""
        line = self._function.__code__.co_firstlineno
        facts = (numba_version(), _options(), self._source, self._kind, str(line), key)
        return hashlib.sha256("|".join(facts).encode()).digest()


def entry_folder(source: str) -> Path:
    """Folder for the compiled forms of a source file; OSError where none can be written."""
    named = os.environ.get(NUMBA_VARIABLE)
    if named:
        return Path(named) / _place_name(source)
    beside = Path(source).parent / "__pycache__"
    return beside if _is_writable(beside) else user_cache_dir() / "kernels" / _place_name(source)


def _place_name(source: str) -> str:
    """Name of the folder for one folder of sources: two checkouts must not share entries."""
    folder = os.path.dirname(source)
    return f"{os.path.basename(folder)}_{hashlib.sha256(folder.encode()).hexdigest()[:16]}"


@functools.cache
def _is_writable(folder: Path) -> bool:
    """Whether files can be written in a folder, which is made if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _options() -> str:
    """What the user's settings of numba and the Python in use do to the code, as text."""
    chosen = sorted(
        f"{name}={value}"
        for name, value in os.environ.items()
        if name.startswith("NUMBA_") and name not in _HARMLESS
    )
    with suppress(OSError):
        chosen.append(Path(_SETTINGS_FILE).read_text(errors="replace"))
    return f"{chosen}{sys.implementation.cache_tag}"


def _source_of(function: Callable[..., Any]) -> str:
    """Hash of the sources of a function as they are now, at import; "" when there are no files."""
    try:
        return source_hash(os.path.abspath(function.__code__.co_filename))
    except OSError:
        return ""


def _read_entry(path: Path, stamp: bytes) -> bytes | None:
    """Payload of an entry; None when it is absent, damaged, or of other code."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
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

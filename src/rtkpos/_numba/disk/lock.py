"""Compiling one at a time: processes that start cold together wait for each other's results.

The lock is a byte of a file in the cache folder. The system ends it with its process, so that it is
never left behind; where a file system has no locks everybody compiles for himself.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK_NAME = "compiling.lock"
_open_files: dict[Path, int] = {}  # closing one would end all locks of the process


@contextmanager
def locked(folder: Path | None, name: str, on_wait: Callable[[], object]) -> Iterator[None]:
    """Hold the lock of this name in a folder; on_wait is called when another process holds it.

    Not for two threads at once, nor again within itself.
    """
    handle = None if folder is None else _handle(folder)
    place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "little")
    is_held = handle is not None and _hold(handle, place, on_wait)
    try:
        yield
    finally:
        if handle is not None and is_held:
            with suppress(OSError):
                _lockf(handle, place, "LOCK_UN")


def _handle(folder: Path) -> int | None:
    """The open lock file of a folder; None where there can be none."""
    if folder not in _open_files:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        try:
            _open_files[folder] = os.open(folder / LOCK_NAME, flags, 0o600)
        except OSError:
            return None
    return _open_files[folder]


def _hold(handle: int, place: int, on_wait: Callable[[], object]) -> bool:
    """Take the lock, waiting if need be; False where there are no locks."""
    try:
        _lockf(handle, place, "LOCK_EX", "LOCK_NB")
    except BlockingIOError:
        on_wait()
        try:
            _lockf(handle, place, "LOCK_EX")
        except OSError:
            return False
    except (OSError, ImportError):
        return False
    return True


def _lockf(handle: int, place: int, *flags: str) -> None:
    """Lock or unlock the byte at a place; ImportError where the system has no such locks."""
    import fcntl

    fcntl.lockf(handle, sum(getattr(fcntl, flag) for flag in flags), 1, place)

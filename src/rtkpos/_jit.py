"""The one place that imports numba: the `@kernel` decorator and its cache of compiled code.

numba's own cache raises at the first call when an entry is truncated or unreadable, hands a changed
byte in machine code to the processor, and does not see that a kernel from another file changed.
Here an entry is one file with a checksum, stamped with the hash of all sources it comes from;
whatever is wrong with it counts as a miss, and the kernel is compiled again.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import re
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba
from numba.core import config
from numba.core.caching import CompileResultCacheImpl
from numba.core.serialize import dumps

from rtkpos._cache import ENTRY_SUFFIX, source_hash

# Every kernel of the process, by "module.name".
KERNELS: dict[str, Any] = {}

_DIGEST_SIZE = 16
_log = logging.getLogger(__name__)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function over floats and arrays: lazily, cached, without the GIL.

    Numbers in, numbers out, NaN is "not observed", division by zero follows IEEE 754. With
    NUMBA_DISABLE_JIT=1 the function stays plain Python.
    """
    compiled: Any = numba.njit(error_model="numpy", nogil=True)(function)
    if not hasattr(compiled, "py_func"):
        compiled.py_func = function  # so that the twin of a kernel has one name in all modes
    elif function.__closure__ is None:
        compiled._cache = _KernelCache(function)
    KERNELS[f"{function.__module__}.{function.__qualname__}"] = compiled
    return compiled


class _KernelCache:
    """Compiled forms of one function on disk, with the interface numba's dispatcher expects.

    The place is the one numba would choose (NUMBA_CACHE_DIR, `__pycache__`, the user's cache).
    Nothing that is wrong with a file or a folder raises: it is a miss, or the kernel is not kept.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._source = _source_of(function)
        self._impl: Any = None
        self._enabled = bool(self._source)

    @property
    def cache_path(self) -> str | None:
        """Folder of the entries; None where there is no place for them."""
        with suppress(RuntimeError):
            return str(self._implementation().locator.get_cache_path())
        return None

    def _implementation(self) -> Any:
        """Where and how numba stores this function; found at first use to keep imports fast."""
        if self._impl is None:
            self._impl = CompileResultCacheImpl(self._function)
        return self._impl

    def enable(self) -> None:
        """Use the cache (again)."""
        self._enabled = True

    def disable(self) -> None:
        """Neither load nor save from now on."""
        self._enabled = False

    def flush(self) -> None:
        """Do nothing: an entry is valid by its content or not at all."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Compiled form of a signature, or None when there is no sound one."""
        target_context.refresh()
        if not self._enabled:
            return None
        try:
            key = _key(sig, target_context.codegen())
            payload = _read_entry(self._path(key), self._stamp(key))
            return None if payload is None else self._rebuild(target_context, payload)
        except Exception as error:  # unpickling a damaged entry may raise anything
            self._note("not loaded", error)
            return None

    def _rebuild(self, target_context: Any, payload: bytes) -> Any:
        """numba's compile result from the stored bytes."""
        return self._implementation().rebuild(target_context, pickle.loads(payload))

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled form; a full disk or a read-only folder leaves it uncached."""
        if not self._enabled:
            return
        try:
            if self._implementation().check_cachable(data):
                key = _key(sig, data.codegen)
                self._implementation().locator.ensure_cache_path()
                payload = dumps(self._implementation().reduce(data))
                _write_entry(self._path(key), self._stamp(key), payload)
        except (OSError, RuntimeError, pickle.PicklingError) as error:
            self._note("not kept", error)

    def _path(self, key: str) -> Path:
        """File of an entry."""
        name = f"{self._function.__module__}.{self._function.__qualname__}"
        digest = hashlib.sha256(key.encode()).hexdigest()[:12]
        folder = Path(self._implementation().locator.get_cache_path())
        return folder / f"{re.sub(r'[^.a-zA-Z0-9_]', '', name)}-{digest}{ENTRY_SUFFIX}"

    def _stamp(self, key: str) -> bytes:
        """What an entry must say of itself to be this function in this version."""
        line = self._function.__code__.co_firstlineno
        facts = (numba.__version__, self._source, str(line), key)
        return hashlib.sha256("|".join(facts).encode()).digest()

    def _note(self, what: str, error: Exception) -> None:
        """Log why an entry is not used."""
        name = self._function.__qualname__
        _log.debug("compiled %s %s: %s: %s", name, what, type(error).__name__, error)


def _source_of(function: Callable[..., Any]) -> str:
    """Hash of the sources of a function as they are now, at import; "" when there are no files."""
    try:
        return source_hash(os.path.abspath(function.__code__.co_filename))
    except OSError:
        return ""


def _key(sig: Any, codegen: Any) -> str:
    """Everything but the source that decides the compiled code, as text.

    numba's key lacks the bounds check, so that its cache hands out unchecked code.
    """
    options = (config.BOUNDSCHECK, config.OPT, config.DEBUGINFO_DEFAULT)
    return f"{sig}|{codegen.magic_tuple()}|{options}|{sys.implementation.cache_tag}"


def _read_entry(path: Path, stamp: bytes) -> bytes | None:
    """Payload of an entry; None when it is absent, damaged, or of other code."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, rest = content[:_DIGEST_SIZE], content[_DIGEST_SIZE:]
    if hashlib.blake2b(rest, digest_size=_DIGEST_SIZE).digest() != digest:
        return None
    return rest[len(stamp) :] if rest[: len(stamp)] == stamp else None


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

"""Where compiled kernels are kept, and which source files decide their code.

numba notices an edit in the file of a kernel, but not in a kernel or constant that it takes from
another file. `source_hash` covers all of them, and every entry is stamped with it. Entries lie in
one folder, which nobody else can write; `kernel_folders` says which, and where ready kernels are.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from rtkpos._numba.disk.trusted import UntrustedError, trusted_folder

CACHE_VARIABLE = "RTKPOS_CACHE_DIR"
READY_VARIABLE = "RTKPOS_KERNEL_DIR"  # kernels made by `rtkpos warmup --into`
NO_READY = "none"  # value of that variable: neither these nor those of the package
NUMBA_VARIABLE = "NUMBA_CACHE_DIR"
ENTRY_SUFFIX = ".rtkpos"  # of a file that holds one compiled form of a kernel
KEPT_FOLDERS = 4  # a few checkouts and numba versions side by side

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_READY_IN_PACKAGE = "_kernels"  # in a wheel that brings its kernels
_WORD = re.compile(rb"\w+")
_FROM = re.compile(rb"^\s*from rtkpos([\w.]*) import (\([^)]*\)|[^\n]*)", re.MULTILINE)
_IMPORT = re.compile(rb"^\s*import rtkpos([\w.]*)", re.MULTILINE)
_log = logging.getLogger(__name__)


def user_cache_dir() -> Path:
    """The user's cache folder of rtkpos (RTKPOS_CACHE_DIR where set); it need not exist yet."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        root = Path(local) if local else _home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        root = _home() / "Library" / "Caches"
    else:
        xdg = os.environ.get("XDG_CACHE_HOME", "")
        root = Path(xdg) if xdg.startswith("/") else _home() / ".cache"
    return root / "rtkpos"


def _home() -> Path:
    """The home folder, or the temporary one for a user who has none."""
    try:
        return Path.home()
    except RuntimeError:
        return Path(tempfile.gettempdir())


def kernel_sources(path: str, package: str = _PACKAGE) -> tuple[str, ...]:
    """Source files that decide the compiled code of one file: itself and all that it imports.

    Followed are absolute imports from rtkpos, whose files lie in the folder `package`. Sorted.
    """
    found: set[str] = set()
    waiting = [path]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _read(path, package)[1]
    return tuple(sorted(found))


@functools.cache
def source_hash(path: str, package: str = _PACKAGE) -> str:
    """Hash of the sources that decide the compiled code of one file, 16 hexadecimal digits.

    Each file is read once per process, soon after it was imported: an edit that follows does not
    count, as it does not for the running code.
    """
    digest = hashlib.sha256()
    for source in kernel_sources(path, package):
        digest.update(os.path.basename(source).encode() + _read(source, package)[0])
    return digest.hexdigest()[:16]


@functools.cache
def _read(path: str, package: str) -> tuple[bytes, tuple[str, ...]]:
    """Hash of a source file, and the files of the package that it imports."""
    with open(path, "rb") as file:
        source = file.read()
    names = set(_IMPORT.findall(source))
    folders = set()
    for module, words in _FROM.findall(source):
        names.add(module)
        inside = {module + b"." + word for word in _WORD.findall(words)}
        names |= inside
        if module and not all(_is_file(_file_of(name, package)) for name in inside):
            folders.add(module + b".__init__")  # where a word that is no module comes from
    files = (_file_of(name, package) for name in sorted(names | folders))
    return hashlib.sha256(source).digest(), tuple(file for file in files if _is_file(file))


def _file_of(name: bytes, package: str) -> str:
    """File of a module of rtkpos, by its name behind `rtkpos`."""
    return package + name.decode().replace(".", os.sep) + ".py"


@functools.cache
def _is_file(path: str) -> bool:
    """Whether a file exists; asked thousands of times while the package is imported."""
    return os.path.isfile(path)


def _cpu_name() -> str:
    """Processor model, as far as the operating system tells."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


@functools.cache
def numba_version() -> str:
    """What numba says of its version in its files; importing it would take a third of a second."""
    spec = find_spec("numba")
    places = (spec.submodule_search_locations if spec else None) or []
    for place in places:
        with suppress(OSError):
            return Path(place, "_version.py").read_text(errors="replace")
    from importlib import metadata

    return metadata.version("numba")


def project_cache_name() -> str:
    """Name of the cache folder: hash of the versions of numba and Python, and the processor.

    The sources are no part of it: every entry is stamped with those it depends on, so that an edit
    costs only the kernels it touches.
    """
    facts = (
        numba_version(),
        platform.python_version(),
        platform.machine(),
        _cpu_name(),
    )
    return hashlib.sha256("|".join(facts).encode()).hexdigest()[:16]


class KernelFolders(NamedTuple):
    """Folders of compiled kernels, each trusted (see `disk.trusted`).

    own : where this process keeps what it compiles, None where it cannot
    read : where such entries are looked for      ready : with kernels made for other processes
    """

    own: Path | None
    read: tuple[Path, ...]
    ready: tuple[Path, ...]


def kernel_folders() -> KernelFolders:
    """The folders this process uses, by its environment; a folder left out is told once."""
    named = os.environ.get(NUMBA_VARIABLE)
    chosen = Path(named) if named else user_cache_dir() / "kernels" / project_cache_name()
    return _kernel_folders(chosen, os.environ.get(READY_VARIABLE, ""))


@functools.cache
def _kernel_folders(chosen: Path, ready: str) -> KernelFolders:
    """The folders for these choices."""
    own, reason = _own_folder(chosen)
    read = (chosen.resolve(),) if own is None and reason == _READ_ONLY else ()
    if own is None:
        temporary = Path(tempfile.gettempdir()) / f"rtkpos-kernels-{_user_id()}"
        own, again = _own_folder(temporary / chosen.name)
        where = f"go to {own}" if own else f"are not kept ({again})"
        _log.warning(
            "compiled kernels %s: %s (set %s to a folder that is yours alone).",
            where,
            _clause(chosen, reason),
            CACHE_VARIABLE,
        )
    if own is not None:
        read = (*read, own)
    return KernelFolders(own, read, tuple(_ready_folders(ready)))


_READ_ONLY = "is not writable"


def _clause(folder: Path, reason: str) -> str:
    """Why a folder does not serve, as half a sentence."""
    return f"{folder} {reason}" if reason == _READ_ONLY else reason


def _own_folder(folder: Path) -> tuple[Path | None, str]:
    """A folder made if need be where only this user can write; or why there is none."""
    try:
        found = trusted_folder(folder, make=True)
    except UntrustedError as error:
        return None, str(error)
    except OSError as error:
        return None, f"{folder} cannot be made ({(error.strerror or str(error)).lower()})"
    try:
        tempfile.TemporaryFile(dir=found).close()
    except OSError:
        return None, _READ_ONLY
    return found, ""


def _ready_folders(named: str) -> Iterator[Path]:
    """The folder of ready kernels the user names, and that of the package."""
    if named == NO_READY:
        return
    for folder in (named, os.path.join(_PACKAGE, _READY_IN_PACKAGE)):
        if folder == named and not named:
            continue
        try:
            yield trusted_folder(Path(folder))
        except FileNotFoundError:
            if folder == named:
                _log.warning("there is no folder %s; %s names it.", named, READY_VARIABLE)
        except OSError as error:
            _log.warning("ready kernels in %s are not used: %s.", folder, error)


def _user_id() -> int:
    """Number of the user; 0 where users have none."""
    return os.getuid() if hasattr(os, "getuid") else 0


def use_project_cache() -> Path | None:
    """The folder where this process keeps kernels, marked as used now; None where there is none.

    Of those made for other versions and processors the newest few stay.
    """
    folder = kernel_folders().own
    if folder is not None and not os.environ.get(NUMBA_VARIABLE):
        with suppress(OSError):
            os.utime(folder)
        _prune(folder.parent, keep=folder.name)
    return folder


def _prune(parent: Path, keep: str) -> None:
    """Remove all but the most recently used cache folders; failures do not matter."""
    with suppress(OSError):
        folders = [path for path in parent.iterdir() if path.is_dir() and path.name != keep]
        folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for folder in folders[KEPT_FOLDERS - 1 :]:
            shutil.rmtree(folder, ignore_errors=True)

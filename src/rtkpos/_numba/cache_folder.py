"""Where compiled kernels are kept, and which source files decide their code.

numba notices an edit in the file of a kernel, but not in a kernel or constant that it takes from
another file. `source_hash` covers all of them, and `decorator` stamps every entry with it. The
command line, the tests and the benchmarks keep their kernels in a folder of the project's own.
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
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

CACHE_VARIABLE = "RTKPOS_CACHE_DIR"
NUMBA_VARIABLE = "NUMBA_CACHE_DIR"
ENTRY_SUFFIX = ".rtkpos"  # of a file that holds one compiled form of a kernel
KEPT_FOLDERS = 4  # a few checkouts and numba versions side by side

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
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
    for module, words in _FROM.findall(source):
        names.add(module)
        names.update(module + b"." + word for word in _WORD.findall(words))
    files = (package + name.decode().replace(".", os.sep) + ".py" for name in names)
    return hashlib.sha256(source).digest(), tuple(file for file in files if _is_file(file))


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


def use_project_cache() -> Path:
    """Let numba keep kernels in the project's own folder; returns the folder in use.

    A NUMBA_CACHE_DIR of the user's stays. Call it before the first kernel is compiled; a library
    that merely imports rtkpos never calls it. Without a writable cache folder the temporary one
    serves, with a warning in the log, since every cold start then compiles anew.
    """
    named = os.environ.get(NUMBA_VARIABLE)
    if named:
        return Path(named)
    name = project_cache_name()
    parent = user_cache_dir() / "kernels"
    if not _make_writable(parent / name):
        parent = _temporary_parent()
        _log.warning(
            "the cache folder %s is not writable; compiled kernels go to %s "
            "(set %s to a writable folder).",
            user_cache_dir(),
            parent,
            CACHE_VARIABLE,
        )
        _make_writable(parent / name)
    _prune(parent, keep=name)
    os.environ[NUMBA_VARIABLE] = str(parent / name)
    if "numba" in sys.modules:  # it has read its environment already
        sys.modules["numba"].config.CACHE_DIR = str(parent / name)
    return parent / name


def _make_writable(folder: Path) -> bool:
    """Create the folder, mark it as used now, and say whether files can be written in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        os.utime(folder)
    except OSError:
        return False
    return True


def _temporary_parent() -> Path:
    """A folder for kernels below the temporary one which only this user can write.

    Cache entries are executable code: a folder that somebody else prepared is not used.
    """
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"rtkpos-kernels-{user}"
    with suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        private = not status.st_mode & 0o022 or os.name == "nt"
        if folder.is_dir() and not folder.is_symlink() and status.st_uid == user and private:
            return folder
    return Path(tempfile.mkdtemp(prefix="rtkpos-kernels-"))


def _prune(parent: Path, keep: str) -> None:
    """Remove all but the most recently used cache folders; failures do not matter."""
    with suppress(OSError):
        folders = [path for path in parent.iterdir() if path.is_dir() and path.name != keep]
        folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for folder in folders[KEPT_FOLDERS - 1 :]:
            shutil.rmtree(folder, ignore_errors=True)

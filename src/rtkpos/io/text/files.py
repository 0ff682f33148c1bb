"""Files as bytes and text: whatever a name stands for, one sentence says why it cannot be read."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO

from rtkpos.errors import FileError

_STEP = 64 << 20
Name = str | os.PathLike[str]


def read_file(name: Name, *, kind: str = "", most: int = 0) -> bytes:
    """The bytes of a file or a pipe.

    kind : word before the name in messages, like "truth"      most : longest file [byte]; without
    it what the memory of the machine holds
    FileError in one sentence for whatever stands in the way: no such file, a directory, a device, a
    name no file can have, no permission, too much.
    """
    called = f"{kind} {os.fspath(name)}".strip()
    limit = most or _memory_bytes()
    try:
        with open_file(name, kind=kind) as stream:
            if os.fstat(stream.fileno()).st_size > limit:
                raise _too_long(called, limit, str(name))
            content = _read(stream, limit)
    except MemoryError:
        raise _too_long(called, limit, str(name)) from None
    except OSError as error:
        raise _unreadable(called, error, str(name)) from None
    if len(content) > limit:
        raise _too_long(called, limit, str(name))
    return content


def read_file_text(
    name: Name, *, kind: str = "", most: int = 0, encoding: str = "utf-8", errors: str = "strict"
) -> str:
    """The text of a file, line ends as line feeds; FileError as `read_file`, or for no text."""
    content = read_file(name, kind=kind, most=most)
    try:
        text = content.decode(encoding, errors)
    except UnicodeDecodeError:
        called = f"{kind} {os.fspath(name)}".strip()
        raise FileError(f"{called} is no text in UTF-8; name a text file.", str(name)) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def open_file(name: Name, *, kind: str = "") -> IO[bytes]:
    """A file or pipe opened for reading without a buffer; FileError as `read_file`."""
    called = f"{kind} {os.fspath(name)}".strip()
    try:
        mode = os.stat(name).st_mode
        if stat.S_ISDIR(mode):
            raise FileError(
                f"{called} cannot be read: it is a directory; name the files in it.", str(name)
            )
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise FileError(f"{called} cannot be read: it is a device; name a file.", str(name))
        return Path(name).open("rb", buffering=0)
    except (OSError, ValueError) as error:
        raise _unreadable(called, error, str(name)) from None


def twin_of(path: Path) -> Path | None:
    """The file of the same name with .gz, or without it, where there is one."""
    is_packed = path.suffix.lower() == ".gz"
    twin = path.with_suffix("") if is_packed else path.parent / f"{path.name}.gz"
    return twin if os.path.isfile(twin) else None


def _read(stream: IO[bytes], limit: int) -> bytes:
    """All bytes of a stream, but at most one step more than the limit."""
    parts: list[bytes] = []
    size = 0
    while size <= limit and (part := stream.read(_STEP)):
        parts.append(part)
        size += len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _memory_bytes() -> int:
    """Memory of the machine [byte]; a large number where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 1 << 40


def _too_long(called: str, limit: int, path: str) -> FileError:
    return FileError(
        f"{called} is too long: more than {limit / 1e6:.0f} MB; divide it, or name another file.",
        path,
    )


def _unreadable(called: str, error: OSError | ValueError, path: str) -> FileError:
    """The sentence for an error of the system."""
    if isinstance(error, FileNotFoundError):
        twin = twin_of(Path(path))
        cause = f"there is no such file{f', but {twin.name} is there' if twin else ''}"
    else:
        cause = (getattr(error, "strerror", None) or str(error)).lower()
    return FileError(f"{called} cannot be read: {cause}.", path)

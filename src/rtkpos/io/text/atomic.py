"""Writing files so that a name never stands for a half-written one."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Container, Hashable, Iterable
from pathlib import Path

from rtkpos.errors import ConfigError, FileError


def write_text(path: Path | str, text: str) -> None:
    """Write a UTF-8 text file: whole under its name, or not at all.

    The text goes to a temporary name in the same folder, is forced to the disk and then renamed;
    whatever stops it on the way, the old file (if any) stays and the temporary one is removed.
    A symbolic link is followed; a device or a pipe is written to directly. Raises FileError.
    """
    write_bytes(path, encoded(text))


def encoded(text: str) -> bytes:
    r"""Text as valid UTF-8; bytes of a file name that are not UTF-8 become \udcXX escapes."""
    return text.encode("utf-8", "backslashreplace")


def write_bytes(path: Path | str, content: bytes) -> None:
    """Write a binary file: whole under its name, or not at all; raises FileError.

    Text files and downloads share this path; see `write_text` for what happens on failure.
    """
    target = Path(path)
    try:
        if _is_special(target):
            with target.open("wb") as stream:
                stream.write(content)
            return
        _replace(target.resolve(), content)
    except OSError as error:
        raise _file_error(target, error) from error


def check_writable(path: Path | str) -> None:
    """Raise FileError now when `write_text` would fail later: no folder, a folder, no permission.

    Long runs call this before they start, so that a typing error costs no computation.
    """
    target = Path(path)
    folder = target.resolve().parent
    if os.path.isdir(target):
        raise FileError(f"{target} is a folder; name a file to write to.", str(target))
    if not folder.is_dir():
        raise FileError(
            f"{target} cannot be written: the folder {folder} does not exist.", str(target)
        )
    if not _is_special(target) and not os.access(folder, os.W_OK | os.X_OK):
        raise FileError(f"{target} cannot be written: no permission in {folder}.", str(target))


def refuse_overwriting(
    outputs: Iterable[Path | str | None], inputs: Iterable[Path | str | None]
) -> None:
    """Raise ConfigError when an output is the same file as an input or as another output.

    Links, relative names and ".." are followed to the file itself; None stands for an option that
    was not given. Devices and pipes have no contents to lose and may serve several times.
    """
    read = {_identity(Path(path)): path for path in inputs if path is not None}
    written: dict[Hashable, Path | str] = {}
    for path in outputs:
        if path is None or _is_special(Path(path)):
            continue
        name = _identity(Path(path))
        if name in read:
            same = "an input" if str(read[name]) == str(path) else f"the input {read[name]}"
            raise ConfigError(
                f"the output {path} is {same}, and results never overwrite inputs; name another "
                "file."
            )
        if name in written:
            raise ConfigError(
                f"two outputs go to one file ({written[name]}, {path}); give each a name of its "
                "own."
            )
        written[name] = path


def check_outputs(
    outputs: Iterable[Path | str | None], inputs: Iterable[Path | str | None] = ()
) -> None:
    """Find before the work what would spoil it: `check_writable` and `refuse_overwriting`."""
    given = [path for path in outputs if path is not None]
    refuse_overwriting(given, inputs)
    for path in given:
        check_writable(path)


def make_folder(folder: Path) -> None:
    """A folder for results, with those above it; FileError when it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise FileError(f"folder {folder} cannot be made: {cause}.", str(folder)) from None


def remove_remnants(folder: Path, names: Container[str]) -> None:
    """Remove what a killed process left of files of these names: ".NAME.PID.part"."""
    for path in folder.glob(".*.part"):
        match = re.fullmatch(r"\.(.+)\.\d+\.part", path.name)
        if match and match[1] in names:
            with contextlib.suppress(OSError):
                path.unlink()


def _identity(path: Path) -> Hashable:
    """What tells a file from all others: its number on the disk, or the name it will have."""
    try:
        facts = path.stat()
        if facts.st_ino:
            return facts.st_dev, facts.st_ino
    except (OSError, ValueError):
        pass
    return os.path.normcase(os.path.realpath(path))


def _is_special(target: Path) -> bool:
    """True for a device, a pipe or a socket, which have no contents to protect."""
    if not os.path.exists(target):
        return False
    mode = target.stat().st_mode
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _replace(target: Path, content: bytes) -> None:
    """Write to a temporary name beside the target, force it to the disk, and rename."""
    if target.is_dir():
        raise IsADirectoryError(21, "it is a folder")
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Force the rename to the disk, where the file system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _file_error(target: Path, error: OSError) -> FileError:
    """The sentence for the user."""
    cause = (error.strerror or str(error)).lower()
    return FileError(
        f"{target} cannot be written: {cause}; nothing was left under that name.", str(target)
    )

"""Folders and files from which compiled code may be loaded: nobody else can have written them.

Whoever can write an entry has code executed by whoever loads it. Trusted is what belongs to this
user or to root, is writable by nobody else, and lies in folders of which the same is true (a
sticky one like /tmp, where others cannot rename what is ours, may be written by all). On Windows
the folder of a profile is protected by its access list, which is not looked at here.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_IS_POSIX = os.name == "posix"


class UntrustedError(OSError):
    """A folder or file that others can write; the text says which and why."""


def trusted_folder(path: Path, *, make: bool = False) -> Path:
    """A folder without symbolic links in its path; UntrustedError when others can write there.

    make : make what is missing of it, for this user alone; OSError when that fails
    """
    found = Path(os.path.realpath(path))
    if not _IS_POSIX:
        if make:
            found.mkdir(parents=True, exist_ok=True)
        return found
    for part in (*found.parents[::-1], found):
        if make and not os.path.lexists(part):
            part.mkdir(mode=0o700, exist_ok=True)
        _check(part, os.lstat(part), is_last=part == found)
    return found


def trusted_bytes(path: Path) -> bytes:
    """Content of a file in a trusted folder; OSError where there is none that is trusted."""
    handle = os.open(path, _OPEN_FLAGS | getattr(os, "O_BINARY", 0))
    with open(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise UntrustedError(f"{path} is no plain file")
        if _IS_POSIX:
            _check(path, status, is_last=True)
        return file.read()


def _check(path: Path, status: os.stat_result, *, is_last: bool) -> None:
    """UntrustedError when others own a folder or file, or can write it."""
    if status.st_uid not in (0, os.geteuid()):
        raise UntrustedError(f"{path} belongs to user {status.st_uid}")
    if stat.S_ISLNK(status.st_mode):  # set since the path was resolved
        raise UntrustedError(f"{path} is a symbolic link")
    writers = status.st_mode & _OTHERS_WRITE
    if writers == stat.S_IWGRP and _is_own_group(status.st_gid):
        writers = 0
    if writers and (is_last or not status.st_mode & stat.S_ISVTX):
        raise UntrustedError(f"{path} can be written by other users")


def _is_own_group(group_id: int) -> bool:
    """Whether a group is root's, or one with this user's name and no other member."""
    import grp
    import pwd

    if group_id == 0:
        return True
    try:
        group, user = grp.getgrgid(group_id), pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}

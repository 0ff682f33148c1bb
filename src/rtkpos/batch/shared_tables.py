"""Tables that several jobs need: each list of files is read once and dropped with its last user."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, cast

from rtkpos.io.rinex import read_navigation as rinex_nav
from rtkpos.io.rinex import read_observations as rinex_obs
from rtkpos.io.text.decompress import Source
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.observations import ObsTable

Paths = Source | Sequence[Source]
Key = Hashable


def file_key(kind: str, paths: Paths, *, strict: bool = False) -> Key:
    """What makes two readings the same: kind ("obs" or "nav"), strictness and the real paths."""
    is_one = isinstance(paths, bytes | str | os.PathLike) or not isinstance(paths, Iterable)
    listed: list[Any] = [paths] if is_one else list(cast("Iterable[Any]", paths))
    return kind, strict, tuple(map(_name_of, listed))


def _name_of(source: Any) -> Hashable:
    """The real path of a file; whatever is no path is told apart by its content."""
    if isinstance(source, str | os.PathLike):
        return os.path.realpath(source)
    return source if isinstance(source, bytes) else repr(source)


class SharedTables:
    """Tables read from files by several threads at once.

    keys : what all jobs will ask for, once per job, so that a table goes when its last job is done;
        other tables are read whenever they are asked for
    n_read : readings so far
    """

    def __init__(self, keys: Iterable[Key]) -> None:
        self._users = Counter(keys)
        self._tables: dict[Key, Future[Any]] = {}
        self._lock = threading.Lock()
        self.n_read = 0

    @property
    def n_held(self) -> int:
        """Tables in memory now."""
        return len(self._tables)

    def obs(self, paths: Paths, *, strict: bool = False) -> ObsTable:
        """As `read_obs`; the first who asks reads, others wait for it and share its error."""
        key = file_key("obs", paths, strict=strict)
        table: ObsTable = self._shared(key, lambda: rinex_obs.read_obs(paths, strict=strict))
        return table

    def nav(self, paths: Paths, *, strict: bool = False) -> BroadcastTable:
        """As `read_nav`; the first who asks reads, others wait for it and share its error."""
        key = file_key("nav", paths, strict=strict)
        table: BroadcastTable = self._shared(key, lambda: rinex_nav.read_nav(paths, strict=strict))
        return table

    @contextmanager
    def used_by_one(self, keys: Iterable[Key]) -> Iterator[None]:
        """The work of one job, after which it needs the tables of these keys no more."""
        try:
            yield
        finally:
            with self._lock:
                for key in keys:
                    self._users[key] -= 1
                    if self._users[key] <= 0:
                        self._tables.pop(key, None)

    def _shared(self, key: Key, read: Callable[[], Any]) -> Any:
        """The table of a key, read by whoever comes first."""
        with self._lock:
            promise = self._tables.get(key)
            is_first = promise is None
            if promise is None:
                promise = Future()
                self.n_read += 1
                if self._users[key] > 0:
                    self._tables[key] = promise
        if is_first:
            try:
                promise.set_result(read())
            except BaseException as error:
                promise.set_exception(error)
        return promise.result()

"""The manifest of many jobs: what became of each, whole on the disk at every instant."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rtkpos.errors import InputError
from rtkpos.io.text.atomic import write_text

WAITING, RUNNING, DONE, FAILED, QUARANTINED = "waiting", "running", "done", "failed", "quarantined"
STATES = (WAITING, RUNNING, DONE, FAILED, QUARANTINED)
MANIFEST_FILE = "manifest.json"
LOCK_FILE = ".lock"
MAX_LOST = 4  # starts after which no report came; then a job is given up, its end seen or not


@dataclass(kw_only=True)
class Entry:
    """What became of a job.

    state : one of STATES      tries : starts, those included that never ended
    exit_code, message : as a command of its own would have ended
    key : digest of configuration, file names and program      inputs : bytes and mtime [ns] by path
    output, sha256 : the result file      result : figures of the result, the same in every run
    """

    name: str
    state: str = WAITING
    tries: int = 0
    exit_code: int | None = None
    message: str = ""
    key: str = ""
    inputs: dict[str, list[int] | None] = field(default_factory=dict)
    output: str = ""
    sha256: str = ""
    result: dict[str, Any] | None = None


class Manifest:
    """The entries of all jobs in their order; each change is on the disk when the call returns.

    folder : of manifest and results      entries : the jobs as if nothing had been done yet; what
    the manifest in the folder says of the same job, key and inputs is carried over
    is_result : whether figures of a done job are what they should be
    warning : what was wrong with the file found, "" if nothing
    """

    def __init__(
        self,
        folder: Path,
        entries: Iterable[Entry],
        is_result: Callable[[dict[str, Any]], bool] | None = None,
    ) -> None:
        self.path = folder / MANIFEST_FILE
        self._lock = threading.Lock()
        found, self.warning = _read(self.path, is_result or _any_result)
        self.entries: dict[str, Entry] = {
            fresh.name: _carried_over(found.get(fresh.name), fresh, folder) for fresh in entries
        }
        self._lines = {name: _line(entry) for name, entry in self.entries.items()}

    def save(self) -> None:
        """Write the file."""
        with self._lock:
            self._write()

    def start(self, name: str) -> None:
        """A job begins; its inputs are noted before they are read."""
        self.change(name, state=RUNNING, tries=self.entries[name].tries + 1)

    def change(self, name: str, **values: Any) -> None:
        """Replace fields of an entry."""
        with self._lock:
            self.entries[name] = entry = dataclasses.replace(self.entries[name], **values)
            self._lines[name] = _line(entry)
            self._write()

    def give_back(self) -> None:
        """Jobs interrupted without being the cause: as if they had not been started."""
        with self._lock:
            for name, entry in self.entries.items():
                if entry.state == RUNNING:
                    back = dataclasses.replace(entry, state=WAITING, tries=entry.tries - 1)
                    self.entries[name], self._lines[name] = back, _line(back)
            self._write()

    def names(self, *states: str) -> list[str]:
        """Jobs in these states, in order."""
        return [name for name, entry in self.entries.items() if entry.state in states]

    def _write(self) -> None:
        """The whole file, one job per line."""
        lines = ",\n".join(self._lines.values())
        write_text(self.path, f'{{"jobs": [\n{lines}\n]}}\n')


def _any_result(_result: dict[str, Any]) -> bool:
    """Figures of any kind will do."""
    return True


def _line(entry: Entry) -> str:
    """An entry as JSON."""
    return json.dumps(dataclasses.asdict(entry), allow_nan=False)


def _read(path: Path, is_result: Callable[[dict[str, Any]], bool]) -> tuple[dict[str, Entry], str]:
    """Entries of a manifest by name, and what is wrong with it; none when it cannot be used."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        entries = [Entry(**values) for values in content["jobs"]]
        if not all(_is_sound(entry, is_result) for entry in entries):
            raise ValueError("an entry is not one of ours")
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        words = f"{type(error).__name__}: {error}"[:120]
        return {}, f"{path} cannot be used ({words}); every job is solved again."
    return {entry.name: entry for entry in entries}, ""


def _is_sound(entry: Any, is_result: Callable[[dict[str, Any]], bool]) -> bool:
    """Whether an entry has the types it should have."""
    texts = (entry.name, entry.message, entry.key, entry.output, entry.sha256)
    has_result = isinstance(entry.result, dict) and is_result(entry.result)
    return (
        entry.state in STATES
        and type(entry.tries) is int
        and all(isinstance(text, str) for text in texts)
        and isinstance(entry.inputs, dict)
        and has_result == (entry.state == DONE)
    )


def _carried_over(old: Entry | None, fresh: Entry, folder: Path) -> Entry:
    """The entry a restart goes on with: the old one where it still holds, else the fresh one."""
    if old is None or (old.key, old.inputs) != (fresh.key, fresh.inputs):
        return fresh
    if old.state == RUNNING and old.tries >= MAX_LOST:
        return dataclasses.replace(
            old, state=QUARANTINED, exit_code=None, message=lost_words(old.tries)
        )
    if old.state == DONE and digest_of(folder / old.output) != old.sha256:
        return fresh
    return fresh if old.state in (WAITING, FAILED) else old


def lost_words(tries: int) -> str:
    """Why a job whose end nobody saw is given up."""
    return f"the process died {tries} times while this job ran; it is skipped."


def states_of(paths: Iterable[Path]) -> dict[str, list[int] | None]:
    """Bytes and time of change [ns] of each file; None for one that is not there."""
    found: dict[str, list[int] | None] = {}
    for path in paths:
        found[str(path)] = None
        with suppress(OSError):
            facts = path.stat()
            found[str(path)] = [facts.st_size, facts.st_mtime_ns]
    return found


def digest_of(path: Path) -> str:
    """SHA-256 of a file; "" when it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


@contextmanager
def only_one(folder: Path, command: str) -> Iterator[None]:
    """Keep others that run a command out of a folder; the system ends the lock with the process."""
    try:
        import fcntl
    except ImportError:  # not on this system: nothing guards the folder
        yield
        return
    with (folder / LOCK_FILE).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(
                f"another `{command}` works in {folder}; wait for it or name another folder."
            ) from None
        yield

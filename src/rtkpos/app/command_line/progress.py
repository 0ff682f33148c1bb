"""Progress bars on stderr: only on a terminal, and only for work that takes a while."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

SHOW_AFTER_S = 0.7


class ProgressBar:
    """A bar that appears once the work has lasted `SHOW_AFTER_S`; silent without a terminal.

    Use as a context manager; `on_epoch(done, total)` is the callback `solve` takes.
    """

    def __init__(self, label: str, *, quiet: bool = False) -> None:
        self._label = label
        self._active = not quiet and sys.stderr.isatty()
        self._start = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def on_epoch(self, done: int, total: int) -> None:
        """Show how far the work is: `done` of `total` units."""
        if not self._active or time.monotonic() - self._start < SHOW_AFTER_S:
            return
        if self._bar is None:
            self._open(total)
        self._bar.update(self._task, completed=done, total=total)

    def _open(self, total: int) -> None:
        """Start drawing."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(self._label, total=total)
        self._bar.start()


class DownloadBar:
    """The object pooch asks for: total in bytes, update by increments, reset and close per file."""

    def __init__(self, label: str, *, quiet: bool = False) -> None:
        self.total = 0
        self._done = 0
        self._bar = ProgressBar(label, quiet=quiet)

    def update(self, n_bytes: int) -> None:
        """Another `n_bytes` have arrived."""
        self._done += n_bytes
        self._bar.on_epoch(self._done, max(self.total, self._done))

    def reset(self) -> None:
        """A file is complete; pooch sets the counter back before its last update."""
        self._done = 0

    def close(self) -> None:
        """The file is complete."""
        self._bar.__exit__(None, None, None)
        self._bar = ProgressBar(self._bar._label)

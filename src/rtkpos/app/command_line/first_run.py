"""What the user should know of compiled kernels: why the first run takes long, how far it is."""

from __future__ import annotations

import functools
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from rtkpos._numba.cache_folder import ENTRY_SUFFIX, kernel_folders
from rtkpos._numba.decorator import before_compiling, when_waiting
from rtkpos.app.command_line.progress import ProgressBar
from rtkpos.app.command_line.screen import say

FIRST_RUN = "first run: compiling the numerical kernels; later runs start at once."
FIRST_NETWORK = "first network: compiling its kernels, half a minute; later runs start at once."
_WAITING = "another rtkpos is compiling the kernels; this one waits for them."
LINE_EVERY_S = 10.0
N_ENTRY = 377  # files in which the kernels of a solution are kept; the time goes with them
_LAST = 25  # but for the last one, which takes as long as so many
_LOOK_EVERY_S = 0.5


def cache_folder() -> Path | None:
    """Folder where compiled kernels are kept, None when they are not."""
    return kernel_folders().own


def announce_compilation(*, quiet: bool) -> None:
    """Tell why the first run is slow, should it come to compiling, and do all of it at once."""
    before_compiling(functools.partial(_compile_all, quiet))


def announce_reading(*, quiet: bool) -> None:
    """The same for a command that only reads."""
    before_compiling(functools.partial(_tell, FIRST_RUN, quiet))


def announce_network_compilation(*, quiet: bool) -> None:
    """Tell why the first network is slow, should it come to compiling."""
    before_compiling(functools.partial(_tell, FIRST_NETWORK, quiet))


def _compile_all(quiet: bool) -> None:
    """Compile what every solution needs with several processes."""
    from rtkpos.live.warm import warm_up

    _tell(FIRST_RUN, quiet)
    with CompilationProgress(quiet=quiet):
        warm_up()


def _tell(text: str, quiet: bool) -> None:
    """A line for who waits."""
    if not quiet:
        say(text)


class CompilationProgress:
    """How far the compilation is: count, share and seconds left.

    On a terminal a bar, elsewhere a line every 10 s. It counts the files that appear in the cache,
    whichever process writes them.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._n_before = n_entry(cache_folder())
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> CompilationProgress:
        if not self._quiet:
            when_waiting(functools.partial(say, _WAITING))
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        """Look at the cache until the compilation is over."""
        start = told = time.monotonic()
        folder, is_terminal = cache_folder(), sys.stderr.isatty()
        with ProgressBar("compiling kernels") as bar:
            while not self._is_over.wait(_LOOK_EVERY_S):
                n_done = min(n_entry(folder) - self._n_before, N_ENTRY - 1)
                now = time.monotonic()
                if is_terminal:
                    bar.on_epoch(n_done, N_ENTRY)
                elif now - told >= LINE_EVERY_S:
                    told = now
                    say(progress_line(n_done, N_ENTRY, now - start))


def n_entry(folder: Path | None) -> int:
    """Compiled forms that are kept in a folder."""
    with suppress(OSError):
        if folder is not None:
            return sum(name.endswith(ENTRY_SUFFIX) for name in os.listdir(folder))
    return 0


def progress_line(n_done: int, n_all: int, elapsed_s: float) -> str:
    """Count, share and seconds left, by the speed until now."""
    n_left = n_all + _LAST - n_done
    text = f"compiling kernels: {n_done} of about {n_all}, {100 * n_done // (n_done + n_left)} %"
    if n_done == 0:
        return text
    return f"{text}, about {elapsed_s * n_left / n_done:.0f} s left"

"""What the user should know about compiled kernels: why the first run takes longer."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from rtkpos._numba.decorator import before_compiling
from rtkpos.app.command_line.screen import say

FIRST_RUN = "first run: compiling the numerical kernels; later runs start at once."
FIRST_NETWORK = "first network: compiling its kernels, half a minute; later runs start at once."


def cache_folder() -> Path | None:
    """Folder of compiled kernels that numba uses, None when numba chooses it itself."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    return Path(named) if named else None


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
    warm_up()


def _tell(text: str, quiet: bool) -> None:
    """A line for who waits."""
    if not quiet:
        say(text)

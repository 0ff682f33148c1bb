"""What the user should know about compiled kernels: whether they exist, and how long they take."""

from __future__ import annotations

import os
from pathlib import Path

from rtkpos._cache import ENTRY_SUFFIX
from rtkpos.app.screen import say

FEW_FILES = 10
NETWORK_STEP = "rtkpos.network.epoch.step_edges"


def cache_folder() -> Path | None:
    """Folder of compiled kernels that numba uses, None when numba chooses it itself."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    return Path(named) if named else None


def is_cold() -> bool:
    """True when the cache holds next to nothing, so that the first call compiles for seconds."""
    folder = cache_folder()
    if folder is None:
        return False
    found = 0
    for _ in folder.rglob(f"*{ENTRY_SUFFIX}"):
        found += 1
        if found > FEW_FILES:
            return False
    return True


def announce_network_compilation(*, quiet: bool) -> None:
    """Tell why the very first network is slow, unless everything is compiled first anyway."""
    folder = cache_folder()
    if quiet or folder is None or is_cold():
        return
    if next(folder.rglob(f"{NETWORK_STEP}*{ENTRY_SUFFIX}"), None) is None:
        say("first network: compiling its kernels, about a minute; later runs start at once.")


def announce_compilation(*, quiet: bool) -> None:
    """Tell why the very first run is slow."""
    if not quiet and is_cold():
        say("first run: compiling the numerical kernels; later runs start at once.")

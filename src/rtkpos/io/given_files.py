"""Tables where files may stand in their place: a path, the bytes of a file, or several of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from rtkpos.errors import InputError, quoted
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.io.text.decompress import Source
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.observations import ObsTable

_ONE = (str, bytes, os.PathLike)
Observations = ObsTable | Source | Sequence[Source]
Navigation = BroadcastTable | Source | Sequence[Source]


def obs_table(given: Observations, role: str) -> ObsTable:
    """Observations as they are, or read from their files; InputError names `role` otherwise."""
    if isinstance(given, ObsTable):
        return given
    if _is_source(given):
        return read_obs(given)
    raise InputError(
        f"the {role} must be an ObsTable, the path of a RINEX observation file, or a list of such "
        f"paths; got {quoted(given)}."
    )


def nav_table(given: Navigation) -> BroadcastTable:
    """Ephemerides as they are, or read from their files; InputError for anything else."""
    if isinstance(given, BroadcastTable):
        return given
    if _is_source(given):
        return read_nav(given)
    raise InputError(
        "nav must be a BroadcastTable, the path of a RINEX navigation file, or a list of such "
        f"paths; got {quoted(given)}."
    )


def _is_source(given: Any) -> bool:
    """Whether something names a file, holds the bytes of one, or is a list of such."""
    if isinstance(given, _ONE):
        return True
    is_list = isinstance(given, list | tuple) and bool(given)
    return is_list and all(isinstance(one, _ONE) for one in given)

"""`rtkpos info`: read files, gather facts, show them as text or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rtkpos.app.command_line.first_run import announce_reading
from rtkpos.app.info.facts import nav_facts, obs_facts, place
from rtkpos.app.info.pair import (
    nav_obstacles,
    obs_obstacles,
    pair_facts,
    pair_obstacles,
    position_obstacles,
)
from rtkpos.app.info.quality import (
    base_obstacles,
    pair_remarks,
    tracking_facts,
    tracking_obstacles,
)
from rtkpos.app.info.text import info_lines
from rtkpos.app.solve.file_kind import NAVIGATION, file_kind
from rtkpos.processing.base_code import code_position_of
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.observations import ObsTable


def run_info(files: Sequence[Path], *, as_json: bool) -> int:
    """Show what is in the files; errors of unreadable ones are raised as usual.

    Navigation files are read together; the first two observation files are compared as rover and
    base. Text or JSON goes to stdout.
    """
    facts = file_facts(files)
    if as_json:
        sys.stdout.write(json.dumps(facts, indent=1, allow_nan=False) + "\n")
    else:
        sys.stdout.write("\n".join(info_lines(facts)) + "\n")
    return 0


def file_facts(files: Sequence[Path]) -> dict[str, Any]:
    """Facts of all files: "observations", "navigation", "pair" and "obstacles"."""
    from rtkpos.io.rinex.read_navigation import read_nav
    from rtkpos.io.rinex.read_observations import read_obs

    announce_reading(quiet=False)
    kinds = {path: file_kind(path) for path in files}
    nav_paths = [path for path in files if kinds[path] == NAVIGATION]
    nav = read_nav(list(nav_paths)) if nav_paths else None
    # A file of another kind goes to the observation reader: it knows what to say about it.
    tables = [read_obs(path) for path in files if kinds[path] != NAVIGATION]
    observations = [obs_facts(table) | {"tracking": tracking_facts(table)} for table in tables]
    obstacles = []
    for table, entry in zip(tables, observations, strict=True):
        obstacles += obs_obstacles(table, _label(table))
        obstacles += tracking_obstacles(entry["tracking"], _label(table))
    if nav is not None and nav.n_ephemeris and tables:
        obstacles += _with_nav(tables, observations, nav)
    facts: dict[str, Any] = {"observations": observations}
    facts["navigation"] = nav_facts(nav) if nav is not None else None
    facts["pair"] = pair_facts(tables[0], tables[1]) if len(tables) > 1 else None
    facts["remarks"] = pair_remarks(tables[0], tables[1]) if len(tables) > 1 else []
    if len(tables) > 1:
        obstacles = pair_obstacles(tables[0], tables[1]) + obstacles
    facts["obstacles"] = list(dict.fromkeys(obstacles))
    return facts


def _with_nav(
    tables: Sequence[ObsTable], observations: list[dict[str, Any]], nav: BroadcastTable
) -> list[str]:
    """Add code positions to the facts; return what the ephemerides do not cover."""
    found: list[str] = []
    for k, (table, facts) in enumerate(zip(tables, observations, strict=True)):
        label = _label(table)
        point = code_position_of(table, nav)
        facts["code_position"] = None if point is None else place(point)
        other = tables[1 - k] if len(tables) > 1 and k < 2 else None
        found += nav_obstacles(table, nav, label, other) + position_obstacles(table, point, label)
        found += base_obstacles(table, point) if k == 1 else []
        if point is None:
            found.append(f"no code position could be computed for {label} with these ephemerides.")
    return found


def _label(table: ObsTable) -> str:
    """Short name of a table in messages."""
    return Path(table.source[0]).name if table.source else "the file"

"""`rtkpos data`: the catalogue of public data sets on the screen and on the disk."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rtkpos.app.command_line.progress import DownloadBar
from rtkpos.app.command_line.screen import say
from rtkpos.errors import DatasetError
from rtkpos.io.datasets.catalogue import catalogue, complete_folder, dataset, fetch
from rtkpos.io.datasets.folders import resolve_dataset


def run_list(*, as_json: bool) -> int:
    """Every data set: name, size, licence, whether it is here, title; or all facts as JSON."""
    entries = catalogue().values()
    if as_json:
        plain = [dataclasses.asdict(entry) for entry in entries]
        sys.stdout.write(json.dumps(plain, indent=1) + "\n")
        return 0
    rows = [("name", "MB", "files", "here", "licence")]
    for entry in entries:
        here = "yes" if complete_folder(entry.name) else "no"
        size = f"{entry.bytes / 1e6:.1f}"
        rows.append((entry.name, size, str(len(entry.files)), here, entry.licence))
    width = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        name, size, count, here, licence = row
        sys.stdout.write(
            f"{name:<{width[0]}}  {size:>{width[1]}}  {count:>{width[2]}}  "
            f"{here:<{width[3]}}  {licence}\n"
        )
    sys.stdout.write("\n")
    for entry in entries:
        credit = f" [{entry.credit}]" if entry.credit else ""
        sys.stdout.write(f"{entry.name}: {entry.title}{credit}\n")
    return 0


def run_path(name: str) -> int:
    """Print the folder of a data set; DatasetError says how to get it when it is not here."""
    folder = complete_folder(name)
    if folder is None:
        where = resolve_dataset(name)
        state = "is not on this machine" if where is None else f"is incomplete in {where}"
        raise DatasetError(f"data set {name} {state}; get it with `rtkpos data fetch {name}`.")
    sys.stdout.write(f"{folder}\n")
    return 0


def run_fetch(names: Sequence[str], folder: Path | None = None) -> int:
    """Download data sets and print their folders, one a line; nothing is fetched twice.

    folder : where to put them; without it a complete copy anywhere on this machine is enough
    """
    for entry in [dataset(name) for name in names]:
        say(f"{entry.name}: licence {entry.licence}; {entry.credit or entry.source[0]}")
        here = complete_folder(entry.name) if folder is None else None
        if here is None:
            bar = DownloadBar(entry.name)
            here = fetch(entry.name, folder=folder, progress=bar)
        sys.stdout.write(f"{here}\n")
    return 0

"""The shipped demo cut to half a minute's worth of epochs, and lists of its stations."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np

from rtkpos.gnss.systems import SYSTEM_LETTERS
from rtkpos.io.datasets.shipped import shipped_path
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.io.rinex.write_observations import write_obs
from rtkpos.processing.epoch import take_epochs
from rtkpos.records.observations import ObsTable

BASES = ("BASE1", "BASE2", "BASE3")
NAV = str(shipped_path("demo", "nav.rnx.gz"))
TRUTH = str(shipped_path("demo", "CAR.csv"))


def write_demo(folder: Path, step: int = 5, n_second: int = 150) -> None:
    """NAME.obs of the three bases and the car, an epoch in `step` seconds, in a folder."""
    for name in (*BASES, "CAR"):
        table = read_obs(shipped_path("demo", f"{name}.crx.gz"))
        write_obs(folder / f"{name}.obs", take_epochs(table, np.arange(0, n_second, step)))


def places() -> dict[str, np.ndarray]:
    """Coordinates (3,) of the bases [m], those the simulation stands on."""
    return {
        name: read_obs(shipped_path("demo", f"{name}.crx.gz")).station.approx_ecef_m
        for name in BASES
    }


def write_list(
    path: Path, places_m: dict[str, np.ndarray], *, with_files: bool = True, more: str = ""
) -> str:
    """A list of stations with these coordinates; `more` is put into every entry."""
    lines = []
    for name, (x, y, z) in places_m.items():
        lines += ["[[station]]", f'name = "{name}"', f"xyz = [{x:.4f}, {y:.4f}, {z:.4f}]", more]
        lines += [f'files = "{name}.obs"'] if with_files else []
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def with_header(source: Path, target: Path, label: str, text: str) -> str:
    """A copy of an observation file with another text before a label of its header."""
    lines = source.read_text().splitlines(keepends=True)
    at = next(k for k, line in enumerate(lines) if line[60:].strip() == label)
    lines[at] = f"{text:<60}{label}\n"
    target.write_text("".join(lines))
    return str(target)


def only(source: Path, target: Path, keep: np.ndarray | None = None, systems: str = "") -> str:
    """A copy of an observation file with some of its epochs or systems."""
    table = read_obs(source)
    if keep is not None:
        table = take_epochs(table, keep)
    if systems:
        table = _of_systems(table, systems)
    write_obs(target, table)
    return str(target)


def _of_systems(table: ObsTable, systems: str) -> ObsTable:
    """The rows of some systems."""
    numbers = [SYSTEM_LETTERS.index(letter) for letter in systems]
    mine = np.isin(table.sat // 64, numbers)
    n = np.add.reduceat(mine.astype(int), table.row_start[:-1])
    columns = ("sat", "sig", "code_m", "phase_cycle", "doppler_hz", "cn0_dbhz", "lli")
    return dataclasses.replace(
        table,
        row_start=np.concatenate([[0], np.cumsum(n)]),
        **{name: getattr(table, name)[mine] for name in columns},
    )


def copy_all(source: Path, target: Path) -> Path:
    """A folder of its own with the same files."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    return target

"""Solution rows that must not change unnoticed: the cases, and how their rows are kept.

`reference_rows.json` is written by tools/make_reference_rows.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tests.recordings import recording, run

FILE = Path(__file__).with_name("reference_rows.json")
UNIT_M = 1e-7
EVERY = 4  # every fourth epoch's position is kept, and the status of all

# name: (recording, epochs, options). Recordings whose source states its licence.
CASES = {
    "metre baseline, single epochs": ("static-nagoya-2024", 60, {"ar": "instantaneous"}),
    "metre baseline, hold": ("static-nagoya-2024", 60, {"ar": "hold"}),
    "metre baseline, BeiDou, static": (
        "static-nagoya-2024",
        90,
        {"mode": "static", "selection": {"systems": "C"}},
    ),
    "metre baseline, code only": ("static-nagoya-2024", 40, {"mode": "dgnss"}),
    "car": ("kinematic-fujisawa-2021-265", 240, {}),
    "car, Galileo, single epochs": (
        "kinematic-fujisawa-2021-265",
        120,
        {"ar": "instantaneous", "selection": {"systems": "E"}},
    ),
    "five kilometres": ("static-clas-fujisawa-2021-078", 60, {}),
    "GPS of 2005": ("static-geonet-2005", 120, {}),
    "35 km with atmosphere": (
        "network-netherlands-2021-001",
        240,
        {"selection": {"systems": "G"}},
    ),
}


def rows_of(name):
    """(status of each epoch as digits, (m, 3) positions relative to the base in UNIT_M or NaN)."""
    dataset, n_epoch, options = CASES[name]
    solution, _ = run(dataset, last=n_epoch, **options)
    base_m = np.array(recording(dataset)[3]["base_xyz"])
    status = "".join(str(int(s)) for s in solution.status)
    return status, (solution.ecef_m[::EVERY] - base_m) / UNIT_M


def kept_rows():
    """What the file holds, by case, in the form of `rows_of`."""
    kept = json.loads(FILE.read_text(encoding="ascii"))
    return {name: (status, as_array(rows)) for name, (status, rows) in kept.items()}


def as_array(rows):
    """Positions of the file; null is no position."""
    return np.array([[np.nan] * 3 if row is None else row for row in rows], dtype=np.float64)


def as_text(cases):
    """The file's text: one line per case."""
    lines = []
    for name, (status, rows) in cases.items():
        whole = [None if np.isnan(row).any() else np.rint(row).astype(int).tolist() for row in rows]
        body = json.dumps([status, whole], separators=(",", ":"))
        lines.append(f"{json.dumps(name)}:{body}")
    return "{\n" + ",\n".join(lines) + "\n}\n"

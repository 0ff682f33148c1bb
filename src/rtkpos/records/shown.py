"""How records look at a prompt and in a notebook: a few facts, not all their arrays."""

from __future__ import annotations

from enum import IntEnum
from html import escape

import numpy as np

from rtkpos._arrays import IndexArray, SatArray, SmallArray, TimeArray
from rtkpos.constants import NS_PER_S
from rtkpos.gnss.systems import PRN_PER_SYSTEM, SYSTEM_LETTERS
from rtkpos.gnss.time import iso_gpst

Facts = dict[str, str]
MAX_NAMES = 3  # of files
_UNITS = {"_deg": "degree", "_mps": "m s-1", "_m2": "m2", "_m": "m", "_s": "s"}


class Shown:
    """A record that is shown by its facts."""

    def _facts(self) -> Facts:
        """What is worth knowing at a glance, by name; empty texts are left out."""
        return {}

    def __repr__(self) -> str:
        told = ", ".join(text for text in self._facts().values() if text)
        return f"<{type(self).__name__}: {told}>"

    def _repr_html_(self) -> str:
        """A small table for notebooks; everything that comes from files is escaped."""
        rows = "".join(
            f'<tr><th style="text-align:left">{escape(name)}</th>'
            f'<td style="text-align:left">{escape(text)}</td></tr>'
            for name, text in self._facts().items()
            if text
        )
        return f"<table><caption>{escape(type(self).__name__)}</caption>{rows}</table>"


def span_words(time_ns: TimeArray) -> str:
    """First and last of some times: "2024-06-24 08:20:00.000 to 08:24:59.000 GPST"."""
    if not len(time_ns):
        return ""
    first, last = iso_gpst(int(np.min(time_ns))), iso_gpst(int(np.max(time_ns)))
    if first == last:
        return f"{first} GPST"
    return f"{first} to {last[11:] if last[:10] == first[:10] else last} GPST"


def interval_words(time_ns: TimeArray) -> str:
    """The usual time between epochs: "1 s"."""
    if len(time_ns) < 2:
        return ""
    return f"{float(np.median(np.diff(time_ns))) / NS_PER_S:g} s"


def satellite_words(sat: SatArray) -> str:
    """Number of different satellites by system: "G 9, C 14"."""
    systems = np.unique(sat).astype(np.int64) // PRN_PER_SYSTEM
    counts: IndexArray = np.bincount(systems, minlength=len(SYSTEM_LETTERS))
    return ", ".join(f"{SYSTEM_LETTERS[k]} {counts[k]}" for k in np.flatnonzero(counts))


def file_words(sources: tuple[str, ...]) -> str:
    """Names of files without their folders, the first few."""
    names = [source.replace("\\", "/").rpartition("/")[2] for source in sources]
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(names[:MAX_NAMES]) + more


def names_of(kind: type[IntEnum], values: SmallArray) -> list[str]:
    """Names of the members of an enumeration that starts at 0, by their numbers (n,)."""
    names: list[str] = np.array([member.name for member in kind])[values].tolist()
    return names


def unit_of(name: str) -> dict[str, str]:
    """Attribute "units" of a column, after the end of its name; "1" for numbers without one."""
    if name in ("status", "reason"):
        return {}
    return {"units": next((unit for end, unit in _UNITS.items() if name.endswith(end)), "1")}

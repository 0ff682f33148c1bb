"""Cut the recordings of this folder from the data sets they are pieces of.

    python -m tests.pieces.make_pieces

Observations keep every character of their first epochs and become CRINEX, navigation files keep
the records of the hours around them; gzip without name and time, so that the files are the same at
every run. LICENCES.md names sources and licences.
"""

from __future__ import annotations

import gzip
import re
from datetime import datetime, timedelta
from pathlib import Path

import hatanaka

from rtkpos.io.datasets.folders import dataset_dir

FOLDER = Path(__file__).parent
N_EPOCH = 60
# piece: (data set, observation files, navigation files)
SOURCES = {
    "nagoya": ("static-nagoya-2024", ("rover.obs.gz", "base.obs.gz"), ("base.nav.gz",)),
    "fujisawa": (
        "kinematic-fujisawa-2021-265",
        ("SEPT265G.21O.gz", "3034265G.21O.gz"),
        ("SEPT2650.21P.gz",),
    ),
    "geonet": (
        "static-geonet-2005",
        ("07590920.05o.gz", "30400920.05o.gz"),
        ("07590920.05n.gz", "30400920.05n.gz"),
    ),
}
AROUND = timedelta(hours=2)  # a record of GPS serves for so long around its epoch
# Of RINEX 3 ("G01 2024 06 24 ..."), and of RINEX 2 (" 1 05  4  2 ...").
_RECORD_LINE = re.compile(rb"^([A-Z]\d\d \d{4}|[ \d]\d \d\d) [ \d]\d [ \d]\d ", re.M)
_EPOCH_LINE = re.compile(
    rb"^(> \d{4}| \d\d [ \d]\d [ \d]\d [ \d]\d [ \d]\d[ \d]{3}\.\d{7}  [01])", re.M
)


def first_epochs(text: bytes, n: int) -> bytes:
    """Header and first n epochs of a RINEX observation file."""
    start = text.index(b"END OF HEADER")
    marks = [match.start() for match in _EPOCH_LINE.finditer(text, start)]
    return text[: marks[n]]


def first_time(text: bytes) -> datetime:
    """Time of the first epoch of a RINEX observation file, to the second."""
    line = _EPOCH_LINE.search(text, text.index(b"END OF HEADER"))
    if line is None:
        raise ValueError("an observation file without epochs")
    return _time_of(text[line.start() :].lstrip(b"> ").split()[:6])


def _time_of(words: list[bytes]) -> datetime:
    """Year (of two or four digits), month, day, hour, minute, second as a time."""
    year, *others = (int(float(word)) for word in words)
    return datetime(year + 2000 if year < 100 else year, *others)


def near_records(text: bytes, time: datetime) -> bytes:
    """Header of a RINEX navigation file and its records of the hours around a time."""
    end = text.index(b"\n", text.index(b"END OF HEADER")) + 1
    starts = [match.start() for match in _RECORD_LINE.finditer(text, end)]
    kept = [text[:end]]
    for start, stop in zip(starts, [*starts[1:], len(text)], strict=True):
        # The time ends at column 22 in RINEX 2, where a minus sign may follow, at 23 in RINEX 3.
        width = 23 if text[start : start + 1].isalpha() else 22
        if abs(_time_of(text[start : start + width].split()[1:]) - time) <= AROUND:
            kept.append(text[start:stop])
    return b"".join(kept)


def packed(text: bytes) -> bytes:
    """The same bytes at every run."""
    return gzip.compress(text, 9, mtime=0)


def main() -> None:
    """Write all pieces."""
    for piece, (dataset, observations, navigation) in SOURCES.items():
        folder = dataset_dir(dataset)
        for role, name in zip(("rover", "base"), observations, strict=True):
            text = first_epochs(gzip.decompress((folder / name).read_bytes()), N_EPOCH)
            compact = hatanaka.rnx2crx(text)
            # The date of the conversion would change with every run.
            lines = compact.split(b"\n")
            lines[1] = b"pieces".ljust(60) + b"CRINEX PROG / DATE"
            (FOLDER / f"{piece}-{role}.crx.gz").write_bytes(packed(b"\n".join(lines)))
        start = first_time(gzip.decompress((folder / observations[0]).read_bytes()))
        for k, name in enumerate(navigation):
            text = gzip.decompress((folder / name).read_bytes())
            (FOLDER / f"{piece}-{k}.nav.gz").write_bytes(packed(near_records(text, start)))


if __name__ == "__main__":
    main()

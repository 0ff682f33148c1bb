"""A list of stations as a table of text: one line of column names, then one line a station."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from rtkpos.errors import FileError, InputError

# Columns that together are one key; the first word of each pair is the one to write.
_PLACES = {
    "xyz": (("x_m", "x"), ("y_m", "y"), ("z_m", "z")),
    "llh": (
        ("lat_deg", "lat", "latitude"),
        ("lon_deg", "lon", "longitude"),
        ("height_m", "height", "h"),
    ),
}
_TEXTS = {
    "name": ("name", "station"),
    "files": ("files", "file"),
    "frame": ("frame",),
    "antenna": ("antenna",),
}
_NUMBERS = {"epoch": ("epoch",), "interval_s": ("interval_s",)}
FILE_SEPARATOR = "|"


def table_rows(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Where each line stands ("line 3") and its values by key; blank and # lines are skipped.

    Columns are separated by commas, semicolons or tabs; several files in a cell by "|". InputError
    for a file that is no such table, an unknown column, or a cell that should be a number.
    """
    lines = [(k, line) for k, line in enumerate(_text_of(path).splitlines(), 1) if line.strip()]
    lines = [(k, line) for k, line in lines if not line.lstrip().startswith("#")]
    if len(lines) < 2:
        raise InputError(
            f"{path} lists no station; wanted a line of column names such as "
            "name,x_m,y_m,z_m,files and one line for each station."
        )
    separator = max(",;\t", key=lines[0][1].count)
    columns = [_key_of(cell.strip(), path) for cell in _cells(lines[0][1], separator, path)]
    rows = []
    for number, line in lines[1:]:
        where = f"line {number}"
        row = _cells(line, separator, f"{path} {where}")
        if len(row) != len(columns):
            raise InputError(
                f"{path} {where}: {len(row)} cells, but the table has {len(columns)} columns."
            )
        rows.append((where, _values(columns, row, f"{path} {where}")))
    return rows


def _cells(line: str, separator: str, where: Path | str) -> list[str]:
    """The cells of a line; quotes may hold a separator."""
    try:
        return next(csv.reader([line], delimiter=separator, strict=True))
    except csv.Error as error:
        raise InputError(f"{where}: the line is no table row ({error}).") from None


def _text_of(path: Path) -> str:
    """The text of the file."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise FileError(f"{path} cannot be read: {cause}.", str(path)) from None
    except UnicodeDecodeError:
        raise FileError(f"{path} is no text; wanted a list of stations.", str(path)) from None


def _key_of(column: str, path: Path) -> tuple[str, int]:
    """Key of a column and its place in it, -1 when the key is that column alone."""
    word = column.lower()
    for key, parts in _PLACES.items():
        for k, names in enumerate(parts):
            if word in names:
                return key, k
    for key, names in {**_TEXTS, **_NUMBERS}.items():
        if word in names:
            return key, -1
    first = [names[0] for part in _PLACES.values() for names in part]
    known = [names[0] for names in (_TEXTS | _NUMBERS).values()] + first
    raise InputError(f"{path}: unknown column {column!r}; known are {', '.join(known)}.")


def _values(columns: list[tuple[str, int]], row: list[str], where: str) -> dict[str, Any]:
    """Values of a line by key; empty cells are left out."""
    values: dict[str, Any] = {}
    for (key, k), cell in zip(columns, (cell.strip() for cell in row), strict=True):
        if not cell:
            continue
        if k >= 0:
            values.setdefault(key, [None] * 3)[k] = _number(cell, where)
        elif key == "files":
            values[key] = [name.strip() for name in cell.split(FILE_SEPARATOR)]
        else:
            values[key] = _number(cell, where) if key in _NUMBERS else cell
    return values


def _number(cell: str, where: str) -> float:
    """A cell as a number."""
    try:
        return float(cell)
    except ValueError:
        raise InputError(f"{where}: {cell!r} is no number.") from None

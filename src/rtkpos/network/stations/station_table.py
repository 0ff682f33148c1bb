"""A list of stations as a table of text: one line of column names, then one line a station."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from rtkpos.errors import InputError, quoted
from rtkpos.io.text.files import read_file_text

# Columns that together are one key; the first word of each pair is the one to write.
_PLACES = {
    "xyz": (("x_m", "ecef_x_m", "x"), ("y_m", "ecef_y_m", "y"), ("z_m", "ecef_z_m", "z")),
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
_LONGEST = 64 << 20  # of a list [byte]


def table_rows(path: Path) -> tuple[list[tuple[str, dict[str, Any]]], list[str]]:
    """Where each line stands ("line 3") and its values by key, and the columns that are no key.

    Columns are separated by commas, semicolons or tabs; several files in a cell by "|"; blank and #
    lines are skipped. Where a line has earth-fixed and geographic coordinates, it is the former
    that count. InputError for a file that is no such table or a cell that should be a number.
    """
    lines = [(k, line) for k, line in enumerate(_text_of(path).splitlines(), 1) if line.strip()]
    lines = [(k, line) for k, line in lines if not line.lstrip().startswith("#")]
    if len(lines) < 2:
        raise InputError(
            f"{path} lists no station; wanted a line of column names such as "
            "name,x_m,y_m,z_m,files and one line for each station."
        )
    separator = max(",;\t", key=lines[0][1].count)
    names = [cell.strip() for cell in _cells(lines[0][1], separator, path)]
    columns = [_key_of(name) for name in names]
    _check_columns(columns, path)
    rows = []
    for number, line in lines[1:]:
        where = f"line {number}"
        row = _cells(line, separator, f"{path} {where}")
        if len(row) != len(columns):
            raise InputError(
                f"{path} {where}: {len(row)} cells, but the table has {len(columns)} columns."
            )
        rows.append((where, _values(columns, row, f"{path} {where}")))
    return rows, [name for name, (key, _) in zip(names, columns, strict=True) if not key]


def _check_columns(columns: list[tuple[str, int]], path: Path) -> None:
    """Refuse a table that is none of stations, or has a column twice."""
    known = [names[0] for names in (_TEXTS | _NUMBERS).values()]
    known += [words[0] for parts in _PLACES.values() for words in parts]
    if not any(key for key, _ in columns):
        raise InputError(f"{path}: the first line names no column of {', '.join(known)}.")
    for column in columns:
        if column[0] and columns.count(column) > 1:
            raise InputError(f"{path}: two columns give {column[0]}; leave one of them out.")


def _cells(line: str, separator: str, where: Path | str) -> list[str]:
    """The cells of a line; quotes may hold a separator."""
    try:
        return next(csv.reader([line], delimiter=separator, strict=True))
    except csv.Error as error:
        raise InputError(f"{where}: the line is no table row ({error}).") from None


def _text_of(path: Path) -> str:
    """The text of the file."""
    return read_file_text(path, most=_LONGEST, encoding="utf-8-sig")


def _key_of(column: str) -> tuple[str, int]:
    """Key of a column, "" for none, and its place in it, -1 when the key is that column alone."""
    word = column.lower()
    for key, parts in _PLACES.items():
        for k, names in enumerate(parts):
            if word in names:
                return key, k
    for key, words in {**_TEXTS, **_NUMBERS}.items():
        if word in words:
            return key, -1
    return "", -1


def _values(columns: list[tuple[str, int]], row: list[str], where: str) -> dict[str, Any]:
    """Values of a line by key; empty cells are left out."""
    values: dict[str, Any] = {}
    for (key, k), cell in zip(columns, (cell.strip() for cell in row), strict=True):
        if not cell or not key:
            continue
        if k >= 0:
            values.setdefault(key, [None] * 3)[k] = _number(cell, where)
        elif key == "files":
            values[key] = [name.strip() for name in cell.split(FILE_SEPARATOR)]
        else:
            values[key] = _number(cell, where) if key in _NUMBERS else cell
    if "xyz" in values:
        values.pop("llh", None)
    return values


def _number(cell: str, where: str) -> float:
    """A cell as a number."""
    try:
        return float(cell)
    except ValueError:
        raise InputError(f"{where}: {quoted(cell)} is no number.") from None

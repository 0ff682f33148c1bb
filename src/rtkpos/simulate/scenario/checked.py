"""Sections of a scenario file: built from dictionaries, every field checked by name."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any, TypeVar

from rtkpos.errors import ConfigError

T = TypeVar("T")
Column = tuple[str, float, float]  # what a number of a row is, its limits
_LONGEST = 60  # characters of a wrong value that are repeated


def real(default: float, low: float, high: float, says: str, *, or_zero: bool = False) -> Any:
    """A field that is a number between limits; or_zero : 0 is allowed as well.

    says : what it is, for the documentation; so everywhere below
    """
    return _field(default, says, low=low, high=high, or_zero=or_zero)


def count(default: int, low: int, high: int, says: str) -> Any:
    """A field that is a whole number between limits."""
    return _field(default, says, low=low, high=high, whole=True)


def word(default: str | None, says: str, *choices: str) -> Any:
    """A field that is text, one of the choices where there are any; None: it must be given."""
    return _field(default, says, choices=choices)


def switch(default: bool, says: str) -> Any:
    """A field that is true or false."""
    return _field(default, says, switch=True)


def rows(says: str, *columns: Column) -> Any:
    """A field that is a list of rows of one number per column, empty by default."""
    return _field((), says, columns=columns, is_list=True)


def row(default: tuple[float, ...], says: str, *columns: Column) -> Any:
    """A field that is one row of one number per column."""
    return _field(default, says, columns=columns, is_list=False)


def _field(default: Any, says: str, **rule: Any) -> Any:
    rule["says"] = says
    if default is None:
        return dataclasses.field(metadata=rule)
    return dataclasses.field(default=default, metadata=rule)


def build(kind: type[T], values: Any, path: str) -> T:
    """A section from a dictionary; ConfigError names field, value and what is allowed."""
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path} must be a section of keys and values; got {shown(values)}.")
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name in values:
        if name not in fields:
            raise ConfigError(f"unknown key {path}.{plain(name)}; known are {', '.join(fields)}.")
    made = {}
    for name, item in fields.items():
        if name in values:
            made[name] = _checked(f"{path}.{name}", values[name], item.metadata)
        elif item.default is dataclasses.MISSING:
            raise ConfigError(f"{path}.{name} is missing; it must be {allowed(item.metadata)}.")
    return kind(**made)


def shown(value: Any) -> str:
    """A value on one line, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def plain(name: str) -> str:
    """A key on one line."""
    return shown(name)[1:-1]


def allowed(rule: Mapping[str, Any]) -> str:
    """What a field may be, in words that follow "it must be"."""
    if "switch" in rule:
        return "true or false"
    if "choices" in rule:
        return f"one of {', '.join(rule['choices'])}" if rule["choices"] else "text"
    if "columns" not in rule:
        what = "a whole number " if "whole" in rule else "0 or " if rule["or_zero"] else ""
        return f"{what}between {rule['low']:g} and {rule['high']:g}"
    columns = rule["columns"]
    parts = (f"{name} between {low:g} and {high:g}" for name, low, high in columns)
    what = f"{len(columns)} numbers, {', '.join(parts)}"
    return f"a list of rows of {what}" if rule["is_list"] else what


def _checked(where: str, value: Any, rule: Mapping[str, Any]) -> Any:
    """The value in its own type; ConfigError when it is not allowed."""
    made = _taken(value, rule)
    if made is None:
        raise ConfigError(f"{where} = {shown(value)} is not allowed; it must be {allowed(rule)}.")
    return made


def _taken(value: Any, rule: Mapping[str, Any]) -> Any:
    """The value as the section keeps it, None when it is not allowed."""
    if "switch" in rule:
        return value if isinstance(value, bool) else None
    if "choices" in rule:
        return _text(value, rule["choices"])
    if "columns" not in rule:
        return _number(value, rule)
    if not isinstance(value, list):
        return None
    made = [_row(line, rule["columns"]) for line in (value if rule["is_list"] else [value])]
    if None in made:
        return None
    return tuple(made) if rule["is_list"] else made[0]


def _text(value: Any, choices: tuple[str, ...]) -> str | None:
    """Text; a date and time that TOML knows as such counts as its text."""
    if isinstance(value, dt.datetime) and value.tzinfo is None:
        value = value.isoformat()
    fine = isinstance(value, str) and (not choices or value in choices)
    return value if fine else None


def _row(line: Any, columns: tuple[Column, ...]) -> tuple[float, ...] | None:
    if not isinstance(line, list) or len(line) != len(columns):
        return None
    pairs = zip(line, columns, strict=True)
    fine = all(_is_between(value, low, high) for value, (_, low, high) in pairs)
    return tuple(map(float, line)) if fine else None


def _number(value: Any, rule: Mapping[str, Any]) -> float | None:
    if rule.get("or_zero") and _is_between(value, 0, 0):
        return 0.0
    fine = _is_between(value, rule["low"], rule["high"])
    if fine and "whole" in rule:
        fine = isinstance(value, int)
    return value if fine else None


def _is_between(value: Any, low: float, high: float) -> bool:
    """False for what is no number, and for NaN, which compares with nothing."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and low <= value <= high

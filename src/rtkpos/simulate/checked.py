"""Sections of a scenario file: built from dictionaries, every field checked by name."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, TypeVar

from rtkpos.errors import ConfigError

T = TypeVar("T")


def real(default: float | None, low: float, high: float) -> Any:
    """A field that is a number between limits; None as default: it must be given."""
    rule = {"low": low, "high": high}
    if default is None:
        return dataclasses.field(metadata=rule)
    return dataclasses.field(default=default, metadata=rule)


def word(default: str | None, *choices: str) -> Any:
    """A field that is text, one of the choices where there are any."""
    rule = {"choices": choices}
    if default is None:
        return dataclasses.field(metadata=rule)
    return dataclasses.field(default=default, metadata=rule)


def switch(default: bool) -> Any:
    """A field that is true or false."""
    return dataclasses.field(default=default, metadata={"switch": True})


def rows(width: int, low: float, high: float) -> Any:
    """A field that is a list of rows of `width` numbers, empty by default."""
    rule = {"width": width, "low": low, "high": high, "is_list": True}
    return dataclasses.field(default=(), metadata=rule)


def row(default: tuple[float, ...], low: float, high: float) -> Any:
    """A field that is one row of as many numbers as its default."""
    rule = {"width": len(default), "low": low, "high": high, "is_list": False}
    return dataclasses.field(default=default, metadata=rule)


def build(kind: type[T], values: Any, path: str) -> T:
    """A section from a dictionary; ConfigError names field, value and what is allowed."""
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path} must be a section of keys and values; got {values!r}.")
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name in values:
        if name not in fields:
            raise ConfigError(f"unknown key {path}.{name}; known are {', '.join(fields)}.")
    made = {}
    for name, item in fields.items():
        if name in values:
            made[name] = _checked(f"{path}.{name}", values[name], item.metadata)
        elif item.default is dataclasses.MISSING:
            raise ConfigError(f"{path}.{name} is missing; {_allowed(item.metadata)}.")
    return kind(**made)


def _allowed(rule: Mapping[str, Any]) -> str:
    """What a field may be, in words."""
    if "switch" in rule:
        return "it must be true or false"
    if "choices" in rule:
        return f"it must be one of {', '.join(rule['choices'])}" if rule["choices"] else "text"
    limits = f"between {rule['low']:g} and {rule['high']:g}"
    if "width" not in rule:
        return f"it must lie {limits}"
    what = f"{rule['width']} numbers {limits}"
    return f"it must be a list of rows of {what}" if rule["is_list"] else f"it must be {what}"


def _checked(where: str, value: Any, rule: Mapping[str, Any]) -> Any:
    """The value in its own type; ConfigError when it is not allowed."""
    fine = False
    made: Any = value
    if "switch" in rule:
        fine = isinstance(value, bool)
    elif "choices" in rule:
        fine = isinstance(value, str) and (not rule["choices"] or value in rule["choices"])
    elif "width" not in rule:
        fine = _is_number(value, rule)
    elif isinstance(value, list):
        lines = value if rule["is_list"] else [value]
        fine = all(_is_row(line, rule) for line in lines)
        if fine:
            made = tuple(tuple(map(float, line)) for line in lines)
            made = made if rule["is_list"] else made[0]
    if not fine:
        raise ConfigError(f"{where} = {value!r} is not allowed; {_allowed(rule)}.")
    return made


def _is_row(line: Any, rule: Mapping[str, Any]) -> bool:
    is_row = isinstance(line, list) and len(line) == rule["width"]
    return is_row and all(_is_number(value, rule) for value in line)


def _is_number(value: Any, rule: Mapping[str, Any]) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and rule["low"] <= value <= rule["high"]

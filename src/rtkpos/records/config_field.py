"""Fields of a configuration: default, limits, choices and meaning in one place, and their checks.

A field is declared with `limited`, `one_of` or `described`. Everything else that is said of it
(messages, options of the command line, keys of jobs, reference) is read from there.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rtkpos.errors import LONGEST_QUOTE, ConfigError, check_type, nearest, quoted, shortened

Kind = TypeVar("Kind", bound=type)

# Unit by the ending of a field's name, the longest first.
_UNITS = {
    "_cycle_per_sqrt_s": "cycle/sqrt(s)",
    "_cycle_per_s": "cycle/s",
    "_mm_per_km": "mm/km",
    "_m_per_s": "m/s",
    "_drift_mm": "mm/sqrt(s)",
    "_dbhz": "dB-Hz",
    "_epochs": "epochs",
    "_cycle": "cycle",
    "_deg": "deg",
    "_km": "km",
    "_mm": "mm",
    "_m": "m",
    "_s": "s",
}


def limited(default: float | None, low: float, high: float, text: str) -> Any:
    """A number field with its allowed closed range and its meaning."""
    return field(default=default, metadata={"low": low, "high": high, "text": text})


def one_of(default: str, choices: Iterable[str], text: str) -> Any:
    """A text field with the values it may have and its meaning."""
    return field(default=default, metadata={"one_of": tuple(choices), "text": text})


def described(default: Any, text: str) -> Any:
    """A field of any other kind with its meaning."""
    return field(default=default, metadata={"text": text})


class Section:
    """A configuration class: shown by what differs from its defaults."""

    def __repr__(self) -> str:
        items: list[Any] = [*dataclasses.fields(self)]  # type: ignore[arg-type]
        changed = (
            f"{item.name}={getattr(self, item.name)!r}"
            for item in items
            if getattr(self, item.name) != _default_of(item)
        )
        return f"{type(self).__name__}({', '.join(changed)})"


def documented(kind: Kind) -> Kind:
    """A configuration class whose docstring lists its fields under Parameters, as they say."""
    lines = []
    for item in dataclasses.fields(kind):
        value = _default_of(item)
        if "text" in item.metadata:
            lines += [f"{item.name} : {_type_words(item, value)}", f"    {_sentence(item)}"]
        else:
            section = type(value).__name__
            lines += [f"{item.name} : {section}, optional", f"    Section {item.name!r}."]
    text = "\n".join(["", "", "Parameters", "----------", *lines, ""])
    kind.__doc__ = inspect.cleandoc(kind.__doc__ or "") + text
    return kind


def _default_of(item: dataclasses.Field[Any]) -> Any:
    """The default of a field, made by its function where there is one."""
    made: Any = item.default_factory
    return made() if item.default is dataclasses.MISSING else item.default


def _type_words(item: dataclasses.Field[Any], value: Any) -> str:
    """Type or choices, and the default."""
    if "one_of" in item.metadata:
        kind = "{" + ", ".join(repr(one) for one in item.metadata["one_of"]) + "}"
    else:
        kind = str(item.type)
    return f"{kind}, default {value!r}"


def _sentence(item: dataclasses.Field[Any]) -> str:
    """What a field means, its unit and its range."""
    text = item.metadata["text"]
    unit = unit_of_name(item.name)
    if unit:
        text += f" [{unit}]"
    if "low" in item.metadata:
        text += f"; {item.metadata['low']:g} to {item.metadata['high']:g}"
    return f"{text[0].upper()}{text[1:]}."


@dataclass(frozen=True, kw_only=True)
class ConfigField:
    """What is known of a value of the configuration.

    path : "selection.systems"      choices : empty where none are listed      unit : "" for none
    low, high : allowed closed range, None where there is none
    """

    path: str
    default: Any
    text: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]

    @property
    def unit(self) -> str:
        """The unit as the name says it."""
        return unit_of_name(self.name)


def unit_of_name(name: str) -> str:
    """The unit a name ends in: "m" of "jump_m"; "" without one."""
    return next((unit for end, unit in _UNITS.items() if name.endswith(end)), "")


def config_fields(kind: Any, path: str = "") -> Iterator[ConfigField]:
    """Every value of a configuration class in its order, those of its sections included."""
    for item in dataclasses.fields(kind):
        inner: Any = item.default_factory
        if dataclasses.is_dataclass(inner):
            yield from config_fields(inner, f"{path}{item.name}.")
        elif "text" in item.metadata:
            is_made = item.default is dataclasses.MISSING
            yield ConfigField(
                path=f"{path}{item.name}",
                default=inner() if is_made else item.default,
                text=item.metadata["text"],
                choices=item.metadata.get("one_of", ()),
                low=item.metadata.get("low"),
                high=item.metadata.get("high"),
            )


def section_from(kind: Any, values: dict[str, Any], path: str = "") -> Any:
    """An instance of a configuration class from a dictionary, sections included.

    ConfigError for unknown keys, with the nearest known one.
    """
    known = {item.name: item for item in dataclasses.fields(kind)}
    arguments = {}
    for name, value in values.items():
        if name not in known:
            raise unknown_key(name, path, kind)
        inner: Any = known[name].default_factory
        if dataclasses.is_dataclass(inner):
            if not isinstance(value, dict):
                raise ConfigError(f"{path}{name} must be a section of keys; got {quoted(value)}.")
            arguments[name] = section_from(inner, value, f"{path}{name}.")
        else:
            arguments[name] = tuple(value) if isinstance(value, list) else value
    return kind(**arguments)


def unknown_key(name: str, path: str, kind: Any) -> ConfigError:
    """The error for a key that a configuration class does not have.

    name : the key      path : of its section, "" or ending in a dot
    """
    known = [item.name for item in dataclasses.fields(kind) if _is_key(item)]
    inside: dict[str, str] = {}
    for one in config_fields(kind):
        inside |= {one.path: one.path, one.name: inside.get(one.name, one.path)}
    best = nearest(name, known) or inside.get(nearest(name, inside), "")
    hint = f"; did you mean {path}{best}?" if best else "."
    return ConfigError(
        f"unknown key {path}{shortened(name, LONGEST_QUOTE)}; known are {', '.join(known)}{hint}"
    )


def _is_key(item: dataclasses.Field[Any]) -> bool:
    """Whether a field is a value or a section of a configuration file."""
    return "text" in item.metadata or dataclasses.is_dataclass(item.default_factory)


def checked(values: Any, path: str) -> None:
    """Check types, ranges and choices of one section and of the sections below it."""
    for item in dataclasses.fields(values):
        value, where = getattr(values, item.name), f"{path}{item.name}"
        kind = _section_class(item)
        if kind is not None:
            check_type(value, kind, where, ConfigError)
            checked(value, f"{where}.")
        elif "one_of" in item.metadata and value not in item.metadata["one_of"]:
            choices = ", ".join(item.metadata["one_of"])
            best = nearest(value, item.metadata["one_of"]) if isinstance(value, str) else ""
            hint = f"; did you mean {best}?" if best else "."
            raise ConfigError(f"{where} must be one of {choices}; got {quoted(value)}{hint}")
        elif value is None and item.default is None:
            continue
        elif "low" in item.metadata:
            _check_range(where, value, item.metadata["low"], item.metadata["high"])
        elif isinstance(item.default, str) and not isinstance(value, str):
            raise ConfigError(f"{where} must be text; got {quoted(value)}.")
        elif isinstance(item.default, bool) and not isinstance(value, bool):
            raise ConfigError(f"{where} must be true or false; got {quoted(value)}.")


def _section_class(item: dataclasses.Field[Any]) -> type | None:
    """The class of a field that is a section; None for a plain value."""
    made = None if item.default_factory is dataclasses.MISSING else item.default_factory()
    return type(made) if dataclasses.is_dataclass(made) else None


def _check_range(where: str, value: Any, low: float, high: float) -> None:
    """Raise ConfigError unless low <= value <= high."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not low <= value <= high:
        raise ConfigError(f"{where} must lie between {low:g} and {high:g}; got {quoted(value)}.")

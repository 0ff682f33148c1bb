"""A configuration as TOML in which comments say what each value is."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any

from rtkpos import __version__
from rtkpos.network.network_config import NetworkConfig
from rtkpos.records.config import RtkConfig
from rtkpos.records.config_field import ConfigField, config_fields

_WIDTH = 98


def explained_toml(config: RtkConfig, network: NetworkConfig) -> str:
    """The configuration of runs and of networks; read again, it is the same.

    What the profile decides stands in comments, so that another profile still decides it.
    """
    lines = [f"# Configuration of rtkpos {__version__}; rtkpos solve --config FILE reads it."]
    section = ""
    for one in config_fields(RtkConfig):
        inside = one.path.rpartition(".")[0]
        if inside != section:
            section = inside
            lines += _heading(section, type(getattr(config, section)))
        lines += _explained(one, attrgetter(one.path)(config), _decided(one, config))
    lines += _heading("network", NetworkConfig)
    for one in config_fields(NetworkConfig):
        lines += _explained(one, getattr(network, one.path), None)
    return "\n".join(lines) + "\n"


def facts_of(one: ConfigField) -> list[str]:
    """Unit, limits or choices and default of a value, as far as there are."""
    found = [f"in {one.unit}"] if one.unit else []
    if one.low is not None and one.high is not None:
        found.append(f"{one.low:g} to {one.high:g}")
    if one.choices:
        found.append(f"one of {', '.join(one.choices)}")
    if one.default is not None:
        found.append(f"default {toml_value(one.default)}")
    return found


def toml_value(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {toml_value(one)}" for key, one in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(one) for one in value)}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _decided(one: ConfigField, config: RtkConfig) -> Any:
    """What the profile says of a value that is not given; None for all others."""
    return getattr(config.certainty, one.name) if one.default is None else None


def _heading(section: str, kind: Any) -> Iterator[str]:
    """The line of a section, and what it is about."""
    yield from ("", f"[{section}]")
    yield from _comment(str(kind.__doc__).partition("\n")[0])


def _explained(one: ConfigField, value: Any, decided: Any) -> Iterator[str]:
    """The comment of a value and the value."""
    yield ""
    yield from _comment(f"{one.text} ({'; '.join(facts_of(one))})")
    if value is None:
        yield f"# {one.name} = {toml_value(decided)}"
    else:
        yield f"{one.name} = {toml_value(value)}"


def _comment(text: str) -> Iterable[str]:
    """Lines of a comment."""
    return (f"# {line}" for line in textwrap.wrap(text, _WIDTH, break_on_hyphens=False))

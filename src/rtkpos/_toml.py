"""TOML text as a dictionary, with the limits that its numbers and its nesting must keep."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from rtkpos.errors import quoted

LONGEST = 16 << 20  # characters; a list of a hundred thousand stations
DEEPEST = 32
_MOST_PARTS = 100  # of a dotted key: the parser takes time by their square
_TEXT_VALUE = re.compile(r""""(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_INTEGER_MAX = 2**63 - 1  # TOML 1.0: integers have 64 bits


def parse_toml(text: str) -> dict[str, Any]:
    """The content of a TOML text; ValueError says in a few words what is wrong with it.

    Text that is too long, tables nested more than `DEEPEST` deep, integers of more than 64 bits and
    texts with a zero character are refused: what reads the values need not think of them.
    """
    if len(text) > LONGEST:
        raise ValueError(f"it is longer than {LONGEST >> 20} million characters")
    if any(_n_part(piece) > _MOST_PARTS for piece in re.split(r"[\n,=]", _plain(text))):
        raise ValueError(_TOO_DEEP)
    try:
        values = tomllib.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    _check(values)
    return values


_TOO_DEEP = f"it is nested too deeply, in more than {DEEPEST} levels"


def _word(key: str) -> str:
    """A dotted key as messages name it."""
    return quoted(key)[1:-1]


def _plain(text: str) -> str:
    """The text without what stands in quotes."""
    return _TEXT_VALUE.sub("x", text)


def _n_part(piece: str) -> int:
    """Words between dots."""
    return sum(map(bool, piece.split("."))) if "." in piece else 1


def _check(values: dict[str, Any]) -> None:
    """ValueError for a value that is too deep or too large."""
    level: list[tuple[str, Any]] = list(values.items())
    for _ in range(DEEPEST):
        inner: list[tuple[str, Any]] = []
        for key, value in level:
            if isinstance(value, dict):
                inner += [(f"{key}.{name}", one) for name, one in value.items()]
            elif isinstance(value, list):
                inner += [(key, one) for one in value]
            elif isinstance(value, str) and "\0" in value:
                raise ValueError(f"{_word(key)} holds a zero character")
            elif isinstance(value, int) and not -_INTEGER_MAX - 1 <= value <= _INTEGER_MAX:
                n_digit = len(str(abs(value)))
                raise ValueError(f"{_word(key)} is an integer of {n_digit} digits, too large")
        level = inner
    if level:
        raise ValueError(_TOO_DEEP)

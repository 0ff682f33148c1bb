"""Habits of the command line that option parsers do not know: `--nav A B C`, `--truth X Y Z`."""

from __future__ import annotations

from collections.abc import Sequence

_MANY = ("--nav", "-n", "--base", "-b")
_ONE_VALUE = (
    "--mode", "--ar", "--systems", "--bands", "--base-position", "--config", "-k",
    "--elevation-mask", "-m", "--output", "-o", "--format", "--summary", "--truth",
    "--antex", "--rover-antenna", "--base-antenna", "--coordinates", "--stations",
    "--corrections", "--track", "--rinex", "--name", "--hours", "--map", "--geojson", "--edge-max",
    "--angle-min", "--profile", "--direction", "--static-start", "--seed", "--cell-size",
    "--interval", "--ms-per-baseline",
)  # fmt: skip
_THREE_VALUES = ("--at", "--base-xyz", "-r", "--base-llh", "-l")


def expand_arguments(arguments: Sequence[str]) -> list[str]:
    """Arguments with several values behind one option spelled out for the parser.

    `solve ROVER --nav A B` becomes `solve ROVER --nav A --nav B` (the same for --base), provided a
    ROVER was named before: otherwise the second word is the rover. `--truth X Y Z` becomes one
    value. So do the commands of `network` after their list; all others pass unchanged.
    """
    words = list(arguments)
    start = next((k for k, word in enumerate(words, 1) if word in ("solve", "explain")), 0)
    if words[:1] == ["network"]:
        start = 2
    if not start:
        return words
    return [*words[:start], *_expand_solve(words[start:])]


def _expand_solve(words: list[str]) -> list[str]:
    """The words behind the command."""
    out: list[str] = []
    has_rover, at = False, 0
    while at < len(words):
        word = words[at]
        if word == "--":
            return out + words[at:]
        n_value = _n_value(words, at, has_rover)
        values = words[at + 1 : at + 1 + n_value]
        if word in _MANY:
            for value in values:
                out += [word, value]
            out += [] if values else [word]
        elif word == "--truth" and len(values) == 3:
            out += [word, " ".join(values)]
        else:
            out += [word, *values]
            has_rover = has_rover or not word.startswith("-")
        at += 1 + n_value
    return out


def _n_value(words: list[str], at: int, has_rover: bool) -> int:
    """How many words behind `words[at]` belong to it."""
    word, rest = words[at], words[at + 1 :]
    if word in _THREE_VALUES:
        return min(3, len(rest))
    if word == "--truth" and len(rest) >= 3 and all(_is_number(w) for w in rest[:3]):
        return 3
    if word in _ONE_VALUE:
        return min(1, len(rest))
    if word not in _MANY:
        return 0
    plain = next((i for i, w in enumerate(rest) if w.startswith("-")), len(rest))
    return plain if has_rover else min(1, plain)


def _is_number(word: str) -> bool:
    """True when the word is a number, also a negative one."""
    try:
        float(word)
    except ValueError:
        return False
    return True

"""Typed errors. Each message is one sentence: what, where, got, wanted, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

__all__ = [
    "ConfigError",
    "DataError",
    "DatasetError",
    "FileError",
    "InputError",
    "NoSolutionError",
    "RinexError",
    "RtkposError",
]

LONGEST_MESSAGE, LONGEST_QUOTE = 1500, 60  # characters
_CONTROLS = {k: f"\\x{k:02x}" for k in (*range(32), *range(127, 160)) if chr(k) not in "\n\r\t"}


def shortened(text: str, most: int) -> str:
    """Text of at most so many characters: what is longer loses its middle."""
    if len(text) <= most:
        return text
    end = (most - 5) // 3
    return f"{text[: most - 5 - end]} ... {text[len(text) - end :]}"


def quoted(value: Any, most: int = LONGEST_QUOTE) -> str:
    """A value as messages repeat it: its `repr`, shortened."""
    try:
        return shortened(repr(value), most)
    except (ValueError, RecursionError):  # a number or a nesting too large to be written
        return f"a {type(value).__name__} too large to be shown"


class RtkposError(Exception):
    """Base of every error raised on purpose by rtkpos.

    The command line prints its message alone and ends with `exit_code`. A message is shortened to
    `LONGEST_MESSAGE` characters; control characters in it are shown by their code.

    Parameters
    ----------
    message : str, optional
        What is wrong, in one sentence.
    """

    exit_code = 5

    def __init__(self, message: str = "") -> None:
        super().__init__(shortened(message.translate(_CONTROLS), LONGEST_MESSAGE))


class ConfigError(RtkposError):
    """A configuration value or an option is wrong (exit code 1, wrong usage).

    Parameters
    ----------
    message : str, optional
        What is wrong, in one sentence.
    """

    exit_code = 1


class InputError(RtkposError):
    """An input cannot be used: missing, unreadable or contradictory (exit code 2).

    Parameters
    ----------
    message : str, optional
        What is wrong, in one sentence.
    """

    exit_code = 2


class FileError(InputError):
    """A file is missing, unreadable, a directory, or of a kind we cannot decode.

    Parameters
    ----------
    message : str
        What is wrong, in one sentence.
    path : str, optional
        The file.
    """

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class RinexError(FileError):
    """A RINEX file cannot be read; `line` is the 1-based line number, 0 where it does not apply.

    Parameters
    ----------
    message : str
        What is wrong, in one sentence.
    path : str, optional
        The file.
    line : int, optional
        1-based line number, 0 where it does not apply.
    """

    def __init__(self, message: str, path: str = "", line: int = 0) -> None:
        super().__init__(message, path)
        self.line = line


class DataError(InputError):
    """Arrays handed to the library are unusable: wrong shape, NaN, time going back.

    Parameters
    ----------
    message : str, optional
        What is wrong, in one sentence.
    """


class DatasetError(InputError):
    """A catalogue data set is unknown or cannot be had on this machine.

    Parameters
    ----------
    message : str, optional
        What is wrong, in one sentence.
    """


class NoSolutionError(RtkposError):
    """No epoch could be solved (exit code 3); `reasons` counts why, by name.

    Parameters
    ----------
    message : str
        What is wrong, in one sentence.
    reasons : dict[str, int], optional
        Number of epochs by name of the reason.
    """

    exit_code = 3

    def __init__(self, message: str, reasons: dict[str, int] | None = None) -> None:
        super().__init__(message)
        self.reasons = reasons or {}


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that a mistyped one most likely means; "" when none is near."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word[:LONGEST_QUOTE], list(known), n=1)), "")


def got_words(value: Any) -> str:
    """What somebody gave us, for a message: its type, and its value where that is short."""
    name = type(value).__name__
    if value is None:
        return name
    if hasattr(value, "shape"):
        return f"{name} of shape {value.shape}"
    if not isinstance(value, str | bytes | int | float | complex | list | tuple | dict | set):
        return name
    return f"{name} {quoted(value)}"


def check_type(
    value: Any,
    kind: type | tuple[type, ...],
    what: str,
    error: type[RtkposError] = InputError,
    *,
    optional: bool = False,
) -> None:
    """Raise `error`, naming what was wanted and what was given, unless a value is of a type.

    what : name of the argument      optional : None is welcome, too
    """
    if isinstance(value, kind) or (optional and value is None):
        return
    kinds = kind if isinstance(kind, tuple) else (kind,)
    wanted = " or ".join(one.__name__ for one in kinds)
    article = "an" if wanted[0] in "AEIOU" else "a"
    nothing = " or None" if optional else ""
    raise error(f"{what} must be {article} {wanted}{nothing}; got {got_words(value)}.")


def check_sequence(
    values: Any, kind: type, what: str, error: type[RtkposError] = InputError
) -> None:
    """Raise `error` unless `values` is a sequence of objects of one type."""
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        raise error(f"{what} must be a sequence of {kind.__name__}; got {got_words(values)}.")
    for number, value in enumerate(values):
        check_type(value, kind, f"{what}[{number}]", error)

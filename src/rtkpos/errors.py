"""Typed errors. Each message is one sentence: what, where, got, wanted, what to do."""

from __future__ import annotations


class RtkposError(Exception):
    """Base of every error raised on purpose by rtkpos.

    The command line prints its message alone and ends with `exit_code`.
    """

    exit_code = 5


class ConfigError(RtkposError):
    """A configuration value or an option is wrong (exit code 1, wrong usage)."""

    exit_code = 1


class InputError(RtkposError):
    """An input cannot be used: missing, unreadable or contradictory (exit code 2)."""

    exit_code = 2


class FileError(InputError):
    """A file is missing, unreadable, a directory, or of a kind we cannot decode."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class RinexError(FileError):
    """A RINEX file cannot be read; `line` is the 1-based line number, 0 where it does not apply."""

    def __init__(self, message: str, path: str = "", line: int = 0) -> None:
        super().__init__(message, path)
        self.line = line


class DataError(InputError):
    """Arrays handed to the library are unusable: wrong shape, NaN, time going back."""


class DatasetError(InputError):
    """A catalogue data set is unknown or cannot be had on this machine."""


class NoSolutionError(RtkposError):
    """No epoch could be solved (exit code 3); `reasons` counts why, by name."""

    exit_code = 3

    def __init__(self, message: str, reasons: dict[str, int] | None = None) -> None:
        super().__init__(message)
        self.reasons = reasons or {}

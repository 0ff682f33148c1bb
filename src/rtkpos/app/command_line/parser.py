"""From the words of a command to its values, as the table of its options says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from rtkpos.app.command_table.option import (
    FILE,
    FLAG,
    FOLDER,
    INTEGER,
    NUMBER,
    Command,
    Option,
)
from rtkpos.errors import LONGEST_QUOTE, ConfigError, nearest, quoted, shortened

_N_POINT = 3


class UsageError(ConfigError):
    """The words of a command make no sense: which, and what is wanted."""


class Given:
    """What was given to a command; what was not, and has no default in the table, is left out.

    fields : values by field of the request      options : by path in the configuration
    """

    def __init__(self, command: Command) -> None:
        self.command = command
        self.fields: dict[str, Any] = {}
        self.options: dict[str, Any] = {}

    def request(self, kind: Any, **more: Any) -> Any:
        """A request class filled with the values that are its fields."""
        names = kind.__dataclass_fields__
        found = {name: value for name, value in self.fields.items() if name in names}
        if "options" in names:
            found["options"] = dict(self.options)
        return kind(**found, **more)


def parse_words(command: Command, words: Sequence[str]) -> Given:
    """The values of a command; UsageError in one sentence for whatever is wrong.

    Options stand before and after arguments; `--option=value`, `-xvalue` and several letters behind
    one dash are understood, and `--` ends the options. An option of many values takes all words up
    to the next option once the first argument stands; before, it takes one.
    """
    reader = _Reader(command, words)
    reader.read()
    given = Given(command)
    for option in command.options:
        _put(given, option, reader.found.get(option.name))
    for argument, values in reader.arguments():
        _put(given, argument, values)
    missing = next(
        (o for o in command.options if o.is_required and o.name not in reader.found), None
    )
    if missing is not None:
        reader.fail(f"option {missing.flags[-1]} is missing: {missing.meaning}")
    return given


def _put(given: Given, value: Option, words: list[str] | None) -> None:
    """Convert the words of an option or argument and put them where they belong."""
    if words is None:
        if not value.default:
            return
        words = [value.default]
    target, key = (given.options, value.path) if value.path else (given.fields, value.place)
    if value.takes == FLAG:
        target[key] = True
        return
    made = [_converted(value, word, given.command) for word in words]
    is_single = not value.is_many and value.n_value == 1
    target[key] = made[0] if is_single else tuple(made)


def _converted(value: Option, word: str, command: Command) -> Any:
    """A word as the value it stands for."""
    name = value.flags[-1] if value.flags else value.name.upper()
    if value.words and word not in value.words:
        choices, hint = ", ".join(value.words), did_you_mean(word, value.words)
        _fail(command, f"{name} must be one of {choices}; got {quoted(word)}{hint}")
    if value.takes in (NUMBER, INTEGER):
        return _number(value, word, name, command)
    if value.takes in (FILE, FOLDER):
        return str(Path(word)) if value.path else Path(word)
    return word


def _number(value: Option, word: str, name: str, command: Command) -> float:
    """A number within its limit."""
    is_whole = value.takes == INTEGER
    try:
        made: float = int(word) if is_whole else float(word)
    except ValueError:
        kind = "a whole number" if is_whole else "a number"
        _fail(command, f"{name} must be {kind}; got {quoted(word)}")
    if value.low is not None and made < value.low:
        _fail(command, f"{name} must be at least {value.low}; got {quoted(word)}")
    return made


class _Reader:
    """The words of a command sorted into options and arguments.

    found : words by name of the option, [] for a flag      plain : words of the arguments
    """

    def __init__(self, command: Command, words: Sequence[str]) -> None:
        self.found: dict[str, list[str]] = {}
        self.plain: list[str] = []
        self._command, self._words, self._at = command, list(words), 0
        self._options = {flag: one for one in command.options for flag in one.flags}

    def read(self) -> None:
        """Sort all words."""
        while self._at < len(self._words):
            word = self._words[self._at]
            self._at += 1
            if word == "--":
                self.plain += self._words[self._at :]
                return
            if word.startswith("--"):
                name, is_attached, value = word.partition("=")
                self._take(self._option(name), [value] if is_attached else [])
            elif len(word) > 1 and word.startswith("-"):
                self._take_letters(word)
            else:
                self.plain.append(word)

    def arguments(self) -> list[tuple[Option, list[str]]]:
        """The arguments that are given, with their words."""
        rest, found = self.plain, []
        for argument in self._command.arguments:
            if not rest and argument.is_required:
                self.fail(f"{argument.shown} is missing: {argument.meaning}")
            n = len(rest) if argument.is_many else 1
            if rest:
                found.append((argument, rest[:n]))
            rest = rest[n:]
        if rest:
            self.fail(f"there is no use for {quoted(rest[0])}")
        return found

    def fail(self, text: str) -> NoReturn:
        """Raise UsageError."""
        _fail(self._command, text)

    def _option(self, flag: str) -> Option:
        """The option of a flag."""
        option = self._options.get(flag)
        if option is None:
            known = [one for option in self._command.shown_options for one in option.flags]
            shown = shortened(flag, LONGEST_QUOTE)
            self.fail(f"there is no option {shown}{did_you_mean(flag, known)}")
        return option

    def _take_letters(self, word: str) -> None:
        """Options of one letter each; the first that takes a value has the rest of the word."""
        for k in range(1, len(word)):
            option = self._option(f"-{word[k]}")
            if option.takes != FLAG:
                self._take(option, [word[k + 1 :]] if word[k + 1 :] else [])
                return
            self._take(option, [])

    def _take(self, option: Option, values: list[str]) -> None:
        """Note an option with its values, the first of which may be attached."""
        flag = option.flags[-1]
        if option.takes == FLAG:
            if values:
                self.fail(f"{flag} takes no value; got {quoted(values[0])}")
        elif option.is_point and not values and self._is_point_ahead():
            values = [" ".join(self._next(_N_POINT))]
        elif option.is_many and not values:
            values = self._next(1)
            while self.plain and self._ahead(1) and not self._ahead(1)[0].startswith("-"):
                values += self._next(1)
        else:
            values = values + self._next(option.n_value - len(values))
        if option.takes != FLAG and len(values) < (1 if option.is_many else option.n_value):
            wanted = "a value" if option.n_value == 1 else f"{option.n_value} values"
            self.fail(f"{flag} needs {wanted}: {flag} {option.shown}")
        self.found[option.name] = [
            *(self.found.get(option.name, []) if option.is_many else []),
            *values,
        ]

    def _is_point_ahead(self) -> bool:
        """Whether three numbers follow."""
        some = self._ahead(_N_POINT)
        return len(some) == _N_POINT and all(map(_is_number, some))

    def _ahead(self, n: int) -> list[str]:
        """The next n words, fewer at the end or where an option of this command stands."""
        some = self._words[self._at : self._at + n]
        end = next((k for k, word in enumerate(some) if self._is_option(word)), n)
        return some[:end]

    def _next(self, n: int) -> list[str]:
        """The next n words, taken."""
        some = self._ahead(n)
        self._at += len(some)
        return some

    def _is_option(self, word: str) -> bool:
        """Whether a word is an option of this command, or ends them."""
        return word == "--" or word.partition("=")[0] in self._options


def _is_number(word: str) -> bool:
    """True when the word is a number, also a negative one."""
    try:
        float(word)
    except ValueError:
        return False
    return True


def _fail(command: Command, text: str) -> NoReturn:
    """Raise UsageError."""
    raise UsageError(f"{text}; see `rtkpos {command.name} --help`.")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word as an aside, "" when none is near."""
    best = nearest(word, known)
    return f" (did you mean {best}?)" if best else ""

"""What an option, an argument and a command are; quick to load, since every start needs it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from rtkpos.records.config_field import ConfigField

TEXT, FILE, FOLDER, NUMBER, INTEGER, FLAG = "text", "file", "folder", "number", "integer", "flag"


@functools.cache
def config_values() -> dict[str, ConfigField]:
    """The values of the configuration by path."""
    from rtkpos.records.config import RtkConfig
    from rtkpos.records.config_field import config_fields

    return {one.path: one for one in config_fields(RtkConfig)}


class Option(NamedTuple):
    """An option of a command, or an argument: a word that needs no option before it.

    name : "elevation-mask", of an argument "rover"      field : of the request, "" = from the name
    path : of the configuration value it stands for, whose kind, choices, default and meaning it
           has; `text` then says what else is to be known
    kind : TEXT, FILE, FOLDER, NUMBER, INTEGER or FLAG; "" = as the configuration value
    default : as it would be typed      default_at : where it stands, "module:name" or
              "module:Class.name", times `default_scale`
    low : smallest number
    is_required : must be given      is_many : an option may stand several times, and takes several
                  words once the first argument stands; an argument takes all words that are left
    Of options alone are: short : letter      n_value : words it takes      is_point : takes one
    word or three numbers      group : heading in the help
    job_key : key of a job of `batch`, "" = from the name, None = no job has it
    """

    name: str
    text: str = ""
    field: str = ""
    path: str = ""
    kind: str = ""
    choices: tuple[str, ...] = ()
    metavar: str = ""
    default: str = ""
    default_at: str = ""
    default_scale: float = 1.0
    low: int | None = None
    is_required: bool = False
    is_many: bool = False
    is_argument: bool = False
    short: str = ""
    n_value: int = 1
    is_point: bool = False
    is_hidden: bool = False
    group: str = "general"
    job_key: str | None = None

    @property
    def place(self) -> str:
        """Name of its field in the request."""
        return self.field or self.name.replace("-", "_")

    @property
    def meaning(self) -> str:
        """What it means, in a phrase without a period."""
        known = config_values()[self.path].text if self.path else ""
        return "; ".join(text for text in (known, self.text) if text)

    @property
    def words(self) -> tuple[str, ...]:
        """The words it chooses from, empty when it takes any."""
        return self.choices or (config_values()[self.path].choices if self.path else ())

    @property
    def takes(self) -> str:
        """Its kind."""
        return self.kind or _kind_of(config_values()[self.path])

    @property
    def preset(self) -> str:
        """The default as it would be typed, "" for none."""
        if self.default:
            return self.default
        if self.default_at:
            return f"{self.default_scale * _value_at(self.default_at):g}"
        value = config_values()[self.path].default if self.path else ""
        return f"{value:g}" if type(value) in (int, float) else str(value or "")

    @property
    def flags(self) -> tuple[str, ...]:
        """As it is typed: "-m" and "--elevation-mask"; none for an argument."""
        if self.is_argument:
            return ()
        return (f"-{self.short}", f"--{self.name}") if self.short else (f"--{self.name}",)

    @property
    def shown(self) -> str:
        """Metavariables behind the option, "" for a flag; that of an argument."""
        if self.is_argument:
            return self.metavar or self.name.upper()
        if self.takes == FLAG:
            return ""
        usual = "|".join(self.words) if len(self.words) in (2, 3) else self.name.upper()
        return self.metavar or (f"{usual}..." if self.is_many else usual)

    @property
    def key(self) -> str | None:
        """The key of a job of `batch`: the name with the unit of the configuration value."""
        if self.job_key != "":
            return self.job_key
        name, last = self.name.replace("-", "_"), self.path.rpartition(".")[2]
        return last if last.startswith(name) else name


argument = functools.partial(Option, is_argument=True, is_required=True)


class Command(NamedTuple):
    """A command, or a group of them.

    name : as typed, "network solve" within a group      text : what it does, a sentence
    detail : more sentences for its help      uses_kernels : whether it calls compiled code
    """

    name: str
    text: str
    detail: str = ""
    arguments: tuple[Option, ...] = ()
    options: tuple[Option, ...] = ()
    commands: tuple[Command, ...] = ()
    uses_kernels: bool = False

    @property
    def shown_options(self) -> tuple[Option, ...]:
        """The options that help and completion show."""
        return tuple(one for one in self.options if not one.is_hidden)

    def option(self, name: str, **changes: Any) -> Option:
        """The option of this name, with changes for another command."""
        found = next(one for one in self.options if one.name == name)
        return found._replace(**changes) if changes else found

    def pick(self, *names: str, **changes: Any) -> tuple[Option, ...]:
        """Several options for another command."""
        return tuple(self.option(name, **changes) for name in names)


def _kind_of(value: ConfigField) -> str:
    """The kind of a configuration value."""
    if isinstance(value.default, bool):
        return FLAG
    if value.low is None:
        return TEXT
    return INTEGER if isinstance(value.default, int) else NUMBER


def _value_at(place: str) -> Any:
    """A value by "module:name" or "module:Class.name"."""
    from importlib import import_module
    from operator import attrgetter

    module, _, name = place.partition(":")
    return attrgetter(name)(import_module(module))

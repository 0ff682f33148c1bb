"""Pages of the documentation that are made from the code: commands, configuration, exit codes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rtkpos.app.command_line.exit_codes import EXIT_MEANINGS
from rtkpos.app.command_line.usage_text import by_group, facts, program, synopsis
from rtkpos.app.command_table.commands import ROOT, all_commands
from rtkpos.app.command_table.option import Command, Option
from rtkpos.app.command_table.solve_table import SOLVE
from rtkpos.app.configuration.toml_text import toml_value
from rtkpos.network.network_config import NetworkConfig
from rtkpos.records.config import PROFILES, RtkConfig
from rtkpos.records.config_field import ConfigField, config_fields

# Read by tools/docs/figures.py: what numbers there are is said by the code.
_DEFINED = ("", "<!-- figures: defined, as in the code -->")
_MADE = "<!-- Made by tools/make_reference.py; do not edit. -->"


def reference_pages() -> dict[str, str]:
    """Text of each page by the name of its file."""
    return {
        "cli.md": cli_page(),
        "configuration.md": configuration_page(),
        "exit-codes.md": exit_codes_page(),
    }


def cli_page() -> str:
    """The commands and their options."""
    lines = [_MADE, "# Command line", "", ROOT.text, ""]
    lines += _table("| command | |", ((f"[`{program(c)}`](#{_anchor(c)})", c.text)
                                      for c in all_commands()))  # fmt: skip
    lines += ["", "Options of all commands:", ""]
    lines += _table("| option | |", map(_option_row, ROOT.options))
    for command in all_commands():
        lines += ["", f"## {program(command)}", "", "```", synopsis(command), "```", ""]
        lines += [" ".join(text for text in (command.text, command.detail) if text)]
        if command.arguments:
            rows = ((f"`{one.shown}`", facts(one)) for one in command.arguments)
            lines += ["", *_table("| argument | |", rows)]
        for group, options in by_group(command).items():
            shown = [one for one in options if one not in ROOT.options]
            if shown:
                lines += ["", *_table(f"| {group} | |", map(_option_row, shown))]
    lines += ["", "## Keys of batch jobs", "", _JOBS, "", *_job_keys()]
    return "\n".join(lines) + "\n"


_JOBS = (
    "A job of `rtkpos batch JOBS.toml` is a table `[[job]]`; `[defaults]` holds what all have in "
    "common. Besides the keys below it has `rover`, `name` and `config`, a table with any values "
    "of the [configuration](configuration.md)."
)


def configuration_page() -> str:
    """Every value of the configuration with default, limits and meaning."""
    lines = [
        _MADE,
        "# Configuration",
        "",
        "A TOML file for `--config`, or `RtkConfig.from_toml`; every value may be left out. "
        "`rtkpos config` prints the values that a run would have.",
    ]
    section = None
    for one in config_fields(RtkConfig):
        inside = one.path.rpartition(".")[0]
        if inside != section:
            lines += [] if section is None else _DEFINED
            lines += ["", *_section_head(inside)]
            section = inside
        lines.append(_config_row(one))
    lines += [*_DEFINED, "", "## [network]", "", _summary(NetworkConfig), "", *_CONFIG_HEAD]
    lines += [_config_row(one) for one in config_fields(NetworkConfig)]
    lines += _DEFINED
    lines += [
        "",
        "## Profiles",
        "",
        "| profile | failure_rate | probability_min |",
        "|---|---|---|",
    ]
    lines += [f"| {n} | {c.failure_rate:g} | {c.probability_min:g} |" for n, c in PROFILES.items()]
    return "\n".join(lines) + "\n"


def exit_codes_page() -> str:
    """What the exit codes of the program mean."""
    rows = ((str(code), meaning) for code, meaning in EXIT_MEANINGS.items())
    lines = [_MADE, "# Exit codes", "", *_table("| code | meaning |", rows)]
    return "\n".join(lines) + "\n"


_CONFIG_HEAD = ("| key | default | unit | allowed | meaning |", "|---|---|---|---|---|")


def _section_head(section: str) -> Iterator[str]:
    """Heading of a section and of its table."""
    kind: Any = getattr(RtkConfig(), section) if section else RtkConfig()
    yield from ((f"## [{section}]", "") if section else ("## Top level", ""))
    yield from (_summary(type(kind)), "", *_CONFIG_HEAD)


def _summary(kind: Any) -> str:
    """The first line of what a class says of itself."""
    return str(kind.__doc__).partition("\n")[0]


def _config_row(one: ConfigField) -> str:
    """The line of a value."""
    allowed = ", ".join(one.choices)
    if one.low is not None:
        allowed = f"{one.low:g} to {one.high:g}"
    default = "" if one.default is None else f"`{toml_value(one.default)}`"
    return f"| `{one.name}` | {default} | {one.unit} | {allowed} | {_cell(one.text)} |"


def _job_keys() -> Iterator[str]:
    """The keys of jobs with the options they stand for."""
    rows = ((f"`{one.key}`", f"`{one.flags[-1]}`") for one in SOLVE.options if one.key is not None)
    return _table("| key | option of solve |", rows)


def _option_row(option: Option) -> tuple[str, str]:
    """The cells of an option."""
    names = f"{', '.join(option.flags)} {option.shown}".rstrip()
    return f"`{names}`", facts(option)


def _table(head: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A table of two columns."""
    yield from (head, "|---|---|")
    yield from (f"| {_cell(left)} | {_cell(right)} |" for left, right in rows)
    yield from _DEFINED


def _cell(text: str) -> str:
    """Text of a cell, in which a bar is no border."""
    return text.replace("|", "\\|")


def _anchor(command: Command) -> str:
    """The anchor of a command's heading."""
    return program(command).replace(" ", "-")

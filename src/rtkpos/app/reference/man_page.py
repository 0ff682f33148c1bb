"""The manual page rtkpos(1), made from the table of commands."""

from __future__ import annotations

from collections.abc import Iterator

from rtkpos import __version__
from rtkpos.app.command_line.exit_codes import EXIT_MEANINGS
from rtkpos.app.command_line.usage_text import by_group, facts, program, synopsis
from rtkpos.app.command_table.commands import ROOT, all_commands
from rtkpos.app.command_table.option import FLAG, Command, Option


def man_page() -> str:
    """The page as roff."""
    lines = [
        f'.TH RTKPOS 1 "" "rtkpos {__version__}" "User commands"',
        ".SH NAME",
        f"rtkpos \\- {_roff(ROOT.text.rstrip('.'))}",
        ".SH SYNOPSIS",
    ]
    for command in all_commands():
        lines += [f".B {_roff(program(command))}", _roff(_behind(command)), ".br"]
    lines += [".SH OPTIONS OF ALL COMMANDS"]
    for option in ROOT.options:
        lines += _option(option)
    for command in all_commands():
        lines += _command(command)
    lines.append(".SH EXIT STATUS")
    for code, meaning in EXIT_MEANINGS.items():
        lines += [".TP", f".B {code}", _roff(meaning)]
    lines += [".SH FILES", _roff("A configuration is a TOML file; rtkpos config prints one with ")
              + "explanations."]  # fmt: skip
    return "\n".join(lines) + "\n"


def _command(command: Command) -> Iterator[str]:
    """The section of a command."""
    yield f".SH {_roff(program(command)).upper()}"
    yield from (_roff(text) for text in (command.text, command.detail) if text)
    for argument in command.arguments:
        yield from (".TP", f".I {_roff(argument.shown)}", _roff(facts(argument)))
    for group, options in by_group(command).items():
        shown = [one for one in options if one not in ROOT.options]
        if shown:
            yield f".SS {_roff(group)}"
        for option in shown:
            yield from _option(option)


def _option(option: Option) -> Iterator[str]:
    """The entry of an option."""
    flags = ", ".join(f"\\fB{_roff(flag)}\\fR" for flag in option.flags)
    value = "" if option.takes == FLAG else f" \\fI{_roff(option.shown)}\\fR"
    yield from (".TP", f"{flags}{value}", _roff(facts(option)))


def _behind(command: Command) -> str:
    """What stands behind the command in its synopsis."""
    return synopsis(command).removeprefix(program(command)).strip()


def _roff(text: str) -> str:
    """Text in which nothing is a request or a ligature of roff."""
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga")
    return f"\\&{safe}" if safe[:1] in (".", "'") else safe

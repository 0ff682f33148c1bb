"""The text of `--help`, made from the table of commands."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterable

from rtkpos.app.command_table.commands import HELP, ROOT
from rtkpos.app.command_table.option import FLAG, Command, Option

_WIDEST, _NARROWEST = 100, 50
_LEFT = 26  # columns of the names


def help_text(command: Command) -> str:
    """What a command does and what it takes, wrapped to the width of the terminal."""
    width = _width()
    parts = [f"usage: {synopsis(command)}", *_paragraphs(command, width)]
    if command.commands:
        rows = [(one.name.rpartition(" ")[2], one.text) for one in command.commands]
        parts.append(_block("commands", rows, width))
    if command.arguments:
        rows = [(_shown(one), facts(one)) for one in command.arguments]
        parts.append(_block("arguments", rows, width))
    for group, options in by_group(command).items():
        parts.append(_block(group, [(_names(one), facts(one)) for one in options], width))
    if command.commands:
        parts.append(f"`{program(command)} COMMAND --help` explains a command.")
    return "\n\n".join(parts) + "\n"


def program(command: Command) -> str:
    """The words that start a command."""
    return f"rtkpos {command.name}".rstrip()


def synopsis(command: Command) -> str:
    """One line: program, arguments, what must be given."""
    words = [program(command)]
    words += ["COMMAND"] if command.commands else []
    for one in command.arguments:
        words.append(f"[{_shown(one)}]" if not one.is_required else _shown(one))
    words += [f"{one.flags[-1]} {one.shown}" for one in command.options if one.is_required]
    words += ["[OPTIONS]"] if any(not one.is_required for one in command.shown_options) else []
    return " ".join(words)


def by_group(command: Command) -> dict[str, list[Option]]:
    """The options of a command under their headings; that of help is one of each command."""
    options = [*command.shown_options, *([] if command is ROOT else [HELP])]
    groups: dict[str, list[Option]] = {}
    for one in options:
        groups.setdefault(one.group, []).append(one)
    groups["general"] = groups.pop("general")  # the last, with --help
    return groups


def facts(value: Option) -> str:
    """Meaning, choices and default of an option or argument."""
    found = [value.meaning]
    words = value.words
    if words and "|" not in value.shown:
        found.append(f"one of {', '.join(words)}")
    preset = "" if value.takes == FLAG else value.preset
    if preset:
        found.append(f"[default: {preset}]")
    elif value.is_required and not value.is_argument:
        found.append("[required]")
    return "; ".join(found).replace("; [", " [")


def _shown(argument: Option) -> str:
    """Metavariable of an argument, with dots where it may be several words."""
    return f"{argument.shown}{'...' if argument.is_many else ''}"


def _names(option: Option) -> str:
    """Flags and metavariables; options without a letter stand in the same column."""
    letter = f"-{option.short}, " if option.short else "    "
    return f"{letter}--{option.name} {option.shown}".rstrip()


def _paragraphs(command: Command, width: int) -> Iterable[str]:
    """What it does."""
    return (textwrap.fill(text, width) for text in (command.text, command.detail) if text)


def _block(title: str, rows: Iterable[tuple[str, str]], width: int) -> str:
    """A heading and its rows: names to the left, texts to the right."""
    lines = [f"{title}:"]
    for name, text in rows:
        wrapped = textwrap.wrap(text, width - _LEFT - 2, break_on_hyphens=False)
        left = [name, *[""] * (len(wrapped) - 1)]
        if len(name) > _LEFT - 2:
            left, wrapped = [*left, ""], ["", *wrapped]
        pairs = zip(left, wrapped, strict=True)
        lines += [f"  {start:<{_LEFT}}{line}".rstrip() for start, line in pairs]
    return "\n".join(lines)


def _width() -> int:
    """Columns of the terminal, within reason."""
    try:
        named = int(os.environ.get("COLUMNS", "0"))
        found = named or os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        found = 80
    return max(_NARROWEST, min(found, _WIDEST))

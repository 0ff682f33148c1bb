"""From the words typed to the command that is run."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rtkpos.app.command_line.exit_codes import EXIT_DONE, EXIT_USAGE
from rtkpos.app.command_line.parser import UsageError, did_you_mean, parse_words
from rtkpos.app.command_table.commands import HELP, ROOT, all_commands
from rtkpos.app.command_table.option import Command
from rtkpos.errors import LONGEST_QUOTE, shortened


def run_command(words: Sequence[str]) -> int:
    """Find the command, read its words and run it; the exit code, RtkposError for wrong usage.

    words : as typed, without the program's name and --debug
    """
    command, rest = find_command(words)
    if wants_help(rest) or (command.commands and not rest):
        from rtkpos.app.command_line.usage_text import help_text

        (sys.stdout if rest else sys.stderr).write(help_text(command))
        return EXIT_DONE if rest else EXIT_USAGE
    if command.commands:
        _refuse(command, rest[0])
    from rtkpos.app.command_line.handlers import HANDLERS

    return HANDLERS[command.name](parse_words(command, rest))


def find_command(words: Sequence[str]) -> tuple[Command, list[str]]:
    """The command or group that words name, and the words behind its name."""
    command, rest = ROOT, list(words)
    while command.commands and rest:
        name = f"{command.name} {rest[0]}".strip()
        inner = next((one for one in command.commands if one.name == name), None)
        if inner is None:
            break
        command, rest = inner, rest[1:]
    return command, rest


def wants_help(words: Sequence[str]) -> bool:
    """Whether help is asked for before the end of the options."""
    options = words[: words.index("--")] if "--" in words else words
    return any(word in HELP.flags for word in options)


def needs_kernels(words: Sequence[str]) -> bool:
    """Whether the command that words name will call compiled code."""
    command, rest = find_command(words)
    return command.uses_kernels and not wants_help(rest)


def _refuse(group: Command, word: str) -> None:
    """UsageError for a word that is no command of a group."""
    place = f"rtkpos {group.name}".rstrip()
    if word.startswith("-"):
        known = [flag for one in group.options for flag in one.flags]
        what = "option"
    else:
        known = [one.name.rpartition(" ")[2] for one in group.commands]
        known += [one.name for one in all_commands() if one.name not in known]
        what = "command"
    shown = shortened(word, LONGEST_QUOTE)
    raise UsageError(
        f"there is no {what} {shown}{did_you_mean(word, known)}; see `{place} --help`."
    )

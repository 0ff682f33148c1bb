"""The hand-written lists of options in `arguments` say what the parser says."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from rtkpos.app.command_line import arguments, cli
from rtkpos.app.command_line.arguments import expand_arguments

COMMAND: Any = typer.main.get_command(cli.app)
NETWORK = COMMAND.commands["network"]
COMMANDS = {
    "solve": COMMAND.commands["solve"],
    **{f"network {name}": command for name, command in NETWORK.commands.items()},
}
LISTED = {
    **dict.fromkeys(arguments._MANY, 1),
    **dict.fromkeys(arguments._ONE_VALUE, 1),
    **dict.fromkeys(arguments._THREE_VALUES, 3),
}


def options_with_values(command):
    """Words of the options that take values, with their number."""
    return {
        word: option.nargs
        for option in command.params
        if option.param_type_name == "option" and not (option.is_flag or option.count)
        for word in option.opts
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_with_values_is_listed_with_their_number(name):
    wanted = options_with_values(COMMANDS[name])
    assert {word: LISTED.get(word) for word in wanted} == wanted


def test_nothing_is_listed_that_no_command_knows():
    known = {word for command in COMMANDS.values() for word in options_with_values(command)}
    assert set(LISTED) <= known
    assert len(LISTED) == len(arguments._MANY + arguments._ONE_VALUE + arguments._THREE_VALUES)


@pytest.mark.parametrize("option", ["--direction combined", "--static-start 5"])
def test_an_option_before_the_rover_leaves_it_the_rover(option):
    words = ["solve", *option.split(), "--nav", "base.nav", "rover.obs", "--base", "base.obs"]
    assert expand_arguments(words) == words

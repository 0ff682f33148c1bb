"""Every option of the table changes what its command runs with, and is told of everywhere."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from importlib import import_module

import pytest

from rtkpos.app.command_line import main
from rtkpos.app.command_line.exit_codes import EXIT_MEANINGS
from rtkpos.app.command_line.handlers import HANDLERS
from rtkpos.app.command_line.parser import parse_words
from rtkpos.app.command_line.usage_text import help_text
from rtkpos.app.command_table.commands import ROOT, all_commands
from rtkpos.app.command_table.option import FILE, FLAG, FOLDER, INTEGER, NUMBER
from rtkpos.app.solve.request import SolveRequest, config_values_of
from rtkpos.errors import RtkposError
from rtkpos.records.config import RtkConfig

COMMANDS = {one.name: one for one in all_commands()}
RUNS = {
    "solve": ("solve.command", "run_solve"),
    "explain": ("explain.command", "run_explain"),
    "info": ("info.command", "run_info"),
    "config": ("configuration.command", "run_config"),
    "batch": ("batch.command", "run_batch"),
    "network check": ("network.check_command", "run_network_check"),
    "network plan": ("network.check_command", "run_network_plan"),
    "network vrs": ("network.vrs_command", "run_network_vrs"),
    "network solve": ("network.solve_command", "run_network_solve"),
    "simulate": ("other.simulate_command", "run_simulate"),
    "data list": ("other.data_command", "run_list"),
    "data path": ("other.data_command", "run_path"),
    "data fetch": ("other.data_command", "run_fetch"),
    "demo": ("solve.demo", "run_demo"),
    "warmup": ("solve.demo", "run_warmup"),
    "completion": ("reference.completion", "completion_script"),
    "man": ("reference.man_page", "man_page"),
}
OTHER_TEXT = {"systems": "GE", "bands": "C26", "rover-antenna": "A NONE", "base-antenna": "B NONE"}


def started(name, words, monkeypatch):
    """What a command runs with: the arguments of its function."""
    seen = []
    module, function = RUNS[name]

    def record(*args, **options):
        seen.append((args, options))
        return "" if name in ("completion", "man") else 0

    monkeypatch.setattr(import_module(f"rtkpos.app.{module}"), function, record)
    assert HANDLERS[name](parse_words(COMMANDS[name], words)) == 0
    return seen[0]


def needed(command, but=None):
    """Words that a command cannot do without."""
    words = ["--nav=n"] if command.name == "network check" and but != "nav" else []
    for one in command.options:
        if one.is_required and one.name != but:
            words += [one.flags[-1], "x"]
    return [*words, *(one.words[0] if one.words else "x" for one in command.arguments[:1])]


def other_words(option):
    """An option with values that are not its defaults."""
    if option.takes == FLAG:
        return [option.flags[-1]]
    if option.words:
        value = next(word for word in option.words if word != option.preset)
    elif option.takes in (NUMBER, INTEGER):
        value = "7"
    else:
        value = OTHER_TEXT.get(option.name, "other")
    return [option.flags[-1], *[value] * option.n_value]


EVERY_OPTION = [(name, one.name) for name, c in COMMANDS.items() for one in c.options]


@pytest.mark.parametrize(("name", "option"), EVERY_OPTION, ids=lambda text: text)
def test_every_option_changes_what_is_run(name, option, monkeypatch):
    command = COMMANDS[name]
    one = command.option(option)
    plain = started(name, needed(command), monkeypatch)
    changed = started(name, [*needed(command, option), *other_words(one)], monkeypatch)
    assert changed != plain
    if one.path:
        before, after = ([r for r in args if hasattr(r, "options") or hasattr(r, "session")]
                         for args, _ in (plain, changed))  # fmt: skip
        assert config_of(after[0]) != config_of(before[0])


def config_of(request):
    """The configuration that a request leads to."""
    options = getattr(request, "session", request).options
    return RtkConfig.from_dict(config_values_of(SolveRequest(rover=(), options=options)))


def test_every_command_has_something_to_run():
    assert set(HANDLERS) == set(COMMANDS) == set(RUNS)


def test_names_and_letters_are_unique_within_a_command():
    for command in COMMANDS.values():
        flags = [flag for one in command.options for flag in one.flags]
        assert len(flags) == len(set(flags)), command.name
        assert not {"-h", "--help", "--debug"} & set(flags)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_tells_of_every_option_with_its_choices_and_default(name, capsys):
    assert main.run([*name.split(), "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    command = COMMANDS[name]
    assert text.startswith(f"usage: rtkpos {name}")
    for one in command.options:
        assert (f" {one.flags[-1]} " in text) == (not one.is_hidden)
        if one.is_hidden:
            continue
        assert " ".join(one.meaning.split()) in text
        if one.words:
            assert ", ".join(one.words) in text or "|".join(one.words) in text
        if one.preset and one.takes != FLAG:
            assert f"[default: {one.preset}]" in text
    for one in command.arguments:
        assert one.meaning in text


def test_help_wins_over_what_is_wrong_beside_it(capsys):
    assert main.run(["solve", "--nonsense", "-h"]) == 0
    assert "--elevation-mask" in capsys.readouterr().out
    assert main.run(["solve", "--", "--help", "--nonsense"]) == 2  # as files


@pytest.mark.parametrize("words", [[], ["network"], ["data"]])
def test_no_words_show_the_help_on_stderr_and_are_code_1(words, capsys):
    assert main.run(words) == 1
    out = capsys.readouterr()
    assert out.out == ""
    assert "commands:" in out.err


def test_help_is_as_wide_as_the_terminal(monkeypatch):
    for columns, widest in (("60", 60), ("1000", 100), ("3", 50)):
        monkeypatch.setenv("COLUMNS", columns)
        lines = help_text(COMMANDS["solve"]).splitlines()
        assert widest - 12 < max(map(len, lines)) <= widest


def test_groups_and_the_program_explain_their_commands(capsys):
    assert main.run(["network", "-h"]) == 0
    assert "vrs" in capsys.readouterr().out
    assert main.run(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {one.name} " in text for one in ROOT.commands)


def test_exit_codes_are_those_of_the_errors():
    kinds = [RtkposError, *RtkposError.__subclasses__()]
    assert {kind.exit_code for kind in kinds} <= set(EXIT_MEANINGS)
    assert set(EXIT_MEANINGS) == {0, 1, 2, 3, 4, 5, 130, 143}


def test_version_loads_no_table_of_commands():
    code = (
        "import sys; from rtkpos.app.command_line.main import run; code = run(['--version']);"
        "found = [m for m in sys.modules if 'command_table' in m or m == 'dataclasses'];"
        "sys.exit(f'{code} {found}' if code or found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True)
    assert re.fullmatch(rb"rtkpos \d+\.\d+\.\d+\n", done.stdout)


def test_options_of_files_and_folders_are_known_as_such():
    """Completion would offer nothing for them otherwise."""
    for command in COMMANDS.values():
        for one in command.options:
            fields = {f.name: str(f.type) for f in dataclasses.fields(SolveRequest)}
            if command.name == "solve" and "Path" in fields.get(one.place, ""):
                assert one.takes in (FILE, FOLDER), one.name

"""The short way from words to a request gives what the full parser gives, or nothing."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
import typer

from rtkpos.app.command_line import cli
from rtkpos.app.command_line.arguments import expand_arguments
from rtkpos.app.command_line.quick import WORDS, quick_request
from rtkpos.app.solve.request import SolveRequest

PLAIN = [
    "rover.obs",
    "a.obs b.obs",
    "rover.obs --base base.obs --nav nav.rnx -o out.pos",
    "rover.obs -b base.obs -n a.nav -n b.nav -q",
    "rover.obs --base b1.obs b2.obs --nav a.nav b.nav c.nav",
    "-n a.nav rover.obs -b base.obs",
    "rover.obs -r -3817681.3 3562838.9 3650158.2 --mode static --ar hold",
    "rover.obs -l 35.1 136.9 -12.5 --base-position single --profile safe",
    "rover.obs --direction combined --static-start 30 --systems GEC --bands C26,G12",
    "rover.obs --antex a.atx --coordinates antenna --force --config c.toml -m 12.5",
    "rover.obs --format nmea --tow --velocity --summary s.json --strict",
    "rover.obs --truth 1.0 -2.0 3.0 --output x/y.csv --base-antenna TRM --rover-antenna LEI",
    "rover.obs --base a.obs b.obs --stations list.toml --nav n.rnx",
    "rover.obs --truth track.pos -k c.toml --elevation-mask 1e1",
]
UNUSUAL = [
    "",
    "--base base.obs",
    "rover.obs --nonsense",
    "rover.obs --mode rubbish",
    "rover.obs -m much",
    "rover.obs --output=out.pos",
    "rover.obs -qo out.pos",
    "rover.obs --tow --tow",
    "rover.obs -o a.pos -o b.pos",
    "rover.obs -o",
    "rover.obs -r 1 2",
    "rover.obs --help",
    "-- rover.obs",
]


def parsed_by_typer(words: list[str]) -> SolveRequest:
    """The request that the full parser makes."""
    seen: list[SolveRequest] = []

    def job(request: SolveRequest) -> int:
        seen.append(request)
        return 0

    command: Any = typer.main.get_command(cli.app)
    twin = command.commands["solve"]
    with pytest.raises(typer.Exit), twin.make_context("solve", words[1:], obj=job) as context:
        twin.invoke(context)
    return replace(seen[0], options={k: v for k, v in seen[0].options.items() if v is not None})


@pytest.mark.parametrize("line", PLAIN)
def test_plain_words_give_the_request_of_the_parser(line):
    words = expand_arguments(["solve", *line.split()])
    assert quick_request(words) == parsed_by_typer(words)


@pytest.mark.parametrize("line", UNUSUAL)
def test_unusual_words_are_left_to_the_parser(line):
    assert quick_request(expand_arguments(["solve", *line.split()])) is None


@pytest.mark.parametrize("words", [[], ["info", "rover.obs"], ["--debug", "solve", "rover.obs"]])
def test_other_commands_are_left_to_the_parser(words):
    assert quick_request(words) is None


def test_every_option_is_one_of_the_parser():
    command: Any = typer.main.get_command(cli.app)
    params = {name: p for p in command.commands["solve"].params for name in p.opts}
    for name, option in WORDS.items():
        param = params[name]
        assert bool(param.is_flag) == (option.n == 0), name
        assert param.is_flag or param.nargs == option.n, name
        assert param.multiple == option.is_many, name


def test_a_plain_solve_does_not_load_the_parser(tmp_path):
    code = (
        "import sys; from rtkpos.app.command_line.main import run;"
        f"code = run(['solve', {str(tmp_path / 'none.obs')!r}]);"
        "sys.exit(f'code {code}' if code != 2 else 'typer' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, stderr=subprocess.DEVNULL)

"""From the words of a command to its values, and the sentence for words that make no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtkpos.app.command_line import main
from rtkpos.app.command_line.dispatch import find_command
from rtkpos.app.command_line.parser import UsageError, parse_words


def values(line):
    """Everything that the words of a command give, by field or path."""
    command, words = find_command(line.split())
    given = parse_words(command, words)
    return given.fields | given.options


def paths(*names):
    return tuple(Path(name) for name in names)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("solve r.obs", {"rover": paths("r.obs")}),
        ("solve a.obs b.obs", {"rover": paths("a.obs", "b.obs")}),
        (
            "solve r --base b --nav n -o out.pos",
            {
                "rover": paths("r"),
                "base": paths("b"),
                "nav": paths("n"),
                "output": Path("out.pos"),
            },
        ),
        (
            "solve r -b b1 b2 -n n1 -n n2 n3 -q",
            {
                "rover": paths("r"),
                "base": paths("b1", "b2"),
                "nav": paths("n1", "n2", "n3"),
                "quiet": True,
            },
        ),
        # Without a rover before it, an option of many files takes one: the next word is the rover.
        ("solve --nav n r", {"nav": paths("n"), "rover": paths("r")}),
        (
            "solve --direction combined --static-start 5 --nav n r --base b",
            {
                "direction": "combined",
                "static_start_s": 5.0,
                "nav": paths("n"),
                "rover": paths("r"),
                "base": paths("b"),
            },
        ),
        ("solve -qo out.pos r", {"quiet": True, "output": Path("out.pos"), "rover": paths("r")}),
        ("solve -oout.pos r", {"output": Path("out.pos"), "rover": paths("r")}),
        ("solve --output=a=b.pos r", {"output": Path("a=b.pos"), "rover": paths("r")}),
        ("solve r --nav=n s", {"rover": paths("r", "s"), "nav": paths("n")}),
        ("solve r --output a --output b", {"rover": paths("r"), "output": Path("b")}),
        ("solve r --tow --tow", {"rover": paths("r"), "week_and_tow": True}),
        (
            "solve r -r -3817681.3 3.5e6 -3.6e6",
            {"rover": paths("r"), "base_xyz": (-3817681.3, 3.5e6, -3.6e6)},
        ),
        (
            "solve --base-llh=-35.1 -136.9 -12.5 r",
            {"rover": paths("r"), "base_llh": (-35.1, -136.9, -12.5)},
        ),
        ("solve r --truth -1 2 3e6", {"rover": paths("r"), "truth": "-1 2 3e6"}),
        (
            "solve r --truth t.csv --nav n",
            {"rover": paths("r"), "truth": "t.csv", "nav": paths("n")},
        ),
        ("solve -- -r --odd", {"rover": paths("-r", "--odd")}),
        ("solve r --base b -- s", {"rover": paths("r", "s"), "base": paths("b")}),
        (
            "solve r --antex ./a.atx -m 1e1 --force --bands C26,G12",
            {
                "rover": paths("r"),
                "antenna.antex": "a.atx",
                "selection.elevation_mask_deg": 10.0,
                "base.force": True,
                "selection.bands": "C26,G12",
            },
        ),
        ("explain r --json -m 15", {"rover": paths("r"), "as_json": True,
                                    "selection.elevation_mask_deg": 15.0}),
        ("info a b --json", {"files": paths("a", "b"), "as_json": True}),
        ("batch j.toml -o d --threads 2", {"jobs": Path("j.toml"), "folder": Path("d"),
                                           "n_thread": 2}),
        ("network check l.csv --at -35.1 136.9 -5 --nav n m",
         {"stations": Path("l.csv"), "at": (-35.1, 136.9, -5.0), "nav": paths("n", "m")}),
        ("network plan --stations 9", {"n_station": 9, "seed": 1, "hours": 24.0,
                                       "interval_s": 1.0}),
        ("network vrs l -o v.obs", {"stations": Path("l"), "output": Path("v.obs"),
                                    "version": "3.04", "name": "VRS"}),
        ("network solve l r s -o d",
         {"stations": Path("l"), "rovers": paths("r", "s"), "output": Path("d")}),
        ("data fetch a b --to d", {"names": ("a", "b"), "folder": Path("d")}),
        ("demo", {"out": Path("rtkpos-demo")}),
        ("simulate open-sky --seed -3 -o d", {"scenario": Path("open-sky"), "seed": -3,
                                              "out": Path("d")}),
    ],
)  # fmt: skip
def test_words_give_values(line, wanted):
    assert values(line) == wanted


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("solve", "ROVER is missing: observations of the rover"),
        ("solve r --mod static", "there is no option --mod (did you mean --mode?); see `rtkpos s"),
        ("solve r --elevation_mask 3", "did you mean --elevation-mask?"),
        ("solve r --xyzzy", "there is no option --xyzzy; see"),
        ("solve r -x", "there is no option -x"),
        ("solve r -qx", "there is no option -x"),
        ("solve r --mode statik", "--mode must be one of single, dgnss, kinematic, static, moving"),
        ("solve r --mode statik", "got 'statik' (did you mean static?)"),
        ("solve r --format=doc", "--format must be one of pos, nmea, csv, geojson, kml; got 'doc'"),
        ("solve r -m much", "--elevation-mask must be a number; got 'much'"),
        ("solve r -o", "--output needs a value: --output FILE"),
        ("solve r -o --mode static", "--output needs a value"),
        ("solve r --nav", "--nav needs a value: --nav NAV..."),
        ("solve r --base-xyz 1 2", "--base-xyz needs 3 values: --base-xyz X Y Z"),
        ("solve r --base-llh 1 2 --nav n", "--base-llh needs 3 values"),
        ("solve r --base-llh 1 b 3", "--base-llh must be a number; got 'b'"),
        ("solve r --tow=3", "--tow takes no value; got '3'"),
        ("batch j.toml -o d --threads 0", "--threads must be at least 1; got '0'"),
        ("batch j.toml -o d --threads 1.5", "--threads must be a whole number; got '1.5'"),
        ("batch j.toml", "option --output is missing: folder of results"),
        ("batch j.toml k.toml -o d", "there is no use for 'k.toml'"),
        ("completion bush", "SHELL must be one of bash, zsh, fish; got 'bush' (did you mean bash?"),
    ],
)
def test_wrong_words_are_one_sentence(line, said):
    with pytest.raises(UsageError) as caught:
        values(line)
    assert said in str(caught.value)
    assert str(caught.value).endswith("--help`.")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sovle r.obs", "there is no command sovle (did you mean solve?); see `rtkpos --help`"),
        ("--verion", "there is no option --verion (did you mean --version?)"),
        ("network chek l.csv", "there is no command chek (did you mean check?); see `rtkpos netw"),
        ("data --json", "there is no option --json; see `rtkpos data --help`"),
        ("solve r " + "--" + "x" * 5000, "there is no option --xxx"),
    ],
)
def test_wrong_commands_are_one_sentence_and_code_1(line, said, capsys):
    assert main.run(line.split()) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert len(error) < 300

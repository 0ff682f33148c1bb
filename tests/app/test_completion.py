"""The scripts for shells: bash completes as it should, zsh and fish read theirs."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from rtkpos.app.command_line import main
from rtkpos.app.command_table.commands import SHELLS, all_commands
from rtkpos.app.reference.completion import completion_script


def completed(words, folder):
    """What bash offers for the last of the words of a line."""
    quoted = " ".join(f"'{word}'" for word in words)
    script = (
        completion_script("bash")
        + f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _rtkpos\n"
        + 'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("rtkpos so", ["solve"]),
        ("rtkpos --v", ["--version"]),
        ("rtkpos network v", ["vrs"]),
        ("rtkpos solve --mode st", ["static"]),
        ("rtkpos solve --mode = mo", ["moving_base"]),
        ("rtkpos solve rover.obs --base-l", ["--base-llh"]),
        ("rtkpos solve rover.obs --nav br", ["brdc.nav"]),
        ("rtkpos solve ro", ["rover.obs"]),
        ("rtkpos explain x --tow", []),
        ("rtkpos network vrs l --rinex 4", ["4.00"]),
        ("rtkpos network plan --cell", ["--cell-size"]),
        ("rtkpos batch j.toml -o ", ["results"]),
        ("rtkpos completion f", ["fish"]),
        ("rtkpos data p", ["path"]),
    ],
)
def test_bash_completes(line, wanted, tmp_path):
    for name in ("rover.obs", "brdc.nav"):
        (tmp_path / name).touch()
    (tmp_path / "results").mkdir()
    assert completed(line.split(" "), tmp_path) == wanted


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_hold_every_option_and_command(shell, capsys):
    assert main.run(["completion", shell]) == 0
    script = capsys.readouterr().out
    for command in all_commands():
        assert command.name.rpartition(" ")[2] in script
        for one in command.shown_options:
            assert f"-l {one.name} " in script if shell == "fish" else f"--{one.name}" in script
            assert all(word in script for word in one.words)
    assert "--alone" not in script


@pytest.mark.parametrize("shell", SHELLS)
def test_shells_read_their_script(shell, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    path = tmp_path / "script"
    path.write_text(completion_script(shell))
    subprocess.run([shell, "-n", str(path)], check=True, timeout=30)

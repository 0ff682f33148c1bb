"""Commands and programs of the pages run as they stand there, on the recording that is shipped."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from rtkpos.app.command_line.main import run
from tools.readme_commands import commands

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "data" / "demo"
PARTIAL = 4


def block(page, name):
    return commands((ROOT / "docs" / page).read_text(encoding="utf-8"))[name]


@pytest.mark.compiled
@pytest.mark.slow
@pytest.mark.parametrize("name", ["look", "solve", "compare", "explain"])
def test_commands_of_the_tutorial(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(DEMO)
    for line in block("tutorial.md", name).strip().splitlines():
        words = [word.replace("~", str(tmp_path)) for word in shlex.split(line)]
        assert words[0] == "rtkpos"
        assert run(words[1:]) in (0, PARTIAL), line
    told = capsys.readouterr()
    if name == "solve":
        assert "fixed        300  100.0 %" in told.err
        assert "baseline   12.016 to 13.148 km" in told.err


@pytest.mark.compiled
@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "name", "wanted"),
    [
        ("tutorial.md", "python", r"(100|9\d)% of 300 epochs are fixed"),
        ("how-to/network.md", "network", r"(100|9\d)% of 300 epochs are fixed"),
        ("how-to/live-engine.md", "engine", r"(300|29\d) of 300 epochs are fixed"),
        ("how-to/frames.md", "frames", r"\[-?\d+\.\d+ +\d+\.\d+ +\d+\.\d+\]"),
    ],
)
def test_programs_of_the_pages(page, name, wanted):
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", block(page, name)],
        cwd=DEMO,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert re.match(wanted, result.stdout), result.stdout

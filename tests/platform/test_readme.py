"""The README keeps its promises: its commands are found by the checks, its example runs."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from rtkpos.app.command_line.main import run
from rtkpos.io.datasets.catalogue import catalogue
from rtkpos.io.solutions.pos import read_pos
from tests.data import dataset_path
from tests.mirror import mirror

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "data" / "demo"
FIRST_SET = "static-nagoya-2024"
START = "from rtkpos.app.command_line.main import main; main()"
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def readme_commands(text=TEXT):
    spec = importlib.util.spec_from_file_location("tool", ROOT / "tools" / "readme_commands.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.commands(text)


@pytest.mark.parametrize("name", ["demo", "test"])
def test_commands_need_nothing_that_was_done_before(name):
    command = readme_commands()[name].strip()
    assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
    assert "\n" not in command


def test_checks_run_the_commands_of_the_readme():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert set(re.findall(r"readme (\w+)$", script, re.MULTILINE)) == {"demo", "test"}
    subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=True)


def test_it_is_short():
    assert len(TEXT.splitlines()) <= 120


@pytest.fixture(scope="module")
def fetched(tmp_path_factory):
    """A folder of data sets that the program itself filled, and what else its commands need."""
    root = dataset_path(FIRST_SET).parent
    home = tmp_path_factory.mktemp("home")
    (home / "rtkpos").write_text(f'#!/bin/sh\nexec {sys.executable} -c "{START}" "$@"\n')
    (home / "rtkpos").chmod(0o755)
    words = {"HOME": str(home), "RTKPOS_DATA": str(home), "no_proxy": "127.0.0.1"}
    words["PATH"] = f"{home}:{os.environ['PATH']}"
    with mirror(root) as served:
        environment = os.environ | words | {"RTKPOS_DATA_URL": served.url}
        fetch = ["rtkpos", "data", "fetch", "--to", str(home), FIRST_SET]
        done = subprocess.run(fetch, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{home / FIRST_SET}\n"
    return environment


@pytest.mark.compiled
def test_first_commands_run_after_a_real_fetch(fetched):
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", readme_commands()["first"]],
        env=fetched,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(Path(fetched["HOME"], "rover.json").read_text("utf-8"))
    assert summary["epochs"]["total"] == 301
    assert len(read_pos(Path(fetched["HOME"], "rover.pos")).time_ns) == 301


def test_files_named_in_commands_are_those_that_a_fetch_gives():
    published = {file.name for entry in catalogue().values() for file in entry.files}
    published |= {path.name for path in (ROOT / "data" / "demo").iterdir()}
    lines = re.findall(r"^(?:\$ )?rtkpos (?:info|solve|explain) .*", TEXT, re.MULTILINE)
    words = [word for line in lines for word in shlex.split(line) if re.search(r"\w\.\w", word)]
    named = {word for word in words if not word.startswith("~")}
    assert len(named) > 6
    assert named <= published


@pytest.mark.compiled
def test_python_example_runs_and_fixes():
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", readme_commands()["example"]],
        cwd=DEMO,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    share = int(re.match(r"(\d+)% of 300 epochs are fixed", result.stdout).group(1))
    assert share >= 98


@pytest.mark.compiled
@pytest.mark.slow
def test_commands_solve_the_shipped_car(tmp_path, monkeypatch, capsys):
    change, *lines = readme_commands()["solve"].strip().splitlines()
    monkeypatch.chdir(ROOT / change.removeprefix("cd "))
    for line in lines:
        words = [word.replace("~", str(tmp_path)) for word in shlex.split(line)]
        assert words[0] == "rtkpos"
        assert run(words[1:]) == 0, line
    fixed = re.findall(r"^fixed +(\d+) ", capsys.readouterr().err, re.MULTILINE)
    assert [int(count) >= 294 for count in fixed] == [True, True]
    assert {path.name for path in tmp_path.iterdir()} == {"car.pos", "car.json", "network.pos"}

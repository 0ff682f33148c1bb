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


def test_place_for_the_benchmark_table():
    assert TEXT.count("<!-- bench:start -->") == TEXT.count("<!-- bench:end -->") == 1
    assert TEXT.index("<!-- bench:start -->") < TEXT.index("<!-- bench:end -->")


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


def test_python_example_runs_and_fixes(fetched):
    folder = Path(fetched["RTKPOS_DATA"], FIRST_SET)
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", readme_commands()["example"]],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    share = int(re.match(r"(\d+)% of 301 epochs are fixed", result.stdout).group(1))
    assert share >= 99


@pytest.mark.compiled
@pytest.mark.slow
def test_network_example_solves_the_shipped_car(tmp_path, monkeypatch, capsys):
    change, command = readme_commands()["network"].strip().splitlines()
    monkeypatch.chdir(ROOT / change.removeprefix("cd "))
    words = [word.replace("~", str(tmp_path)) for word in shlex.split(command)]
    assert words[0] == "rtkpos"
    assert run(words[1:]) == 0
    fixed = re.search(r"^fixed +(\d+) ", capsys.readouterr().err, re.MULTILINE)
    assert int(fixed.group(1)) >= 294
    assert (tmp_path / "car.pos").exists()


@pytest.mark.compiled
@pytest.mark.slow
def test_python_example_of_the_network_page_runs():
    text = (ROOT / "docs" / "network.md").read_text(encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", readme_commands(text)["network"]],
        cwd=ROOT / "data" / "demo",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    share = int(re.match(r"(\d+)% of 300 epochs are fixed", result.stdout).group(1))
    assert share >= 98


def test_links_to_files_of_the_project_exist():
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", TEXT)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []

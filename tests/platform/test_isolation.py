"""Nothing of the current folder is executed: files named like modules may lie beside the data."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rtkpos._numba import isolation
from rtkpos._numba.processes import WorkerProcesses
from rtkpos.batch.executor import ProcessExecutor

TRAPS = (
    "tempfile", "json", "numpy", "subprocess", "logging", "pickle", "concurrent", "multiprocessing",
    "llvmlite", "numba", "rich", "typer", "sitecustomize", "usercustomize", "rtkpos",
)  # fmt: skip
SOURCE = str(Path(isolation.__file__).parents[2])
# Two processors, whatever this machine has, so that a cold cache starts a helper.
COLD = (
    "import os; os.sched_getaffinity = lambda pid: {0, 1}; import sys; "
    "from rtkpos.app.command_line.main import main; main()"
)


@pytest.fixture
def trapped(tmp_path, monkeypatch):
    """A current folder in which every import leaves a trace; returns how to look for traces."""
    folder = tmp_path / "data"
    folder.mkdir()
    trace = f"import os\nopen({str(tmp_path / 'trace')!r}, 'a').write(__file__ + '\\n')\n"
    for name in TRAPS:
        (folder / f"{name}.py").write_text(trace)
    monkeypatch.chdir(folder)

    def found() -> list[str]:
        path = tmp_path / "trace"
        return path.read_text().split() if path.exists() else []

    return found


def started(code: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A program in the current folder, as the `rtkpos` script is started: not from the folder."""
    return subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {SOURCE!r}); {code}", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | environment,
    )


@pytest.mark.parametrize("first", ["", "here"])
def test_helpers_import_nothing_of_the_current_folder(trapped, monkeypatch, first):
    """However the parent was started: '' or the folder itself stands on its path."""
    monkeypatch.setattr(sys, "path", [first and os.getcwd(), *sys.path])
    with WorkerProcesses(("rtkpos._numba.isolation", "import_path"), 1) as workers:
        assert workers._helpers[0].wait(60) != 0  # no tasks, but it has found the function
    assert trapped() == []


@pytest.mark.parametrize("inherited", ["", ":", "."])
def test_an_isolated_python_has_no_current_folder(trapped, monkeypatch, inherited):
    monkeypatch.setenv("PYTHONPATH", inherited)
    code = "import tempfile, json, subprocess, sys; print(sys.path, *sys.argv[1:])"
    command, environment = isolation.isolated_python(code, "word")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "''" not in done.stdout
    assert os.getcwd() not in done.stdout
    assert done.stdout.endswith(" word\n")
    assert trapped() == []


def test_processes_of_a_pool_import_nothing_of_the_current_folder(trapped):
    with ProcessExecutor(1) as executor:
        assert [outcome for _, outcome in executor.map(abs, [-3])] == [3]
    assert trapped() == []
    assert "PYTHONSAFEPATH" not in os.environ


@pytest.mark.parametrize("first", ["", "here"])
def test_a_command_imports_nothing_of_the_current_folder(trapped, first):
    """As when it is started by `python -c` or `python -m`, which put the folder on the path."""
    code = "import os, sys; from rtkpos.app.command_line.main import main; "
    code += f"sys.path.insert(0, {first!r} and os.getcwd()); main()"
    done = started(code, "--version")
    assert done.returncode == 0
    assert done.stdout.startswith("rtkpos ")
    assert trapped() == []


@pytest.mark.slow
@pytest.mark.compiled
def test_a_first_run_executes_nothing_of_the_current_folder(trapped, tmp_path):
    cache = str(tmp_path / "cache")
    done = started(COLD, "warmup", RTKPOS_CACHE_DIR=cache, NUMBA_CACHE_DIR="")
    assert done.returncode == 0, done.stderr
    assert trapped() == []
    assert list(Path(cache).rglob("*.rtkpos"))

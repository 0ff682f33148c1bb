"""Tasks shared by processes: each is done once, and nothing is lost when a helper dies."""

from __future__ import annotations

import os
import sys
import time

import pytest

from rtkpos._numba import processes as _crew
from rtkpos._numba.processes import WorkerProcesses, n_process_usable

MODULE = """
import os, sys, time

def note(name):
    with open(os.path.join(os.path.dirname(__file__), name), "a") as file:
        file.write(f"{os.getpid()}\\n")

def slow(name):
    note(name)
    time.sleep(0.3)

def tasks():
    return {name: (lambda name=name: slow(name)) for name in "abcd"}

def deadly():
    return {"a": lambda: os._exit(3)}
"""


@pytest.fixture
def crew_tasks(tmp_path, monkeypatch):
    """A module of tasks that helpers can import; each writes who did it."""
    (tmp_path / "crew_tasks.py").write_text(MODULE.replace("\\\\n", "\\n"))
    monkeypatch.syspath_prepend(str(tmp_path))
    import crew_tasks

    yield crew_tasks
    del sys.modules["crew_tasks"]


def test_each_task_is_done_once_by_somebody(crew_tasks, tmp_path):
    tasks = crew_tasks.tasks()
    with WorkerProcesses(("crew_tasks", "tasks"), 2) as workers:
        workers.work({"a": tasks["a"]})
        workers.wait(tasks)
        workers.work(tasks)
    done = {name: (tmp_path / name).read_text().split() for name in tasks}
    assert all(len(who) == 1 for who in done.values())
    assert len({who for (who,) in done.values()}) > 1


def test_nobody_waits_for_a_helper_that_died(crew_tasks):
    with WorkerProcesses(("crew_tasks", "deadly"), 1) as workers:
        start = time.monotonic()
        workers.wait(["a", "never begun"])
        assert time.monotonic() - start < 30.0


def test_helpers_end_with_the_crew(crew_tasks):
    with WorkerProcesses(("crew_tasks", "tasks"), 2) as workers:
        helpers = workers._helpers
    assert all(helper.poll() is not None for helper in helpers)


@pytest.mark.parametrize(
    ("program", "frozen", "alone"),
    [
        (sys.executable, False, False),
        ("/opt/rover/bin/rover", False, True),
        (sys.executable, True, True),
        ("", False, True),
    ],
)
def test_only_a_python_is_started_again(monkeypatch, program, frozen, alone):
    monkeypatch.setattr(_crew.sys, "executable", program)
    monkeypatch.setattr(_crew.sys, "frozen", frozen, raising=False)
    assert n_process_usable() == (1 if alone else len(os.sched_getaffinity(0)))

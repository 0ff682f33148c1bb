"""A batch killed at any point: a restart ends with the bytes of a batch that ran through."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tests.app.batches import COMMAND, manifest, results, start, write_jobs
from tests.data import dataset_path
from tests.recordings import FILES

pytestmark = [
    pytest.mark.compiled,
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
]
SET = "static-geonet-2005"
MASKS = "".join(
    f'[[job]]\nname = "m{mask}"\nelevation_mask_deg = {mask}\n' for mask in range(10, 18)
)
# Loaded by every interpreter the batch starts: opening a file of this name kills the process.
KILLER = """
import os, signal, sys
def watch(event, arguments):
    if event == "open" and "poison" in str(arguments[0]) and "obs" in str(arguments[0]):
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
"""


def finished(jobs, out="out", **environment):
    """(exit code, stderr) of a batch that is left alone."""
    process = start(jobs, "--threads", "2", out=out, **environment)
    _, told = process.communicate(timeout=300)
    assert "Traceback" not in told, told
    return process.returncode, told


def stopped(jobs, after_s, number=signal.SIGKILL):
    """Exit code of a batch that gets a signal so long after its first job began."""
    process = start(jobs, "--threads", "2")
    path = jobs.parent / "out" / "manifest.json"
    while process.poll() is None and (not path.exists() or '"running"' not in path.read_text()):
        time.sleep(0.005)
    time.sleep(after_s)
    process.send_signal(number)
    process.communicate(timeout=300)
    return process.returncode


def check_kills(folder, instants_s, n_restart=1):
    """Kill at each instant, restart, compare."""
    jobs = write_jobs(folder, MASKS)
    assert finished(jobs, "whole")[0] == 0
    whole, n_killed = results(jobs, "whole"), 0
    assert len(whole) == 8 + 3
    for after_s in instants_s:
        shutil.rmtree(folder / "out", ignore_errors=True)
        for _ in range(n_restart):
            n_killed += stopped(jobs, after_s) == -signal.SIGKILL
            states = {entry["state"] for entry in manifest(jobs).values()}
            assert states <= {"waiting", "running", "done"}
        code, told = finished(jobs)
        assert code == 0, told
        assert results(jobs) == whole, after_s
    return n_killed


def test_killed_and_restarted_gives_the_same_bytes(tmp_path):
    assert check_kills(tmp_path, [0.02]) == 1


@pytest.mark.slow
def test_killed_at_twenty_four_instants(tmp_path):
    pick = random.Random(72)
    n = check_kills(tmp_path, [pick.uniform(0.0, 0.5) for _ in range(24)])
    assert n > 12


@pytest.mark.slow
def test_killed_again_and_again_spares_the_innocent(tmp_path):
    assert check_kills(tmp_path, (0.0, 0.02), n_restart=3) > 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_batch_leaves_a_consistent_manifest(number, code, tmp_path):
    jobs = write_jobs(tmp_path, MASKS)
    if stopped(jobs, 0.0, number) != code:
        pytest.skip("it was done before the signal came")
    entries = manifest(jobs).values()
    assert {entry["state"] for entry in entries} <= {"waiting", "done"}
    assert all(entry["tries"] == (entry["state"] == "done") for entry in entries)
    assert not list((tmp_path / "out").glob(".*.part"))


def test_a_job_that_kills_its_process_is_isolated_after_two_tries(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(KILLER)
    shutil.copy(dataset_path(SET, FILES[SET][0]), tmp_path / "poison.obs.gz")
    jobs = write_jobs(tmp_path, '[[job]]\nname = "a"\n[[job]]\nrover = "poison.obs.gz"\n'
                      '[[job]]\nname = "b"\n')  # fmt: skip
    path = f"{tmp_path}:{':'.join(p for p in sys.path if p)}"
    assert finished(jobs, PYTHONPATH=path)[0] == -signal.SIGKILL
    assert manifest(jobs)["poison"]["state"] == "running"
    code, told = finished(jobs, PYTHONPATH=path)
    assert code == 4, told
    assert (
        "quarantined and was skipped: ended its process 2 times, lastly alone, by SIGKILL" in told
    )
    states = {name: entry["state"] for name, entry in manifest(jobs).items()}
    assert states == {"a": "done", "poison": "quarantined", "b": "done"}
    before = results(jobs)
    code, told = finished(jobs, PYTHONPATH=path)
    assert (code, results(jobs)) == (4, before)
    assert "[1/" not in told


def test_the_command_of_the_tests_is_the_command():
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True)
    assert "JOBS.toml" in done.stdout

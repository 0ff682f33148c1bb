"""`rtkpos batch`: results, manifest and totals; what a restart does again and what it does not."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from rtkpos.app.command_line import main
from tests.app.batches import SMALL, defaults_of, manifest, results, run_here, write_jobs
from tests.data import dataset_path
from tests.recordings import FILES, recording

pytestmark = pytest.mark.compiled
THREE = """
[[job]]
name = "a"
[[job]]
name = "b"
mode = "static"
[[job]]
name = "c"
ar = "instantaneous"
format = "csv"
"""


def ended(capsys) -> list[str]:
    """Names of the jobs that were worked on, as told on stderr."""
    lines = capsys.readouterr().err.splitlines()
    return sorted(line.split()[1].rstrip(":") for line in lines if line.startswith("["))


def test_results_are_those_of_solve(tmp_path, capsys):
    jobs = write_jobs(tmp_path, THREE)
    assert run_here(jobs, "--threads", "2") == 0
    assert ended(capsys) == ["a", "b", "c"]
    assert sorted(results(jobs)) == [
        ".lock",
        "a.pos",
        "b.pos",
        "c.csv",
        "totals.csv",
        "totals.json",
    ]
    rover, base, nav = FILES[SMALL]
    words = ["solve", str(dataset_path(SMALL, rover)), "--base", str(dataset_path(SMALL, base))]
    for file in nav:
        words += ["--nav", str(dataset_path(SMALL, file))]
    words += ["--base-xyz", *map(str, recording(SMALL)[3]["base_xyz"]), "-q"]
    assert main.run([*words, "--mode", "static", "-o", str(tmp_path / "b.pos")]) == 0
    assert (tmp_path / "b.pos").read_bytes() == results(jobs)["b.pos"]
    totals = json.loads(results(jobs)["totals.json"])
    assert [job["name"] for job in totals["jobs"]] == ["a", "b", "c"]
    assert totals["total"]["done"] == 3
    assert totals["total"]["epochs"]["total"] == 3 * recording(SMALL)[0].n_epoch
    assert results(jobs)["totals.csv"].decode().count("\n") == 4
    assert {entry["state"] for entry in manifest(jobs).values()} == {"done"}
    assert run_here(jobs, "-q") == 0
    assert ended(capsys) == []


def test_a_restart_does_what_changed_and_what_failed(tmp_path, capsys):
    nav = [shutil.copy(dataset_path(SMALL, file), tmp_path) for file in FILES[SMALL][2]]
    mixed = THREE.replace('"static"', f'"static"\nnav = {nav}') + '[[job]]\nrover = "late.obs.gz"\n'
    jobs = write_jobs(tmp_path, mixed)
    assert run_here(jobs) == 4
    assert ended(capsys) == ["a", "b", "c", "late"]
    before = results(jobs)
    assert manifest(jobs)["late"]["state"] == "failed"
    assert manifest(jobs)["late"]["exit_code"] == 2
    assert "late.obs.gz" in manifest(jobs)["late"]["message"]
    assert run_here(jobs) == 4
    assert ended(capsys) == ["late"]
    assert results(jobs) == before

    os.utime(nav[0], ns=(1, 1))
    shutil.copy(dataset_path(SMALL, FILES[SMALL][0]), tmp_path / "late.obs.gz")
    (tmp_path / "out" / "c.csv").write_text("spoilt")
    assert run_here(jobs) == 0
    assert ended(capsys) == ["b", "c", "late"]
    write_jobs(tmp_path, mixed.replace('ar = "inst', 'systems = "G"\nar = "inst'))
    assert run_here(jobs) == 0
    assert ended(capsys) == ["c"]


@pytest.mark.parametrize(
    "damage", ["", "{", '{"jobs": [{"name": "a"}]}', '{"jobs": 3}', "[]", None]
)
def test_a_damaged_or_absent_manifest_costs_time_only(damage, tmp_path, capsys):
    jobs = write_jobs(tmp_path, '[[job]]\nname = "a"\n')
    assert run_here(jobs) == 0
    before, path = results(jobs), tmp_path / "out" / "manifest.json"
    path.unlink()
    if damage is not None:
        path.write_text(damage)
    capsys.readouterr()
    assert run_here(jobs) == 0
    told = capsys.readouterr().err
    is_sound = damage in (None, '{"jobs": [{"name": "a"}]}')
    assert ("every job is solved again" in told) == (not is_sound)
    assert "[1/1] a" in told
    assert results(jobs) == before
    assert manifest(jobs)["a"]["state"] == "done"


def test_nothing_solved_is_3(tmp_path, capsys):
    jobs = write_jobs(tmp_path, '[[job]]\nrover = "none.obs"\n')
    assert run_here(jobs) == 3
    assert "none: failed" in capsys.readouterr().err
    assert json.loads(results(jobs)["totals.json"])["total"]["fix_rate"] is None


def test_a_full_disk_fails_the_job_and_leaves_nothing(tmp_path, capsys, monkeypatch):
    jobs = write_jobs(tmp_path, THREE)
    rename = Path.replace

    def full_disk(path, target):
        if target.name == "b.pos":
            raise OSError(errno.ENOSPC, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", full_disk)
    assert run_here(jobs) == 4
    entry = manifest(jobs)["b"]
    assert (entry["state"], entry["exit_code"]) == ("failed", 2)
    assert "b.pos cannot be written: no space left on device" in entry["message"]
    assert sorted(results(jobs)) == [".lock", "a.pos", "c.csv", "totals.csv", "totals.json"]
    monkeypatch.undo()
    assert run_here(jobs) == 0
    assert ended(capsys) == ["a", "b", "b", "c"]


def test_a_manifest_that_cannot_be_written_ends_the_batch(tmp_path, capsys):
    jobs = write_jobs(tmp_path, THREE)
    (tmp_path / "out" / "manifest.json").mkdir(parents=True)
    assert run_here(jobs) == 2
    assert "manifest.json cannot be written" in capsys.readouterr().err


def test_one_batch_at_a_time_in_a_folder(tmp_path, capsys):
    fcntl = pytest.importorskip("fcntl")
    jobs = write_jobs(tmp_path, THREE)
    (tmp_path / "out").mkdir()
    with (tmp_path / "out" / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert run_here(jobs) == 2
    assert "another `rtkpos batch` works in" in capsys.readouterr().err


def test_remnants_of_a_killed_process_are_removed(tmp_path):
    jobs = write_jobs(tmp_path, '[[job]]\nname = "a"\n')
    out = tmp_path / "out"
    out.mkdir()
    for name in (".a.pos.123.part", ".manifest.json.9.part", ".other.pos.9.part"):
        (out / name).touch()
    assert run_here(jobs, "-q") == 0
    assert [p.name for p in out.glob(".*.part")] == [".other.pos.9.part"]


def test_lost_too_often_is_poison_and_stays_so(tmp_path, capsys):
    jobs = write_jobs(tmp_path, THREE)
    assert run_here(jobs, "-q") == 0
    path = tmp_path / "out" / "manifest.json"
    content = json.loads(path.read_text())
    content["jobs"][1] |= {"state": "running", "tries": 4, "result": None}
    path.write_text(json.dumps(content))
    for _ in range(2):
        assert run_here(jobs) == 4
        assert (
            "b is quarantined and was skipped: the process died 4 times" in capsys.readouterr().err
        )
    assert manifest(jobs)["b"]["state"] == "quarantined"
    write_jobs(tmp_path, THREE.replace("static", "dgnss"), defaults_of())
    assert run_here(jobs, "-q") == 0


def test_alone_prints_what_became_of_the_job(tmp_path, capsys):
    jobs = write_jobs(tmp_path, THREE)
    (tmp_path / "out").mkdir()
    assert run_here(jobs, "--alone", "b") == 0
    outcome = json.loads(capsys.readouterr().out)
    assert (outcome["state"], outcome["exit_code"], outcome["output"]) == ("done", 0, "b.pos")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["b.pos"]
    assert run_here(jobs, "--alone", "z") == 2

"""Small batches: the file of jobs, the command in this process and in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from rtkpos.app.command_line import main
from tests.data import dataset_path
from tests.recordings import FILES, recording

SMALL = "static-geonet-2005"
COMMAND = (sys.executable, "-c", "from rtkpos.app.command_line.main import main; main()", "batch")


def defaults_of(name=SMALL):
    """Text of [defaults] with files and base coordinates of a recording."""
    rover, base, nav = FILES[name]
    return (
        "[defaults]\n"
        f"rover = '{dataset_path(name, rover)}'\n"
        f"base = '{dataset_path(name, base)}'\n"
        f"nav = {[str(dataset_path(name, file)) for file in nav]}\n"
        f"base_xyz = {[float(v) for v in recording(name)[3]['base_xyz']]}\n"
    )


def write_jobs(folder: Path, jobs: str, defaults: str | None = None) -> Path:
    """jobs.toml in a folder."""
    path = folder / "jobs.toml"
    path.write_text((defaults_of() if defaults is None else defaults) + jobs)
    return path


def run_here(jobs: Path, *words: str) -> int:
    """The exit code of the command, run in this process; results beside the file of jobs."""
    return main.run(["batch", str(jobs), "-o", str(jobs.parent / "out"), *words])


def start(jobs: Path, *words: str, out: str = "out", **environment: str) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    return subprocess.Popen(
        [*COMMAND, str(jobs), "-o", str(jobs.parent / out), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


def manifest(jobs: Path, out: str = "out"):
    """Entries by name."""
    content = json.loads((jobs.parent / out / "manifest.json").read_text())
    return {entry["name"]: entry for entry in content["jobs"]}


def results(jobs: Path, out: str = "out") -> dict[str, bytes]:
    """Bytes of everything but the manifest, whose tries may differ, by name."""
    folder = jobs.parent / out
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "manifest.json"}

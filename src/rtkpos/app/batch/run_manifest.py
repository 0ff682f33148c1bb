"""The jobs of a batch as entries of its manifest."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

from rtkpos.app.batch.jobs_file import BatchJob
from rtkpos.batch.job_manifest import Entry, Manifest, states_of


def batch_manifest(folder: Path, jobs: list[BatchJob]) -> Manifest:
    """The manifest of a batch, with what an earlier run of the same jobs left in the folder."""
    entries = [Entry(name=job.name, key=key_of(job), inputs=inputs_of(job)) for job in jobs]
    return Manifest(folder, entries, is_result=lambda result: "epochs" in result)


def key_of(job: BatchJob) -> str:
    """Digest of everything but the inputs' content that decides the result of a job."""
    from rtkpos import __version__

    request = job.request
    facts = {
        "rtkpos": __version__,
        "config": dataclasses.asdict(job.config),
        "files": [list(map(str, files)) for files in (request.rover, request.base, request.nav)],
        "place": [request.base_xyz, request.base_llh, request.base_position],
        "output": [job.output.name, request.week_and_tow, request.with_velocity, request.strict],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def inputs_of(job: BatchJob) -> dict[str, list[int] | None]:
    """Bytes and time of change [ns] of each input file; None for one that is not there."""
    request, antex = job.request, job.config.antenna.antex
    paths = [*request.rover, *request.base, *request.nav, *([Path(antex)] if antex else [])]
    return states_of(paths)

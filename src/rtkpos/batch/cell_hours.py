"""Tasks of a cell and an hour: what each needs, and how all are done, restarted and recorded."""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray
from rtkpos.batch.executor import Executor, WorkerLostError
from rtkpos.batch.job_manifest import (
    DONE,
    FAILED,
    MANIFEST_FILE,
    QUARANTINED,
    RUNNING,
    WAITING,
    Entry,
    Manifest,
    digest_of,
    only_one,
    states_of,
)
from rtkpos.constants import NS_PER_HOUR
from rtkpos.errors import ConfigError, RtkposError
from rtkpos.gnss.time import iso_gpst
from rtkpos.io.text.atomic import make_folder, remove_remnants, write_bytes
from rtkpos.network.graph.cells import CellPlan
from rtkpos.network.stations.station_list import NetworkStation

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, eq=False)
class CellJob:
    """What a task of one cell and one stretch of time is given; picklable, and nothing else is.

    Parameters
    ----------
    name : str
        Name of the job and of its result file.
    cell : int
        Number of the cell.
    start_ns : int
        Start, GPST [ns].
    end_ns : int
        End, GPST [ns], excluded.
    stations : tuple of NetworkStation
        Stations of the cell, then those of its ring.
    n_core : int
        How many stations are the cell's own.
    edges : ndarray of int64
        (k, 2) baselines to compute, by number in `stations`.
    triangles : ndarray of int64
        (t, 3) triangles to close.
    options : dict[str, Any], optional
        Options of the network's processing, plain values that JSON can hold.
    """

    name: str
    cell: int
    start_ns: int
    end_ns: int
    stations: tuple[NetworkStation, ...]
    n_core: int
    edges: IndexArray
    triangles: IndexArray
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def ecef_m(self) -> FloatArray:
        """Coordinates (n, 3) [m] of the stations."""
        return np.array([station.ecef_m for station in self.stations]).reshape(-1, 3)


@dataclass(frozen=True, kw_only=True)
class CellResult:
    """What a task hands back.

    Parameters
    ----------
    figures : dict[str, Any]
        Figures of the task, plain values that JSON can hold, the same in every run.
    content : bytes
        Bytes of its result file; large results are files, not memory of the caller.
    """

    figures: dict[str, Any]
    content: bytes


def cell_jobs(
    plan: CellPlan,
    stations: Sequence[NetworkStation],
    span_ns: tuple[int, int],
    options: dict[str, Any] | None = None,
) -> list[CellJob]:
    """One job for each cell and hour, hour by hour.

    Parameters
    ----------
    plan : CellPlan
        Cells of the network.
    stations : sequence of NetworkStation
        As in the graph of the plan.
    span_ns : tuple[int, int]
        Start and excluded end, GPST [ns]; jobs begin and end on full hours within it.
    options : dict[str, Any], optional
        Options of every job.

    Returns
    -------
    list of CellJob
        The jobs.
    """
    start_ns, end_ns = span_ns
    if end_ns <= start_ns:
        raise ConfigError(f"a span must end after it starts; got {start_ns} to {end_ns} ns.")
    first = start_ns - start_ns % NS_PER_HOUR
    hours = [first + k * NS_PER_HOUR for k in range(math.ceil((end_ns - first) / NS_PER_HOUR))]
    cells = [_cell_facts(plan, stations, cell) for cell in range(plan.n_cell)]
    return [
        CellJob(
            name=f"{iso_gpst(hour)[:13].replace(' ', 'T')}-cell{cell:04d}",
            cell=cell,
            start_ns=max(hour, start_ns),
            end_ns=min(hour + NS_PER_HOUR, end_ns),
            options=dict(options or {}),
            **facts,
        )
        for hour in hours
        for cell, facts in enumerate(cells)
    ]


def _cell_facts(plan: CellPlan, stations: Sequence[NetworkStation], cell: int) -> dict[str, Any]:
    """What all hours of a cell have in common."""
    core, ring = plan.core(cell), plan.ring(cell)
    seen = np.concatenate([core, ring])
    local = np.full(plan.graph.n_station, -1, np.int64)
    local[seen] = np.arange(len(seen))
    return {
        "stations": tuple(stations[k] for k in seen),
        "n_core": len(core),
        "edges": local[plan.graph.edges[plan.edges(cell)]].reshape(-1, 2),
        "triangles": local[plan.graph.triangles[plan.triangle_cell == cell]].reshape(-1, 3),
    }


def run_cell_jobs(
    jobs: Sequence[CellJob],
    task: Callable[[CellJob], CellResult],
    executor: Executor,
    folder: Path,
    on_done: Callable[[Entry], Any] | None = None,
) -> Manifest:
    """Do all jobs that are not done yet; results NAME.bin and manifest.json go to `folder`.

    After a crash or a kill the same call goes on: a job is skipped while its stations, span,
    options, input files and its result are unchanged. A job that fails is recorded and tried again
    next time; one that ended its worker, alone, is quarantined and is not.

    Parameters
    ----------
    jobs : sequence of CellJob
        The jobs.
    task : callable
        A function of a module, for other processes must find it.
    executor : Executor
        Where tasks run, from `make_executor`.
    folder : Path
        Folder of the results.
    on_done : callable, optional
        Called with the entry of each job as it ends.

    Returns
    -------
    Manifest
        What became of each job.
    """
    make_folder(folder)
    with only_one(folder, "rtkpos network"):
        remove_remnants(folder, {MANIFEST_FILE, *(f"{job.name}.bin" for job in jobs)})
        manifest = Manifest(folder, [_entry_of(job, task) for job in jobs])
        if manifest.warning:
            _LOG.warning(manifest.warning)
        manifest.save()
        _work_off(jobs, task, executor, manifest, on_done)
    return manifest


def _work_off(
    jobs: Sequence[CellJob],
    task: Callable[[CellJob], CellResult],
    executor: Executor,
    manifest: Manifest,
    on_done: Callable[[Entry], Any] | None,
) -> None:
    """Do what waits or was under way when the last process died."""
    left = [job for job in jobs if manifest.entries[job.name].state in (WAITING, RUNNING)]
    try:
        outcomes = executor.map(task, left, on_start=lambda k: manifest.start(left[k].name))
        for number, outcome in outcomes:
            name = left[number].name
            manifest.change(name, **_changes(outcome, manifest.path.with_name(f"{name}.bin")))
            if on_done is not None:
                on_done(manifest.entries[name])
    except BaseException:
        manifest.give_back()
        raise


def _entry_of(job: CellJob, task: Callable[[CellJob], CellResult]) -> Entry:
    """The entry of a job nothing was done for.

    The states of its inputs go into the key: the files of seventy stations in each of thousands of
    entries would make the manifest too long to be written whenever a job ends.
    """
    return Entry(name=job.name, key=_key_of(job, task))


def _key_of(job: CellJob, task: Callable[[CellJob], CellResult]) -> str:
    """Digest of what decides a result; of its input files, their sizes and times of change."""
    from rtkpos import __version__

    facts = {
        "rtkpos": __version__,
        "task": f"{task.__module__}.{task.__qualname__}",
        "span": [job.start_ns, job.end_ns],
        "stations": [[one.name, one.ecef_m.tolist(), one.antenna] for one in job.stations],
        "graph": [job.n_core, job.edges.tolist(), job.triangles.tolist()],
        "options": job.options,
        "inputs": states_of(path for station in job.stations for path in station.files),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _changes(outcome: Any, path: Path) -> dict[str, Any]:
    """Changes of the entry of a job that ended; its result file is written."""
    if isinstance(outcome, CellResult):
        write_bytes(path, outcome.content)
        return {
            "state": DONE,
            "exit_code": 0,
            "message": "",
            "output": path.name,
            "sha256": digest_of(path),
            "result": outcome.figures,
        }
    state = QUARANTINED if isinstance(outcome, WorkerLostError) else FAILED
    is_known = isinstance(outcome, RtkposError)
    code = outcome.exit_code if is_known else RtkposError.exit_code
    words = str(outcome) if is_known else f"internal error: {type(outcome).__name__}: {outcome}"
    return {"state": state, "exit_code": code, "message": words, "result": None}

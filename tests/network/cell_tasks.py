"""Stand-ins for the processing of a cell."""

from __future__ import annotations

import time

import numpy as np

from rtkpos.batch.cell_hours import CellResult
from rtkpos.batch.executor import WorkerLostError


def measure_cell(job):
    """A small stand-in for the processing of a cell: vectors of its baselines, by its hour."""
    place = job.ecef_m
    vector = place[job.edges[:, 1]] - place[job.edges[:, 0]]
    turned = vector * np.cos(job.start_ns / 1e13)
    figures = {"baselines": len(job.edges), "sum_m": float(np.round(turned.sum(), 6))}
    return CellResult(figures=figures, content=turned.tobytes())


def measure_cell_slowly(job):
    time.sleep(job.options.get("seconds", 0.1))
    return measure_cell(job)


def end_the_worker(job):
    """As an executor sees a job that ended its process, alone."""
    if job.cell == 1:
        raise WorkerLostError("the job ended its process twice, the second time alone.")
    return measure_cell(job)


def refuse_second_hour(job):
    if job.start_ns % 7_200_000_000_000:
        raise ValueError("no data in this hour")
    return measure_cell(job)

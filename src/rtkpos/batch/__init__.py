"""Many runs: jobs of a process or a cluster, tables shared, what is done kept on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtkpos._lazy import public_words

if TYPE_CHECKING:
    from rtkpos.batch.cell_hours import CellJob, CellResult, cell_jobs, run_cell_jobs
    from rtkpos.batch.executor import make_executor
    from rtkpos.batch.many_jobs import SolveJob, solve_many

_PLACES = {
    "cell_hours": (
        "CellJob",
        "CellResult",
        "cell_jobs",
        "run_cell_jobs",
    ),
    "executor": ("make_executor",),
    "many_jobs": (
        "SolveJob",
        "solve_many",
    ),
}
__getattr__, __dir__ = public_words(__name__, _PLACES)

__all__ = [
    "CellJob",
    "CellResult",
    "SolveJob",
    "cell_jobs",
    "make_executor",
    "run_cell_jobs",
    "solve_many",
]

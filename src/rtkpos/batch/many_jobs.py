"""Many baselines in threads of one warm process; files that jobs have in common are read once."""

from __future__ import annotations

import functools
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

from rtkpos._arrays import FloatArray
from rtkpos._numba.processes import n_usable_cpu
from rtkpos.batch.shared_tables import Key, Paths, SharedTables, file_key
from rtkpos.errors import ConfigError, check_sequence
from rtkpos.live.warm import warm_up
from rtkpos.processing.run import solve
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.config import RtkConfig
from rtkpos.records.observations import ObsTable
from rtkpos.records.solution import Solution


@dataclass(frozen=True, kw_only=True, eq=False)
class SolveJob:
    """One baseline: what `solve` takes, files or tables.

    Parameters
    ----------
    rover : ObsTable, path, bytes, or list of them
        Observations of the rover; several files are consecutive ones.
    nav : BroadcastTable, path, bytes, or list of them
        Broadcast ephemerides.
    base : ObsTable, path, bytes, or list of them, optional
        Observations of the base.
    base_ecef_m : ndarray of float64 or sequence of float, optional
        (3,) coordinate of the base [m].
    config : RtkConfig, optional
        Configuration.
    name : str, optional
        A name for the caller.
    """

    rover: ObsTable | Paths
    nav: BroadcastTable | Paths
    base: ObsTable | Paths | None = None
    base_ecef_m: FloatArray | Sequence[float] | None = None
    config: RtkConfig = field(default_factory=RtkConfig)
    name: str = ""

    def keys(self) -> list[Key]:
        """Keys of the files the job reads.

        Returns
        -------
        list of Key
            One key for each list of files.
        """
        given = [of for of in (self.rover, self.base) if of is not None]
        keys = [file_key("obs", of) for of in given if not isinstance(of, ObsTable)]
        nav = self.nav
        return keys if isinstance(nav, BroadcastTable) else [*keys, file_key("nav", nav)]


class StoppedError(Exception):
    """The batch ends early; raised inside the epoch loops of its jobs."""


def solve_many(
    jobs: Sequence[SolveJob],
    *,
    n_thread: int | None = None,
    on_done: Callable[[int, Solution | Exception], Any] | None = None,
) -> list[Solution | Exception]:
    """Solve all jobs; the results stand in the order of the jobs.

    Each list of files is read once, whoever needs it, and dropped after the last job that does. A
    result is bit for bit that of `solve`. A job that fails has its exception as result (an
    `RtkposError` for whatever is wrong with its input) and stops no other.

    Parameters
    ----------
    jobs : sequence of SolveJob
        What to solve.
    n_thread : int, optional
        Threads, None = one per processor this process may use.
    on_done : callable, optional
        Called as on_done(index, result) by the calling thread as jobs end, in any order.

    Returns
    -------
    list[Solution or Exception]
        The results in the order of the jobs.
    """
    check_sequence(jobs, SolveJob, "jobs")
    shared = SharedTables(key for job in jobs for key in job.keys())
    stop = threading.Event()

    def result_of(index: int) -> Solution | Exception:
        job = jobs[index]
        with shared.used_by_one(job.keys()):
            try:
                return solve_job(job, shared, stop)
            except Exception as error:
                traceback.clear_frames(error.__traceback__)  # or it would keep the tables
                return error

    results: list[Any] = [None] * len(jobs)
    warm_once()

    def take(index: int, result: Solution | Exception) -> None:
        results[index] = result
        if on_done is not None:
            on_done(index, result)

    in_threads(range(len(jobs)), result_of, take, n_thread=n_thread, stop=stop)
    return results


@functools.cache
def warm_once() -> None:
    """Load all kernels before threads need them, once in the life of a process."""
    warm_up()


def solve_job(job: SolveJob, shared: SharedTables, stop: threading.Event) -> Solution:
    """Read what is not read yet and solve; StoppedError soon after `stop` is set."""
    rover, base, nav = job.rover, job.base, job.nav
    if not isinstance(rover, ObsTable):
        rover = shared.obs(rover)
    if base is not None and not isinstance(base, ObsTable):
        base = shared.obs(base)
    if not isinstance(nav, BroadcastTable):
        nav = shared.nav(nav)
    place: Any = job.base_ecef_m  # `solve` checks and converts it
    return solve(rover, nav, base, place, job.config, on_epoch=stopper(stop))


def stopper(stop: threading.Event) -> Callable[[int, int], None]:
    """A callback for `solve` that ends it with StoppedError once `stop` is set."""

    def on_epoch(done: int, total: int) -> None:
        if stop.is_set():
            raise StoppedError(f"stopped at epoch {done} of {total}.")

    return on_epoch


def in_threads(
    items: Sequence[int],
    work: Callable[[int], Any],
    take: Callable[[int, Any], Any],
    *,
    n_thread: int | None,
    stop: threading.Event,
) -> None:
    """Do work(item) in threads, started in order; take(item, result) here as each ends.

    An exception of `work` or `take`, or Ctrl-C, sets `stop`, starts no further item, waits for
    those under way, and is raised.
    """
    if n_thread is not None and n_thread < 1:
        raise ConfigError(f"the number of threads must be at least 1; got {n_thread}.")
    if not len(items):
        return
    n_worker = min(n_thread or n_usable_cpu(), len(items))
    with ThreadPoolExecutor(n_worker, thread_name_prefix="rtkpos") as pool:
        try:
            waiting = {pool.submit(work, item): item for item in items}
            for done in as_completed(waiting):
                take(waiting.pop(done), done.result())
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise

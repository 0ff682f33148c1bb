"""`rtkpos batch`: many baselines, with a manifest that survives whatever kills the process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rtkpos._numba.isolation import isolated_python
from rtkpos.app.batch.jobs_file import BatchJob, read_jobs
from rtkpos.app.batch.run_manifest import batch_manifest
from rtkpos.app.batch.totals import TOTALS_CSV, TOTALS_JSON, result_of, write_totals
from rtkpos.app.command_line.exit_codes import EXIT_DONE, EXIT_PARTIAL
from rtkpos.app.command_line.first_run import announce_compilation
from rtkpos.app.command_line.screen import say, warn
from rtkpos.app.solve.command import compute, no_solution, shortcomings
from rtkpos.app.solve.inputs import input_files
from rtkpos.batch.job_manifest import (
    DONE,
    FAILED,
    LOCK_FILE,
    MANIFEST_FILE,
    QUARANTINED,
    RUNNING,
    WAITING,
    Entry,
    Manifest,
    digest_of,
    only_one,
)
from rtkpos.batch.many_jobs import StoppedError, in_threads, stopper, warm_once
from rtkpos.batch.shared_tables import Key, SharedTables, file_key
from rtkpos.errors import InputError, NoSolutionError, RtkposError, quoted
from rtkpos.io.text.atomic import make_folder, refuse_overwriting, remove_remnants, write_text

EXIT_BUG = RtkposError.exit_code
_OWN_FILES = {MANIFEST_FILE, TOTALS_JSON, TOTALS_CSV, LOCK_FILE}


@dataclass(frozen=True, kw_only=True)
class BatchRequest:
    """Options of `rtkpos batch` as given.

    n_thread : None = one per processor      alone : solve only the job of this name, for a parent
    """

    jobs: Path
    folder: Path
    n_thread: int | None = None
    alone: str | None = None
    quiet: bool = False


def run_batch(request: BatchRequest) -> int:
    """Do what is not done yet; returns the exit code, raises RtkposError."""
    jobs = read_jobs(request.jobs, request.folder)
    if request.alone is not None:
        return _solve_alone(jobs, request.alone)
    _refuse_overwriting(request, jobs)
    make_folder(request.folder)
    with only_one(request.folder, "rtkpos batch"):
        remove_remnants(request.folder, {job.output.name for job in jobs} | _OWN_FILES)
        manifest = batch_manifest(request.folder, jobs)
        if manifest.warning:
            warn(manifest.warning)
        manifest.save()
        if manifest.names(WAITING, RUNNING):
            _forget_totals(request.folder)
            _work_off(request, jobs, manifest)
        sums = write_totals(request.folder, manifest)
    return _conclude(request, manifest, sums)


def _refuse_overwriting(request: BatchRequest, jobs: list[BatchJob]) -> None:
    """ConfigError when a result or a file of the batch itself is what any job reads."""
    own = (request.folder / name for name in sorted(_OWN_FILES))
    read = dict.fromkeys(path for job in jobs for path in input_files(job.request, job.config))
    refuse_overwriting((*own, *(job.output for job in jobs)), (request.jobs, *read))


def _work_off(request: BatchRequest, jobs: list[BatchJob], manifest: Manifest) -> None:
    """Solve what waits; what ran when the last process died first, each alone."""
    teller = _Teller(manifest, request.quiet)
    if manifest.names(DONE, QUARANTINED) and not request.quiet:
        done, quarantined = (len(manifest.names(state)) for state in (DONE, QUARANTINED))
        say(f"{done} of {len(jobs)} jobs are done already, {quarantined} quarantined.")
    try:
        for name in manifest.names(RUNNING):
            _watch_alone(request, name, manifest)
            teller.tell(name)
        waiting = set(manifest.names(WAITING))
        _solve_in_threads(request, [j for j in jobs if j.name in waiting], manifest, teller.tell)
    except BaseException:
        with suppress(RtkposError):  # the disk may be what stopped us
            manifest.give_back()
        raise


def _solve_in_threads(
    request: BatchRequest,
    jobs: list[BatchJob],
    manifest: Manifest,
    tell: Callable[[str], None],
) -> None:
    """Solve jobs in threads of this process."""
    if not jobs:
        return
    announce_compilation(quiet=request.quiet)
    warm_once()
    keys = [_keys(job) for job in jobs]
    tables, stop = SharedTables(key for some in keys for key in some), threading.Event()

    def work(index: int) -> dict[str, Any]:
        job = jobs[index]
        with tables.used_by_one(keys[index]):
            manifest.start(job.name)
            return solve_one(job, tables, stop)

    def take(index: int, outcome: dict[str, Any]) -> None:
        manifest.change(jobs[index].name, **outcome)
        tell(jobs[index].name)

    in_threads(range(len(jobs)), work, take, n_thread=request.n_thread, stop=stop)


def _keys(job: BatchJob) -> list[Key]:
    """Keys of the tables a job reads."""
    request = job.request
    observed = [files for files in (request.rover, request.base) if files]
    keys = [file_key("obs", files, strict=request.strict) for files in observed]
    return [*keys, file_key("nav", request.nav, strict=request.strict)]


def solve_one(job: BatchJob, tables: SharedTables, stop: threading.Event) -> dict[str, Any]:
    """Solve a job and write its result; the changes of its entry, failures included."""
    try:
        facts, text = compute(job.request, tables, stopper(stop))
        if not np.isfinite(facts.solution.ecef_m).any():
            raise no_solution(facts.solution)
        write_text(job.output, text)
    except StoppedError:
        raise
    except RtkposError as error:
        return _failure(error.exit_code, str(error))
    except MemoryError:
        return _failure(EXIT_BUG, "there is not enough memory for this input.")
    except Exception as error:
        return _failure(EXIT_BUG, f"internal error: {type(error).__name__}: {error}")
    partial = shortcomings(facts)
    return {
        "state": DONE,
        "exit_code": EXIT_PARTIAL if partial else EXIT_DONE,
        "message": "; ".join(partial),
        "output": job.output.name,
        "sha256": digest_of(job.output),
        "result": result_of(facts),
    }


def _failure(code: int, message: str) -> dict[str, Any]:
    """Changes of the entry of a job that failed."""
    return {"state": FAILED, "exit_code": code, "message": message, "result": None}


def _solve_alone(jobs: list[BatchJob], name: str) -> int:
    """Solve one job and print the changes of its entry, for the process that watches this one."""
    job = next((job for job in jobs if job.name == name), None)
    if job is None:
        raise InputError(f"there is no job {quoted(name)}.")
    outcome = solve_one(job, SharedTables(()), threading.Event())
    sys.stdout.write(json.dumps(outcome, allow_nan=False) + "\n")
    return EXIT_DONE


def _watch_alone(request: BatchRequest, name: str, manifest: Manifest) -> None:
    """Solve a job that ran when a process died in one of its own; quarantine it if that dies."""
    manifest.start(name)
    code = "from rtkpos.app.command_line.main import main; main()"
    words = [str(request.jobs), "-o", str(request.folder), "--alone", name]
    command, environment = isolated_python(code, "batch", *words)
    done = subprocess.run(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    outcome = _outcome(done.stdout) if done.returncode == 0 else None
    if outcome is None:
        tries = manifest.entries[name].tries
        outcome = {
            "state": QUARANTINED,
            "exit_code": None,
            "message": f"ended its process {tries} times, lastly {_end(done.returncode)}; skipped.",
            "result": None,
        }
    manifest.change(name, **outcome)


def _outcome(text: bytes) -> dict[str, Any] | None:
    """What the watched process printed last; None when that is nothing of ours."""
    try:
        found = json.loads(text.splitlines()[-1])
        Entry(**{"name": "", **found})
    except (ValueError, TypeError, IndexError):
        return None
    return dict(found)


def _end(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"alone, with exit code {code}"
    with suppress(ValueError):
        return f"alone, by {signal.Signals(-code).name}"
    return f"alone, by signal {-code}"


class _Teller:
    """One line on stderr for each job that ends."""

    def __init__(self, manifest: Manifest, quiet: bool) -> None:
        self._manifest, self._quiet = manifest, quiet
        self._start, self._n_told = time.monotonic(), 0
        self._n_total = len(manifest.names(WAITING, RUNNING))

    def tell(self, name: str) -> None:
        """A job has ended."""
        self._n_told += 1
        if self._quiet:
            return
        entry = self._manifest.entries[name]
        count = f"[{self._n_told}/{self._n_total}]"
        if entry.result is None:
            say(f"{count} {name}: {entry.state}: {entry.message}", "red")
            return
        epochs = entry.result["epochs"]
        rate = 100.0 * epochs["fixed"] / max(epochs["total"], 1)
        more = f"; {entry.message}" if entry.message else ""
        say(f"{count} {name}: {rate:.1f} % of {epochs['total']} epochs fixed{more}")


def _forget_totals(folder: Path) -> None:
    """Totals of an earlier state do not outlive the start of new work."""
    for name in (TOTALS_JSON, TOTALS_CSV):
        with suppress(OSError):
            (folder / name).unlink()


def _conclude(request: BatchRequest, manifest: Manifest, sums: dict[str, Any]) -> int:
    """The last lines on stderr, and the exit code."""
    bad = manifest.names(FAILED, QUARANTINED)
    if not request.quiet:
        rate = "" if sums["fix_rate"] is None else f", {100.0 * sums['fix_rate']:.1f} % fixed"
        say(f"{sums[DONE]} of {sums['jobs']} jobs done, {sums['epochs']['total']} epochs{rate}")
        say(f"wrote {request.folder / TOTALS_JSON} and {TOTALS_CSV}")
    for name in bad:
        entry = manifest.entries[name]
        if entry.state == QUARANTINED:
            warn(f"{name} is quarantined and was skipped: {entry.message}")
    if len(bad) == len(manifest.entries):
        return NoSolutionError.exit_code
    return EXIT_PARTIAL if bad else EXIT_DONE

"""The first run ever: an empty cache, everything compiled on the way to the first solution."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from pathlib import Path
from typing import Any

from bench.accuracy.case import prepare
from bench.speed.step import COMMAND_ROW, command, row_named
from rtkpos._numba.processes import n_process_usable

ANNOUNCED = "compiling"


def measure_first_run(work: Path) -> list[dict[str, Any]]:
    """`rtkpos solve` with an empty cache of kernels: times [s], and whether it says so."""
    case = prepare(row_named(COMMAND_ROW), work, quick=False)
    words = ["solve", str(case.rover), "--base", str(case.base), "--nav", str(case.nav[0])]
    environment = os.environ | {"RTKPOS_CACHE_DIR": str(work / "empty")}
    environment.pop("NUMBA_CACHE_DIR", None)
    results = []
    for what in ("first run", "the same again"):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        done = subprocess.run(
            [*command(), *words, "-o", str(work / "first.pos")],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        wall_s = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        results.append(
            {
                "what": what,
                "wall_s": round(wall_s, 2),
                "cpu_s": round(cpu_s, 2),
                "n_processor": n_process_usable(),
                "is_announced": ANNOUNCED in done.stderr,
            }
        )
    return results

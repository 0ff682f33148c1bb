"""Memory: the peak while a long file is read, and growth of the live engine over many epochs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.accuracy.case import unpacked
from bench.speed.live import Stream
from bench.speed.parse import SOURCES, lengthen
from rtkpos.live.warm import warm_up

MIB = 1 << 20
READER = """
import json, pathlib, sys
from rtkpos._numba.cache_folder import use_project_cache
use_project_cache()
from rtkpos import read_obs
from rtkpos.live.warm import warm_up
warm_up()
def peak():
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew from here
before = peak()
table = read_obs(sys.argv[1])
kept = sum(a.nbytes for a in vars(table).values() if hasattr(a, "nbytes"))
print(json.dumps({"before": before, "peak": peak(), "kept": kept}))
"""


def measure_reading(work: Path, quick: bool) -> list[dict[str, Any]]:
    """Peak memory of a process that reads a long file, above what it had before [MiB]."""
    dataset, name = SOURCES[0]
    path = work / "memory.obs"
    lengthen(unpacked(dataset, name, work), path, 20e6 if quick else 110e6)
    done = subprocess.run(
        [sys.executable, "-c", READER, str(path)], capture_output=True, text=True, check=True
    )
    told, size = json.loads(done.stdout), path.stat().st_size
    path.unlink()
    return [
        {
            "input_mib": round(size / MIB, 1),
            "before_mib": round(told["before"] / MIB, 1),
            "rise_mib": round((told["peak"] - told["before"]) / MIB, 1),
            "table_mib": round(told["kept"] / MIB, 1),
            "allowed_mib": round(64 + 6 * size / MIB, 1),
        }
    ]


def measure_growth(work: Path, n_epoch: int) -> list[dict[str, Any]]:
    """Resident memory of this process while an engine runs through so many epochs [MiB].

    The first twentieth warms up; GPS alone, so that a million epochs end within minutes. Every 500
    epochs the engine is restored from a snapshot: what that leaves behind counts, too.
    """
    warm_up()
    stream = Stream(work, 500, "G")
    start, steps = 0, []
    for k in range(n_epoch):
        at = k % len(stream.pairs)
        if at == 0:
            stream.rewind()
        stream.engine.update(*stream.pairs[at])
        if (k + 1) % (n_epoch // 20) == 0:
            start = start or resident()
            steps.append(round((resident() - start) / MIB, 3))
    return [{"n_epoch": n_epoch, "growth_mib": steps[-1], "steps_mib": steps}]


def resident() -> int:
    """Resident memory of this process [bytes]."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096

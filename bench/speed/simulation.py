"""Cost of a simulation: the country of `luoyang-network` written by the command line."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path
from typing import Any

from bench.speed.step import command
from rtkpos.errors import FileError

SCENARIO = "luoyang-network"
HOUR_S, QUICK_S = 3600, 120
KB_PER_MB = 1024.0 * (1024.0 if sys.platform == "darwin" else 1.0)


def measure_simulation(work: Path, quick: bool) -> list[dict[str, Any]]:
    """One run of a fresh process: time, peak memory, size of what was written."""
    duration_s = QUICK_S if quick else HOUR_S
    ready = resources.files("rtkpos.simulate") / "scenarios" / f"{SCENARIO}.toml"
    text = ready.read_text("utf-8").replace("duration_s = 3600", f"duration_s = {duration_s}")
    scenario, folder = work / "country.toml", work / "country"
    scenario.write_text(text, encoding="utf-8")
    start = time.perf_counter()
    process = subprocess.Popen(
        [*command(), "simulate", str(scenario), "-o", str(folder), "--quiet"]
    )
    _, status, used = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise FileError(f"rtkpos simulate ended with exit code {process.returncode}.")
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return [
        {
            "scenario": SCENARIO,
            "duration_s": duration_s,
            "n_receiver": len(list(folder.glob("*.obs"))),
            "wall_s": round(wall_s, 2),
            "cpu_s": round(used.ru_utime + used.ru_stime, 2),
            "peak_mb": round(used.ru_maxrss / KB_PER_MB, 1),
            "written_mb": round(size / 1e6, 1),
        }
    ]

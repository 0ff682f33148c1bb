"""Damaged files by the ten thousand through reading and solving; exit code 1 on any finding.

    python tools/mutate_files.py --count 100000 [--seed 1] [--boundscheck] [--chunk 2000]
    python tools/mutate_files.py --only 1234 [--seed 1] --save mutant.bin

Each chunk runs in a process of its own, so that a crash or a hang of compiled code is a finding
with a number and not the end of the run. Needs the data sets of the test suite.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from rtkpos._numba.cache_folder import use_project_cache

ROOT = Path(__file__).resolve().parents[1]
START_S, PER_MUTANT_S = 900.0, 0.5


def run_chunk(seed: int, first: int, last: int, environment: dict[str, str]) -> tuple[dict, int]:
    """Summary of mutants first..last-1 as far as the process came, and where to go on."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "index"
        command = [sys.executable, "-m", "tests.robustness.worker", "mutants"]
        command += [str(seed), str(first), str(last), str(log)]
        limit = START_S + PER_MUTANT_S * (last - first)
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True,
                timeout=limit, check=False,
            )  # fmt: skip
            status, said = done.returncode, done.stderr
        except subprocess.TimeoutExpired:
            status, said = "timeout", ""
        if status == 0:
            return json.loads(done.stdout.splitlines()[-1]), last
        if not log.exists():
            sys.exit(f"the worker does not get to its first mutant ({status}):\n{said[-2000:]}")
        index = int(log.read_text())
        what = f"process ended with status {status}: {said.strip()[-300:]}"
        return {"findings": [[index, "", "", what]], "count": index - first + 1}, index + 1


def run_all(count: int, seed: int, chunk: int, environment: dict[str, str]) -> dict:
    """Totals over all chunks."""
    total: dict = {"count": 0, "outcomes": Counter(), "kinds": Counter(), "findings": []}
    total |= {"slowest_s": 0.0, "slowest": "", "peak_mib": 0}
    first = 0
    while first < count:
        part, first = run_chunk(seed, first, min(first + chunk, count), environment)
        total["count"] += part["count"]
        total["findings"] += part["findings"]
        for name in ("outcomes", "kinds"):
            total[name].update(part.get(name, {}))
        total["peak_mib"] = max(total["peak_mib"], part.get("peak_mib", 0))
        if part.get("slowest_s", 0.0) > total["slowest_s"]:
            total["slowest_s"], total["slowest"] = part["slowest_s"], part["slowest"]
        print(f"{first} of {count}, findings: {len(total['findings'])}", file=sys.stderr)
    return total


def report(total: dict, seconds: float) -> None:
    """The summary for people."""
    print(f"mutants   {total['count']} in {seconds:.0f} s")
    print(f"outcomes  {dict(total['outcomes'])}")
    print(f"kinds     {dict(total['kinds'])}")
    print(f"slowest   {total['slowest_s']:.3f} s ({total['slowest']})")
    print(f"memory    peak {total['peak_mib']} MiB per process")
    texts = [what for *_, what in total["findings"]]
    crashes = sum(text.startswith("process ended") for text in texts)
    slow = sum(text.startswith("took") for text in texts)
    print(f"findings  {len(texts)}: {crashes} crashes or hangs, {slow} slow, rest exceptions")
    for index, damage, case, what in total["findings"]:
        print(f"  index {index} {damage} {case}: {what}")


def save_one(seed: int, index: int, path: Path) -> None:
    """Write one mutant to a file and run it."""
    sys.path.insert(0, str(ROOT))
    from tests.robustness.harness import make_mutant, run_mutant

    mutant = make_mutant(seed, index)
    path.write_bytes(mutant.text)
    verdict = run_mutant(mutant, index, 10.0)
    print(f"{mutant.damage} of {mutant.case.name} {mutant.role}: {verdict}")


def main() -> int:
    """Run, report, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--chunk", type=int, default=5000)
    parser.add_argument("--boundscheck", action="store_true", help="compile with bounds checks")
    parser.add_argument("--only", type=int, help="make and run this one mutant")
    parser.add_argument("--save", type=Path, default=Path("mutant.bin"))
    options = parser.parse_args()
    if options.only is not None:
        save_one(options.seed, options.only, options.save)
        return 0
    use_project_cache()
    environment = dict(os.environ)
    if options.boundscheck:
        environment["NUMBA_BOUNDSCHECK"] = "1"
    start = time.perf_counter()
    total = run_all(options.count, options.seed, options.chunk, environment)
    report(total, time.perf_counter() - start)
    return 1 if total["findings"] else 0


if __name__ == "__main__":
    sys.exit(main())

"""What issue after issue asks of speed and memory, measured in one run, beside the peers.

    python bench/performance.py [--quick] [--only PART ...] [--peer PATH ...] [-o bench/results]

Stores performance.json and performance.md (--quick: performance-quick.*; --only replaces the
named parts of what is stored). Programs that are compared run in turn; the smallest processor time
of each counts, since other work on the machine only adds, and all of them use one thread. Where
threads matter the wall time does.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
sys.path.insert(0, str(ROOT))

LENGTHS, LONG = (360, 3600), 86_400
N_LIVE, N_GROWTH = 100_000, 1_000_000
SLOW = ("day", "first")  # left out of a quick run
PARTS = (
    "parse",
    "epoch",
    "commands",
    "day",
    "threads",
    "live",
    "reading",
    "growth",
    "first",
    "profile",
)


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small versions, for a check")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--peer", nargs="+", type=Path, default=[], help="rnx2rtkp programs")
    parser.add_argument("--peer-name", nargs="+", default=[], help="what to call them, in order")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    """Measure, print, store; exit code 1 when a part failed."""
    from rtkpos._numba.cache_folder import use_project_cache

    args = arguments(words)
    use_project_cache()  # before the first kernel is imported
    from bench.accuracy.peer import find_peers
    from bench.run import attempt, made, tell
    from bench.speed.speed_table import markdown

    peers = find_peers(args.peer, args.peer_name)
    path = args.output / f"performance{'-quick' if args.quick else ''}.json"
    report = stored(path) if args.only else {"parts": {}}
    report["made"], problems = made(0), []
    with tempfile.TemporaryDirectory(prefix="rtkpos-bench-") as folder:
        for name, work in parts(args.quick, peers, Path(folder)).items():
            if name in (args.only or PARTS):
                tell(name)
                report["parts"][name], problem = attempt(name, work)
                problems += problem
                store(report, path)
    print(markdown(report))
    for problem in problems:
        print(f"FAILED: {problem}")
    return 1 if problems else 0


def parts(quick: bool, peers: list[Any], work: Path) -> dict[str, Callable[[], Any]]:
    """What is measured, by name; a quick run leaves out what takes long at any size."""
    from bench.epoch_cost import measure_epoch_cost
    from bench.speed.first_run import measure_first_run
    from bench.speed.lengths import measure_lengths
    from bench.speed.live import measure_latency
    from bench.speed.memory import measure_growth, measure_reading
    from bench.speed.parse import measure_parse
    from bench.speed.profile import measure_profile
    from bench.speed.step import measure_threads

    short, repeats = ((60,), 1) if quick else (LENGTHS, 3)
    share = 100 if quick else 1
    found = {
        "parse": lambda: measure_parse(work, quick, peers),
        "epoch": lambda: measure_epoch_cost(work, peers, quick),
        "commands": lambda: measure_lengths(work, peers, short, repeats),
        "day": lambda: measure_lengths(work, peers, (LONG,), 1),
        "threads": lambda: measure_threads(work, quick),
        "live": lambda: measure_latency(work, N_LIVE // share),
        "reading": lambda: measure_reading(work, quick),
        "growth": lambda: measure_growth(work, N_GROWTH // share),
        "first": lambda: measure_first_run(work),
        "profile": lambda: measure_profile(work, quick),
    }
    return {name: part for name, part in found.items() if not quick or name not in SLOW}


def stored(path: Path) -> dict[str, Any]:
    """The report stored before, else an empty one."""
    if not path.exists():
        return {"parts": {}}
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return report


def store(report: dict[str, Any], path: Path) -> None:
    """Write the report as JSON and as Markdown."""
    from bench.speed.speed_table import markdown
    from rtkpos.io.text.atomic import write_text

    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    write_text(path.with_suffix(".md"), markdown(report))


if __name__ == "__main__":
    sys.exit(main())

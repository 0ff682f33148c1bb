"""Every RTK recording at hand, solved, judged and timed by one command.

    python bench/run.py [--quick] [--only NAME ...] [--peer PATH ...] [-o bench/results]
    python bench/run.py --public [-o DIR]

A full run stores full.json and full.md; without -o it also writes the table of README.md and
docs/benchmarks.md. --quick (a few short pieces, for checks before a change is taken) and --only
store quick.* and part.*. --public fetches the public recordings of the README's table where they
are not on this machine, runs rtkpos and the `rnx2rtkp` on PATH, and prints the table; it stores
nothing without -o. Exit code 1: a bound was violated, a row failed, or data are missing where they
are required (RTKPOS_REQUIRE_DATA=1, --public).
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
sys.path.insert(0, str(ROOT))


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    from bench.accuracy.rows import ROWS

    names = [row.name for row in ROWS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Formatter)
    parser.add_argument("--quick", action="store_true", help="short pieces of a few recordings")
    parser.add_argument("--public", action="store_true", help="the README's rows, data fetched")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=names, help=", ".join(names))
    parser.add_argument(
        "--peer",
        nargs="+",
        type=Path,
        default=[],
        help="further rnx2rtkp programs (one on PATH is found by itself)",
    )
    parser.add_argument("--peer-name", nargs="+", default=[], help="what to call them, in order")
    parser.add_argument("--no-peers", action="store_true", help="run rtkpos alone")
    parser.add_argument("--repeats", type=int, default=None, help="runs of each case (3; quick 1)")
    parser.add_argument("-o", "--output", type=Path, default=None)
    return parser.parse_args(words)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the description."""


def main(words: list[str] | None = None) -> int:
    """Run, print, store; the exit code."""
    from rtkpos._numba.cache_folder import use_project_cache

    args = arguments(words)
    use_project_cache()  # before the first kernel is imported
    from bench.accuracy.pages import write_pages
    from bench.accuracy.peer import find_peers
    from bench.accuracy.table import show, store

    peers = [] if args.no_peers else find_peers(args.peer, args.peer_name)
    if args.public:
        return run_public(args, peers)
    with tempfile.TemporaryDirectory(prefix="rtkpos-bench-") as folder:
        report, problems = run(args, peers, Path(folder))
    show(report["rows"], report)
    name = "part" if args.only else "quick" if args.quick else "full"
    output = args.output or RESULTS
    store(report, output, name)
    tell(f"stored {name}.json and {name}.md in {output}")
    if name == "full" and output.resolve() == RESULTS:
        write_pages(ROOT)
    return tell_problems(problems)


def tell_problems(problems: list[str]) -> int:
    """Print what went wrong; the exit code."""
    for problem in problems:
        print(f"FAILED: {problem}")
    return 1 if problems else 0


def run_public(args: argparse.Namespace, peers: list[Any]) -> int:
    """The README's rows on recordings that anybody may fetch; the exit code."""
    from bench.accuracy.pages import README_LEGEND, README_ROWS, fetch_public, readme_rows
    from bench.accuracy.table import store
    from rtkpos.errors import DatasetError

    try:
        for name, source in fetch_public():
            tell(f"{name}: {source}")
    except DatasetError as error:
        return tell_problems([str(error)])
    if not peers:
        tell("no rnx2rtkp on PATH (Debian: apt install rtklib): rtkpos alone")
    args.only = list(README_ROWS)
    with tempfile.TemporaryDirectory(prefix="rtkpos-bench-") as folder:
        report, problems = run(args, peers, Path(folder))
    print("\n".join([README_LEGEND, "", *readme_rows(report)]))
    if args.output is not None:
        store(report, args.output, "public")
    return tell_problems(problems)


def run(args: argparse.Namespace, peers: list[Any], work: Path) -> tuple[dict[str, Any], list[str]]:
    """All results, and what went wrong."""
    from bench.accuracy.measure import Bench
    from bench.epoch_cost import measure_epoch_cost
    from bench.speed.parse import measure_parse
    from bench.speed.simulation import measure_simulation
    from bench.speed.step import measure_kernel, measure_start, measure_threads

    repeats = args.repeats or (1 if args.quick else 3)
    bench = Bench(work, peers, repeats, args.quick)
    entries, problems = run_rows(args, bench)
    report: dict[str, Any] = {"made": made(repeats), "quick": args.quick, "rows": entries}
    if not args.only:
        parts = {
            "parse": lambda: measure_parse(work, args.quick),
            "kernel": lambda: measure_kernel(work),
            "epoch_cost": lambda: measure_epoch_cost(work, peers, args.quick),
            "threads": lambda: measure_threads(work, args.quick),
            "start": lambda: measure_start(work, peers, args.quick),
            "simulation": lambda: measure_simulation(work, args.quick),
        }
        for name, measure_part in parts.items():
            tell(name)
            report[name], problem = attempt(name, measure_part)
            problems += problem
        problems += [
            f"{entry['what']} ended with exit code {entry['exit_code']}"
            for entry in report["start"]
            if entry["exit_code"]
        ]
        for entry in report["threads"]:
            tell(f"{entry['n_baseline']} baselines: two threads {entry['ratio']:.2f} times as fast")
    return report, problems


def run_rows(args: argparse.Namespace, bench: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """Results of the chosen rows, and what went wrong."""
    from bench.accuracy.measure import measure
    from bench.accuracy.rows import ROWS

    entries: list[dict[str, Any]] = []
    problems: list[str] = []
    for row in ROWS:
        if (args.only and row.name not in args.only) or (args.quick and not row.quick_s):
            continue
        start = time.perf_counter()
        results, problem = attempt(row.name, lambda row=row: measure(row, bench))
        entries += results
        problems += problem
        if results:
            problems += violations(row, results[0])
            tell(f"{row.name}: {time.perf_counter() - start:.1f} s")
    return entries, problems


def attempt(name: str, work: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """Results of one part, or why there are none; missing data count only where required."""
    from rtkpos.errors import DatasetError, RtkposError

    try:
        return work(), []
    except DatasetError as error:
        tell(f"skipped {name}: {error}")
        required = os.environ.get("RTKPOS_REQUIRE_DATA") == "1"
        return [], [f"{name}: {error}"] if required else []
    except RtkposError as error:
        return [], [f"{name}: {error}"]


def violations(row: Any, result: dict[str, Any]) -> list[str]:
    """Bounds of a row that a result breaks: collapses, not missed targets."""
    words = []
    if result["fix_rate"] < row.min_fix_rate:
        words.append(f"{100 * result['fix_rate']:.1f} % fixed, below {100 * row.min_fix_rate:g} %")
    if result["wrong_rate"] > row.max_wrong_rate:
        words.append(
            f"{100 * result['wrong_rate']:.2f} % of the fixes wrong, "
            f"above {100 * row.max_wrong_rate:g} %"
        )
    return [f"{row.name}: {word}" for word in words]


def made(repeats: int) -> dict[str, Any]:
    """Versions and machine."""
    from rtkpos import __version__
    from rtkpos._numba.cache_folder import _cpu_name

    return {
        "rtkpos": __version__,
        "commit": commit(),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "cpu": _cpu_name(),
        "n_cpu": os.cpu_count(),
        "python": platform.python_version(),
        "numba": metadata.version("numba"),
        "numpy": metadata.version("numpy"),
        "repeats": repeats,
    }


def commit() -> str:
    """Short hash of the checkout, "+" for local changes of the package; "unknown" without git."""
    try:
        words = ["git", "-C", str(ROOT)]
        head = subprocess.run(
            [*words, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run(
            [*words, "status", "--porcelain", "src"], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + ("+" if changed else "")


def tell(text: str) -> None:
    """Progress on the standard error."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

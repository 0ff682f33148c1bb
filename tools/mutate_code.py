"""Mutants of the package's kernels: does a test that names the kernel notice a wrong formula?

    python tools/mutate_code.py --sample 100 [--seed 1] [--results FILE] [--table FILE]
    python tools/mutate_code.py --flips [--under core] [--results FILE]

A mutant is one change of a kernel's syntax tree: a sign flipped, a term dropped, a constant changed
or a comparison turned round. Each runs the tests that reach the kernel by name, and no other, as
plain Python, over a copy of the package in a temporary folder; the checkout is never touched.
--sample takes mutants at random over all kernels over 14 code lines, --flips the first sign flips
of each. Results are JSON lines, one a mutant; a run takes up where an earlier one ended, and does
again what has changed since, kernel or tests. With --seconds it begins no mutant later than that
(0: none, what the results hold). Exit code 1 when a mutant survives or cannot be tested.
"""

from __future__ import annotations

import argparse
import ast
import compileall
import copy
import hashlib
import json
import math
import multiprocessing
import os
import py_compile
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.architecture.kernel_tests import (  # noqa: E402
    SHORT_KERNEL_LINES,
    Place,
    files_of_tests,
    tests_by_kernel,
)
from tests.architecture.modules import Module, docstring_node, package_modules  # noqa: E402

FLIPS_PER_KERNEL = 2
# Of a mutant, in seconds of the processor: at least, and times what the unchanged tests take.
LIMIT_S, LIMIT_FACTOR = 20.0, 5.0
TESTS_LIMIT_S = 20.0  # of the unchanged tests
WAIT_FACTOR = 20.0  # seconds by the clock for each of the processor, on a busy machine
CONSTANT_FACTOR = 1.1
CLASSES = ("killed", "survived", "not testable")
PRELOADED = ["numpy", "pytest", "hypothesis", "scipy.stats", "xarray"]
_TURNED = {
    ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip
_FLIPPED = {ast.Add: ast.Sub, ast.Sub: ast.Add}


@dataclass(frozen=True)
class Mutant:
    """One change: `old` at a place of a file of the package becomes `new`."""

    module: str
    path: str
    kernel: str
    kind: str
    line: int
    column: int
    old: str
    new: str

    def applied(self, source: str) -> str:
        """The file with the change."""
        lines = source.encode().splitlines(keepends=True)
        start = sum(map(len, lines[: self.line - 1])) + self.column
        raw = source.encode()
        return (raw[:start] + self.new.encode() + raw[start + len(self.old.encode()) :]).decode()


def mutants_of(module: Module, kernel: ast.FunctionDef) -> Iterator[Mutant]:
    """Every mutant of a kernel, in the order of its text."""
    body = kernel.body[1:] if docstring_node(kernel) is not None else kernel.body
    every = [inner for statement in body for inner in ast.walk(statement)]
    unsigned = {id(inner) for node in every if _asks_for_nan(node) for inner in ast.walk(node)}
    for node in every:
        for kind, change in _changes(node):
            if kind == "sign" and id(node) in unsigned:
                continue
            old = ast.get_source_segment(module.source, node)
            changed = change(copy.deepcopy(node))
            text = ast.unparse(changed)
            new = text if isinstance(node, ast.stmt) else f"({text})"
            if old is not None:
                yield Mutant(
                    module.name, module.path, kernel.name, kind,
                    node.lineno, node.col_offset, old, new,
                )  # fmt: skip


def _asks_for_nan(node: ast.AST) -> bool:
    """Whether a node is isnan(...) or isfinite(...), where signs do not matter."""
    function = node.func if isinstance(node, ast.Call) else None
    return isinstance(function, ast.Attribute) and function.attr in ("isnan", "isfinite")


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], ast.AST]]]:
    """Kind and function of each change of one node."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _FLIPPED:
        yield "sign", _flip
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        if not (isinstance(node.operand, ast.Constant) and isinstance(node.operand.value, int)):
            yield "sign", lambda changed: changed.operand
    if isinstance(node, ast.BinOp) and type(node.op) in _FLIPPED:
        yield "term", lambda changed: changed.left
    if isinstance(node, ast.Constant) and type(node.value) is float and node.value != 0.0:
        yield "constant", lambda changed: ast.Constant(changed.value * CONSTANT_FACTOR)
    if isinstance(node, ast.Constant) and type(node.value) is float and node.value == 0.0:
        yield "constant", lambda _: ast.Constant(1e-3)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _TURNED:
        yield "comparison", _turn


def _flip(node: ast.AST) -> ast.AST:
    """Plus for minus, minus for plus."""
    node.op = _FLIPPED[type(node.op)]()
    return node


def _turn(node: ast.AST) -> ast.AST:
    """The first comparison the other way round."""
    node.ops[0] = _TURNED[type(node.ops[0])]()
    return node


@cache
def kernel_tests() -> dict[Place, list[str]]:
    """Pytest nodes by kernel."""
    return tests_by_kernel(files_of_tests())


def chosen(options: argparse.Namespace) -> list[Mutant]:
    """The mutants that were asked for, of long kernels that have tests."""
    found = []
    for module in package_modules():
        if not module.path.startswith(options.under):
            continue
        for kernel in module.kernels():
            long = module.size(kernel) > SHORT_KERNEL_LINES
            named = kernel_tests().get((module.name, kernel.name))
            if not (long and named) or (options.kernel and kernel.name != options.kernel):
                continue
            every = list(mutants_of(module, kernel))
            if options.flips:
                every = [mutant for mutant in every if mutant.kind == "sign"][:FLIPS_PER_KERNEL]
            found += every
    if options.sample:
        random.Random(options.seed).shuffle(found)
        found = found[: options.sample]
    return found


def key_of(mutant: Mutant) -> str:
    """What a result holds for: the mutant, the file it is in, and the tests that run."""
    nodes = kernel_tests()[(mutant.module, mutant.kernel)]
    files = sorted({node.partition("::")[0] for node in nodes})
    texts = [(ROOT / file).read_text() for file in files]
    texts += [(ROOT / "src/rtkpos" / mutant.path).read_text(), json.dumps(asdict(mutant))]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def run_tests(folder: str, nodes: list[str], said: str, limit_s: int) -> None:
    """In a process of its own: pytest over the package in a folder; the exit code tells."""
    resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s + 1))
    os.environ |= {
        "NUMBA_DISABLE_JIT": "1", "RTKPOS_CACHE_DIR": f"{folder}/cache",
        "PYTHONPATH": f"{folder}/src",
    }  # fmt: skip
    os.chdir(ROOT)
    sys.path.insert(0, f"{folder}/src")
    log = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    import pytest

    quiet = ["-q", "-x", "-p", "no:cacheprovider", "-m", "not slow", "--no-header"]
    quiet += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of what is preloaded
    os._exit(int(pytest.main([*quiet, *nodes])))


class Runner:
    """Runs tests over a copy of the package, with and without a mutant."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("*.pyc"))
        # Compiled once; a changed file is known by its content, its time may be the same.
        by_content = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(folder / "src", quiet=1, invalidation_mode=by_content)
        (folder / "data").symlink_to(ROOT / "data")
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(PRELOADED)
        self.baseline: dict[tuple[str, ...], tuple[str, float]] = {}

    def outcome(self, nodes: list[str], limit_s: float) -> str:
        """passed, failed, empty or timeout."""
        said = str(self.folder / "said")
        arguments = (str(self.folder), nodes, said, math.ceil(limit_s))
        process = self.context.Process(target=run_tests, args=arguments)
        process.start()
        process.join(WAIT_FACTOR * limit_s)
        if process.is_alive():
            process.kill()
            process.join()
            return "timeout"
        names = {0: "passed", 5: "empty", -signal.SIGXCPU: "timeout", -signal.SIGKILL: "timeout"}
        return names.get(process.exitcode, "failed")

    def verdict(self, mutant: Mutant) -> str:
        """killed or survived; why not tested, when the tests do not pass without the mutant."""
        nodes = kernel_tests()[(mutant.module, mutant.kernel)]
        if tuple(nodes) not in self.baseline:
            start = time.perf_counter()
            found = self.outcome(nodes, TESTS_LIMIT_S)
            self.baseline[tuple(nodes)] = (found, time.perf_counter() - start)
        found, seconds = self.baseline[tuple(nodes)]
        if found != "passed":
            return f"tests alone: {found}"
        target = self.folder / "src" / "rtkpos" / mutant.path
        original = target.read_text()
        try:
            target.write_text(mutant.applied(original))
            found = self.outcome(nodes, max(LIMIT_S, LIMIT_FACTOR * seconds))
        finally:
            target.write_text(original)
        return "survived" if found == "passed" else "killed"


def run_all(mutants: list[Mutant], results: Path, seconds: float) -> list[dict]:
    """Result of each mutant, from the file where it stands there, else run and added to it.

    seconds : after them no mutant is run, and those not in the file are left out
    """
    end = time.monotonic() + seconds
    known = {}
    if results.exists():
        rows = map(json.loads, results.read_text().splitlines())
        known = {row["key"]: row for row in rows if row["verdict"] in ("killed", "survived")}
    found = []
    with tempfile.TemporaryDirectory() as folder, results.open("a") as file:
        runner = Runner(Path(folder))
        for number, mutant in enumerate(mutants, 1):
            key = key_of(mutant)
            if key not in known and time.monotonic() >= end:
                continue
            if key not in known:
                known[key] = {"key": key, "verdict": runner.verdict(mutant), **asdict(mutant)}
                print(json.dumps(known[key]), file=file, flush=True)
            found.append(known[key])
            row = known[key]
            what = f"{row['verdict']:9} {row['path']}:{row['line']} {row['kernel']} {row['kind']}"
            print(f"{number}/{len(mutants)} {what}: {row['old']} -> {row['new']}", file=sys.stderr)
    return found


def verdict_class(row: dict) -> str:
    """killed, survived, or not testable: the tests of the kernel do not pass without a mutant."""
    return row["verdict"] if row["verdict"] in CLASSES else CLASSES[-1]


def table_of(found: list[dict], sample: int, seed: int) -> str:
    """The outcome as a Markdown table by kind of change; below, what was not killed.

    sample : mutants chosen, of which `found` were run
    """
    count = Counter((row["kind"], verdict_class(row)) for row in found)
    count += Counter(("all", verdict_class(row)) for row in found)
    lines = [
        "# Code mutants", "",
        f"Made by `python tools/mutate_code.py --sample {sample} --seed {seed} --table FILE`:",
        "one change of a kernel each, run against the tests that name the kernel alone.",
        f"Of the {sample} mutants chosen {len(found)} were run.",
        "*Not testable*: these tests do not pass, or not within the limit, as plain Python without",
        "a change.", "",
        f"| change | mutants | {' | '.join(CLASSES)} |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for kind in [*sorted({row["kind"] for row in found}), "all"]:
        numbers = [count[(kind, name)] for name in CLASSES]
        lines.append(f"| {kind} | {' | '.join(map(str, [sum(numbers), *numbers]))} |")
    for name in CLASSES[1:]:
        rest = [row for row in found if verdict_class(row) == name]
        lines += ["", f"{name.capitalize()}:", ""] if rest else []
        for row in rest:
            old, new = (" ".join(row[key].split()) for key in ("old", "new"))
            where = f"`{row['path']}` line {row['line']}, `{row['kernel']}`"
            lines.append(f"* {where}, {row['kind']}: `{old}` -> `{new}`")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run, report, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sample", type=int, default=0, help="so many mutants at random")
    parser.add_argument("--flips", action="store_true", help="the first sign flips of each kernel")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--under", default="", help="modules whose path starts so: core/orbits")
    parser.add_argument("--kernel", default="", help="this kernel alone")
    parser.add_argument("--results", type=Path, default=Path("code_mutants.jsonl"))
    parser.add_argument("--table", type=Path, help="write the outcome as Markdown")
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin none after them")
    options = parser.parse_args()
    mutants = chosen(options)
    found = run_all(mutants, options.results, options.seconds)
    verdicts = Counter(row["verdict"] for row in found)
    print(", ".join(f"{count} {name}" for name, count in verdicts.most_common()))
    if options.table:
        options.table.write_text(table_of(found, len(mutants), options.seed))
    return 1 if verdicts.keys() - {"killed"} else 0


if __name__ == "__main__":
    sys.exit(main())

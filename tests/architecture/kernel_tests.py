"""Which tests reach which kernel by name: in their own body or through helpers of the tests."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.architecture.modules import Function, Module, Violation

TESTS = Path(__file__).resolve().parents[1]
# A kernel longer than this has a test that names it.
SHORT_KERNEL_LINES = 14
Place = tuple[str, str]  # module and name
_STEP = "rtkpos.network.ambiguity.baseline_step"
_WHOLE = "only calls kernels that have their tests; tests/network runs it whole"
# Long kernels without a test of their own, and why.
WITHOUT_TEST: dict[Place, str] = {
    (_STEP, "edge_step"): _WHOLE,
    (_STEP, "filter_stations"): _WHOLE,
}


@dataclass(frozen=True)
class TestFile:
    """One file of tests/, as the names its functions use."""

    __test__ = False  # not a class of tests

    path: Path
    source: str

    @property
    def module(self) -> str:
        """Dotted name: "tests.core.test_orbits"."""
        parts = self.path.relative_to(TESTS.parent).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def imports(self) -> dict[str, Place]:
        """Local name -> (module, name there) of everything imported from rtkpos or tests."""
        found: dict[str, Place] = {}
        for node in ast.walk(ast.parse(self.source)):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    found[alias.asname or alias.name] = (node.module, alias.name)
        return found

    @cached_property
    def names(self) -> dict[str, set[str]]:
        """Top-level definition -> names it uses, "module.attribute" for a module's attribute."""
        found: dict[str, set[str]] = {}
        for node in ast.parse(self.source).body:
            used = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
            used |= {
                f"{item.value.id}.{item.attr}"
                for item in ast.walk(node)
                if isinstance(item, ast.Attribute) and isinstance(item.value, ast.Name)
            }
            if isinstance(node, Function):
                used |= {arg.arg for arg in node.args.args}  # fixtures
                found[node.name] = used
            elif isinstance(node, ast.ClassDef):
                found[node.name] = used
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for item in (name for target in targets for name in ast.walk(target)):
                    if isinstance(item, ast.Name):
                        found[item.id] = used - {item.id}
        return found

    @cached_property
    def direct(self) -> set[Place]:
        """What is named in the file itself."""
        return {self.place(name) for used in self.names.values() for name in used}

    def place(self, name: str) -> Place:
        """Where a name that this file uses is defined."""
        head, _, attribute = name.partition(".")
        if head in self.imports:
            module, original = self.imports[head]
            return (f"{module}.{original}", attribute) if attribute else (module, original)
        return (self.module, name)


def files_of_tests(folder: Path = TESTS) -> list[TestFile]:
    """Every Python file of tests/ but those of tests/architecture."""
    paths = (path for path in sorted(folder.rglob("*.py")) if "architecture" not in path.parts)
    return [TestFile(path, path.read_text(encoding="utf-8")) for path in paths]


def tests_by_kernel(files: Iterable[TestFile]) -> dict[Place, list[str]]:
    """(module, kernel) -> pytest node names of its tests.

    Those of the files that import it, and of the kernel's own room, where there are any.
    """
    known = {file.module: file for file in files}
    found: dict[Place, list[tuple[bool, bool, str]]] = defaultdict(list)
    for file in known.values():
        if not file.path.name.startswith("test_"):
            continue
        for name in file.names:
            if name.startswith("test_"):
                node = f"{file.path.relative_to(TESTS.parent).as_posix()}::{name}"
                for place in _reached(known, (file.module, name)):
                    is_direct = place in file.direct
                    is_of_room = place[0].split(".")[1:2] == file.module.split(".")[1:2]
                    found[place].append((is_direct, is_of_room, node))
    return {place: _nearest(tests) for place, tests in found.items()}


def _nearest(tests: list[tuple[bool, bool, str]]) -> list[str]:
    """Names of the tests of the best (imports the kernel, stands in its room)."""
    best = max(test[:2] for test in tests)
    return [test[2] for test in tests if test[:2] == best]


def _reached(known: dict[str, TestFile], start: Place) -> set[Place]:
    """Names of the package that a definition of the tests uses, directly or through others."""
    seen, left, reached = {start}, [start], set()
    while left:
        module, name = left.pop()
        if module.startswith("rtkpos"):
            reached.add((module, name))
            continue
        file = known.get(module)
        for used in file.names.get(name, ()) if file else ():
            place = file.place(used)
            if place not in seen:
                seen.add(place)
                left.append(place)
    return reached


def kernels_named(modules: Iterable[Module]) -> Iterator[Violation]:
    """A kernel of more than 14 lines of code is named by a test, or listed with a reason."""
    named, seen = tests_by_kernel(files_of_tests()), set()
    for module in modules:
        for node in module.kernels():
            place = (module.name, node.name)
            seen.add(place)
            if place in WITHOUT_TEST and place in named:
                yield module.violation(node, f"{node.name} has a test: take it off WITHOUT_TEST")
            is_long = module.size(node) > SHORT_KERNEL_LINES
            if is_long and place not in named and place not in WITHOUT_TEST:
                yield module.violation(node, f"{node.name} is named by no test")
    for name, kernel in sorted(WITHOUT_TEST.keys() - seen):
        yield Violation("tests/architecture/kernel_tests.py", 1, f"there is no {name}.{kernel}")

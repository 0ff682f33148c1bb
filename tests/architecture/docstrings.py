"""Rules about docstrings: present, complete, with shapes and sources."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from tests.architecture.modules import Function, Module, Violation, arguments, is_kernel

# "Source: ...", an interface document, or a paper with its year.
_SOURCE = re.compile(r"\bSources?:|\bICD\b|\bIS-GPS\b|\bIERS\b|[A-Z]\w+ (et al\. )?\((19|20)\d\d\)")
_SHAPE = re.compile(r"\([\w+*\- ./|>=]*,[\w+*\- ,./|>=]*\)")
_REFERENCE = re.compile(r"`(?:rtkpos\.)?([a-z_]\w*(?:\.\w+)+)`")
_SHORT_KERNEL_LINES = 14  # a kernel as short as this shows by itself what its arrays are


def docstrings(module: Module) -> Iterator[Violation]:
    """Modules, public classes and public functions say what they are; the summary is a sentence."""
    if not ast.get_docstring(module.tree):
        yield module.violation(1, "module without a docstring")
    for node in _public_definitions(module.tree):
        text = ast.get_docstring(node)
        if not text:
            yield module.violation(node, f"{node.name} has no docstring")
        elif not _ends_with_period(text):
            yield module.violation(node, f"{node.name}: the summary does not end with a period")


def _ends_with_period(text: str) -> bool:
    """Whether the first line, or the first paragraph where the summary runs on, is a sentence."""
    paragraph = text.partition("\n\n")[0].rstrip()
    return paragraph.splitlines()[0].rstrip().endswith(".") or paragraph.endswith(".")


def _public_definitions(tree: ast.AST) -> Iterator[Function | ast.ClassDef]:
    """Public classes, functions and methods of public classes; not what stands inside functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public_definitions(node)


def kernel_docstrings(module: Module) -> Iterator[Violation]:
    """A public kernel names its arrays and gives a shape, itself or in the file's legend."""
    legend = ast.get_docstring(module.tree) or ""
    for node in module.kernels():
        text = ast.get_docstring(node) or ""
        arrays = _array_arguments(node)
        is_helper = node.name.startswith("_") or module.size(node) <= _SHORT_KERNEL_LINES
        if is_helper or not text or not arrays:
            continue
        known = f"{text}\n{legend}"
        unnamed = [name for name in arrays if not re.search(rf"\b{name}\b", known)]
        if unnamed:
            yield module.violation(node, f"{node.name}: docstring lacks {', '.join(unnamed)}")
        if not _SHAPE.search(known):
            yield module.violation(node, f"{node.name}: docstring gives no shape like (n, 3)")


def _array_arguments(node: Function) -> list[str]:
    """Arguments the body indexes or asks for their shape, and outputs; no tuples of arrays."""
    used: set[str] = set()
    tuples: set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name):
            if inner.attr not in ("shape", "size"):
                tuples.add(inner.value.id)
        is_array = isinstance(inner, ast.Subscript) or (
            isinstance(inner, ast.Attribute) and inner.attr in ("shape", "size")
        )
        if is_array and isinstance(inner.value, ast.Name):
            used.add(inner.value.id)
    outputs = {arg.arg for arg in arguments(node) if arg.arg.startswith("out_")} - tuples
    return [arg.arg for arg in arguments(node) if arg.arg in used | outputs]


def sources(module: Module) -> Iterator[Violation]:
    """A module of core that holds formulae or coefficients names where they come from."""
    if module.room != "core" or module.path in ("core/__init__.py", "core/tables.py"):
        return
    has_formulae = any(is_kernel(node) for node in module.functions())
    if has_formulae or module.path.endswith("_tables.py"):
        if not _SOURCE.search(module.source):
            yield module.violation(1, "no source is named for the formulae or coefficients")


def references(modules: Iterable[Module]) -> Iterator[Violation]:
    """What stands in backticks as `room.module` or `room.module.name` is there."""
    by_name = {module.name.removeprefix("rtkpos."): module for module in modules}
    for module in by_name.values():
        for number, line in enumerate(module.source.splitlines(), 1):
            for name in _REFERENCE.findall(line):
                if name.partition(".")[0] in by_name and not _is_there(name, by_name):
                    yield module.violation(number, f"there is no {name}")


def _is_there(name: str, by_name: dict[str, Module]) -> bool:
    """Whether a dotted name is a module, or a name in the code of its module or folder."""
    above, _, last = name.rpartition(".")
    return name in by_name or (above in by_name and last in _names(by_name[above].tree))


def _names(tree: ast.Module) -> set[str]:
    """Names in the code of a module, those of tables of lazy imports included."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, Function | ast.ClassDef | ast.alias):
            found.add(node.name)
        elif isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found

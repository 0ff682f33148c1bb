"""The package as syntax trees, and the questions the rules ask of them."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "rtkpos"
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Violation:
    """A broken rule: where, and what is wrong."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True)
class Module:
    """One source file; `path` is relative to the package folder ("core/orbits.py")."""

    path: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source, self.path)

    @property
    def name(self) -> str:
        """Dotted name: "rtkpos.core.orbits"."""
        parts = ["rtkpos", *Path(self.path).with_suffix("").parts]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def room(self) -> str:
        """Folder of the module, or its own name for a file at the top."""
        parts = Path(self.path).parts
        return parts[0] if len(parts) > 1 else Path(self.path).stem

    def functions(self) -> Iterator[Function]:
        """All functions and methods, nested ones included."""
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield node

    def kernels(self) -> Iterator[Function]:
        return (node for node in self.functions() if is_kernel(node))

    @cached_property
    def code_lines(self) -> frozenset[int]:
        """Lines that hold code: neither blank, nor comment, nor docstring."""
        silent = {
            tokenize.COMMENT,
            tokenize.NL,
            tokenize.NEWLINE,
            tokenize.INDENT,
            tokenize.DEDENT,
            tokenize.ENDMARKER,
        }
        lines: set[int] = set()
        for token in tokenize.generate_tokens(io.StringIO(self.source).readline):
            if token.type not in silent:
                lines.update(range(token.start[0], token.end[0] + 1))
        for node in ast.walk(self.tree):
            doc = docstring_node(node)
            if doc is not None:
                lines.difference_update(range(doc.lineno, doc.end_lineno + 1))
        return frozenset(lines)

    def size(self, node: Function) -> int:
        """Lines of code of a function, its signature included, its docstring not."""
        return len(self.code_lines.intersection(range(node.lineno, node.end_lineno + 1)))

    def violation(self, node: ast.AST | int, what: str) -> Violation:
        line = node if isinstance(node, int) else node.lineno
        return Violation(f"src/rtkpos/{self.path}", line, what)


def docstring_node(node: ast.AST) -> ast.Expr | None:
    """The statement that is the docstring of a module, class or function."""
    if not isinstance(node, ast.Module | ast.ClassDef | Function) or not node.body:
        return None
    first = node.body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return first if is_text and isinstance(first.value.value, str) else None


def is_kernel(node: Function) -> bool:
    return _has_mark(node, "kernel") or _has_mark(node, "unit_kernel") or is_fused(node)


def is_fused(node: Function) -> bool:
    """Whether a kernel may fuse products and sums."""
    return _has_mark(node, "fused_kernel")


def _has_mark(node: Function, name: str) -> bool:
    return any(isinstance(mark, ast.Name) and mark.id == name for mark in node.decorator_list)


def arguments(node: Function) -> list[ast.arg]:
    """Arguments of a function without self and cls."""
    spec = node.args
    every = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    return [arg for arg in every if arg.arg not in ("self", "cls")]


def package_modules(package: Path = PACKAGE) -> list[Module]:
    """Every source file of the package, sorted by path."""
    return [
        Module(path.relative_to(package).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(package.rglob("*.py"))
    ]

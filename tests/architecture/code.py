"""Rules about sizes, owners, kernels and what the code never does."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.architecture.modules import (
    Function,
    Module,
    Violation,
    arguments,
    docstring_node,
    is_fused,
    is_kernel,
)

MAX_FUNCTION_LINES = 60
MAX_KERNEL_LINES = 80
MAX_FILE_LINES = 400
MAX_ARGUMENTS = 6
MAX_KERNEL_ARGUMENTS = 10
# Each has a test that NaN and infinity pass through it.
FUSED = {
    ("core/linear/dot.py", "dot"),
    ("estimate/baseline/deferred_update.py", "subtract_products"),
}
_FORBIDDEN_IN_KERNELS = {
    ast.Dict: "a dict",
    ast.Set: "a set",
    ast.List: "a list",
    ast.ListComp: "a list comprehension",
    ast.DictComp: "a dict comprehension",
    ast.JoinedStr: "an f-string",
    ast.Try: "try",
    ast.Raise: "raise",
    ast.With: "with",
    ast.Lambda: "a lambda",
    ast.Global: "global",
    ast.Yield: "yield",
}


def function_sizes(module: Module) -> Iterator[Violation]:
    """Functions up to 60 lines of code, kernels up to 80."""
    for node in module.functions():
        limit = MAX_KERNEL_LINES if is_kernel(node) else MAX_FUNCTION_LINES
        size = module.size(node)
        if size > limit:
            yield module.violation(
                node, f"{node.name} has {size} lines of code; the limit is {limit}"
            )


def argument_counts(module: Module) -> Iterator[Violation]:
    """Functions take up to 6 arguments, kernels 10."""
    for node in module.functions():
        limit = MAX_KERNEL_ARGUMENTS if is_kernel(node) else MAX_ARGUMENTS
        count = len(arguments(node))
        if count > limit:
            yield module.violation(
                node, f"{node.name} takes {count} arguments; the limit is {limit}"
            )


def file_sizes(module: Module) -> Iterator[Violation]:
    """Files up to 400 lines; tables of coefficients are as long as their source."""
    length = module.source.count("\n")
    if length > MAX_FILE_LINES and not module.path.endswith("_tables.py"):
        yield module.violation(1, f"file has {length} lines; the limit is {MAX_FILE_LINES}")


def forbidden_statements(module: Module) -> Iterator[Violation]:
    """No bare except, no assert, no print outside app, no TODO without an issue."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield module.violation(node, "bare except: name what is expected")
        elif isinstance(node, ast.Assert):
            yield module.violation(node, "assert vanishes under -O: raise a typed error")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "print" and module.room != "app":
                yield module.violation(node, "print belongs to app: log or return it")
    for number, line in enumerate(module.source.splitlines(), 1):
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b(?!\(\d+\))", line):
            yield module.violation(number, "unfinished business without an issue number")


def kernel_language(module: Module) -> Iterator[Violation]:
    """Kernels stay within numbers and arrays: what numba compiles fast and caches."""
    for node in module.kernels():
        if node.args.defaults or node.args.kwonlyargs or node.args.vararg or node.args.kwarg:
            yield module.violation(node, f"kernel {node.name}: plain positional arguments only")
        for inner in ast.walk(ast.Module(body=_body(node), type_ignores=[])):
            what = _FORBIDDEN_IN_KERNELS.get(type(inner))
            if isinstance(inner, Function):
                what = "a nested function"
            elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                what = "a string"
            elif isinstance(inner, ast.Attribute) and inner.attr == "linalg":
                what = "np.linalg (seconds of compilation)"
            if what:
                yield module.violation(inner, f"kernel {node.name} contains {what}")


def fused_kernels(module: Module) -> Iterator[Violation]:
    """Only the inner loops named here may fuse products and sums."""
    for node in module.functions():
        if is_fused(node) and (module.path, node.name) not in FUSED:
            yield module.violation(node, f"{node.name} is not among the fused kernels")


def _body(node: Function) -> list[ast.stmt]:
    """Statements of a function without its docstring."""
    return node.body[1:] if docstring_node(node) is not None else node.body


def public_type_hints(module: Module) -> Iterator[Violation]:
    """Every public function that is not a kernel has types on all arguments and the return."""
    for node in module.functions():
        if node.name.startswith("_") or is_kernel(node):
            continue
        bare = [arg.arg for arg in arguments(node) if arg.annotation is None]
        if bare or node.returns is None:
            missing = ", ".join(bare) or "the return value"
            yield module.violation(node, f"{node.name}: no type on {missing}")


def single_owners(modules: Iterable[Module]) -> Iterator[Violation]:
    """A public function, class or constant is defined once in the package."""
    owners: dict[str, Module] = {}
    for module in modules:
        for line, name in _public_definitions(module):
            other = owners.setdefault(name, module)
            if other is not module:
                yield module.violation(line, f"{name} is also defined in src/rtkpos/{other.path}")


def _public_definitions(module: Module) -> Iterator[tuple[int, str]]:
    """Line and name of each public function, class and constant."""
    for node in module.tree.body:
        if isinstance(node, Function | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            flat = (item for target in node.targets for item in ast.walk(target))
            names = [item.id for item in flat if isinstance(item, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        else:
            names = []
        for name in names:
            if not name.startswith("_"):
                yield node.lineno, name


def constants_bound_once(module: Module) -> Iterator[Violation]:
    """A constant of a module is bound once: the second value would silently win."""
    first: dict[str, int] = {}
    for node in module.tree.body:
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign | ast.AugAssign):
            targets = [node.target]
        else:
            continue
        names = [item for target in targets for item in ast.walk(target)]
        for name in names:
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store) and name.id.isupper():
                line = first.setdefault(name.id, node.lineno)
                if line != node.lineno:
                    yield module.violation(node, f"{name.id} is already bound in line {line}")


def no_copies(modules: Iterable[Module]) -> Iterator[Violation]:
    """No two functions of the package have the same body under whatever name."""
    seen: dict[str, tuple[Module, Function]] = {}
    by_body: dict[str, list[tuple[Module, Function]]] = defaultdict(list)
    for module in modules:
        for node in module.functions():
            if module.size(node) > 4:  # shorter ones agree by chance
                body = ast.Module(body=_body(node), type_ignores=[])
                by_body[ast.dump(body) + ast.dump(node.args)].append((module, node))
    for text, places in by_body.items():
        seen[text] = places[0]
        for module, node in places[1:]:
            owner, first = seen[text]
            yield module.violation(
                node, f"{node.name} is a copy of {first.name} in src/rtkpos/{owner.path}"
            )


# What docs/glossary.md calls otherwise.
_FOREIGN_WORDS = {
    "snr": "cn0_dbhz",
    "pseudorange": "code",
    "ref": "base or reference satellite",
    "zpd": "ztd_m",
    "azel": "azimuth_rad, elevation_rad",
    "ztrop": "trop_m",
    "xyz": "ecef_m",
}


# Words that a GNSS engineer would have to translate, and the term of docs/glossary.md.
_PRIVATE_WORDS = {
    "honest": "calibrated",
    "crew": "worker processes",
    "poison": "quarantined",
    "second opinion": "single-epoch re-initialisation",
    "blame": "fault isolation",
    "blamed": "fault isolation",
    "strike": "consecutive outliers",
    "strikes": "consecutive outliers",
    "on trial": "confirmation",
    "wander": "process noise, random walk",
    "reckon": "propagation",
    "reckoned": "propagation",
    "anew": "again, reset, restart",
    "witness": "neighbour",
    "stranger": "unknown",
    "strangers": "unknown",
    "suspicion": "w-test",
    "proof": "validation",
    "proven": "validated",
}
_PRIVATE = re.compile(rf"\b({'|'.join(_PRIVATE_WORDS)})\b", re.IGNORECASE)


def standard_terms(module: Module) -> Iterator[Violation]:
    """Code, comments and messages use the standard terms of the field (docs/glossary.md)."""
    for number, line in enumerate(module.source.splitlines(), 1):
        for word in _PRIVATE.findall(line.replace("_", " ")):
            yield module.violation(number, f"{word}: the term is {_PRIVATE_WORDS[word.lower()]}")


def glossary(module: Module) -> Iterator[Violation]:
    """Names of arguments and variables are those of the glossary, radians inside."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        else:
            continue
        for word in name.lower().split("_"):
            wanted = _FOREIGN_WORDS.get(word)
            if wanted and not (word == "xyz" and module.room in ("app", "io")):
                yield module.violation(node, f"{name}: the glossary says {wanted}")
        if name.endswith("_deg") and module.room in ("core", "estimate", "prepare"):
            yield module.violation(node, f"{name}: radians inside, degrees only at the doors")

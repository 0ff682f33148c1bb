"""Rules about records: fields have names, not positions; satellites are taken apart once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.architecture.modules import Module, Violation

# Fields into which a literal index is no position of a mixed record, by what it counts.
INDEXED = {
    "axes": {"x", "llh", "los", "moved_m", "position_m", "offset_enu_m"},
    "axes of a matrix": {"mean_design", "dop", "weight"},
    "east, north": {"place_m", "relative_m"},
    "candidates, the best first": {"norms", "integers"},
    "two places that change": {"steps"},
    "three sides": {"triangle"},
    "rows of a table": {"edge", "time_ns", "distance_m"},
    "sizes": {"shape"},
}
_ALLOWED = set().union(*INDEXED.values())
_BITS_OF_NUMBER = 6
SYSTEMS = "gnss/systems.py"


def named_fields(module: Module) -> Iterator[Violation]:
    """Kernels read a field of a record by its name: a literal index only counts what is alike."""
    for kernel in module.kernels():
        for node in ast.walk(kernel):
            if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Attribute):
                continue
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            is_literal = any(isinstance(part, ast.Constant) for part in parts)
            if is_literal and node.value.attr not in _ALLOWED:
                yield module.violation(
                    node, f"{ast.unparse(node)}: give the entry a field or the index a name"
                )


def one_system_of(module: Module) -> Iterator[Violation]:
    """Only gnss.systems takes a satellite index apart; others call system_of or systems_of."""
    if module.path == SYSTEMS:
        return
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.RShift | ast.LShift):
            continue
        if isinstance(node.right, ast.Constant) and node.right.value == _BITS_OF_NUMBER:
            yield module.violation(node, f"{ast.unparse(node)}: use gnss.systems.system_of")


# Names that stand for one record in the whole package, wherever a legend gives their type.
ONE_TYPE = {"memory": "StepMemory", "network": "NetworkMemory", "edge": "EdgeMemory"}
_LEGEND = re.compile(r"\b(memory|network|edge) : ([A-Z]\w+(?:Memory|Work|Plan))\b")


def one_type_of_a_name(module: Module) -> Iterator[Violation]:
    """A parameter named memory, network or edge is the same record everywhere."""
    for name, kind in _LEGEND.findall(module.source):
        if kind != ONE_TYPE[name]:
            yield module.violation(1, f"{name} : {kind}; the name stands for {ONE_TYPE[name]}")

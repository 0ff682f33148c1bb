"""Rules about who may import whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.modules import Module, Violation

GROUND = ("constants", "errors", "_arrays", "_lazy", "_toml", "_numba")
FLOORS = {
    **dict.fromkeys(GROUND, 0),
    "gnss": 1,
    "core": 2,
    "records": 3,
    "io": 4,
    "physics": 4,
    "prepare": 5,
    "estimate": 6,
    "processing": 7,
    "live": 8,
    "diagnose": 8,
    "network": 8,
    "simulate": 8,
    "batch": 9,
    "app": 10,
}
FACE = 11  # the package itself and the modules beside its __init__, which offer its public words

# Who may import a library; the rest of the package asks them.
OWNERS = {
    "numba": ("_numba/",),
    "llvmlite": ("_numba/",),
    "georinex": ("io/",),
    "hatanaka": ("io/",),
    "pooch": ("io/",),
    "pyproj": ("physics/coordinates.py",),
    "matplotlib": ("app/",),
    "distributed": ("batch/executor.py",),
    "rich": ("app/",),
}
# Libraries that take longer to import than `import rtkpos` may: only inside functions.
HEAVY = ("scipy", "georinex", "hatanaka", "xarray", "pandas", "pyproj", "matplotlib", "pooch",
         "distributed")  # fmt: skip


def imported_names(module: Module, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything imported; `from a import b` gives "a.b"."""
    package = module.name.split(".")
    if not module.path.endswith("__init__.py"):
        package = package[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, node.module] if node.module else above)
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"


def import_direction(module: Module) -> Iterator[Violation]:
    """A module imports lower floors and its own room."""
    own = FLOORS.get(module.room, FACE)
    if own == FACE and "/" in module.path:
        yield module.violation(1, f"room {module.room!r} has no floor; the plan must name it")
        return
    for line, name in imported_names(module, module.tree):
        parts = name.split(".")
        if parts[0] != "rtkpos" or len(parts) < 2:
            continue
        room = parts[1]
        floor = FLOORS.get(room, FACE)
        is_version = room.startswith("__")
        if floor < own or room == module.room or is_version or own == floor == 0:
            continue
        if own == floor == FACE:
            continue
        yield module.violation(
            line, f"forbidden import {module.room} -> {room} ({name}): {own} may not see {floor}"
        )


# What `simulate` may use besides itself: it must not repeat the solver's mistakes.
SHARED_WITH_SIMULATE = ("simulate", "gnss", "records", "io", *GROUND)


def independent_simulation(module: Module) -> Iterator[Violation]:
    """The simulation shares vocabulary, records and file formats with the solver, no physics."""
    if module.room != "simulate":
        return
    for line, name in imported_names(module, module.tree):
        parts = name.split(".")
        if parts[0] == "rtkpos" and len(parts) > 1 and parts[1] not in SHARED_WITH_SIMULATE:
            yield module.violation(line, f"simulate may not know {parts[1]} ({name})")


def library_owners(module: Module) -> Iterator[Violation]:
    """A library is imported where its owner is, and nowhere else."""
    for line, name in imported_names(module, module.tree):
        library = name.split(".")[0]
        owners = OWNERS.get(library)
        if owners and not module.path.startswith(owners):
            yield module.violation(
                line, f"forbidden import of {library}: it belongs to {', '.join(owners)}"
            )


def heavy_imports(module: Module) -> Iterator[Violation]:
    """Heavy libraries are imported where they are first needed, never with the module."""
    for statement in module.tree.body:
        if _for_type_checking(statement) or isinstance(statement, ast.FunctionDef | ast.ClassDef):
            continue
        for line, name in imported_names(module, statement):
            if name.split(".")[0] in HEAVY:
                yield module.violation(line, f"{name} is heavy: import it inside the function")


def _for_type_checking(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(statement.test)


def no_orphans(modules: list[Module]) -> Iterator[Violation]:
    """Every module is imported by another, but the package's face and its command line.

    The face names modules as text, since it imports them when a public word is first used.
    """
    used: set[str] = set()
    for module in modules:
        names = {name for _, name in imported_names(module, module.tree)} | _texts(module)
        names |= {name.rpartition(".")[0] for name in names}
        used |= names - {module.name}
    for module in modules:
        is_door = (
            module.path.endswith(("__init__.py", "app/command_line/main.py"))
            or "/" not in module.path
        )
        if not is_door and module.name not in used:
            yield module.violation(1, "nobody imports this module: use it or delete it")


def no_circles(modules: list[Module]) -> Iterator[Violation]:
    """No modules import each other, directly or through others, with the module or later.

    The package's face is left out: it imports a room when a public word is first used.
    """
    by_name = {module.name: module for module in modules if module.path != "__init__.py"}
    arrows = {name: _imported_modules(module, by_name) for name, module in by_name.items()}
    for circle in circles(arrows):
        first = by_name[circle[0]]
        yield first.violation(1, f"these modules import each other: {', '.join(circle)}")


def _imported_modules(module: Module, by_name: dict[str, Module]) -> set[str]:
    """Names of the modules of the package that a module imports anywhere in its text."""
    found = set()
    for _, name in imported_names(module, module.tree):
        parts = name.split(".")
        above = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
        found.add(next((one for one in above if one in by_name), module.name))
    return found - {module.name}


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Groups of names that reach each other, each sorted (Tarjan 1972)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_names: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        number[name] = lowest[name] = len(number)
        open_names.append(name)
        for other in sorted(arrows[name]):
            if other not in number:
                visit(other)
            if other in open_names:
                lowest[name] = min(lowest[name], lowest[other])
        if lowest[name] == number[name]:
            at = open_names.index(name)
            group = open_names[at:]
            del open_names[at:]
            if len(group) > 1:
                found.append(sorted(group))

    for name in sorted(arrows):
        if name not in number:
            visit(name)
    return found


def _texts(module: Module) -> set[str]:
    """Texts in a module of the face that may name a module: "rtkpos.io.sp3" or "io.sp3"."""
    if "/" in module.path:
        return set()
    nodes = (node for node in ast.walk(module.tree) if isinstance(node, ast.Constant))
    texts = {node.value.lstrip(".") for node in nodes if isinstance(node.value, str)}
    return texts | {f"rtkpos.{text}" for text in texts}

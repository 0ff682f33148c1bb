"""Rules about folders and names of files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.architecture.modules import Module, Violation

ROOT = Path(__file__).resolve().parents[2]
MAX_FILES = 12
# Folders with more files, and why.
LARGER = {"app/solve": (16, "the options of one command, each with what it reads or writes")}
# File names that may stand in several rooms: a reader knows the room from the import.
SHARED_NAMES = {"__init__", "command", "text", "facts", "filter", "signals"}


def folder_sizes(tree: Path) -> Iterator[Violation]:
    """A folder holds at most 12 modules, its `__init__` not counted."""
    for folder in [tree, *(path for path in sorted(tree.rglob("*")) if path.is_dir())]:
        names = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
        where = folder.relative_to(ROOT).as_posix()
        limit, _ = LARGER.get(where.removeprefix("src/rtkpos/"), (MAX_FILES, ""))
        if len(names) > limit:
            yield Violation(where, 1, f"{len(names)} modules; the limit is {limit}")


def unique_file_names(modules: Iterable[Module]) -> Iterator[Violation]:
    """A module is known by the name of its file: no two of the package have the same."""
    seen: dict[str, Module] = {}
    for module in modules:
        stem = Path(module.path).stem
        other = seen.setdefault(stem, module)
        if other is not module and stem not in SHARED_NAMES:
            yield module.violation(1, f"src/rtkpos/{other.path} has the same file name")

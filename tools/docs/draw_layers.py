"""Draw the rooms of the package and who imports whom: python -m tools.docs.draw_layers.

Writes docs/images/layers.svg from the imports of the source files. Arrows that others imply (A uses
B, B uses C, and A uses C) are left out.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable
from html import escape
from pathlib import Path

from tests.architecture.imports import FLOORS, GROUND, imported_names
from tests.architecture.modules import Module, package_modules

OUTPUT = Path(__file__).resolve().parents[2] / "docs" / "images" / "layers.svg"
FLOOR = "ground"  # constants, errors, array types and the compiler, drawn as one box
WIDTH, ROW, BOX_W, BOX_H, TOP = 760, 74, 170, 42, 10
# Rooms of one floor from the left, so that arrows cross little.
ORDER = ("diagnose", "live", "network", "simulate", "physics", "io")
Point = tuple[float, float]
HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"
 font-family="sans-serif" font-size="14" text-anchor="middle">
<title>Rooms of rtkpos: each uses rooms below it only</title>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"
 orient="auto"><path d="M0 0 8 4 0 8z" fill="#607d8b"/></marker></defs>
<rect width="{width}" height="{height}" fill="#ffffff"/>"""


def box_of(room: str) -> str:
    """The box a room is drawn in."""
    return FLOOR if room in GROUND else room


def arrows(modules: list[Module]) -> dict[str, set[str]]:
    """By box, the boxes it imports; without the package's own face."""
    found: dict[str, set[str]] = defaultdict(set)
    for module in modules:
        if module.room not in FLOORS:
            continue
        own = box_of(module.room)
        for _, name in imported_names(module, module.tree):
            parts = name.split(".")
            if parts[0] == "rtkpos" and len(parts) > 1 and parts[1] in FLOORS:
                found[own].add(box_of(parts[1]))
        found[own].discard(own)
    return dict(found)


def reached(graph: dict[str, set[str]], start: str) -> set[str]:
    """Everything a box imports, directly or through others."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = graph.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def reduced(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """The graph without arrows that others imply."""
    return {
        box: {b for b in below if not any(b in reached(graph, other) for other in below - {b})}
        for box, below in graph.items()
    }


def places(rooms: list[str]) -> dict[str, Point]:
    """Middle of every box, floors from the top down."""
    floors: dict[int, list[str]] = defaultdict(list)
    known = [room for room in ORDER if room in rooms]
    for room in [*known, *(room for room in rooms if room not in known)]:
        floors[FLOORS.get(room, 0)].append(room)
    found = {}
    for row, floor in enumerate(sorted(floors, reverse=True)):
        step = WIDTH / len(floors[floor])
        for k, room in enumerate(floors[floor]):
            found[room] = ((k + 0.5) * step, TOP + row * ROW + BOX_H / 2)
    return found


def arrow(start: Point, end: Point, others: Iterable[Point]) -> str:
    """An arrow down that goes around the boxes between."""
    (x0, y0), (x1, y1) = start, end
    low, high = y0 + BOX_H / 2, y1 - BOX_H / 2 - 2
    middle = (max(x0, x1) + min(x0, x1)) / 2
    is_free = not any(y0 < y < y1 and abs(x - middle) < BOX_W / 2 for x, y in others)
    side = 1 if x1 > x0 else -1
    if abs(x1 - x0) < BOX_W - 10 and is_free:
        path = f"M{middle:.0f} {low:.0f} V{high:.0f}"
    elif y1 - y0 <= ROW:
        path = f"M{x0:.0f} {low:.0f} L{x1:.0f} {high:.0f}"
    elif abs(x1 - x0) > BOX_W / 2:
        path = f"M{x0 + side * BOX_W / 2:.0f} {y0:.0f} H{x1 - side * 20:.0f} V{high:.0f}"
    else:
        side = 1 if round(y0 / ROW) % 2 else -1
        edge, lane = x0 + side * BOX_W / 2, x0 + side * (BOX_W / 2 + 24)
        path = f"M{edge:.0f} {y0:.0f} H{lane:.0f} V{y1:.0f} H{edge + side * 2:.0f}"
    return f'<path d="{path}" fill="none" stroke="#607d8b" marker-end="url(#tip)"/>'


def subtitle(module: Module) -> str:
    """What a room is for: the docstring of its folder up to the first colon, semicolon or stop."""
    text = ast.get_docstring(module.tree) or ""
    return re.split(r"[:;.]", text)[0]


def box(room: str, place: Point, words: str) -> str:
    """A box with the room's name and what it is for."""
    x, y = place
    return (
        f'<rect x="{x - BOX_W / 2:.0f}" y="{y - BOX_H / 2:.0f}" width="{BOX_W}" height="{BOX_H}" '
        f'rx="5" fill="#e8eef1" stroke="#607d8b"/>'
        f'<text x="{x:.0f}" y="{y - 2:.0f}">{escape(room)}</text>'
        f'<text x="{x:.0f}" y="{y + 14:.0f}" font-size="11" fill="#37474f">{escape(words)}</text>'
    )


def drawing(modules: list[Module]) -> str:
    """The picture as SVG."""
    words = {FLOOR: "constants, errors, compiler"}
    for module in modules:
        if module.room in FLOORS and module.path == f"{module.room}/__init__.py":
            words.setdefault(box_of(module.room), subtitle(module))
    where = places(list(words))
    height = int(max(y for _, y in where.values()) + BOX_H / 2 + TOP)
    graph = reduced(arrows(modules))
    lines = [HEAD.format(width=WIDTH, height=height)]
    lines += [
        arrow(where[a], where[b], where.values()) for a in sorted(graph) for b in sorted(graph[a])
    ]
    lines += [box(room, place, words[room]) for room, place in sorted(where.items())]
    return "\n".join([*lines, "</svg>"]) + "\n"


def main() -> None:
    """Write the picture."""
    OUTPUT.write_text(drawing(package_modules()), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Figures of the documents, and where each comes from: python -m tools.docs.figures [PAGE ...].

A figure is a number with a unit of measurement. A block of Markdown (paragraph, list item, table)
says of its figures, in a comment that is not shown:

    <!-- figures: real bench/results/performance.json#parts.epoch -->       measured on recordings
    <!-- figures: simulated bench/results/network.json -->                  measured on simulations
    <!-- figures: cited Teunissen (1995) -->                                somebody else's
    <!-- figures: defined, defaults of RtkConfig -->                        limits, sizes, settings

Real and simulated ones must stand in the file named (behind # a part of JSON), rounded as they are
shown. A block may hold several comments. Without names this lists the figures of no known source.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("real", "simulated", "cited", "defined")
_MARK = re.compile(r"<!-- figures: (\w+),? (.*?) -->", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FENCE = re.compile(r"^( *)```.*?^\1```[^\n]*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\([^)]*\)")
_UNITS = (
    "%", "times", "µs", "us", "ms", "s", "min", "mm", "cm", "m", "km", "MB", "MiB", "GB", "kB",
    "MB/s", "mm/km", "cycle", "cycles", "TECU", "processor seconds", "core h",
)  # fmt: skip
_NUMBER = r"[-−]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?"
_FIGURE = re.compile(
    rf"(?<![\w.])(?<!e-)({_NUMBER}(?:(?:/| / | to | and | or |, |-|–|\.\.){_NUMBER})*)\s"
    rf"({'|'.join(sorted(map(re.escape, _UNITS), key=len, reverse=True))})(?![\w/])"
)
# A stored number may be shown in another unit: shares in per cent, metres in millimetres, ...
_SCALES = (1.0, 100.0, 1e3, 1e6, 1e-3, 1e-6, 60.0, 1.0 / 60.0)


@dataclass(frozen=True)
class Block:
    """A paragraph, list item or table of a page, and its first line."""

    line: int
    text: str

    def marks(self) -> list[tuple[str, str]]:
        """Kind and source of every comment of the block."""
        return [(kind, " ".join(source.split())) for kind, source in _MARK.findall(self.text)]

    def figures(self) -> list[str]:
        """Figures as they stand there: "3.5 s", "0.5/0.7/1.4 mm"."""
        text = _LINK.sub("]", _CODE.sub("", _COMMENT.sub("", self.text)))
        found = [f"{m.group(1)} {m.group(2)}" for m in _FIGURE.finditer(" ".join(text.split()))]
        return found + [cell for cell in _cells(text) if re.search(r"\d", cell)]


def _cells(text: str) -> list[str]:
    """Numbers of a table's cells: those under a head that names a unit are figures, too."""
    lines = [line for line in text.splitlines() if line.lstrip().startswith("|")]
    if len(lines) < 3:
        return []
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    units = {"%", "mm", "cm", "m", "µs", "ms", "s", "MB", "MB/s", "ratio", "wrong", "[mm]", "[%]"}
    columns = [k for k, head in enumerate(rows[0]) if units & set(re.split(r"[\s,()]+", head))]
    cells = [row[k] for row in rows[2:] for k in columns if k < len(row)]
    return [cell for cell in cells if re.fullmatch(r"[-−\d.,/ %*]+", cell)]


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a page without its code."""
    text = _FENCE.sub(lambda m: "\n" * m.group(0).count("\n"), text)
    rows: list[str] = []
    start = 1
    for line, row in enumerate([*text.splitlines(), ""], 1):
        is_item = re.match(r"\s*([*-]|\d+\.) ", row) is not None
        if (not row.strip() or is_item) and rows:
            yield Block(start, "\n".join(rows))
            rows = []
        if row.strip():
            start = start if rows else line
            rows.append(row)


def with_following_marks(found: list[Block]) -> list[Block]:
    """Blocks that are nothing but comments belong to the block before."""
    out: list[Block] = []
    for block in found:
        if out and not _COMMENT.sub("", block.text).strip():
            out[-1] = Block(out[-1].line, f"{out[-1].text}\n{block.text}")
        else:
            out.append(block)
    return out


@cache
def numbers_of(source: str) -> tuple[float, ...]:
    """All numbers of a results file, or of the part of it that stands behind #."""
    name, _, part = source.partition("#")
    path = ROOT / name
    if path.suffix != ".json":
        return tuple(float(n) for n in _split(path.read_text(encoding="utf-8")))
    node: Any = json.loads(path.read_text(encoding="utf-8"))
    for key in filter(None, part.split(".")):
        node = node[int(key)] if isinstance(node, list) else node[key]
    return tuple(_walk(node))


def _walk(node: Any) -> Iterator[float]:
    """Numbers of a tree of JSON; texts hold some, too."""
    if isinstance(node, dict):
        node = [*node.values(), *node]
    if isinstance(node, list):
        for item in node:
            yield from _walk(item)
    elif isinstance(node, str):
        yield from (float(n) for n in _split(node))
    elif node is not None and not isinstance(node, bool):
        yield float(node)


def _split(text: str) -> list[str]:
    """The numbers of a text, signs left out, thousands joined."""
    joined = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    return re.findall(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?", joined)


def is_in(number: str, source: str) -> bool:
    """Whether a number as shown is a stored one, rounded."""
    mantissa, _, exponent = number.partition("e")
    shown = float(number)
    half = 0.5000001 * 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return any(
        abs(abs(value) * scale - shown) <= half for value in numbers_of(source) for scale in _SCALES
    )


def faults(page: Path) -> Iterator[str]:
    """Marks of a page that are no good: unknown kind, missing file, a figure that is not there."""
    for block in with_following_marks(list(blocks(page.read_text(encoding="utf-8")))):
        place = f"{page.relative_to(ROOT)}:{block.line}"
        sources = []
        for kind, source in block.marks():
            if kind not in KINDS:
                yield f"{place}: kind {kind!r} is none of {', '.join(KINDS)}"
            elif kind in ("real", "simulated"):
                if (ROOT / source.partition("#")[0]).is_file():
                    sources.append(source)
                else:
                    yield f"{place}: there is no {source}"
        if sources and {kind for kind, _ in block.marks()} <= {"real", "simulated"}:
            for figure in block.figures():
                for number in _split(figure):
                    if not any(is_in(number, source) for source in sources):
                        yield f"{place}: {number} of {figure!r} is not in {', '.join(sources)}"


def unclassed(page: Path) -> list[str]:
    """Figures of a page in blocks that say nothing of their source."""
    found = []
    for block in with_following_marks(list(blocks(page.read_text(encoding="utf-8")))):
        if not block.marks():
            name = page.relative_to(ROOT)
            found += [f"{name}:{block.line}: {figure}" for figure in block.figures()]
    return found


def pages() -> list[Path]:
    """Pages that are looked at: README.md, CONTRIBUTING.md and all of docs."""
    top = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    return [*filter(Path.is_file, top), *sorted((ROOT / "docs").rglob("*.md"))]


def main(names: list[str]) -> int:
    """Print what is wrong; 1 when a mark is."""
    chosen = [Path(name).resolve() for name in names] or pages()
    for page in chosen:
        print(*unclassed(page), sep="\n", end="\n" if unclassed(page) else "")
    wrong = [fault for page in chosen for fault in faults(page)]
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

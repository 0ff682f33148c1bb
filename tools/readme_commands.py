"""Print the shell commands that README.md gives under a marker, so that checks run exactly those.

    python3 tools/readme_commands.py demo

prints the lines of the fenced block that follows `<!-- run: demo -->`. Without a name it lists the
names there are. It needs nothing but the standard library: it runs before anything is installed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"
_BLOCK = re.compile(r"^<!-- run: (\w+) -->\s*^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(text: str) -> dict[str, str]:
    """Command blocks of a Markdown text by the name in their marker."""
    return {match.group(1): match.group(2) for match in _BLOCK.finditer(text)}


def main(arguments: list[str]) -> int:
    """Print one block, or the names; 1 when there is no such block."""
    blocks = commands(README.read_text(encoding="utf-8"))
    if not arguments:
        print(*blocks, sep="\n")
        return 0
    if arguments[0] not in blocks:
        print(f"README.md has no block {arguments[0]!r}; it has {list(blocks)}.", file=sys.stderr)
        return 1
    print(blocks[arguments[0]], end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

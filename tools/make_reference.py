"""The pages of docs/reference and the manual page, made from the code.

    python tools/make_reference.py

Writes docs/reference/cli.md, configuration.md and exit-codes.md and data/man/rtkpos.1; a test finds
those that are not current.
"""

from __future__ import annotations

from pathlib import Path

from rtkpos.app.reference.man_page import man_page
from rtkpos.app.reference.markdown import reference_pages

ROOT = Path(__file__).resolve().parents[1]


def pages() -> dict[Path, str]:
    """Text of every file that is made, by its place."""
    found = {ROOT / "docs" / "reference" / name: text for name, text in reference_pages().items()}
    return {**found, ROOT / "data" / "man" / "rtkpos.1": man_page()}


def main() -> None:
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

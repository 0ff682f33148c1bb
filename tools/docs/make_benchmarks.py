"""Write the table of README.md and docs/benchmarks.md: python -m tools.docs.make_benchmarks."""

from __future__ import annotations

from pathlib import Path

from bench.accuracy.pages import write_pages

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Write both from the stored results."""
    write_pages(ROOT)


if __name__ == "__main__":
    main()

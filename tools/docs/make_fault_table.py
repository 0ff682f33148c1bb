"""Write docs/reference/faults.md from the tests' table: python tools/docs/make_fault_table.py."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Write the page."""
    sys.path.insert(0, str(ROOT))
    from tests.robustness.fault_table import as_markdown

    (ROOT / "docs" / "reference" / "faults.md").write_text(as_markdown())


if __name__ == "__main__":
    main()

"""Write tests/real/reference_rows.json: python tools/make_reference_rows.py.

Only when a change of positions is meant; name the change where it is made.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Solve all cases and write their rows."""
    sys.path.insert(0, str(ROOT))
    from tests.real.reference_rows import CASES, FILE, as_text, rows_of

    FILE.write_text(as_text({name: rows_of(name) for name in CASES}), encoding="ascii")


if __name__ == "__main__":
    main()

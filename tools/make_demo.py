"""Makes data/demo from its scenario: three stations and a car with truth, as small files.

    python tools/make_demo.py [FOLDER]

Writes into the folder of the scenario, or into FOLDER. Observations are Compact RINEX in gzip, and
neither carries the time it was made, so that the same program gives the same bytes again.
"""

from __future__ import annotations

import gzip
import sys
import tempfile
from pathlib import Path

import hatanaka

from rtkpos.io.text.atomic import write_bytes
from rtkpos.simulate.scenario.scenario import parse_scenario
from rtkpos.simulate.simulation import simulate

DEMO = Path(__file__).resolve().parents[1] / "data" / "demo"
PLAIN = ("truth/CAR.csv",)


def demo_files(duration_s: float | None = None) -> dict[str, bytes]:
    """File name -> content; duration_s : a shorter run than the scenario's."""
    text = (DEMO / "scenario.toml").read_text("utf-8")
    if duration_s is not None:
        text = text.replace("duration_s = 299", f"duration_s = {duration_s:g}")
    with tempfile.TemporaryDirectory() as folder:
        simulate(parse_scenario(text), folder)
        made = Path(folder)
        out = {
            f"{file.stem}.crx.gz": packed(undated(hatanaka.rnx2crx(file.read_bytes())))
            for file in sorted(made.glob("*.obs"))
        }
        out["nav.rnx.gz"] = packed((made / "nav.rnx").read_bytes())
        return out | {Path(name).name: (made / name).read_bytes() for name in PLAIN}


def undated(crinex: bytes) -> bytes:
    """Compact RINEX without the time of its making, which stands in columns 41 to 60 of line 2."""
    first, second, rest = crinex.split(b"\n", 2)
    return b"\n".join([first, second[:40] + b" " * 20 + second[60:], rest])


def packed(data: bytes) -> bytes:
    """The bytes in gzip, always the same way."""
    return gzip.compress(data, 9, mtime=0)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DEMO
    for name, content in demo_files().items():
        write_bytes(folder / name, content)
        print(f"{len(content):8d}  {name}")


if __name__ == "__main__":
    main()

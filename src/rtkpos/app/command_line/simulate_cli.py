"""The words of `rtkpos simulate`; what it does is imported when it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def simulate_files(
    scenario: Annotated[
        str, typer.Argument(help="TOML file, or a ready one: open-sky, urban-canyon, tunnel, ...")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the files.")],
    seed: Annotated[
        int | None, typer.Option(help="Another draw of everything random; default the file's.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only errors on stderr.")] = False,
) -> None:
    """Observations of stations and vehicles with known truth, as RINEX files."""
    from rtkpos.app.other.simulate_command import run_simulate

    raise typer.Exit(run_simulate(scenario, out, seed, quiet=quiet))

"""The commands `rtkpos data ...`; the work is done in `data_command`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

data_app = typer.Typer(
    help="Public data sets: list them, find them, fetch them.", no_args_is_help=True
)


@data_app.command("list")
def data_list(
    json_: Annotated[bool, typer.Option("--json", help="The whole catalogue as JSON.")] = False,
) -> None:
    """Name, licence, size and place of every public data set."""
    from rtkpos.app.other.data_command import run_list

    raise typer.Exit(run_list(as_json=json_))


@data_app.command("path")
def data_path(name: Annotated[str, typer.Argument(help="Name of the data set.")]) -> None:
    """Print the folder of a data set on this machine."""
    from rtkpos.app.other.data_command import run_path

    raise typer.Exit(run_path(name))


@data_app.command("fetch")
def data_fetch(
    names: Annotated[list[str], typer.Argument(help="Names of data sets.")],
    folder: Annotated[
        Path | None, typer.Option("--to", help="Folder to put them in; default the user's cache.")
    ] = None,
) -> None:
    """Download data sets, check their SHA-256, and print their folders."""
    from rtkpos.app.other.data_command import run_fetch

    raise typer.Exit(run_fetch(names, folder))

"""The commands of `rtkpos` and their options. The work is done in the other modules."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Any

import typer

from rtkpos.app.command_line.choices import (
    Ar,
    BaseFrom,
    Cpu,
    Direction,
    Format,
    Mode,
    PointOf,
    Profile,
)
from rtkpos.app.command_line.data_cli import data_app
from rtkpos.app.command_line.exit_codes import EXIT_USAGE
from rtkpos.app.command_line.network_cli import network_app
from rtkpos.app.command_line.screen import fail, say
from rtkpos.app.command_line.simulate_cli import simulate_files

app = typer.Typer(
    name="rtkpos",
    help="High-precision GNSS positioning: multi-GNSS RTK from RINEX files.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(data_app, name="data")
app.add_typer(network_app, name="network")


Xyz = tuple[float, float, float]


def _show_version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        from rtkpos import __version__

        typer.echo(f"rtkpos {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an internal error.")
    ] = False,
) -> None:
    """High-precision GNSS positioning: multi-GNSS RTK from RINEX files."""


@app.command()
def solve(
    context: typer.Context,
    rover: Annotated[
        list[Path], typer.Argument(help="Rover observations (RINEX, CRINEX, packed).")
    ],
    base: Annotated[
        list[Path] | None,
        typer.Option("--base", "-b", help="Base observations; several bases are a network."),
    ] = None,
    nav: Annotated[
        list[Path] | None, typer.Option("--nav", "-n", help="Navigation files; several allowed.")
    ] = None,
    mode: Annotated[
        Mode | None, typer.Option(help="Default kinematic; single when there is no base.")
    ] = None,
    ar: Annotated[Ar | None, typer.Option(help="Integer fixing; default continuous.")] = None,
    profile: Annotated[
        Profile | None, typer.Option(help="How certain a fix must be; default balanced.")
    ] = None,
    direction: Annotated[
        Direction | None, typer.Option(help="Default forward; combined checks each by the other.")
    ] = None,
    static_start: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="At the start the antenna stands still.")
    ] = None,
    systems: Annotated[
        str | None, typer.Option(help="Letters of systems: G R E C J I; default all.")
    ] = None,
    bands: Annotated[
        str | None, typer.Option(help='Band digits by system in order of choice: "C26,G12".')
    ] = None,
    stations: Annotated[
        Path | None, typer.Option(metavar="LIST", help="TOML or CSV of bases: their coordinates.")
    ] = None,
    base_xyz: Annotated[
        Xyz | None, typer.Option("--base-xyz", "-r", metavar="X Y Z", help="Base, ECEF metres.")
    ] = None,
    base_llh: Annotated[
        Xyz | None,
        typer.Option(
            "--base-llh", "-l", metavar="LAT LON H", help="Base, degrees and ellipsoidal metres."
        ),
    ] = None,
    base_position: Annotated[
        BaseFrom | None,
        typer.Option(help="Base from its file's header (default) or its average code position."),
    ] = None,
    antex: Annotated[
        Path | None, typer.Option(help="Antenna calibrations (ANTEX); default: no PCO/PCV.")
    ] = None,
    rover_antenna: Annotated[
        str | None, typer.Option(metavar='"TYPE RADOME"', help="Default: as its header says.")
    ] = None,
    base_antenna: Annotated[
        str | None, typer.Option(metavar='"TYPE RADOME"', help="Default: as its header says.")
    ] = None,
    coordinates: Annotated[
        PointOf | None, typer.Option(help="What coordinates are given and reported of; marker.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Go on although base coordinates contradict its data.")
    ] = False,
    config: Annotated[
        Path | None, typer.Option("--config", "-k", help="TOML file; options override it.")
    ] = None,
    elevation_mask: Annotated[
        float | None, typer.Option("--elevation-mask", "-m", help="Lowest elevation, degrees.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Result file; default stdout.")
    ] = None,
    format_: Annotated[
        Format | None, typer.Option("--format", help="Default by the ending of OUTPUT, else pos.")
    ] = None,
    tow: Annotated[
        bool, typer.Option("--tow", help=".pos with GPS week and time of week, not the date.")
    ] = False,
    velocity: Annotated[bool, typer.Option("--velocity", help=".pos with vn, ve, vu.")] = False,
    summary: Annotated[
        Path | None, typer.Option(help="JSON file with counts, rates, reasons, configuration.")
    ] = None,
    truth: Annotated[
        str | None, typer.Option(metavar="X Y Z|FILE", help="Compare with a point or a track.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse damaged input instead of skipping the damage.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only errors on stderr.")] = False,
) -> None:
    """Positions of a rover: RTK with a base, or code positions without one.

    ROVER first, then --base BASE and --nav NAV...; files are recognised by content.
    Without -o the result goes to stdout; the summary goes to stderr.
    """
    from rtkpos.app.solve.command import run_solve
    from rtkpos.app.solve.request import SolveRequest

    request = SolveRequest(
        rover=tuple(rover),
        base=tuple(base or ()),
        nav=tuple(nav or ()),
        options={
            "mode": mode.value if mode else None,
            "ar": ar.value if ar else None,
            "profile": profile.value if profile else None,
            "direction": direction.value if direction else None,
            "static_start_s": static_start,
            "selection.systems": systems,
            "selection.bands": bands,
            "selection.elevation_mask_deg": elevation_mask,
            "base.force": True if force else None,
            "antenna.antex": str(antex) if antex else None,
            "antenna.rover": rover_antenna,
            "antenna.base": base_antenna,
            "antenna.coordinates": coordinates.value if coordinates else None,
        },
        config=config,
        stations=stations,
        base_xyz=base_xyz,
        base_llh=base_llh,
        base_position=base_position.value if base_position else None,
        output=output,
        format=format_.value if format_ else None,
        week_and_tow=tow,
        with_velocity=velocity,
        summary=summary,
        truth=truth,
        strict=strict,
        quiet=quiet,
    )
    raise typer.Exit((context.obj or run_solve)(request))


@app.command(context_settings={"ignore_unknown_options": True})
def explain(
    context: typer.Context,
    words: Annotated[
        list[str], typer.Argument(metavar="ROVER [OPTIONS OF solve]", help="As for solve.")
    ],
    json_: Annotated[bool, typer.Option("--json", help="JSON on stdout instead of text.")] = False,
) -> None:
    """Why epochs are not fixed: the ranked causes with their numbers, and what would help.

    Takes the same files and options as solve (`rtkpos solve --help`), but writes no positions.
    """
    from rtkpos.app.explain.command import run_explain

    group: Any = context.parent.command if context.parent else None
    job = functools.partial(run_explain, as_json=json_)
    twin = group.commands["solve"]
    with twin.make_context("explain", words, parent=context.parent, obj=job) as inner:
        twin.invoke(inner)


@app.command()
def info(
    files: Annotated[list[Path], typer.Argument(help="RINEX observation and navigation files.")],
    json_: Annotated[bool, typer.Option("--json", help="JSON on stdout instead of text.")] = False,
) -> None:
    """What is in files, whether two of them fit together, and what would stop a fix."""
    from rtkpos.app.info.command import run_info

    raise typer.Exit(run_info(files, as_json=json_))


@app.command()
def batch(
    jobs: Annotated[Path, typer.Argument(metavar="JOBS.toml", help="The baselines to solve.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of results and manifest.")
    ],
    threads: Annotated[
        int | None, typer.Option(min=1, help="Jobs at a time; default: one per processor.")
    ] = None,
    alone: Annotated[str | None, typer.Option(hidden=True)] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only errors on stderr.")] = False,
) -> None:
    """Many baselines in one process; run it again after whatever stopped it.

    Done jobs are skipped while their inputs and configuration stay the same. Results, manifest.json
    and totals.json go to DIR.
    """
    from rtkpos.app.batch.command import BatchRequest, run_batch

    request = BatchRequest(jobs=jobs, folder=output, n_thread=threads, alone=alone, quiet=quiet)
    raise typer.Exit(run_batch(request))


@app.command()
def warmup(
    into: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Put kernels there for others (RTKPOS_KERNEL_DIR)."),
    ] = None,
    cpu: Annotated[
        Cpu, typer.Option(help="host: this processor; generic: those of the last ten years.")
    ] = Cpu.host,
) -> None:
    """Compile everything now, so that the first run is as fast as the next."""
    from rtkpos.app.solve.demo import run_warmup

    raise typer.Exit(run_warmup(into, is_generic=cpu is Cpu.generic))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("rtkpos-demo"),
    real: Annotated[
        bool,
        typer.Option("--real", help="A public recording instead (downloaded once, 7 MB)."),
    ] = False,
) -> None:
    """Solve a car that comes with rtkpos and compare it with its truth; needs no network."""
    from rtkpos.app.solve.demo import run_demo

    raise typer.Exit(run_demo(out, real=real))


app.command("simulate")(simulate_files)


def run_command(arguments: list[str]) -> int:
    """The exit code of the command; wrong usage becomes one line and code 1.

    arguments : as `expand_arguments` gives them
    """
    command: Any = typer.main.get_command(app)
    try:
        # Not `command.main`: it has exit codes, and ways with Ctrl-C and pipes, of its own.
        with command.make_context("rtkpos", arguments) as context:
            result = command.invoke(context)
    except typer.Exit as leave:
        return int(leave.exit_code)
    except _usage_error() as error:
        _explain_usage(error)
        return EXIT_USAGE
    return result if isinstance(result, int) else 0


def _explain_usage(error: Any) -> None:
    """Say in one line what is wrong with the arguments; without any, show the help."""
    context = getattr(error, "ctx", None)
    if context is not None and type(error).__name__ == "NoArgsIsHelpError":
        say(context.get_help())
        return
    place = getattr(context, "command_path", "rtkpos")
    fail(f"{error.format_message().rstrip('.')}; see `{place} --help`.")


def _usage_error() -> Any:
    """Click's base exception, from wherever this version of typer has its click."""
    return next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")

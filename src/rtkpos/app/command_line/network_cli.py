"""The commands `rtkpos network ...`; the work is done in `network_command`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rtkpos.app.command_line.choices import Ar, Format, Mode, Profile, Rinex

network_app = typer.Typer(
    help="Networks of reference stations: baselines, cells, maps.", no_args_is_help=True
)

MapFile = Annotated[
    Path | None, typer.Option("--map", metavar="FILE.png", help="Picture of the network.")
]
GeoJsonFile = Annotated[Path | None, typer.Option("--geojson", help="Map for map programs.")]
EdgeMax = Annotated[
    float | None, typer.Option("--edge-max", metavar="KM", help="Longest baseline; default 150.")
]
AngleMin = Annotated[
    float | None,
    typer.Option("--angle-min", metavar="DEG", help="Flattest triangle on the rim; default 15."),
]
NavFiles = Annotated[
    list[Path] | None, typer.Option("--nav", "-n", help="Navigation files; several allowed.")
]
Systems = Annotated[str | None, typer.Option(help="Letters of systems: G R E C J I; default all.")]
Bands = Annotated[str | None, typer.Option(help='Band digits by system: "C26,G12".')]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", "-k", help="TOML file; [network] is the network's.")
]
Antex = Annotated[
    Path | None, typer.Option(help="Antenna calibrations (ANTEX); default: no PCO/PCV.")
]
Hours = Annotated[float | None, typer.Option(help="Only the first hours of the data.")]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse damaged input.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only errors on stderr.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout instead of text.")]


@network_app.command("check")
def network_check(
    stations: Annotated[Path, typer.Argument(help="List of stations: TOML or CSV.")],
    at: Annotated[
        tuple[float, float, float] | None,
        typer.Option(metavar="LAT LON H", help="Say where this point stands in the network."),
    ] = None,
    nav: NavFiles = None,
    hours: Hours = None,
    systems: Systems = None,
    picture: MapFile = None,
    geojson: GeoJsonFile = None,
    edge_max: EdgeMax = None,
    angle_min: AngleMin = None,
    antex: Antex = None,
    config: ConfigFile = None,
    json_: AsJson = False,
) -> None:
    """Stations, baselines and triangles of a network, and what is odd about them.

    With --nav the recordings are read and the network is solved: integers, residuals and health of
    every station.
    """
    from rtkpos.app.network.check_command import MapRequest, run_network_check
    from rtkpos.app.network.network_session import SessionRequest

    request = MapRequest(
        picture=picture,
        geojson=geojson,
        edge_max_km=edge_max,
        angle_min_deg=angle_min,
        as_json=json_,
    )
    session = SessionRequest(
        stations=stations,
        nav=tuple(nav or ()),
        options={
            "selection.systems": systems,
            "antenna.antex": str(antex) if antex else None,
        },
        config=config,
        hours=hours,
        edge_max_km=edge_max,
        angle_min_deg=angle_min,
    )
    raise typer.Exit(run_network_check(stations, at, request, session if nav else None))


@network_app.command("plan")
def network_plan(
    stations: Annotated[Path | None, typer.Argument(help="List of stations: TOML or CSV.")] = None,
    n_station: Annotated[
        int | None,
        typer.Option("--stations", metavar="N", help="A simulated country of N stations instead."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another draw of the country.")] = 1,
    cell_size: Annotated[int, typer.Option(help="Stations of a cell.")] = 40,
    hours: Annotated[float, typer.Option(help="Length of the data.")] = 24.0,
    interval: Annotated[float, typer.Option(metavar="SECONDS", help="Between epochs.")] = 1.0,
    ms_per_baseline: Annotated[
        float | None,
        typer.Option(metavar="MS", help="Processor time of a baseline and epoch; default 1."),
    ] = None,
    picture: MapFile = None,
    geojson: GeoJsonFile = None,
    edge_max: EdgeMax = None,
    angle_min: AngleMin = None,
    json_: AsJson = False,
) -> None:
    """Cells of a network and what they cost in tasks, core hours and bytes."""
    from rtkpos.app.network.check_command import MapRequest, PlanRequest, run_network_plan

    plan_of = PlanRequest(
        stations=stations,
        n_station=n_station,
        seed=seed,
        cell_size=cell_size,
        hours=hours,
        interval_s=interval,
        ms_per_baseline_epoch=ms_per_baseline,
    )
    request = MapRequest(
        picture=picture,
        geojson=geojson,
        edge_max_km=edge_max,
        angle_min_deg=angle_min,
        as_json=json_,
    )
    raise typer.Exit(run_network_plan(plan_of, request))


@network_app.command("vrs")
def network_vrs(
    stations: Annotated[Path, typer.Argument(help="List of stations with their files.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.obs", help="Observations, RINEX.")
    ],
    nav: NavFiles = None,
    at: Annotated[
        tuple[float, float, float] | None,
        typer.Option(metavar="LAT LON H", help="Where it stands: degrees, ellipsoidal metres."),
    ] = None,
    track: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A moving point instead: .pos, CSV or NMEA."),
    ] = None,
    rinex: Annotated[Rinex, typer.Option(help="Version of the file.")] = Rinex.v3,
    name: Annotated[str, typer.Option(help="Its marker.")] = "VRS",
    systems: Systems = None,
    bands: Bands = None,
    antex: Antex = None,
    config: ConfigFile = None,
    hours: Hours = None,
    edge_max: EdgeMax = None,
    strict: Strict = False,
    quiet: Quiet = False,
) -> None:
    """Observations of a virtual station anywhere in a network."""
    from rtkpos.app.network.network_session import SessionRequest
    from rtkpos.app.network.vrs_command import VrsRequest, run_network_vrs

    session = SessionRequest(
        stations=stations,
        nav=tuple(nav or ()),
        options={
            "selection.systems": systems,
            "selection.bands": bands,
            "antenna.antex": str(antex) if antex else None,
        },
        config=config,
        hours=hours,
        edge_max_km=edge_max,
        strict=strict,
        quiet=quiet,
    )
    request = VrsRequest(
        session=session, output=output, at=at, track=track, version=rinex.value, name=name
    )
    raise typer.Exit(run_network_vrs(request))


@network_app.command("solve")
def network_solve(
    stations: Annotated[Path, typer.Argument(help="List of stations with their files.")],
    rovers: Annotated[
        list[Path] | None, typer.Argument(help="Observations, each file a rover of its own.")
    ] = None,
    nav: NavFiles = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR|FILE", help="Results, NAME.pos each."),
    ] = None,
    corrections: Annotated[
        Path | None,
        typer.Option(metavar="FILE.npz", help="The corrections of the stations as arrays."),
    ] = None,
    summary: Annotated[Path | None, typer.Option(help="JSON: network and rovers.")] = None,
    mode: Annotated[Mode | None, typer.Option(help="Of the rovers; default kinematic.")] = None,
    ar: Annotated[Ar | None, typer.Option(help="Integer fixing; default continuous.")] = None,
    profile: Annotated[
        Profile | None, typer.Option(help="How certain a fix must be; default balanced.")
    ] = None,
    format_: Annotated[Format | None, typer.Option("--format", help="Default pos.")] = None,
    systems: Systems = None,
    bands: Bands = None,
    elevation_mask: Annotated[
        float | None, typer.Option("--elevation-mask", "-m", help="Lowest elevation, degrees.")
    ] = None,
    antex: Antex = None,
    config: ConfigFile = None,
    hours: Hours = None,
    edge_max: EdgeMax = None,
    strict: Strict = False,
    quiet: Quiet = False,
) -> None:
    """Solve a network once, and every rover in it with a virtual base that goes along."""
    from rtkpos.app.network.network_session import SessionRequest
    from rtkpos.app.network.solve_command import NetworkSolveRequest, run_network_solve

    session = SessionRequest(
        stations=stations,
        nav=tuple(nav or ()),
        options={
            "mode": mode.value if mode else None,
            "ar": ar.value if ar else None,
            "profile": profile.value if profile else None,
            "selection.systems": systems,
            "selection.bands": bands,
            "selection.elevation_mask_deg": elevation_mask,
            "antenna.antex": str(antex) if antex else None,
        },
        config=config,
        hours=hours,
        edge_max_km=edge_max,
        strict=strict,
        quiet=quiet,
    )
    request = NetworkSolveRequest(
        session=session,
        rovers=tuple(rovers or ()),
        output=output,
        corrections=corrections,
        summary=summary,
        format=format_.value if format_ else None,
    )
    raise typer.Exit(run_network_solve(request))

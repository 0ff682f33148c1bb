"""The commands `rtkpos network ...`; the work is done in `network_command`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout instead of text.")]


@network_app.command("check")
def network_check(
    stations: Annotated[Path, typer.Argument(help="List of stations: TOML or CSV.")],
    at: Annotated[
        tuple[float, float, float] | None,
        typer.Option(metavar="LAT LON H", help="Say where this point stands in the network."),
    ] = None,
    picture: MapFile = None,
    geojson: GeoJsonFile = None,
    edge_max: EdgeMax = None,
    angle_min: AngleMin = None,
    json_: AsJson = False,
) -> None:
    """Stations, baselines and triangles of a network, and what is odd about them."""
    from rtkpos.app.network_command import MapRequest, run_network_check

    request = MapRequest(
        picture=picture,
        geojson=geojson,
        edge_max_km=edge_max,
        angle_min_deg=angle_min,
        as_json=json_,
    )
    raise typer.Exit(run_network_check(stations, at, request))


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
    from rtkpos.app.network_command import MapRequest, PlanRequest, run_network_plan

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

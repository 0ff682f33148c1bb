"""A solution as the text of a result file, by name of the format."""

from __future__ import annotations

from rtkpos.app.solve.request import SolveRequest
from rtkpos.records.config import RtkConfig
from rtkpos.records.solution import Solution


def format_solution(
    solution: Solution, request: SolveRequest, config: RtkConfig, notes: tuple[str, ...] = ()
) -> str:
    """Text in the format the request names; `notes` stand in the header of a .pos file."""
    kind = request.result_format
    if kind == "pos":
        return _pos(solution, request, config, notes)
    if kind == "nmea":
        from rtkpos.io.solutions.nmea import format_nmea

        return format_nmea(solution)
    if kind == "csv":
        from rtkpos.io.solutions.csv_table import format_csv

        return format_csv(solution)
    if kind == "geojson":
        from rtkpos.io.solutions.geojson import format_geojson

        return format_geojson(solution)
    from rtkpos.io.solutions.kml import format_kml

    return format_kml(solution, name=request.rover[0].name)


def _pos(
    solution: Solution, request: SolveRequest, config: RtkConfig, notes: tuple[str, ...]
) -> str:
    """RTKLIB's .pos with the facts of the run in its header."""
    from rtkpos.io.solutions.pos import format_pos

    has_coordinates = bool(request.base) and config.mode != "moving_base"
    header = [
        ("solution", solution.direction.capitalize()),
        ("elev mask", f"{config.selection.elevation_mask_deg:.1f} deg"),
        ("ephemeris", "Broadcast"),
        ("navi sys", config.selection.systems),
        ("amb res", config.ar),
        ("frame", "as the base coordinates" if has_coordinates else "as the broadcast orbits"),
        *(("antenna", words) for words in solution.antennas),
        *(("note", note) for note in notes),
    ]
    inputs = [str(path) for path in (*request.rover, *request.base, *request.nav)]
    return format_pos(
        solution,
        header=header,
        inputs=inputs,
        week_and_tow=request.week_and_tow,
        with_velocity=request.with_velocity,
    )

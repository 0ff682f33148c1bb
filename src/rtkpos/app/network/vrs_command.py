"""`rtkpos network vrs`: observations of a station that does not exist, as RINEX."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.app.command_line.exit_codes import EXIT_PARTIAL
from rtkpos.app.command_line.screen import say, warn
from rtkpos.app.network.check_command import point_of
from rtkpos.app.network.network_session import NetworkSession, SessionRequest, open_session
from rtkpos.errors import ConfigError, InputError, NoSolutionError
from rtkpos.io.rinex.write_observations import write_obs
from rtkpos.io.solutions.reference_track import Truth, read_truth
from rtkpos.io.text.atomic import check_writable
from rtkpos.network.graph.location import locate_point
from rtkpos.network.rover_solution import OUTSIDE_MAX_M, OUTSIDE_TOLD_M
from rtkpos.network.virtual.virtual_base import VirtualBase, virtual_base
from rtkpos.physics.coordinates import degrees_from_ecef

_TRACK_GAP_S = 60.0
_COMMENT = 60


@dataclass(frozen=True, kw_only=True)
class VrsRequest:
    """A virtual station: where, and the file it goes to.

    version : of the RINEX file      name : its marker
    at : latitude, longitude [deg], ellipsoidal height [m]      track : file of a moving point
    """

    session: SessionRequest
    output: Path
    version: str
    name: str
    at: tuple[float, float, float] | None = None
    track: Path | None = None


def run_network_vrs(request: VrsRequest) -> int:
    """Write the observations of a virtual station; the exit code."""
    if request.at is None and request.track is None:
        raise ConfigError("say where the virtual station stands: --at LAT LON H or --track FILE.")
    check_writable(request.output)
    point = None if request.at is None else point_of(request.at)
    track = None if request.track is None else read_truth(request.track)
    place = _place(point, track)
    session = open_session(request.session, (request.output,), (request.track,))
    _check_inside(session, place)
    base = _virtual(session, place, track)
    if not base.table.n_epoch:
        raise NoSolutionError("the virtual station has no epoch; look at `rtkpos network check`.")
    station = replace(base.table.station, marker=request.name)
    write_obs(
        request.output,
        replace(base.table, station=station),
        comments=_comments(session, base),
        version=float(request.version),
    )
    if not request.session.quiet:
        _tell(request, session, base)
    return EXIT_PARTIAL if session.inputs.left_out else 0


def _place(point: FloatArray | None, track: Truth | None) -> FloatArray:
    """Where the virtual marker stands (3,) [m]: the point, else the middle of the track."""
    if point is not None or track is None:
        return np.asarray(point)
    return np.asarray(np.median(np.atleast_2d(track.ecef_m), axis=0))


def _check_inside(session: NetworkSession, place: FloatArray) -> None:
    """InputError far outside of the stations: nothing is extrapolated without end."""
    outside_m = locate_point(session.graph, place).outside_m
    if outside_m > OUTSIDE_MAX_M:
        raise InputError(
            f"the virtual station is {outside_m / 1e3:.0f} km outside of the network; corrections "
            f"reach {OUTSIDE_MAX_M / 1e3:.0f} km beyond it at most, choose another place."
        )


def _virtual(session: NetworkSession, place: FloatArray, track: Truth | None) -> VirtualBase:
    """The virtual station at a place, with the atmosphere of the track if there is one."""
    engine, corrections = session.solved.engine, session.solved.corrections
    if engine is None or corrections is None:
        raise InputError("the network has no corrections.")
    path = None if track is None else track.at(corrections.time_ns, _TRACK_GAP_S)
    return virtual_base(engine, corrections, place, path)


def _comments(session: NetworkSession, base: VirtualBase) -> list[str]:
    """What the header says of the file's origin, in lines of 60 characters."""
    listed = session.listed
    frame = f"{listed.frame} " if listed.frame else ""
    sentences = [
        "VIRTUAL REFERENCE STATION: no receiver has stood here.",
        f"Made from {len(base.stations)} stations, master {base.master}: {' '.join(base.stations)}",
        f"APPROX POSITION XYZ is its {frame}coordinate, exact; there is no antenna.",
    ]
    if base.n_uncorrected:
        sentences.append(f"{base.n_uncorrected} epochs are not corrected.")
    return [line for one in sentences for line in textwrap.wrap(one, _COMMENT)]


def _tell(request: VrsRequest, session: NetworkSession, base: VirtualBase) -> None:
    """What was written, on stderr."""
    lat, lon, height = (float(value) for value in degrees_from_ecef(base.ecef_m))
    corrections = session.solved.corrections
    share = 0.0 if corrections is None else 100.0 * corrections.fixed_share
    say(
        f"{request.name} at {lat:.9f} {lon:.9f} {height:.4f}: {base.table.n_epoch} epochs from "
        f"{len(base.stations)} stations ({', '.join(base.stations)}; master {base.master}), "
        f"{share:.1f} % integers"
    )
    outside_m = locate_point(session.graph, base.ecef_m).outside_m
    if outside_m > OUTSIDE_TOLD_M:
        warn(f"it is {outside_m / 1e3:.1f} km outside of the stations and less certain for that.")
    if base.n_uncorrected:
        warn(
            f"{base.n_uncorrected} epochs have corrections of too few satellites: there it is "
            f"{base.master}, moved but not corrected."
        )
    for note in (*session.listed.notes, *session.inputs.notes):
        say(note)
    for warning in session.warnings:
        warn(warning)
    say(f"wrote {request.output}")

"""`rtkpos network solve`: a network once, and every rover in it."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rtkpos.app.command_line.exit_codes import EXIT_PARTIAL
from rtkpos.app.command_line.screen import fail, say, warn
from rtkpos.app.network.facts import station_reports, unhealthy_lines
from rtkpos.app.network.network_session import NetworkSession, SessionRequest, open_session
from rtkpos.app.network.text import report_lines, solved_line
from rtkpos.app.solve.command import no_solution, shortcomings
from rtkpos.app.solve.network_inputs import NetworkInputs, is_rover
from rtkpos.app.solve.network_run import NetworkResult, corrections_facts
from rtkpos.app.solve.outputs import format_solution
from rtkpos.app.solve.request import SUFFIX_FORMAT, SolveRequest
from rtkpos.app.solve.solution_report import RunFacts, status_counts, summary
from rtkpos.diagnose.why import explain
from rtkpos.errors import ConfigError, FileError, NoSolutionError, RtkposError
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.io.text.atomic import check_writable, make_folder, write_bytes, write_text
from rtkpos.network.network_records import NetworkSolution
from rtkpos.network.rover_solution import NETWORK_MODES, solve_rover
from rtkpos.processing.epoch import take_epochs
from rtkpos.records.observations import ObsTable

_FILE_ENDINGS = (".pos", *SUFFIX_FORMAT)


@dataclass(frozen=True, kw_only=True)
class NetworkSolveRequest:
    """A network and the rovers in it.

    output : folder of the results, or the file of a single rover; None without rovers
    corrections : .npz file of the stations' corrections      summary : JSON file
    """

    session: SessionRequest
    rovers: tuple[Path, ...] = ()
    output: Path | None = None
    corrections: Path | None = None
    summary: Path | None = None
    format: str | None = None


@dataclass(frozen=True, kw_only=True)
class RoverRun:
    """A rover of the network: what came of it, or why nothing did."""

    name: str
    facts: RunFacts | None = None
    error: str = ""
    partial: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        base: dict[str, Any] = {"name": self.name, "error": self.error or None}
        if self.facts is None:
            return base
        return {**base, **summary(self.facts, EXIT_PARTIAL if self.partial else 0)}


def run_network_solve(request: NetworkSolveRequest) -> int:
    """Solve the network and its rovers; exit code 4 when something fell short, 3 without any."""
    outputs = _outputs(request)
    written = (request.corrections, request.summary, *outputs.values())
    session = open_session(request.session, written, request.rovers)
    corrections = session.solved.corrections
    if request.corrections is not None and corrections is not None:
        write_bytes(request.corrections, corrections_file(corrections))
    facts = _network_facts(session)
    if not request.session.quiet:
        _tell_network(session, facts)
    runs = [_run(request, session, path, out) for path, out in outputs.items()]
    if request.summary is not None:
        content = {"network": facts, "rovers": [one.to_dict() for one in runs]}
        write_text(request.summary, json.dumps(content, indent=1, allow_nan=False) + "\n")
    if runs and all(one.error for one in runs):
        raise NoSolutionError(f"none of {len(runs)} rovers has a position; {runs[0].error}")
    falls_short = any(one.error or one.partial for one in runs)
    return EXIT_PARTIAL if falls_short or facts["faults"] else 0


def _outputs(request: NetworkSolveRequest) -> dict[Path, Path]:
    """The result file of each rover, with everything checked that can be wrong before the work."""
    for path in (request.corrections, request.summary):
        if path is not None:
            check_writable(path)
    if request.corrections and request.corrections.suffix != ".npz":
        raise ConfigError(f"--corrections {request.corrections} must end in .npz.")
    mode = request.session.options.get("mode") or "kinematic"
    if mode not in NETWORK_MODES:
        raise ConfigError(f"mode {mode} has no use for a network; use {', '.join(NETWORK_MODES)}.")
    if not request.rovers:
        return {}
    if request.output is None:
        raise ConfigError("say where the results go: --output DIR, or a file for a single rover.")
    missing = next((path for path in request.rovers if not os.path.exists(path)), None)
    if missing is not None:
        raise FileError(f"{missing} cannot be read: no such file.", str(missing))
    if request.output.suffix.lower() in _FILE_ENDINGS and not os.path.isdir(request.output):
        if len(request.rovers) > 1:
            raise ConfigError(
                f"--output {request.output} is one file, but there are {len(request.rovers)} "
                "rovers; name a folder."
            )
        check_writable(request.output)
        return {request.rovers[0]: request.output}
    make_folder(request.output)
    ending = request.format or "pos"
    return {
        path: request.output / f"{name}.{ending}"
        for path, name in zip(request.rovers, _stems(request.rovers), strict=True)
    }


def _stems(paths: Iterable[Path]) -> list[str]:
    """A name for each file, each once."""
    names: list[str] = []
    for path in paths:
        stem = path.name.split(".")[0]
        names.append(stem if stem not in names else f"{stem}-{len(names) + 1}")
    return names


def _run(
    request: NetworkSolveRequest, session: NetworkSession, path: Path, output: Path
) -> RoverRun:
    """Solve one rover and write its result; an error of it is no error of the others."""
    asked = request.session.of_rover(path, output=output, format=request.format)
    name = output.stem
    try:
        facts, text = _solved(asked, session, path)
        if not np.isfinite(facts.solution.ecef_m).any():
            raise no_solution(facts.solution)
        write_text(output, text)
    except RtkposError as error:
        fail(f"{path}: {error}")
        return RoverRun(name=name, error=str(error))
    run = RoverRun(name=name, facts=facts, partial=tuple(shortcomings(facts)))
    if not asked.quiet:
        _tell_rover(run, output)
    return run


def _solved(asked: SolveRequest, session: NetworkSession, path: Path) -> tuple[RunFacts, str]:
    """The facts of a rover and the text of its result."""
    rover = _within(read_obs(path, strict=asked.strict), session)
    without = _same_stations(session.inputs, path, rover.station)
    done = solve_rover(rover, session.nav, session.solved, session.config, without)
    inputs = replace(session.inputs, left_out=(), warnings=_leave_out_words(without))
    result = NetworkResult(solve=done, inputs=inputs)
    facts = RunFacts(
        request=asked,
        config=session.config,
        solution=done.solution,
        explanation=explain(done.solution, session.config, rover, result.base_table, session.nav),
        base=result.base_position,
        reports={"rover": rover.report},
        warnings=inputs.warnings + tuple(rover.report.warnings),
        notes=done.notes,
        network=result.facts(),
    )
    return facts, format_solution(facts.solution, asked, facts.config, facts.warnings)


def _within(rover: ObsTable, session: NetworkSession) -> ObsTable:
    """A rover's epochs up to the end of a network of the first hours only; else as it is."""
    corrections = session.solved.corrections
    if corrections is None or session.hours is None:
        return rover
    kept = np.flatnonzero(rover.time_ns <= corrections.time_ns[-1])
    return take_epochs(rover, kept)


def _same_stations(inputs: NetworkInputs, path: Path, rover: Any) -> tuple[str, ...]:
    """Names of the stations that are the rover: the same file, or the same marker and place."""
    real = str(path.resolve())
    return tuple(
        one.name
        for one in inputs.stations
        if real in {str(Path(source).resolve()) for source in one.table.source}
        or is_rover(one, rover)
    )


def _leave_out_words(without: Sequence[str]) -> tuple[str, ...]:
    """That a rover is a station, in a sentence."""
    return tuple(
        f"the rover is station {name} of the network: it is solved with the corrections of the "
        "others."
        for name in without
    )


def corrections_file(corrections: NetworkSolution) -> bytes:
    """The corrections as the bytes of an .npz file: the arrays of NetworkSolution by name."""
    arrays = (
        "time_ns", "ecef_m", "sats", "nondispersive_m", "dispersive_m", "var_g", "var_d",
        "elevation_rad", "is_fixed", "ends",
    )  # fmt: skip
    stream = io.BytesIO()
    values = {name: getattr(corrections, name) for name in arrays}
    np.savez_compressed(stream, names=np.array(corrections.names), **values)
    return stream.getvalue()


def _network_facts(session: NetworkSession) -> dict[str, Any]:
    """The network for people and JSON."""
    reports = station_reports(session)
    return {
        **corrections_facts(session.solved),
        "stations": list(reports.values()),
        "faults": [*session.inputs.left_out, *unhealthy_lines(reports.values())],
        "notes": [*session.listed.notes, *session.inputs.notes, *session.graph.notes],
        "warnings": list(session.warnings),
    }


def _tell_network(session: NetworkSession, facts: dict[str, Any]) -> None:
    """The network on stderr."""
    names = len(session.inputs.stations)
    say(f"network of {names} stations and {facts['baselines']} baselines", "bold")
    say(solved_line(facts))
    for line in report_lines(facts["stations"]):
        say(line)
    for note in facts["notes"]:
        say(note)
    for warning in dict.fromkeys((*facts["faults"], *facts["warnings"])):
        warn(warning)


def _tell_rover(run: RoverRun, output: Path) -> None:
    """A rover on stderr, in one line, and what fell short."""
    if run.facts is None:
        return
    solution = run.facts.solution
    counts = ", ".join(f"{n} {word}" for word, n in status_counts(solution).items() if n)
    say(f"{run.name}: {solution.n_epoch} epochs, {counts}; wrote {output}")
    for note in run.facts.notes:
        say(f"  {note}")
    for warning in (*run.facts.warnings, *(f"partial: {words}." for words in run.partial)):
        warn(f"{run.name}: {warning}")

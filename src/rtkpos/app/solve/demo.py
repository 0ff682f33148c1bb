"""`rtkpos demo` and `rtkpos warmup`: a first success, and the wait before it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rtkpos._numba.cache_folder import NO_READY, READY_VARIABLE
from rtkpos._numba.calls import use_generic_processor
from rtkpos._numba.disk.trusted import trusted_folder
from rtkpos.app.command_line.first_run import CompilationProgress, cache_folder
from rtkpos.app.command_line.progress import DownloadBar
from rtkpos.app.command_line.screen import say
from rtkpos.app.solve.command import compute
from rtkpos.app.solve.inputs import input_files
from rtkpos.app.solve.outputs import format_solution
from rtkpos.app.solve.picture import draw_track, has_matplotlib
from rtkpos.app.solve.request import SolveRequest
from rtkpos.app.solve.solution_report import RunFacts, accuracy_lines
from rtkpos.errors import ConfigError, FileError
from rtkpos.io.datasets.catalogue import complete_folder, dataset, fetch, role_paths
from rtkpos.io.datasets.shipped import shipped_path
from rtkpos.io.solutions.reference_track import truth_from_words
from rtkpos.io.text.atomic import check_outputs, write_bytes, write_text
from rtkpos.records.config import RtkConfig

REAL_SET = "static-nagoya-2024"
_SIMULATED = "simulated-car"


@dataclass(frozen=True, kw_only=True)
class _Task:
    """What a demonstration solves.

    title : what it is      truth : "X Y Z" or the name of a file, and how exact it is in words
    """

    name: str
    title: str
    rover: tuple[Path, ...]
    base: tuple[Path, ...]
    nav: tuple[Path, ...]
    truth: str
    truth_words: str
    base_xyz: tuple[float, float, float] | None = None

    def request(self, out: Path) -> SolveRequest:
        """The run, with its result file in a folder."""
        return SolveRequest(
            rover=self.rover,
            base=self.base,
            nav=self.nav,
            base_xyz=self.base_xyz,
            truth=self.truth,
            output=out / f"{self.name}.pos",
        )


def run_demo(out: Path, *, real: bool) -> int:
    """Solve a demonstration as a moving rover, write the results, compare with the truth.

    out : folder for the results, made if need be      real : the public recording instead of the
    simulated car that comes with rtkpos; DatasetError when it is neither here nor to be downloaded
    """
    task = _recorded() if real else _simulated()
    say(task.title, "bold")
    request = task.request(_folder(out))
    files = [out / f"{task.name}{ending}" for ending in (".pos", ".geojson", ".png")]
    check_outputs(files, input_files(request, RtkConfig()))
    facts, text = compute(request)
    write_text(files[0], text)
    geojson = SolveRequest(rover=request.rover, format="geojson")
    write_text(files[1], format_solution(facts.solution, geojson, facts.config))
    if has_matplotlib():
        write_bytes(files[2], _picture(facts, task))
    else:
        files.pop()
    _tell(facts, task)
    say(f"wrote {', '.join(map(str, files))} (drop the .geojson on a map)")
    if len(files) < 3:
        say('for a picture of track and errors install matplotlib: pip install "rtkpos[plot]"')
    say(
        "next: rtkpos info FILES shows what is in your files; rtkpos solve --help how to solve them"
    )
    return 0


def _simulated() -> _Task:
    """The car among three stations that comes with the package."""
    folder = shipped_path("demo")
    return _Task(
        name=_SIMULATED,
        title="a simulated car for five minutes, the nearest of three stations as its base",
        rover=(folder / "CAR.crx.gz",),
        base=(folder / "BASE1.crx.gz",),
        nav=(folder / "nav.rnx.gz",),
        truth=str(folder / "CAR.csv"),
        truth_words="as simulated",
    )


def _recorded() -> _Task:
    """The public recording, downloaded when it is not on this machine."""
    entry = dataset(REAL_SET)
    folder = complete_folder(REAL_SET)
    if folder is None:
        say(f"downloading {entry.bytes / 1e6:.1f} MB from {entry.source[0]}")
        folder = fetch(REAL_SET, progress=DownloadBar("downloading"))
    files, truth = role_paths(REAL_SET, folder), entry.truth or {}
    return _Task(
        name=entry.name,
        title=f"{entry.name}: {entry.title}; licence {entry.licence}, {entry.credit}",
        rover=tuple(files["rover"]),
        base=tuple(files["base"]),
        nav=tuple(files["nav"]),
        truth=" ".join(str(value) for value in truth["rover_xyz"]),
        truth_words="known to 2 mm",
        base_xyz=tuple(truth["base_xyz"]),
    )


def _picture(facts: RunFacts, task: _Task) -> bytes:
    """PNG of track and errors."""
    words = [task.truth] if os.path.exists(task.truth) else task.truth.split()
    truth_m = truth_from_words(words).at(facts.solution.time_ns)
    return draw_track(facts.solution, truth_m, task.name)


def _tell(facts: RunFacts, task: _Task) -> None:
    """The result in a few lines."""
    solution, result = facts.solution, facts.accuracy
    distance = float(np.nanmedian(np.linalg.norm(solution.ecef_m - solution.base_ecef_m, axis=1)))
    away = f"{distance:.2f} m" if distance < 1000.0 else f"{distance / 1000.0:.1f} km"
    say(
        f"{solution.n_epoch} epochs, solved as if the rover moved; "
        f"base at {away}; solved in {facts.timing_s['solve']:.2f} s"
    )
    say(f"fixed to integers: {100.0 * solution.fix_rate:.1f} %", "bold")
    if result is not None:
        for line in accuracy_lines(result, task.truth_words):
            say(line)


def _folder(out: Path) -> Path:
    """The folder for results, made; FileError when it cannot be."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise FileError(f"folder {out} cannot be made: {cause}.", str(out)) from None
    return out


def run_warmup(into: Path | None = None, *, is_generic: bool = False) -> int:
    """Compile every kernel and say how long it took and where the results are kept.

    into : folder for kernels that other processes load, see `docs/decisions/numba.md`
    is_generic : for every processor of the last ten years, not for this one
    ConfigError for generic kernels that nobody else gets.
    """
    if is_generic and into is None:
        raise ConfigError("--cpu generic makes kernels for other machines; say where: --into DIR.")
    start = time.perf_counter()
    if into is not None:
        os.environ[READY_VARIABLE] = NO_READY  # made here, not taken from another such folder
    if is_generic:
        use_generic_processor()
    say("compiling the numerical kernels ...")
    from rtkpos.live.warm import warm_up

    with CompilationProgress():
        warm_up()
    seconds, where = time.perf_counter() - start, cache_folder()
    say(f"ready after {seconds:.1f} s" + (f"; kept in {where}" if where else ""))
    if into is not None:
        _hand_over(into)
    return 0


def _hand_over(into: Path) -> None:
    """Write the kernels into a folder; FileError when that is impossible."""
    from rtkpos._numba.decorator import hand_over_kernels

    try:
        folder = trusted_folder(_folder(into))
        n_kernel = hand_over_kernels(folder)
    except OSError as error:
        raise FileError(f"no kernels can be written to {into}: {error}.", str(into)) from None
    if not n_kernel:
        raise FileError("no kernels are kept here that could be handed over.", str(into))
    say(f"wrote {n_kernel} kernels to {folder}; {READY_VARIABLE}={folder} uses them")

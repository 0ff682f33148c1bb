"""`rtkpos demo` and `rtkpos warmup`: a first success, and the wait before it."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from rtkpos.app.kernels import cache_folder
from rtkpos.app.outputs import format_solution
from rtkpos.app.progress import DownloadBar
from rtkpos.app.report import RunFacts, accuracy_lines
from rtkpos.app.request import SolveRequest
from rtkpos.app.screen import say
from rtkpos.app.solve_command import compute
from rtkpos.errors import FileError
from rtkpos.io.atomic import write_text
from rtkpos.io.catalogue import complete_folder, dataset, fetch, role_paths

DEMO_SET = "static-nagoya-2024"


def run_demo(out: Path) -> int:
    """Solve the demo data set as a moving rover, write two files, compare with the truth.

    out : folder for the results, made if need be. DatasetError when the data are neither on this
    machine nor to be downloaded.
    """
    entry = dataset(DEMO_SET)
    say(f"{entry.name}: {entry.title}; licence {entry.licence}, {entry.credit}", "bold")
    folder = complete_folder(DEMO_SET)
    if folder is None:
        say(f"downloading {entry.bytes / 1e6:.1f} MB from {entry.source[0]}")
        folder = fetch(DEMO_SET, progress=DownloadBar("downloading"))
    files, truth = role_paths(DEMO_SET, folder), entry.truth or {}
    result, track = (_folder(out) / f"{DEMO_SET}{ending}" for ending in (".pos", ".geojson"))
    request = SolveRequest(
        rover=tuple(files["rover"]),
        base=tuple(files["base"]),
        nav=tuple(files["nav"]),
        base_xyz=tuple(truth["base_xyz"]),
        truth=" ".join(str(value) for value in truth["rover_xyz"]),
        output=result,
    )
    facts, text = compute(request)
    write_text(result, text)
    geojson = SolveRequest(rover=request.rover, format="geojson")
    write_text(track, format_solution(facts.solution, geojson, facts.config))
    _tell(facts)
    say(f"wrote {result} and {track} (drop the latter on a map)")
    say(
        "next: rtkpos info FILES shows what is in your files; rtkpos solve --help how to solve them"
    )
    return 0


def _tell(facts: RunFacts) -> None:
    """The result in a few lines."""
    solution, result = facts.solution, facts.accuracy
    distance = float(np.nanmedian(np.linalg.norm(solution.ecef_m - solution.base_ecef_m, axis=1)))
    say(
        f"{solution.n_epoch} epochs, solved as if the rover moved; "
        f"base at {distance:.2f} m; solved in {facts.timing_s['solve']:.2f} s"
    )
    say(f"fixed to integers: {100.0 * solution.fix_rate:.1f} %", "bold")
    if result is not None:
        for line in accuracy_lines(result, "known to 2 mm"):
            say(line)


def _folder(out: Path) -> Path:
    """The folder for results, made; FileError when it cannot be."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise FileError(f"folder {out} cannot be made: {cause}.", str(out)) from None
    return out


def run_warmup() -> int:
    """Compile every kernel and say how long it took and where the results are kept."""
    start = time.perf_counter()
    say("compiling the numerical kernels ...")
    from rtkpos.solve.warm import warm_up

    warm_up()
    where = cache_folder()
    say(
        f"ready after {time.perf_counter() - start:.1f} s" + (f"; kept in {where}" if where else "")
    )
    return 0

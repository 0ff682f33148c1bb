"""`rtkpos simulate`: a scenario, ready or of one's own, as files with truth."""

from __future__ import annotations

import dataclasses
import os
import time
from importlib import resources
from pathlib import Path

from rtkpos._toml import LONGEST
from rtkpos.app.command_line.progress import ProgressBar
from rtkpos.app.command_line.screen import say
from rtkpos.errors import ConfigError, FileError
from rtkpos.io.text.files import read_file_text
from rtkpos.simulate.scenario.scenario import Scenario, parse_scenario
from rtkpos.simulate.simulation import simulate

_SUFFIX = ".toml"
_SEED_MAX = 2**32 - 1


def ready_scenarios() -> dict[str, str]:
    """TOML text of the scenarios that come with rtkpos, by name."""
    folder = resources.files("rtkpos.simulate") / "scenarios"
    found = sorted(one.name for one in folder.iterdir() if one.name.endswith(_SUFFIX))
    return {name.removesuffix(_SUFFIX): (folder / name).read_text("utf-8") for name in found}


def load_scenario(word: str, seed: int | None) -> Scenario:
    """A scenario by its file, or by the name of a ready one; `seed` overrides its own.

    Its navigation file is named relative to the folder of the scenario.
    """
    ready = ready_scenarios()
    path = Path(word)
    if word in ready and not os.path.exists(path):
        text = ready[word]
    else:
        try:
            text = read_file_text(path, kind="scenario", most=LONGEST)
        except FileError as error:
            words = f"{str(error).rstrip('.')}; ready ones are {', '.join(ready)}."
            raise FileError(words, word) from None
    scenario = parse_scenario(text, f"scenario {word}")
    run = scenario.run
    if run.nav:
        run = dataclasses.replace(run, nav=str(path.parent / run.nav))
    if seed is None:
        return dataclasses.replace(scenario, run=run)
    if not 0 <= seed <= _SEED_MAX:
        raise ConfigError(f"--seed {seed} is not allowed; it must lie between 0 and {_SEED_MAX}.")
    return dataclasses.replace(scenario, run=dataclasses.replace(run, seed=seed))


def run_simulate(word: str, out: Path, seed: int | None, *, quiet: bool) -> int:
    """Write the files of a scenario into a folder and say what is there."""
    scenario = load_scenario(word, seed)
    if os.path.exists(out) and not out.is_dir():
        raise FileError(f"{out} is a file; name a folder.", str(out))
    start = time.perf_counter()
    with ProgressBar("simulating", quiet=quiet) as bar:
        files = simulate(scenario, out, bar.on_epoch)
    if not quiet:
        size = sum(file.stat().st_size for file in files) / 1e6
        n = len(scenario.receivers)
        say(
            f"{n} receivers over {scenario.run.duration_s:g} s: {len(files)} files, {size:.1f} MB "
            f"in {out}, after {time.perf_counter() - start:.1f} s"
        )
    return 0

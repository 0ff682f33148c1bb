"""A simulation from scenario to files: in spans of time, all receivers side by side."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from rtkpos.errors import ConfigError, FileError
from rtkpos.io.products.write_sp3 import format_sp3
from rtkpos.io.rinex.write_observations import ObsHead, ObsWriter, format_epochs
from rtkpos.io.text.atomic import write_text
from rtkpos.simulate.in_memory import SPAN_S
from rtkpos.simulate.receiver.receiver import Receiver, ReceiverBlock
from rtkpos.simulate.scenario.scenario import Scenario
from rtkpos.simulate.scenario.sections import Site, Vehicle
from rtkpos.simulate.scenario.station_files import station_head, station_list
from rtkpos.simulate.sky.signals import channel_numbers
from rtkpos.simulate.true_values import TruthKeeper, precise_orbits
from rtkpos.simulate.world import World, make_world

NAV_NAME, SP3_NAME, LIST_NAME = "nav.rnx", "orbits.sp3", "stations.csv"
MARK_NAME = ".rtkpos-simulation"  # bytes and name of each file that a simulation wrote here


def simulate(
    scenario: Scenario,
    folder: Path | str,
    on_epoch: Callable[[int, int], None] | None = None,
    n_worker: int | None = None,
) -> list[Path]:
    """Write a simulation into a folder; the files, in the order of their names.

    NAME.obs of every receiver, nav.rnx, orbits.sp3, stations.csv; under truth/ the track of every
    vehicle (NAME.csv), the integers of all arcs and slips (NAME-arcs.csv), slant delays and lines
    of sight (NAME-delays.npz). Observations go to the disk span by span. All is written beside the
    folder and moved into it at the end: what fails or is stopped leaves nothing behind. A folder
    with other files than those of an earlier simulation is refused with ConfigError.

    Parameters
    ----------
    scenario : Scenario
        What to simulate.
    folder : str or path
        Where the files go.
    on_epoch : callable, optional
        Progress, called with spans done and their number.
    n_worker : int, optional
        Threads, by default one for each processor; the bytes do not depend on it.

    Returns
    -------
    list of Path
        The files.
    """
    target = Path(folder)
    _refuse_foreign(target)
    part = target.parent / f".{target.name}.{os.getpid()}.part"
    try:
        (part / "truth").mkdir(parents=True)
        world = make_world(scenario)
        _write_all(
            world, part, on_epoch or (lambda _done, _total: None), n_worker or os.cpu_count()
        )
        return _move(part, target)
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise FileError(f"{target} cannot be written: {cause}.", str(target)) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write_all(
    world: World, folder: Path, on_epoch: Callable[[int, int], None], n_worker: int | None
) -> None:
    """All files of a simulation."""
    scenario = world.scenario
    write_text(folder / NAV_NAME, world.nav_text)
    write_text(folder / SP3_NAME, format_sp3(precise_orbits(world)))
    write_text(folder / LIST_NAME, station_list(scenario))
    receivers = [Receiver(world, one) for one in scenario.receivers]
    keepers = [TruthKeeper(world, one, folder / "truth") for one in receivers]
    with ExitStack() as stack:
        writers = [
            stack.enter_context(ObsWriter(folder / f"{one.given.name}.obs", _head(world, one)))
            for one in receivers
        ]
        workers = stack.enter_context(ThreadPoolExecutor(n_worker))
        streams = [one.blocks(SPAN_S) for one in receivers]
        total = int(scenario.run.duration_s / SPAN_S) + 1
        for done in range(total):
            made = workers.map(_next_block, streams)
            for (block, text), writer, keeper in zip(made, writers, keepers, strict=True):
                if block is not None:
                    writer.append(text)
                    keeper.add(block)
            world.forget()
            on_epoch(done + 1, total)
        list(workers.map(TruthKeeper.close, keepers))


def _next_block(stream: Iterator[ReceiverBlock | None]) -> tuple[ReceiverBlock | None, bytes]:
    """The next span of a receiver and its text; numpy and its printing leave the GIL alone."""
    block = next(stream, None)
    return block, b"" if block is None else format_epochs(block.time_ns, block.systems)


def _head(world: World, receiver: Receiver) -> ObsHead:
    """The header of a receiver's file."""
    given: Site | Vehicle = receiver.given
    return ObsHead(
        station=station_head(world.scenario, given),
        sig={system: one.sig for system, one in world.signals.items()},
        first_ns=int(receiver.time_ns[0]),
        interval_s=world.scenario.interval_of(given),
        glonass_channel=channel_numbers(world.nav),
        version=world.scenario.version,
        comments=("SIMULATED", f"SEED {world.scenario.run.seed}"),
    )


def _move(part: Path, target: Path) -> list[Path]:
    """Move the finished files into the folder, made if need be."""
    (target / "truth").mkdir(parents=True, exist_ok=True)
    made = [file for file in sorted(part.rglob("*")) if file.is_file()]
    sizes = {file.relative_to(part).as_posix(): file.stat().st_size for file in made}
    lines = [f"{size} {name}\n" for name, size in (_written_before(target) | sizes).items()]
    write_text(target / MARK_NAME, "".join(lines))
    return [file.replace(target / file.relative_to(part)) for file in made]


def _written_before(folder: Path) -> dict[str, int]:
    """Bytes by name of what simulations wrote into a folder; empty when it has no such list."""
    try:
        text = (folder / MARK_NAME).read_text(encoding="utf-8")
        pairs = [line.split(" ", 1) for line in text.splitlines()]
        return {name: int(size) for size, name in pairs}
    except (OSError, ValueError):
        return {}


def _refuse_foreign(folder: Path) -> None:
    """Raise ConfigError when a folder holds what no simulation wrote, or what was changed since."""
    known = _written_before(folder)
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if Path(place, name).is_symlink()]
        for name in sorted(files + links):
            path = Path(place, name)
            inside = path.relative_to(folder).as_posix()
            if inside != MARK_NAME and path.lstat().st_size != known.get(inside):
                raise ConfigError(
                    f"{folder} holds {inside}, which no simulation wrote or which was changed "
                    "since; name a new folder or an empty one."
                )

"""The files of a run: sorted by what they hold, read, and what was lost in reading."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rtkpos.app.solve.file_kind import NAVIGATION, file_kind
from rtkpos.app.solve.request import SolveRequest
from rtkpos.errors import ConfigError, InputError, RinexError
from rtkpos.io.rinex.same_receiver import are_two_receivers
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.config import RtkConfig
from rtkpos.records.observations import ObsTable
from rtkpos.records.report import ReadReport

if TYPE_CHECKING:
    from rtkpos.app.solve.bases import NetworkPlan
    from rtkpos.app.solve.network_inputs import NetworkInputs
    from rtkpos.batch.shared_tables import SharedTables

LONG_BYTES = 20_000_000  # of a file whose reading is worth a thread


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inputs:
    """What was read; `base` is None for single positioning, `base_missing` says why it is not.

    network : the stations where there are several bases; `base` is None then
    """

    rover: ObsTable
    nav: BroadcastTable
    base: ObsTable | None = None
    base_missing: str = ""
    network: NetworkInputs | None = None

    def reports(self) -> dict[str, ReadReport]:
        """Reports of the readers by role."""
        tables = {"rover": self.rover, "base": self.base, "nav": self.nav}
        found = {role: table.report for role, table in tables.items() if table is not None}
        return found if self.network is None else {**found, **self.network.reports}


def sort_inputs(request: SolveRequest) -> SolveRequest:
    """The request with navigation and base files among the ROVER words moved where they belong.

    ConfigError when no navigation file is left, rover and base are the same file, or the rover
    files are of several receivers whose roles cannot be told.
    """
    if len(request.rover) > 1 or not request.nav:
        is_nav = {path: file_kind(path) == NAVIGATION for path in request.rover}
        rover = tuple(path for path in request.rover if not is_nav[path])
        nav = request.nav + tuple(path for path in request.rover if is_nav[path])
        request = dataclasses.replace(request, rover=rover, nav=nav)
    if not request.rover:
        raise InputError("all files given as ROVER are navigation files; name its observations.")
    request = _sort_receivers(request)
    if not request.nav:
        raise ConfigError("no navigation file was given; add --nav NAV with broadcast ephemerides.")
    same = {p.resolve() for p in request.rover} & {p.resolve() for p in request.base}
    if same:
        raise ConfigError(f"{same.pop()} is given as rover and as base; they must differ.")
    return request


def _sort_receivers(request: SolveRequest) -> SolveRequest:
    """The request with the second of two receivers among the ROVER words as its base.

    ROVER BASE NAV is the order of rnx2rtkp. Files of several receivers are never one rover:
    ConfigError where a base was given already, none is wanted, or there are more than two.
    """
    first, *others = request.rover
    strange = [path for path in others if are_two_receivers(first, path)] if others else []
    if not strange:
        return request
    is_free = not request.base and request.stations is None
    is_base_wanted = is_free and request.options.get("mode") != "single"
    if is_base_wanted and not any(are_two_receivers(strange[0], path) for path in strange[1:]):
        rover = tuple(path for path in request.rover if path not in strange)
        return dataclasses.replace(request, rover=rover, base=tuple(strange))
    raise ConfigError(
        f"{first} and {strange[0]} are given as ROVER but are recordings of two receivers at the "
        "same time; name the files of one rover, and its base with --base."
    )


def input_files(
    request: SolveRequest, config: RtkConfig, network: NetworkPlan | None = None
) -> tuple[Path, ...]:
    """Every file a run reads, the lists, configurations and tracks included."""
    listed = () if network is None else (path for one in network.stations for path in one.files)
    named = (request.config, request.stations, config.antenna.antex, request.truth)
    others = (Path(one) for one in named if one)
    return (*request.rover, *request.base, *request.nav, *listed, *others)


def read_inputs(
    request: SolveRequest,
    config: RtkConfig,
    tables: SharedTables | None = None,
    network: NetworkPlan | None = None,
) -> Inputs:
    """Read all files; with --strict the first damage raises RinexError instead of being skipped.

    tables : shared with other runs      network : its stations instead of a base
    A base without a single epoch leaves `base` None, so that the rover is still positioned.
    """
    tables = tables or _tables(request, config)
    rover = tables.obs(list(request.rover), strict=request.strict)
    base, missing = None, ""
    stations = _stations(network, tables, strict=request.strict)
    if request.base and network is None and config.mode != "single":
        try:
            base = tables.obs(list(request.base), strict=request.strict)
        except RinexError as error:
            if request.strict or "no epochs" not in str(error):
                raise
            missing = f"{error} Positions are single."
    nav = tables.nav(list(request.nav), strict=request.strict)
    if not nav.n_ephemeris:
        names = ", ".join(str(path) for path in request.nav)
        raise InputError(
            f"no usable ephemeris was found in {names}; give the broadcast "
            "navigation file of the same day."
        )
    return Inputs(rover=rover, base=base, nav=nav, base_missing=missing, network=stations)


def _stations(
    network: NetworkPlan | None, tables: SharedTables, *, strict: bool
) -> NetworkInputs | None:
    """The stations of a network; with one base the code for them is not even loaded."""
    if network is None:
        return None
    from rtkpos.app.solve.network_inputs import read_network

    return read_network(network, tables, strict=strict)


def _tables(request: SolveRequest, config: RtkConfig) -> SharedTables:
    """Where the tables come from; of long files the base is read in a thread of its own.

    Of two files of 110 MB that saves half of the time; of short ones it saves nothing.
    """
    from rtkpos.batch.shared_tables import SharedTables, file_key

    base, strict = list(request.base), request.strict
    if config.mode == "single" or min(_size(request.rover), _size(request.base)) < LONG_BYTES:
        return SharedTables(())
    tables = SharedTables([file_key("obs", base, strict=strict)])

    def read() -> None:
        with suppress(Exception):  # whoever asks for the table gets it
            tables.obs(base, strict=strict)

    threading.Thread(target=read, name="rtkpos-base", daemon=True).start()
    return tables


def _size(paths: Sequence[Path]) -> int:
    """Bytes of files; 0 when one cannot be asked."""
    try:
        return sum(path.stat().st_size for path in paths)
    except OSError:
        return 0

"""The history of a run: program, version, inputs with digests, settings."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.io.text.digest import digested_files
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.config import RtkConfig
from rtkpos.records.history import History, InputFile
from rtkpos.records.observations import ObsTable
from rtkpos.records.report import ReadReport


def run_history(
    rover: ObsTable,
    nav: BroadcastTable,
    base: ObsTable | None,
    base_ecef_m: FloatArray,
    config: RtkConfig,
    report: ReadReport,
) -> History:
    """What a run was computed from and with; `report` is that of the run (antenna calibrations)."""
    from rtkpos import __version__

    inputs = table_inputs("rover", rover)
    inputs += () if base is None else table_inputs("base", base)
    inputs += table_inputs("nav", nav) + digested_files("antex", report)
    is_known = bool(np.isfinite(base_ecef_m).all()) and config.mode != "moving_base"
    return History(
        version=__version__,
        inputs=inputs,
        settings=changed_settings(config),
        base_ecef_m=tuple(float(value) for value in base_ecef_m) if is_known else (),
    )


def table_inputs(role: str, table: ObsTable | BroadcastTable) -> tuple[InputFile, ...]:
    """The files of a table; of one that no reader of ours made, what its `source` names."""
    if table.report.files:
        return digested_files(role, table.report)
    return tuple(InputFile(role=role, name=Path(name).name) for name in table.source)


def changed_settings(config: Any, path: str = "", usual: Any = None) -> dict[str, Any]:
    """Values of a configuration that are not the usual ones, by path; of a file its name alone.

    usual : to compare with, None = the defaults
    """
    found: dict[str, Any] = {}
    usual = type(config)() if usual is None else usual
    for item in dataclasses.fields(config):
        value = getattr(config, item.name)
        if dataclasses.is_dataclass(value):
            inner = getattr(usual, item.name)
            found |= changed_settings(value, f"{path}{item.name}.", inner)
        elif value != getattr(usual, item.name):
            is_file = item.name == "antex"
            plain = list(value) if isinstance(value, tuple) else value
            found[f"{path}{item.name}"] = Path(value).name if is_file else plain
    return found

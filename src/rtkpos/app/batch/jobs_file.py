"""JOBS.toml: the jobs of a batch, from defaults, one table per job, and patterns of file names."""

from __future__ import annotations

import dataclasses
import glob
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rtkpos.app.command_table.option import FILE, FLAG, TEXT
from rtkpos.app.command_table.solve_table import SOLVE
from rtkpos.app.solve.base_position import position_from_options
from rtkpos.app.solve.request import SolveRequest, build_config
from rtkpos.errors import ConfigError, InputError, nearest, quoted
from rtkpos.io.text.toml_file import read_toml
from rtkpos.records.config import RtkConfig

# Options of `solve` by the key that a job gives them with; the rest of the keys.
JOB_OPTIONS = {one.key: one for one in SOLVE.options if one.key is not None}
PLACE_KEYS = ("base_xyz", "base_llh", "base_position")
KNOWN_KEYS = ("rover", *JOB_OPTIONS, "name", "config")
RESERVED_NAMES = ("manifest", "totals")
STEM = "{stem}"


@dataclass(frozen=True, kw_only=True)
class BatchJob:
    """One baseline of a batch: its name, what `solve` is asked for, configuration, result file."""

    name: str
    request: SolveRequest
    config: RtkConfig
    output: Path


class _KeyError(Exception):
    """A value of a job that cannot be used; the sentence lacks file and job."""


def read_jobs(path: Path, folder: Path) -> list[BatchJob]:
    """The jobs of a file in its order; their results go to `folder`.

    File names are relative to the folder of `path`. A pattern as `rover` (not in a list) gives one
    job per file, named after it. InputError in one sentence with file, job, key and value for
    whatever is wrong.
    """
    content = read_toml(path)
    unknown = sorted(set(content) - {"defaults", "job"})
    if unknown:
        raise InputError(
            f"{path}: unknown key {quoted(unknown[0])}; known are [defaults] and [[job]]."
        )
    defaults, tables = content.get("defaults", {}), content.get("job", [])
    if not isinstance(defaults, dict) or not isinstance(tables, list) or not tables:
        raise InputError(f"{path}: no [[job]] table; wanted one for each baseline or pattern.")
    jobs: list[BatchJob] = []
    for number, table in enumerate(tables, 1):
        where = f"{path}: job {number}"
        if not isinstance(table, dict):
            raise InputError(f"{where} must be a [[job]] table; got {quoted(table)}.")
        try:
            _check_keys(defaults, "[defaults] ", ("name",))
            _check_keys(table, "", ())
            jobs += _jobs_of(_merged(defaults, table), path.resolve().parent, folder)
        except (_KeyError, ConfigError) as error:
            raise InputError(f"{where}: {error}") from None
    _check_names(jobs, path)
    return jobs


def _check_keys(table: dict[str, Any], where: str, barred: tuple[str, ...]) -> None:
    """Refuse unknown keys."""
    for key, value in table.items():
        if key not in KNOWN_KEYS or key in barred:
            known = [one for one in KNOWN_KEYS if one not in barred]
            best = nearest(key, known)
            hint = f"; did you mean {best}?" if best else "."
            raise _KeyError(
                f"{where}unknown key {quoted(key)[1:-1]} = {quoted(value)}; known are "
                f"{', '.join(known)}{hint}"
            )


def _merged(defaults: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    """A job with the defaults it does not replace; one way to give the base replaces the others."""
    kept = dict(defaults)
    if any(key in table for key in PLACE_KEYS):
        kept = {key: value for key, value in kept.items() if key not in PLACE_KEYS}
    values = kept | table
    if isinstance(kept.get("config"), dict) and isinstance(table.get("config"), dict):
        values["config"] = _leaves(kept["config"]) | _leaves(table["config"])
    return values


def _jobs_of(values: dict[str, Any], root: Path, folder: Path) -> list[BatchJob]:
    """The job of a table, or one for each file its pattern finds."""
    rover = values.get("rover")
    if not (isinstance(rover, str) and glob.has_magic(rover)):
        return [_job(values, _files(values, "rover", root), root, folder)]
    found = _matches(rover, root, "rover")
    name = values.get("name", STEM)
    if len(found) > 1 and STEM not in str(name):
        raise _KeyError(
            f"name = {quoted(name)} would be that of {len(found)} jobs; put {STEM} into it."
        )
    return [_job(values | {"name": name}, (file,), root, folder) for file in found]


def _job(values: dict[str, Any], rover: tuple[Path, ...], root: Path, folder: Path) -> BatchJob:
    """One job."""
    if not rover:
        raise _KeyError("the key rover is missing; name the rover's observation file.")
    given = {key: _value(values, key, root) for key in JOB_OPTIONS if key in values}
    if not given.get("nav"):
        raise _KeyError("the key nav is missing; name the navigation file.")
    kind = given.get("format", SOLVE.option("format").words[0])
    name = _name(values.get("name", STEM), rover[0])
    output = folder / f"{name}.{kind}"
    options = _config_table(values, root)
    fields = {"format": kind}
    for key, value in given.items():
        option = JOB_OPTIONS[key]
        (options if option.path else fields)[option.path or option.place] = value
    request = SolveRequest(rover=rover, options=options, output=output, quiet=True, **fields)
    config = build_config(request)
    position_from_options(request)
    if config.mode == "single":
        request = dataclasses.replace(request, base=())
    return BatchJob(name=name, request=request, config=config, output=output)


def _name(given: Any, rover: Path) -> str:
    """Name of a job: letters, digits, and . _ + -, since files are called after it."""
    if not isinstance(given, str):
        raise _KeyError(f"name must be text; got {quoted(given)}.")
    name = given.replace(STEM, rover.name.split(".")[0])
    if not re.fullmatch(r"[\w+-][\w.+-]*", name) or name in RESERVED_NAMES:
        raise _KeyError(
            f"name = {quoted(name)} cannot be that of a result file; use letters, digits "
            f"and . _ + - (but not {' or '.join(RESERVED_NAMES)})."
        )
    return name


def _files(values: dict[str, Any], key: str, root: Path) -> tuple[Path, ...]:
    """The files of a key: one name or a list; a pattern gives all files it finds, in order."""
    given = values.get(key, [])
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(n, str) and n for n in names):
        raise _KeyError(f"{key} must be a file name or a list of them; got {quoted(given)}.")
    found: list[Path] = []
    for name in names:
        found += _matches(name, root, key) if glob.has_magic(name) else [root / name]
    return tuple(found)


def _matches(pattern: str, root: Path, key: str) -> list[Path]:
    """The files of a pattern, sorted by name."""
    found = sorted(glob.glob(pattern, root_dir=root, recursive=True))
    files = [root / name for name in found if not (root / name).is_dir()]
    if not files:
        raise _KeyError(f"{key} = {quoted(pattern)} finds no file in {root}.")
    return files


def _value(values: dict[str, Any], key: str, root: Path) -> Any:
    """The value of a key as its option takes it; numbers are checked with the configuration."""
    option, given = JOB_OPTIONS[key], values[key]
    if option.takes == FILE:
        if option.is_many:
            return _files(values, key, root)
        if not isinstance(given, str):
            raise _KeyError(f"{key} must be a file name; got {quoted(given)}.")
        return str(root / given) if option.path else root / given
    if option.takes == FLAG and not isinstance(given, bool):
        raise _KeyError(f"{key} must be true or false; got {quoted(given)}.")
    if option.n_value > 1:
        return _numbers(key, given, option.n_value)
    if option.takes == TEXT and not option.words and not isinstance(given, str):
        example = f" {option.text}" if option.text.startswith("like ") else ""
        raise _KeyError(f"{key} must be text{example}; got {quoted(given)}.")
    if option.words and given not in option.words:
        best = nearest(given, option.words) if isinstance(given, str) else ""
        hint = f"; did you mean {best}?" if best else "."
        raise _KeyError(
            f"{key} must be one of {', '.join(option.words)}; got {quoted(given)}{hint}"
        )
    return given


def _numbers(key: str, given: Any, count: int) -> tuple[float, ...]:
    """So many numbers."""
    numbers = [v for v in given if type(v) in (int, float)] if isinstance(given, list) else []
    if len(numbers) != count or len(given) != count:
        raise _KeyError(f"{key} must be three numbers; got {quoted(given)}.")
    return tuple(float(number) for number in numbers)


def _config_table(values: dict[str, Any], root: Path) -> dict[str, Any]:
    """Values of the table `config` by path in the configuration."""
    table = values.get("config", {})
    if not isinstance(table, dict):
        raise _KeyError(
            f"config must be a table; got {quoted(table)}; a file is named by config_file."
        )
    options = _leaves(table)
    antex = options.get("antenna.antex")
    if isinstance(antex, str) and antex:
        options["antenna.antex"] = str(root / antex)
    return options


def _leaves(table: dict[str, Any], path: str = "") -> dict[str, Any]:
    """The values of nested tables by dotted path."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        inner = _leaves(value, f"{path}{key}.") if isinstance(value, dict) else None
        found |= {f"{path}{key}": value} if inner is None else inner
    return found


def _check_names(jobs: list[BatchJob], path: Path) -> None:
    """Every job has a name, and with it a result file, of its own."""
    seen: set[str] = set()
    for job in jobs:
        if job.name.lower() in seen:
            raise InputError(
                f"{path}: two jobs are called {quoted(job.name)} (the latter for "
                f"{job.request.rover[0]}); give each a name of its own."
            )
        seen.add(job.name.lower())

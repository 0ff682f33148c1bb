"""The catalogue of public data sets: what there is, where it comes from, under which licence."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rtkpos.errors import DatasetError, quoted
from rtkpos.io.datasets.folders import dataset_folders, download_dir
from rtkpos.io.datasets.shipped import shipped_path
from rtkpos.io.text.files import twin_of

TIMEOUT_S = 30.0
MIRROR_VARIABLE = "RTKPOS_DATA_URL"
Retrieve = Callable[["DatasetFile", Path], None]


@dataclass(frozen=True, kw_only=True)
class DatasetFile:
    """One file: name inside the set, address, SHA-256 and size [byte] as published, licence."""

    name: str
    url: str
    sha256: str
    bytes: int
    licence: str


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One data set of the catalogue.

    roles : names of files by "rover", "base", "nav"; empty where the set is no positioning task
    truth : contents of its truth record (ECEF metres), None where there is none
    """

    name: str
    title: str
    licence: str
    credit: str
    source: tuple[str, ...]
    truth: dict[str, Any] | None
    roles: dict[str, tuple[str, ...]]
    files: tuple[DatasetFile, ...]

    @property
    def bytes(self) -> int:
        """Size of all files as published [byte]."""
        return sum(file.bytes for file in self.files)


@functools.cache
def catalogue() -> dict[str, Dataset]:
    """All data sets by name, in alphabetical order."""
    text = shipped_path("catalogue.json").read_text("utf-8")
    return {entry["name"]: _data_set(entry) for entry in json.loads(text)["sets"]}


def dataset(name: str) -> Dataset:
    """One data set; DatasetError names those there are when this one is unknown."""
    try:
        return catalogue()[name]
    except KeyError:
        known = ", ".join(catalogue())
        raise DatasetError(f"unknown data set {name!r}; known are {known}.") from None


def find_file(folder: Path, name: str) -> Path | None:
    """Path of a file of a data set, as published or compressed with gzip; None when missing."""
    path = folder / name
    found = path if path.is_file() else twin_of(path)
    return found if found is not None and found.stat().st_size > 0 else None


def complete_folder(name: str) -> Path | None:
    """Folder on this machine that holds every file of a data set; None when it is to be fetched."""
    entry = dataset(name)
    for folder in dataset_folders(name):
        if all(find_file(folder, file.name) is not None for file in entry.files):
            return folder
    return None


def role_paths(name: str, folder: Path) -> dict[str, list[Path]]:
    """Paths of the rover, base and navigation files of a data set in a folder."""
    found: dict[str, list[Path]] = {}
    for role, names in dataset(name).roles.items():
        paths = [find_file(folder, file_name) for file_name in names]
        missing = [n for n, path in zip(names, paths, strict=True) if path is None]
        if missing:
            raise DatasetError(
                f"data set {name} in {folder} lacks {', '.join(missing)}; "
                f"get it with `rtkpos data fetch {name}`."
            )
        found[role] = [path for path in paths if path is not None]
    return found


def fetch(
    name: str,
    *,
    folder: Path | None = None,
    progress: Any = False,
    retrieve: Retrieve | None = None,
) -> Path:
    """Download what is missing of a data set, check every SHA-256, and return its folder.

    folder : where to put it; default the download cache      progress : handed to pooch
    retrieve : another way to get one file (for tests)
    A file that is there with the right checksum is not fetched again. DatasetError when the
    network or the server fails or a checksum is wrong. Files come into a hidden folder beside the
    set's own, ".NAME.part", and go to their names when all are there: whatever stops a download,
    the name never stands for a part of the set, and the next call goes on from where it stopped.
    The variable RTKPOS_DATA_URL names a server that has the files under SET/FILE; without it they
    come from where they were published.
    """
    entry, root = dataset(name), folder or download_dir()
    target, stage = root / name, root / f".{name}.part"
    get = retrieve or functools.partial(_retrieve, progress=progress)
    missing = [file for file in entry.files if not _is_whole(target / file.name, file)]
    for file in missing:
        if not _is_whole(stage / file.name, file):
            get(_from_mirror(name, file), stage / file.name)
    if missing:
        _move_in(stage, target, missing)
    return target


def _is_whole(path: Path, file: DatasetFile) -> bool:
    """Whether a file is there as it was published."""
    return path.is_file() and path.stat().st_size == file.bytes and _sha256(path) == file.sha256


def _from_mirror(name: str, file: DatasetFile) -> DatasetFile:
    """The file with the address it has on the server that RTKPOS_DATA_URL names, if any."""
    mirror = os.environ.get(MIRROR_VARIABLE, "")
    if not mirror:
        return file
    if not mirror.startswith(("http://", "https://")):
        raise DatasetError(
            f"{MIRROR_VARIABLE} names {quoted(mirror)}; wanted the address of a server, http://..."
        )
    return dataclasses.replace(file, url=f"{mirror.rstrip('/')}/{name}/{quote(file.name)}")


def _move_in(stage: Path, target: Path, files: list[DatasetFile]) -> None:
    """Give the files of a whole set their names."""
    try:
        if not target.exists():
            for rest in set(_files_below(stage)) - {stage / file.name for file in files}:
                rest.unlink()  # what a killed download left
            stage.rename(target)
            return
        for file in files:
            (target / file.name).parent.mkdir(parents=True, exist_ok=True)
            (stage / file.name).replace(target / file.name)
        shutil.rmtree(stage)
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise DatasetError(f"the downloaded files cannot be put into {target}: {cause}.") from None


def _files_below(folder: Path) -> Iterator[Path]:
    """All files in a folder and those below it."""
    return (path for path in folder.rglob("*") if path.is_file())


def _retrieve(file: DatasetFile, path: Path, progress: Any = False) -> None:
    """Download one file; pooch writes to a temporary name and renames after the check."""
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)
    downloader = pooch.HTTPDownloader(progressbar=progress, timeout=TIMEOUT_S)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pooch.retrieve(
            file.url,
            known_hash=f"sha256:{file.sha256}",
            fname=path.name,
            path=path.parent,
            downloader=downloader,
        )
    except ValueError as error:
        raise DatasetError(
            f"{file.url} arrived with a wrong checksum; wanted SHA-256 {file.sha256[:12]}…, "
            "try again or fetch it by hand."
        ) from error
    except OSError as error:
        cause = type(error).__name__ if not error.strerror else error.strerror
        raise DatasetError(
            f"{file.url} could not be downloaded to {path.parent} ({cause}); "
            "check the network, or set RTKPOS_DATA to a folder that holds the data sets."
        ) from error


def _sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _data_set(entry: dict[str, Any]) -> Dataset:
    """A data set from its entry in the catalogue."""
    return Dataset(
        name=entry["name"],
        title=entry["title"],
        licence=entry["licence"],
        credit=entry["credit"],
        source=tuple(entry["source"]),
        truth=entry["truth"],
        roles={role: tuple(names) for role, names in entry["roles"].items()},
        files=tuple(DatasetFile(**file) for file in entry["files"]),
    )

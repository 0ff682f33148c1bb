"""Where data sets lie on this machine: the one place that resolves their folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from rtkpos._numba.cache_folder import user_cache_dir
from rtkpos.errors import DatasetError

DATA_VARIABLE = "RTKPOS_DATA"
_BESIDE = Path("shared") / "data"


def download_dir() -> Path:
    """Folder into which data sets are downloaded: the user's cache; it need not exist yet."""
    return user_cache_dir() / "data"


def data_roots() -> tuple[Path, ...]:
    """Existing folders that may hold data sets, in order of precedence, each once.

    The order is the folder named by the variable RTKPOS_DATA, a `shared/data` beside any folder
    above the working directory or above this file, and the download cache. A folder named by
    RTKPOS_DATA which does not exist raises DatasetError: it is a typing error, not a preference.
    """
    roots: dict[Path, None] = {}
    for root in _candidate_roots():
        if root.is_dir():
            roots[root.resolve()] = None
    return tuple(roots)


def _candidate_roots() -> Iterator[Path]:
    """Folders to try, best first, whether they exist or not."""
    named = os.environ.get(DATA_VARIABLE)
    if named:
        root = Path(named).expanduser()
        if not root.is_dir():
            raise DatasetError(
                f"{DATA_VARIABLE} names {named}, which is not a folder; "
                "set it to the folder that holds the data sets, or unset it."
            )
        yield root
    for start in (Path.cwd(), Path(__file__).resolve().parent):
        for folder in (start, *start.parents):
            yield folder / _BESIDE
    yield download_dir()


def resolve_dataset(name: str) -> Path | None:
    """Folder of a data set, or None when no root holds it; DatasetError for a name with a path.

    An empty folder is none: it is what a failed download or a typing error leaves.
    """
    return next(dataset_folders(name), None)


def dataset_folders(name: str) -> Iterator[Path]:
    """Folders of a data set that hold anything, the best first; errors as `resolve_dataset`."""
    if name in ("", ".", "..") or Path(name).name != name:
        raise DatasetError(
            f"data set name {name!r} is not a plain folder name; "
            "`rtkpos data list` shows the names there are."
        )
    for root in data_roots():
        folder = root / name
        if folder.is_dir() and any(folder.iterdir()):
            yield folder


def dataset_dir(name: str) -> Path:
    """Folder of a data set; DatasetError says where it was looked for and how to get it."""
    folder = resolve_dataset(name)
    if folder is None:
        looked = ", ".join(str(root) for root in data_roots()) or "no data folder at all"
        raise DatasetError(
            f"data set {name!r} was not found (looked in {looked}); get it with "
            f"`rtkpos data fetch {name}`, or set {DATA_VARIABLE} to the folder that holds it."
        )
    return folder

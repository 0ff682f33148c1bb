"""Real recordings for tests: found on this machine, or the test is skipped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from rtkpos.errors import DatasetError
from rtkpos.io.datasets.catalogue import catalogue, complete_folder
from rtkpos.io.datasets.folders import dataset_dir
from rtkpos.io.text.decompress import read_text
from rtkpos.io.text.files import twin_of

REQUIRE_VARIABLE = "RTKPOS_REQUIRE_DATA"


def dataset_path(name: str, file: str = "") -> Path:
    """Path of a file (or, without `file`, of the folder) of a data set.

    A file is found under its name with .gz or without it: `rtkpos data fetch` gives plain files.

    Skips the test when the data set is not on this machine; with RTKPOS_REQUIRE_DATA=1 it fails.
    """
    try:
        path = dataset_dir(name) / file
    except DatasetError as error:
        _missing(str(error))
    found = path if path.exists() else twin_of(path)
    if found is None:
        _missing(f"data set {name!r} has no {file!r} in {path.parent}")
    if not file and name in catalogue() and complete_folder(name) is None:
        _missing(f"data set {name!r} is incomplete in {path}; get it with `rtkpos data fetch`")
    return found


def text_of(path: Path) -> str:
    """The text of a file, packed or plain."""
    return read_text(path).decode("utf-8")


def _missing(message: str) -> NoReturn:
    """Skip, or fail where data are required."""
    if os.environ.get(REQUIRE_VARIABLE) == "1":
        pytest.fail(f"{message} ({REQUIRE_VARIABLE}=1)", pytrace=False)
    pytest.skip(message)

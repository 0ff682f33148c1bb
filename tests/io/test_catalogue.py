"""The catalogue: licences, checksums, and fetching without a network."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import re

import pytest

from rtkpos.errors import DatasetError
from rtkpos.io.datasets import catalogue as module
from rtkpos.io.datasets.catalogue import (
    catalogue,
    complete_folder,
    dataset,
    fetch,
    find_file,
    role_paths,
)
from tests.data import dataset_path

OPEN_LICENCES = ("MIT", "MPL-2.0", "BSD-2-Clause", "BSD-3-Clause", "LGPL-3.0", "GPL-3.0")


def test_every_file_has_a_licence_a_checksum_and_a_pinned_address() -> None:
    assert "static-nagoya-2024" in catalogue()
    for entry in catalogue().values():
        assert entry.title
        assert entry.source
        assert len({file.name for file in entry.files}) == len(entry.files)
        for file in entry.files:
            assert file.licence.startswith(OPEN_LICENCES), file.url
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            assert file.bytes > 0
            pinned = r"https://raw\.githubusercontent\.com/[^/]+/[^/]+/[0-9a-f]{40}/.+"
            assert re.fullmatch(pinned, file.url)
            assert not file.name.startswith("/")
            assert ".." not in file.name


def test_sets_without_a_stated_licence_are_left_out() -> None:
    path = dataset_path("static-nagoya-2024").parent / "README.md"
    if not path.exists():
        pytest.skip("data sets that were fetched are those of the catalogue")
    readme = path.read_text("utf-8")
    rows = [line.split("|") for line in readme.splitlines() if "none stated" in line]
    internal = {row[1].strip() for row in rows}
    assert internal
    text = json.dumps([entry.name for entry in catalogue().values()])
    assert not [name for name in internal if name in text]


def test_catalogue_agrees_with_the_files_on_this_machine() -> None:
    folder = dataset_path("static-nagoya-2024")
    for file in dataset("static-nagoya-2024").files:
        path = find_file(folder, file.name)
        assert path is not None
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        assert len(content) == file.bytes
        assert hashlib.sha256(content).hexdigest() == file.sha256


def test_roles_name_files_of_their_set() -> None:
    for entry in catalogue().values():
        names = {file.name for file in entry.files}
        assert {name for role in entry.roles.values() for name in role} <= names
    folder = dataset_path("static-nagoya-2024")
    found = role_paths("static-nagoya-2024", folder)
    assert {role: len(paths) for role, paths in found.items()} == {"rover": 1, "base": 1, "nav": 1}


def test_unknown_names_are_refused_with_those_there_are() -> None:
    with pytest.raises(DatasetError, match="static-nagoya-2024"):
        dataset("static-nagoja")


def test_fetch_gets_only_what_is_missing(tmp_path, monkeypatch) -> None:
    entry = dataset("static-nagoya-2024")
    folder = tmp_path / entry.name
    folder.mkdir()
    content = b"already here"
    good = module.DatasetFile(
        name="a", url="u", sha256=hashlib.sha256(content).hexdigest(), bytes=12, licence="MIT"
    )
    other = module.DatasetFile(name="b", url="u", sha256="0" * 64, bytes=1, licence="MIT")
    small = {entry.name: dataclasses.replace(entry, files=(good, other))}
    monkeypatch.setattr(module, "catalogue", lambda: small)
    (folder / "a").write_bytes(content)
    asked = []

    def retrieve(file, path):
        asked.append(path.name)
        path.parent.mkdir()
        path.write_bytes(b"b")

    assert fetch(entry.name, folder=tmp_path, retrieve=retrieve) == folder
    assert asked == ["b"]
    assert (folder / "b").read_bytes() == b"b"


def test_offline_is_a_clear_error(tmp_path, monkeypatch) -> None:
    import pooch

    def offline(*args, **keywords):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(pooch, "retrieve", offline)
    with pytest.raises(DatasetError, match="check the network"):
        fetch("static-nagoya-2024", folder=tmp_path)


def test_wrong_checksum_is_a_clear_error(tmp_path, monkeypatch) -> None:
    import pooch

    def wrong(*args, **keywords):
        raise ValueError("SHA256 hash of downloaded file does not match")

    monkeypatch.setattr(pooch, "retrieve", wrong)
    with pytest.raises(DatasetError, match="wrong checksum"):
        fetch("static-nagoya-2024", folder=tmp_path)


def test_complete_folder_needs_every_file(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "static-nagoya-2024"
    folder.mkdir()
    monkeypatch.setattr("rtkpos.io.datasets.folders.data_roots", lambda: (tmp_path,))
    assert complete_folder("static-nagoya-2024") is None
    for file in dataset("static-nagoya-2024").files:
        (folder / f"{file.name}.gz").write_bytes(b"x")
    assert complete_folder("static-nagoya-2024") == folder

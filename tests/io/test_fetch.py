"""Data sets fetched from a server on this machine; what stops a download leaves no set."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from rtkpos.app.command_line.main import run
from rtkpos.errors import DatasetError, FileError
from rtkpos.io.datasets.catalogue import complete_folder, dataset, fetch
from rtkpos.io.datasets.folders import resolve_dataset
from rtkpos.io.rinex.read_observations import read_obs
from tests.data import dataset_path
from tests.mirror import mirror

NAME = "static-geonet-2005"


@pytest.fixture
def server(monkeypatch):
    """A mirror that has the data sets of this machine."""
    root = dataset_path(NAME).parent
    with mirror(root) as served:
        monkeypatch.setenv("RTKPOS_DATA_URL", f"{served.url}/")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield served


@pytest.fixture
def here(server, tmp_path, monkeypatch):
    """A folder of data sets that is empty."""
    folder = tmp_path / "sets"
    folder.mkdir()
    monkeypatch.setenv("RTKPOS_DATA", str(folder))
    monkeypatch.setattr("rtkpos.io.datasets.folders.data_roots", lambda: (folder,))
    return folder


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_command_fills_a_folder_with_the_names_of_the_catalogue(server, here, capsys):
    assert run(["data", "fetch", "--to", str(here), NAME]) == 0
    assert capsys.readouterr().out == f"{here / NAME}\n"
    files = dataset(NAME).files
    assert names_in(here) == sorted(f"{NAME}/{file.name}" for file in files)
    for file in files:
        content = (here / NAME / file.name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file.sha256
    assert complete_folder(NAME) == here / NAME
    assert server.asked == [f"{NAME}/{file.name}" for file in files]
    assert run(["data", "fetch", "--to", str(here), NAME]) == 0
    assert len(server.asked) == len(files)


def broken(server, content) -> None:
    """The last file arrives wrong."""
    server.spoil[f"{NAME}/{dataset(NAME).files[-1].name}"] = content


@pytest.mark.parametrize(("content", "words"), [(None, "downloaded"), (b"x", "wrong checksum")])
def test_a_failed_fetch_leaves_no_set_and_the_next_goes_on(content, words, server, here):
    broken(server, content)
    with pytest.raises(DatasetError, match=words):
        fetch(NAME, folder=here)
    assert not (here / NAME).exists()
    assert resolve_dataset(NAME) is None
    server.spoil.clear()
    server.asked.clear()
    assert fetch(NAME, folder=here) == here / NAME
    assert server.asked == [f"{NAME}/{dataset(NAME).files[-1].name}"]
    assert complete_folder(NAME) == here / NAME
    assert [path.name for path in here.iterdir()] == [NAME]


def test_an_interrupted_fetch_leaves_no_set(server, here, monkeypatch):
    import pooch

    whole, calls = pooch.retrieve, []

    def interrupted(*words, **options):
        calls.append(words)
        if len(calls) == 2:
            (options["path"] / "tmpxyz").write_bytes(b"half")
            raise KeyboardInterrupt
        return whole(*words, **options)

    monkeypatch.setattr(pooch, "retrieve", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(NAME, folder=here)
    assert resolve_dataset(NAME) is None
    fetch(NAME, folder=here)
    assert names_in(here) == sorted(f"{NAME}/{file.name}" for file in dataset(NAME).files)


def test_a_set_that_lacks_files_is_completed(server, here):
    fetch(NAME, folder=here)
    missing = here / NAME / dataset(NAME).files[0].name
    missing.unlink()
    assert complete_folder(NAME) is None
    fetch(NAME, folder=here)
    assert missing.is_file()
    assert [path.name for path in here.iterdir()] == [NAME]


def test_an_empty_folder_or_file_is_no_set(here):
    (here / NAME).mkdir()
    assert resolve_dataset(NAME) is None
    for file in dataset(NAME).files:
        (here / NAME / file.name).touch()
    assert complete_folder(NAME) is None


def test_the_complete_set_is_found_behind_an_incomplete_one(server, tmp_path, monkeypatch):
    roots = (tmp_path / "half", tmp_path / "whole")
    fetch(NAME, folder=roots[1])
    (roots[0] / NAME).mkdir(parents=True)
    (roots[0] / NAME / dataset(NAME).files[0].name).write_bytes(b"x")
    monkeypatch.setattr("rtkpos.io.datasets.folders.data_roots", lambda: roots)
    assert complete_folder(NAME) == roots[1] / NAME


def test_a_mirror_that_is_no_address(here, monkeypatch):
    monkeypatch.setenv("RTKPOS_DATA_URL", "somewhere")
    with pytest.raises(DatasetError, match="wanted the address of a server"):
        fetch(NAME, folder=here)


def test_a_name_with_or_without_gz_that_is_not_there_tells_of_the_other(tmp_path):
    (tmp_path / "a.obs").write_bytes(b"x")
    (tmp_path / "b.obs.gz").write_bytes(b"x")
    with pytest.raises(FileError, match=r"there is no such file, but a\.obs is there"):
        read_obs(tmp_path / "a.obs.gz")
    with pytest.raises(FileError, match=r"there is no such file, but b\.obs\.gz is there"):
        read_obs(tmp_path / "b.obs")

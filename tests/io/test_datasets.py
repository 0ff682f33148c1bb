"""Where data sets are looked for, and what is said when they are not there."""

from __future__ import annotations

import pytest

from rtkpos.errors import DatasetError
from rtkpos.io.datasets import folders as datasets


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A machine without any data set."""
    monkeypatch.setattr(datasets, "__file__", str(tmp_path / "lib" / "rtkpos" / "io" / "d.py"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RTKPOS_DATA", raising=False)
    monkeypatch.setenv("RTKPOS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


def make(root, name="a-set"):
    (root / name).mkdir(parents=True)
    (root / name / "a.obs").write_bytes(b"x")
    return root / name


def test_nothing_anywhere(nowhere):
    assert datasets.data_roots() == ()
    assert datasets.resolve_dataset("a-set") is None
    with pytest.raises(DatasetError, match="rtkpos data fetch a-set"):
        datasets.dataset_dir("a-set")


def test_the_variable_wins_and_the_cache_comes_last(nowhere, monkeypatch):
    cached = make(datasets.download_dir())
    assert datasets.dataset_dir("a-set") == cached
    beside = make(nowhere / "shared" / "data")
    (nowhere / "checkout" / "src").mkdir(parents=True)
    monkeypatch.chdir(nowhere / "checkout" / "src")
    assert datasets.dataset_dir("a-set") == beside
    named = make(nowhere / "named")
    monkeypatch.setenv("RTKPOS_DATA", str(nowhere / "named"))
    assert datasets.dataset_dir("a-set") == named
    make(nowhere / "shared" / "data", "another")
    assert datasets.dataset_dir("another") == nowhere / "shared" / "data" / "another"


def test_found_from_the_checkout_whatever_the_working_folder(nowhere, monkeypatch):
    beside = make(nowhere / "shared" / "data")
    monkeypatch.setattr(datasets, "__file__", str(nowhere / "checkout" / "src" / "rtkpos" / "d.py"))
    monkeypatch.chdir("/")
    assert datasets.dataset_dir("a-set") == beside


def test_variable_that_names_no_folder(nowhere, monkeypatch):
    monkeypatch.setenv("RTKPOS_DATA", str(nowhere / "typo"))
    with pytest.raises(DatasetError, match=r"RTKPOS_DATA names .*typo"):
        datasets.dataset_dir("a-set")


@pytest.mark.parametrize("name", ["", "..", "a/b", "/etc"])
def test_names_with_a_path(nowhere, name):
    with pytest.raises(DatasetError, match="plain folder name"):
        datasets.resolve_dataset(name)

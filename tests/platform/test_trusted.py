"""Compiled code is loaded only from what nobody but this user and root can have written."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest

from rtkpos._numba import cache_folder
from rtkpos._numba.disk import trusted
from rtkpos._numba.disk.trusted import UntrustedError, trusted_bytes, trusted_folder
from tests.platform.test_cache import entries, folder, fresh_module, run  # noqa: F401

pytestmark = pytest.mark.skipif(os.name != "posix", reason="owners and modes of POSIX")
STRANGER = 54321

as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away"
)


@pytest.fixture(autouse=True)
def fresh_choice(monkeypatch, tmp_path):
    """Folders are chosen anew; no other one serves where the first is refused."""
    monkeypatch.setattr(cache_folder.tempfile, "gettempdir", lambda: str(tmp_path / "no folder"))
    (tmp_path / "no folder").write_text("")
    cache_folder._kernel_folders.cache_clear()
    yield
    cache_folder._kernel_folders.cache_clear()


def make(path, mode=0o755):
    path.mkdir(parents=True)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o777, 0o757, 0o1777])
def test_a_folder_that_others_can_write_is_refused(tmp_path, mode):
    """A sticky one, too: others cannot replace what is there, but they can add to it."""
    with pytest.raises(UntrustedError, match="open can be written by other users"):
        trusted_folder(make(tmp_path / "open", mode))


@pytest.mark.parametrize("mode", [0o777, 0o757])
def test_a_parent_that_others_can_write_is_refused(tmp_path, mode):
    with pytest.raises(UntrustedError, match="open can be written by other users"):
        trusted_folder(make(tmp_path / "open", mode) / "a" / "b", make=True)
    assert not (tmp_path / "open" / "a").exists()


def test_a_sticky_parent_serves(tmp_path):
    make(tmp_path / "sticky", 0o1777)
    found = trusted_folder(tmp_path / "sticky" / "a" / "b", make=True)
    assert found == tmp_path / "sticky" / "a" / "b"
    assert found.stat().st_mode & 0o777 == 0o700


def test_what_is_made_is_ours_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        found = trusted_folder(tmp_path / "a" / "b", make=True)
    finally:
        os.umask(before)
    assert trusted_folder(found) == found
    assert (found.parent.stat().st_mode & 0o777, found.stat().st_mode & 0o777) == (0o700, 0o700)


def test_links_are_resolved_and_their_target_is_asked(tmp_path):
    make(tmp_path / "mine")
    make(tmp_path / "open", 0o777)
    (tmp_path / "to mine").symlink_to(tmp_path / "mine")
    (tmp_path / "to open").symlink_to(tmp_path / "open")
    assert trusted_folder(tmp_path / "to mine") == tmp_path / "mine"
    with pytest.raises(UntrustedError):
        trusted_folder(tmp_path / "to open")


@as_root
@pytest.mark.parametrize("which", ["folder", "parent"])
def test_a_folder_of_another_user_is_refused(tmp_path, which):
    path = make(tmp_path / "parent" / "folder")
    os.chown(path if which == "folder" else path.parent, STRANGER, STRANGER)
    with pytest.raises(UntrustedError, match=f"{which} belongs to user {STRANGER}"):
        trusted_folder(path)


def test_files_that_are_no_plain_files_of_ours_are_refused(tmp_path):
    (tmp_path / "plain").write_bytes(b"code")
    (tmp_path / "plain").chmod(0o644)
    assert trusted_bytes(tmp_path / "plain") == b"code"
    (tmp_path / "link").symlink_to(tmp_path / "plain")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "open").write_bytes(b"code")
    (tmp_path / "open").chmod(0o666)
    for name in ("link", "fifo", "open", "absent"):
        with pytest.raises(OSError, match=name):
            trusted_bytes(tmp_path / name)


def test_a_group_with_others_in_it_is_others(tmp_path, monkeypatch):
    shared = make(tmp_path / "shared", 0o775)
    monkeypatch.setattr(trusted, "_is_own_group", lambda group_id: False)
    with pytest.raises(UntrustedError):
        trusted_folder(shared)
    monkeypatch.setattr(trusted, "_is_own_group", lambda group_id: True)
    assert trusted_folder(shared) == shared


@pytest.mark.compiled
@as_root
@pytest.mark.parametrize("how", ["file of a stranger", "open file", "link"])
def test_an_entry_that_others_could_write_is_compiled_anew(folder, tmp_path, how):  # noqa: F811
    assert run(folder) == (5.0, 0)
    assert run(folder) == (5.0, 1)
    for path in entries(folder):
        if how == "file of a stranger":
            os.chown(path, STRANGER, STRANGER)
        elif how == "open file":
            path.chmod(0o606)
        else:
            shutil.move(path, tmp_path / path.name)
            path.symlink_to(tmp_path / path.name)
    assert run(folder) == (5.0, 0)
    assert run(folder) == (5.0, 1)


@pytest.mark.compiled
def test_an_open_folder_is_not_used_and_the_reason_is_told_once(folder, caplog):  # noqa: F811
    assert run(folder) == (5.0, 0)
    cache_folder._kernel_folders.cache_clear()
    (folder / "cache").chmod(0o777)
    before = [path.stat().st_mtime_ns for path in entries(folder)]
    module = fresh_module(folder)
    assert module.total(np.arange(5.0)) == 5.0
    assert module.half(2.0) == 1.0
    assert module.total.n_loaded == 0
    assert [path.stat().st_mtime_ns for path in entries(folder)] == before
    assert len(caplog.messages) == 1
    assert "cache can be written by other users" in caplog.text
    assert "RTKPOS_CACHE_DIR" in caplog.text


@pytest.mark.parametrize("variable", ["NUMBA_CACHE_DIR", "RTKPOS_CACHE_DIR", "XDG_CACHE_HOME"])
def test_every_way_to_name_the_folder_is_asked(monkeypatch, tmp_path, variable, caplog):
    for name in ("NUMBA_CACHE_DIR", "RTKPOS_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv(variable, str(make(tmp_path / "open", 0o777)))
    assert cache_folder.kernel_folders().own is None
    assert f"{tmp_path / 'open'} can be written by other users" in caplog.text


def test_the_temporary_folder_of_a_user_without_home_is_asked(monkeypatch, tmp_path, caplog):
    for name in ("NUMBA_CACHE_DIR", "RTKPOS_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, "")
    make(tmp_path / "open", 0o777)
    monkeypatch.setattr(cache_folder.tempfile, "gettempdir", lambda: str(tmp_path / "open"))
    monkeypatch.setattr(cache_folder, "_home", lambda: tmp_path / "open")
    assert cache_folder.kernel_folders().own is None
    assert "can be written by other users" in caplog.text


def test_ready_kernels_in_an_open_folder_are_not_used(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("RTKPOS_KERNEL_DIR", str(make(tmp_path / "open", 0o777)))
    assert tmp_path / "open" not in cache_folder.kernel_folders().ready
    assert "can be written by other users" in caplog.text

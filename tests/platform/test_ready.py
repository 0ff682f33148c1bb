"""Ready kernels: a folder that any later process loads, wherever it and the sources lie."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from rtkpos._numba import cache_folder, calls, decorator
from rtkpos.app.command_line import first_run
from rtkpos.app.solve.demo import run_warmup
from rtkpos.errors import ConfigError
from tests.platform.test_cache import SOURCE, entries, folder, fresh_module  # noqa: F401

pytestmark = pytest.mark.compiled

PROGRAM = """
import pathlib, sys
import numpy as np
from rtkpos._numba import calls, decorator
sys.path.insert(0, sys.argv[1])
if "make" in sys.argv:
    calls.use_generic_processor()
import throwaway
result = throwaway.total(np.arange(5.0))
print(result, throwaway.total.n_loaded, throwaway.total.n_compiled, "numba" in sys.modules)
if "make" in sys.argv:
    decorator.hand_over_kernels(pathlib.Path(sys.argv[2]))
"""


def outcome(place, *words, **environment):
    """What a process says that uses the throwaway kernels of a folder."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(place), *map(str, words)],
        env=os.environ | {name: str(value) for name, value in environment.items()},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def handed_over(folder, ready):  # noqa: F811
    """A module whose kernel `total` was compiled and handed over."""
    module = fresh_module(folder)
    module.total(np.arange(5.0))
    ready.mkdir()
    assert module.total.hand_over(ready) == 1
    return module


def test_generic_kernels_are_loaded_elsewhere_without_numba(tmp_path):
    here, elsewhere, ready = (tmp_path / name for name in ("here", "elsewhere", "ready"))
    for place in (here, elsewhere, ready):
        place.mkdir(mode=0o755)
    (here / "throwaway.py").write_text(SOURCE)
    shutil.copy(here / "throwaway.py", elsewhere)
    caches = [tmp_path / "cache", tmp_path / "other cache"]
    assert outcome(here, ready, "make", NUMBA_CACHE_DIR=caches[0])[1:3] == ["0", "1"]
    (entry,) = ready.iterdir()
    assert entry.stat().st_mode & 0o777 == 0o644
    entry.chmod(0o444)
    ready.chmod(0o555)
    told = outcome(elsewhere, NUMBA_CACHE_DIR=caches[1], RTKPOS_KERNEL_DIR=ready)
    assert told == ["5.0", "1", "0", "False"]
    assert list(caches[1].glob("*.rtkpos")) == []


def test_kernels_of_another_processor_are_not_loaded(folder, tmp_path, monkeypatch):  # noqa: F811
    handed_over(folder, tmp_path / "ready")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "empty"))
    monkeypatch.setenv("RTKPOS_KERNEL_DIR", str(tmp_path / "ready"))
    assert fresh_module(folder).total.is_ready(np.arange(5.0))
    monkeypatch.setattr(calls, "_host", lambda: "another")
    calls.runnable_processors.cache_clear()
    assert not fresh_module(folder).total.is_ready(np.arange(5.0))
    calls.runnable_processors.cache_clear()


def test_edited_sources_and_checked_code_are_compiled(folder, tmp_path, monkeypatch):  # noqa: F811
    handed_over(folder, tmp_path / "ready")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "empty"))
    monkeypatch.setenv("RTKPOS_KERNEL_DIR", str(tmp_path / "ready"))
    monkeypatch.setenv("NUMBA_BOUNDSCHECK", "0" if os.environ.get("NUMBA_BOUNDSCHECK") else "1")
    assert not fresh_module(folder).total.is_ready(np.arange(5.0))
    monkeypatch.undo()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "empty"))
    monkeypatch.setenv("RTKPOS_KERNEL_DIR", str(tmp_path / "ready"))
    (folder / "throwaway.py").write_text(SOURCE + "\n# edited\n")
    cache_folder._read.cache_clear()
    cache_folder.source_hash.cache_clear()
    assert not fresh_module(folder).total.is_ready(np.arange(5.0))


def test_no_ready_kernels_where_none_are_wanted(folder, tmp_path, monkeypatch, caplog):  # noqa: F811
    handed_over(folder, tmp_path / "ready")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "empty"))
    monkeypatch.setenv("RTKPOS_KERNEL_DIR", "none")
    assert cache_folder.kernel_folders().ready == ()
    assert caplog.messages == []
    monkeypatch.setenv("RTKPOS_KERNEL_DIR", str(tmp_path / "absent"))
    assert not fresh_module(folder).total.is_ready(np.arange(5.0))
    assert "absent" in caplog.text


def test_of_two_cold_starts_one_compiles(folder):  # noqa: F811
    command = [sys.executable, "-c", PROGRAM, str(folder)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [worker.communicate(timeout=120)[0].split() for worker in workers]
    assert sorted(words[1:3] for words in told) == [["0", "1"], ["1", "0"]]
    assert {words[0] for words in told} == {"5.0"}


def test_a_process_that_waits_says_so(folder, monkeypatch):  # noqa: F811
    import fcntl

    told = []
    monkeypatch.setattr(decorator, "_waiting", [])
    decorator.when_waiting(lambda: told.append("waiting"))
    calls_of = fcntl.lockf

    def busy(handle, flags, *place):
        if flags & fcntl.LOCK_NB:
            raise BlockingIOError
        return calls_of(handle, flags, *place)

    monkeypatch.setattr(fcntl, "lockf", busy)
    assert fresh_module(folder).total(np.arange(5.0)) == 5.0
    assert told == ["waiting"]


def test_without_locks_everybody_compiles(folder, monkeypatch):  # noqa: F811
    import fcntl

    def none(*arguments):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", none)
    assert fresh_module(folder).total(np.arange(5.0)) == 5.0


def test_progress_is_told_where_there_is_no_terminal(tmp_path, monkeypatch, capsys):
    import time

    monkeypatch.setattr(first_run, "LINE_EVERY_S", 0.02)
    monkeypatch.setattr(first_run, "_LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(first_run, "cache_folder", lambda: tmp_path)
    (tmp_path / "old.rtkpos").write_text("")
    with first_run.CompilationProgress():
        for k in range(30):
            (tmp_path / f"{k}.rtkpos").write_text("")
        told, end = "", time.monotonic() + 20.0
        while f"kernels: 30 of about {first_run.N_ENTRY}, " not in told and time.monotonic() < end:
            time.sleep(0.05)
            told += capsys.readouterr().err
    assert f"compiling kernels: 30 of about {first_run.N_ENTRY}, " in told
    with first_run.CompilationProgress(quiet=True):
        time.sleep(0.1)
    assert capsys.readouterr().err == ""


def test_progress_line():
    assert first_run.progress_line(0, 375, 1.0) == "compiling kernels: 0 of about 375, 0 %"
    told = first_run.progress_line(100, 375, 5.0)
    assert told == "compiling kernels: 100 of about 375, 25 %, about 15 s left"


def test_generic_kernels_need_a_folder_for_others():
    with pytest.raises(ConfigError, match="--into DIR"):
        run_warmup(is_generic=True)

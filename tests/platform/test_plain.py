"""Kernels by numba's own `njit`: for a numba that is too new, or lacks what our compiler uses."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from rtkpos._numba import plain
from rtkpos.errors import ConfigError
from tests.data import dataset_path
from tests.platform.test_cache import entries, folder, fresh_module  # noqa: F401

pytestmark = pytest.mark.compiled
SOLVE = """
import json, sys
import numpy as np
import rtkpos
rover, base = (rtkpos.read_obs(sys.argv[k]) for k in (1, 2))
nav = rtkpos.read_nav(sys.argv[3])
found = rtkpos.solve(rover, nav, base, np.array(json.loads(sys.argv[4])))
print(found.ecef_m[:60].tobytes().hex(), found.status[:60].tolist())
"""


@pytest.fixture(autouse=True)
def fresh_choice(monkeypatch):
    """As in a new process, where nothing was decided."""
    monkeypatch.setattr(plain, "_reasons", [])
    monkeypatch.delenv("RTKPOS_KERNELS", raising=False)


def results(module):
    values = np.arange(5, dtype=np.int64)
    return module.total(np.arange(5.0)), module.sum_of_calls(values), module.half(np.float32(3.0))


def test_plain_kernels_give_the_same(folder, monkeypatch):  # noqa: F811
    own = results(fresh_module(folder))
    monkeypatch.setenv("RTKPOS_KERNELS", "plain")
    module = fresh_module(folder)
    assert results(module) == own
    assert module.total.n_compiled == module.total.n_loaded == 0
    assert not module.total.can_be_kept()
    module.near.prepare(1.0)
    assert module.near(1.0) == 1.5


def test_plain_kernels_are_kept_in_a_folder_of_ours(folder, monkeypatch):  # noqa: F811
    from numba.core import config

    monkeypatch.setenv("RTKPOS_KERNELS", "plain")
    results(fresh_module(folder))
    assert entries(folder) == []
    (kept,) = (folder / "cache").glob("plain-*")
    assert kept.stat().st_mode & 0o777 == 0o700
    assert list(kept.rglob("*.nbc"))
    assert "plain-" not in config.CACHE_DIR  # other users of numba are left alone
    again = fresh_module(folder)
    results(again)
    assert sum(plain.dispatcher(again.total).stats.cache_hits.values()) == 1


def test_a_newer_numba_means_plain_with_one_warning(folder, monkeypatch, caplog):  # noqa: F811
    monkeypatch.setattr(plain, "numba_version", lambda: '"version": "99.1.0"')
    module = fresh_module(folder)
    assert results(module) == (5.0, 7 + 5 + 10, 1.5)
    assert module.total.n_compiled == 0
    (text,) = caplog.messages
    assert "numba 99.1 is newer than what rtkpos was tested with" in text


def test_a_newer_numba_can_be_insisted_on(folder, monkeypatch, caplog):  # noqa: F811
    monkeypatch.setattr(plain, "numba_version", lambda: '"version": "99.1.0"')
    monkeypatch.setenv("RTKPOS_KERNELS", "own")
    module = fresh_module(folder)
    assert module.half(2.0) == 1.0
    assert module.half.n_compiled == 1
    assert caplog.messages == []


@pytest.mark.parametrize("error", [ImportError("no name 'Lower'"), AttributeError("no '_engine'")])
def test_a_missing_internal_means_plain_with_one_warning(
    folder,  # noqa: F811
    monkeypatch,
    caplog,
    error,
):
    from rtkpos._numba import compiler

    def broken(kernel, arguments):
        raise error

    monkeypatch.setattr(compiler, "compile_whole", broken)
    module = fresh_module(folder)
    assert results(module) == (5.0, 7 + 5 + 10, 1.5)
    (text,) = caplog.messages
    assert str(error) in text


def test_an_unknown_choice_is_an_error(folder, monkeypatch):  # noqa: F811
    monkeypatch.setenv("RTKPOS_KERNELS", "fast")
    with pytest.raises(ConfigError, match="RTKPOS_KERNELS=fast"):
        fresh_module(folder).half(1.0)


@pytest.mark.slow
def test_positions_are_the_same_bit_for_bit():
    names = ("rover.obs.gz", "base.obs.gz", "base.nav.gz")
    files = [str(dataset_path("static-nagoya-2024", name)) for name in names]
    truth = json.loads(dataset_path("static-nagoya-2024", "truth.json").read_text())
    place = json.dumps(truth["base_xyz"])
    told = []
    for kernels in ("own", "plain"):
        done = subprocess.run(
            [sys.executable, "-c", SOLVE, *files, place],
            env=os.environ | {"RTKPOS_KERNELS": kernels},
            capture_output=True,
            text=True,
            check=True,
            timeout=900,
        )
        told.append(done.stdout)
    assert told[0] == told[1]
    assert len(told[0]) > 1000

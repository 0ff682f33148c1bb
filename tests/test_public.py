"""The public words: each exists, says what it is, and one story uses them together."""

from __future__ import annotations

import ast
import inspect
import pickle
import pydoc
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import rtkpos
from tests.data import dataset_path

NAGOYA = "static-nagoya-2024"
PLAIN = ("rtkpos.errors", "rtkpos.frames")  # import their words at once
PACKAGES = (
    "rtkpos",
    *(f"rtkpos.{name}" for name in ("batch", "diagnose", "io", "network", "physics")),
    *("rtkpos.records", "rtkpos.simulate", *PLAIN),
)


def test_the_top_holds_the_words_of_daily_use_only():
    assert len(rtkpos.__all__) <= 25


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_word_is_there_and_documented(package):
    module = import_module(package)
    for word in module.__all__:
        value = getattr(module, word)
        assert callable(value) or isinstance(value, dict), word
        assert inspect.getdoc(value), word
    assert set(module.__all__) <= set(dir(module))


@pytest.mark.parametrize("package", [name for name in PACKAGES if name not in PLAIN])
def test_type_checkers_see_the_same_words(package):
    module = import_module(package)
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module != "rtkpos"
        for alias in node.names
    }
    assert sorted(seen) == sorted(module.__all__)
    for word, where in seen.items():
        assert getattr(module, word).__module__ == where, word


@pytest.mark.parametrize("package", PACKAGES)
def test_no_public_word_is_hidden_by_a_module_of_its_name(package):
    """Importing `rtkpos.a.b` binds `b` in `rtkpos.a`, whatever stood there before."""
    module = import_module(package)
    folder = Path(module.__file__).parent
    below = {path.stem for path in folder.iterdir()} if hasattr(module, "__path__") else set()
    assert not below & set(module.__all__)


def test_submodules_need_no_import_of_their_own():
    code = "import rtkpos; print(rtkpos.network.StationData, rtkpos.frames.Frame, rtkpos.errors)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=120)


def test_solve_shows_its_signature_and_its_help():
    parameters = inspect.signature(rtkpos.solve).parameters
    assert list(parameters)[:4] == ["rover", "nav", "base", "base_ecef_m"]
    assert inspect.isfunction(rtkpos.solve)
    assert "base_ecef_m" in pydoc.render_doc(rtkpos.solve)
    assert pickle.loads(pickle.dumps(rtkpos.solve)) is rtkpos.solve


def test_unknown_words_are_attribute_errors():
    with pytest.raises(AttributeError, match="no_such_word"):
        _ = rtkpos.no_such_word


def test_all_errors_are_rtkpos_errors():
    words = [word for word in rtkpos.errors.__all__ if word.endswith("Error")]
    assert len(words) == 8
    assert all(issubclass(getattr(rtkpos.errors, word), rtkpos.RtkposError) for word in words)


@pytest.mark.compiled
def test_from_two_files_to_a_track_and_live():
    rover = rtkpos.read_obs(dataset_path(NAGOYA, "rover.obs.gz"))
    base = rtkpos.read_obs(dataset_path(NAGOYA, "base.obs.gz"))
    nav = rtkpos.read_nav(dataset_path(NAGOYA, "base.nav.gz"))
    place = rtkpos.frames.point_from_degrees(35.134707701, 136.977577939, 104.8530)
    solution = rtkpos.solve(rover, nav, base, place)
    assert solution.fix_rate > 0.99
    assert isinstance(solution, rtkpos.Solution)
    engine = rtkpos.RtkEngine(rtkpos.RtkConfig(), nav, place)
    fix = engine.update(next(rtkpos.epochs(rover)), next(rtkpos.epochs(base)))
    assert fix.status == rtkpos.FixStatus.FIXED
    assert np.linalg.norm(fix.ecef_m - solution.ecef_m[0]) < 0.01
    states = rtkpos.physics.satellite_states(nav, rover.sat[:5], rover.time_ns[:1])
    assert np.isfinite(states.ecef_m).all()

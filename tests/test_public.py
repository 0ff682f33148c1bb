"""The public words: each exists, says what it is, and one story uses them together."""

from __future__ import annotations

import ast
import inspect
import pickle
from pathlib import Path

import numpy as np
import pytest

import rtkpos
from tests.data import dataset_path

NAGOYA = "static-nagoya-2024"


def test_every_public_word_is_there_and_documented():
    for word in rtkpos.__all__:
        value = getattr(rtkpos, word)
        assert callable(value), word
        assert inspect.getdoc(value), word
    assert set(rtkpos.__all__) <= set(dir(rtkpos))


def test_type_checkers_see_the_same_words():
    tree = ast.parse(Path(rtkpos.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(seen) == sorted(rtkpos.__all__)
    for word, module in seen.items():
        if word != "solve":
            assert getattr(rtkpos, word).__module__ == module, word


def test_unknown_words_are_attribute_errors():
    with pytest.raises(AttributeError, match="no_such_word"):
        _ = rtkpos.no_such_word


def test_solve_is_a_word_and_a_room():
    import rtkpos.processing.run

    assert callable(rtkpos.solve)
    assert rtkpos.processing.run.solve.__module__ == "rtkpos.processing.run"
    assert pickle.loads(pickle.dumps(rtkpos.solve)) is rtkpos.solve


def test_all_errors_are_rtkpos_errors():
    errors = [word for word in rtkpos.__all__ if word.endswith("Error")]
    assert len(errors) == 8
    assert all(issubclass(getattr(rtkpos, word), rtkpos.RtkposError) for word in errors)


@pytest.mark.compiled
def test_from_two_files_to_a_track_and_live():
    rover = rtkpos.read_obs(dataset_path(NAGOYA, "rover.obs.gz"))
    base = rtkpos.read_obs(dataset_path(NAGOYA, "base.obs.gz"))
    nav = rtkpos.read_nav(dataset_path(NAGOYA, "base.nav.gz"))
    place = rtkpos.point_from_degrees(35.134707701, 136.977577939, 104.8530)
    solution = rtkpos.solve(rover, nav, base, place)
    assert solution.fix_rate > 0.99
    assert isinstance(solution, rtkpos.Solution)
    engine = rtkpos.RtkEngine(rtkpos.RtkConfig(), nav, place)
    fix = engine.update(next(rtkpos.epochs(rover)), next(rtkpos.epochs(base)))
    assert fix.status == rtkpos.FixStatus.FIXED
    assert np.linalg.norm(fix.ecef_m - solution.ecef_m[0]) < 0.01
    states = rtkpos.satellite_states(nav, rover.sat[:5], rover.time_ns[:1])
    assert np.isfinite(states.ecef_m).all()

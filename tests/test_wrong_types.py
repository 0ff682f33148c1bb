"""Objects of wrong kinds at the public functions: a typed, short error that names the argument."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import rtkpos
import rtkpos.network
from rtkpos.errors import ConfigError, FileError, InputError, RtkposError, check_type
from tests.app.made_inputs import made_nav, made_obs
from tests.io.made_solution import BASE_ECEF_M, made_solution

WRONG = [None, 3, "x" * 100_000, Path("x.obs"), {}, [], [1.0], object(), np.full((2, 3), np.nan)]
GOOD = {
    "rover": made_obs(n_epoch=2),
    "nav": made_nav(),
    "base": made_obs(BASE_ECEF_M, n_epoch=2),
    "base_ecef_m": BASE_ECEF_M,
    "config": rtkpos.RtkConfig(),
}
OPTIONAL = {"config", "plan", "glonass_channel", "network"}


def assert_typed(call, name, more=(), optional=False):
    """Every wrong value gives a typed error of at most 2 kB that names the argument."""
    for wrong in [*WRONG, *more]:
        if wrong is None and optional:
            continue
        with pytest.raises(RtkposError) as caught:
            call(wrong)
        is_file = isinstance(wrong, str | Path)  # read where a table is wanted
        assert is_file or name in str(caught.value)
        assert len(str(caught.value).encode()) <= 2000


@pytest.mark.parametrize("name", GOOD)
def test_solve(name):
    more = [["a", "b", "c"], np.full(3, np.nan)] if name == "base_ecef_m" else []
    call = lambda wrong: rtkpos.solve(**GOOD | {name: wrong})  # noqa: E731
    assert_typed(call, name, more, optional=name in OPTIONAL)


@pytest.mark.parametrize("name", GOOD)
def test_an_engine_for_tables(name):
    if name == "base":
        return  # one that chooses its bands later needs none
    call = lambda wrong: rtkpos.RtkEngine.from_tables(**GOOD | {name: wrong})  # noqa: E731
    assert_typed(call, name, optional=name in OPTIONAL)


@pytest.mark.parametrize("name", ["config", "nav", "base_ecef_m", "plan", "glonass_channel"])
def test_an_engine(name):
    good = {"base_ecef_m": BASE_ECEF_M}
    call = lambda wrong: rtkpos.RtkEngine(**good | {name: wrong})  # noqa: E731
    assert_typed(call, name, optional=name in OPTIONAL or name == "nav")


def test_what_an_engine_is_fed():
    engine = rtkpos.RtkEngine(base_ecef_m=BASE_ECEF_M)
    epoch = next(rtkpos.epochs(GOOD["rover"]))
    assert_typed(engine.update, "rover")
    for wrong in (3, object(), "x", [3], [None], Path("x")):
        with pytest.raises(InputError, match="base"):
            engine.update(epoch, wrong)
    assert_typed(engine.add_nav, "nav")
    assert_typed(lambda wrong: list(rtkpos.epochs(wrong)), "table")


def test_a_base_with_correction_sigmas_is_refused():
    from dataclasses import replace

    from rtkpos.core.tables import CorrectionSigma
    from rtkpos.gnss.systems import N_SAT

    sigma = CorrectionSigma(np.full((2, N_SAT), 0.01), np.full(2, 0.01))
    virtual = replace(GOOD["base"], correction=sigma)
    with pytest.raises(InputError, match="uncertainty of its network's corrections"):
        rtkpos.RtkEngine.from_tables(**GOOD | {"base": virtual})
    engine = rtkpos.RtkEngine(base_ecef_m=BASE_ECEF_M)
    rover, base = next(rtkpos.epochs(GOOD["rover"])), next(rtkpos.epochs(virtual))
    with pytest.raises(InputError, match="uncertainty of its network's corrections"):
        engine.update(rover, base)


@pytest.mark.parametrize("name", ["solution", "config", "rover", "base", "nav"])
def test_explain(name):
    good = {"solution": made_solution(), "config": rtkpos.RtkConfig()}
    call = lambda wrong: rtkpos.explain(**good | {name: wrong})  # noqa: E731
    assert_typed(call, name, optional=name in ("rover", "base", "nav"))


@pytest.mark.parametrize("name", ["config", "network", "nav", "stations", "rover"])
def test_solve_in_network(name):
    good = {"rover": GOOD["rover"], "nav": GOOD["nav"], "stations": []}
    wanted = "bases" if name == "stations" else name
    for wrong in ([3], {}, 3, object()):
        with pytest.raises(RtkposError, match=wanted):
            rtkpos.network.solve_in_network(**good | {name: wrong})


def test_jobs():
    for wrong in (None, 3, "x", {1: 2}, [3], [None]):
        with pytest.raises(InputError, match="jobs"):
            rtkpos.solve_many(wrong)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: rtkpos.RtkConfig(ambiguity=5), "ambiguity must be an Ambiguity; got int 5"),
        (
            lambda: rtkpos.RtkConfig(noise=rtkpos.RtkConfig().slips),
            "noise must be a Noise; got Slips",
        ),
        (lambda: rtkpos.RtkConfig(selection=None), "selection must be a Selection; got None"),
        (
            lambda: rtkpos.network.NetworkConfig(selection=5),
            "network.selection must be a",
        ),
        (lambda: rtkpos.RtkConfig.from_dict(3), "a configuration must be a dict"),
        (lambda: rtkpos.RtkConfig.from_toml(None), "text of a configuration must be a str"),
        (
            lambda: rtkpos.RtkConfig.from_dict({"selection": {"bands": {"C": 26}}}),
            "selection.bands",
        ),
        (lambda: rtkpos.RtkConfig.from_dict({"selection": {"bands": 3}}), "selection.bands"),
        (lambda: rtkpos.RtkConfig.from_dict({"selection": {"exclude": 3}}), "selection.exclude"),
        (lambda: rtkpos.RtkConfig.from_dict({"selection": {"exclude": [3]}}), "exclude.0. must be"),
        (lambda: rtkpos.RtkConfig(mode="x" * 10**6), "mode must be one of"),
    ],
)
def test_configuration(make, says):
    with pytest.raises(ConfigError, match=says) as caught:
        make()
    assert len(str(caught.value).encode()) <= 2000


def test_messages_are_short_whatever_was_given():
    for letter in ("x", "测", "\udcb2"):
        error = FileError("begin " + letter * 10**6 + " end", "path")
        assert len(str(error)) <= 2000
        assert str(error).startswith("begin ")
        assert str(error).endswith(" end")
    with pytest.raises(InputError, match=r"an ObsTable; got str 'a\.obs'\."):
        check_type("a.obs", rtkpos.ObsTable, "rover")

"""The configuration of a network: every option does something, and wrong values are told."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rtkpos.errors import ConfigError
from rtkpos.network.network_config import NetworkConfig
from rtkpos.network.virtual.virtual_base import virtual_base
from rtkpos.records.config import RtkConfig, Selection
from tests.network.scenes import network_config, scene

CHANGED = {
    "selection": Selection(systems="C", elevation_mask_deg=7.0),
    "ar_mask_deg": 35.0,
    "ionosphere_mm_per_km": 20.0,
    "ionosphere_correlation_s": 20.0,
    "wet_delay_mm_per_km": 5.0,
    "wet_delay_correlation_s": 20.0,
    "success_rate_min": 0.9999999,
    "failure_rate": 0.01,
    "ratio_min": 10.0,
    "misfit_max": 1.0,
    "confirm_epochs": 20,
    "confirm_s": 40.0,
    "passes": 2,
    "max_gap_s": 5.0,
    "dispersive_drift_mm": 20.0,
    "nondispersive_drift_mm": 5.0,
    "method": "nearest",
    "n_station_max": 2,
}
ELSEWHERE = {"max_edge_km", "glonass", "antex"}  # test_solve_network, test_run_glonass, antennas


def everything(config):
    """What a network and a virtual station of it give: one long vector."""
    made = scene("rough", duration_s=200.0, interval_s=4.0)
    engine = made.engine(config=config)
    solution = engine.solve(n_thread=1)
    base = virtual_base(engine, solution, made.made["POLE"].marker_ecef[0])
    parts = (solution.is_fixed, solution.dispersive_m, solution.var_d, base.table.phase_cycle)
    return [np.asarray(part, float).ravel() for part in parts]


@pytest.fixture(scope="module")
def plain():
    return everything(network_config(passes=1))


def test_every_option_is_tried():
    assert set(CHANGED) | ELSEWHERE == {f.name for f in dataclasses.fields(NetworkConfig)}


def is_same(first, second):
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("name", sorted(set(CHANGED) - {"failure_rate"}))
def test_every_option_changes_something(name, plain):
    config = dataclasses.replace(network_config(passes=1), **{name: CHANGED[name]})
    assert not is_same(plain, everything(config))


def test_failure_rate_asks_for_a_ratio_where_ratio_min_does_not():
    """Sets so certain as a network's need less than the 2 that ratio_min asks for."""
    strict, loose = (
        everything(network_config(passes=1, ratio_min=1.0, success_rate_min=0.5, failure_rate=rate))
        for rate in (0.001, 0.01)
    )
    assert not is_same(strict, loose)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("passes", 3, "network.passes"),
        ("method", "best", "network.method must be one of"),
        ("ar_mask_deg", -1.0, "network.ar_mask_deg"),
        ("n_station_max", 0, "network.n_station_max"),
        ("glonass", "perhaps", "network.glonass"),
        ("confirm_s", float("nan"), "network.confirm_s"),
    ],
)
def test_wrong_values_are_told(name, value, told):
    with pytest.raises(ConfigError, match=told):
        NetworkConfig(**{name: value})


def test_a_rovers_choice_of_satellites_is_the_networks():
    """With a mask as low as the network's, so that rising satellites have integers early."""
    rover = RtkConfig(selection=Selection(systems="C", elevation_mask_deg=15.0))
    assert NetworkConfig.for_rover(rover).selection.systems == "C"
    assert NetworkConfig.for_rover(rover).selection.elevation_mask_deg == 7.0
    low = RtkConfig(selection=Selection(elevation_mask_deg=3.0))
    assert NetworkConfig.for_rover(low).selection.elevation_mask_deg == 3.0

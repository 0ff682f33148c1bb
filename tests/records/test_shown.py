"""Tables and results at a prompt and in a notebook: short, and safe to show."""

from __future__ import annotations

import dataclasses
import inspect

import numpy as np
import pytest

import rtkpos
from rtkpos.io.datasets.shipped import shipped_path
from rtkpos.live.fix import RtkFix
from rtkpos.records.observations import Station

ROVER, NAV = shipped_path("demo", "CAR.crx.gz"), shipped_path("demo", "nav.rnx.gz")


@pytest.fixture(scope="module")
def rover():
    return rtkpos.read_obs(ROVER)


def made_fix(**changes):
    values = {
        "time_ns": 1_403_252_418_000_000_000,
        "ecef_m": np.array([-3817681.4, 3562840.0, 3650158.4]),
        "llh": np.array([0.6132, 2.3907, 104.862]),
        "velocity_mps": np.zeros(3),
        "cov_ecef_m2": np.eye(3),
        "status": rtkpos.FixStatus.FIXED,
        "reason": rtkpos.Reason.OK,
        "ratio": 12.34,
        "n_sat": 17,
        "n_fixed": 24,
        "age_s": 0.5,
    }
    return RtkFix(**(values | changes))


def test_observations_show_receiver_epochs_span_and_systems(rover):
    text = repr(rover)
    assert text.startswith("<ObsTable: CAR, ")
    for word in (f"{rover.n_epoch} epochs", "GPST", "1 s", "C ", "satellites", "CAR.crx.gz"):
        assert word in text
    assert "\n" not in text
    assert len(text) < 250
    assert str(ROVER.parent) not in text


def test_an_empty_table_can_be_shown(rover):
    empty = dataclasses.replace(
        rover, time_ns=rover.time_ns[:0], row_start=rover.row_start[:1], sat=rover.sat[:0]
    )
    assert "0 epochs" in repr(empty)


def test_ephemerides_show_how_many_and_when():
    nav = rtkpos.read_nav(NAV)
    text = repr(nav)
    assert f"{nav.n_ephemeris} ephemerides" in text
    assert "GPST" in text
    assert len(text) < 250


def test_a_live_fix_shows_time_status_and_place():
    text = repr(made_fix())
    for word in ("GPST", "FIXED", "104.8620 m", "17 satellites", "ratio 12.3", "age 0.50 s"):
        assert word in text
    lost = made_fix(
        llh=np.full(3, np.nan),
        status=rtkpos.FixStatus.NONE,
        reason=rtkpos.Reason.NO_EPHEMERIS,
        ratio=np.nan,
        age_s=np.nan,
    )
    assert "no valid ephemeris" in repr(lost)
    assert "nan" not in repr(lost)


def test_notebooks_get_a_table_in_which_names_from_files_are_escaped(rover):
    table = dataclasses.replace(rover, station=Station(marker="<script>alert(1)</script>"))
    page = table._repr_html_()
    assert page.startswith("<table>")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_configuration_shows_what_differs_from_the_defaults_and_reads_back():
    records = rtkpos.records
    assert repr(rtkpos.RtkConfig()) == "RtkConfig()"
    config = rtkpos.RtkConfig(mode="static", ambiguity=records.Ambiguity(ratio_min=3.0))
    text = "RtkConfig(mode='static', ambiguity=Ambiguity(ratio_min=3.0))"
    assert repr(config) == text
    assert eval(text, {"RtkConfig": rtkpos.RtkConfig, "Ambiguity": records.Ambiguity}) == config
    assert repr(rtkpos.network.NetworkConfig(passes=1)) == "NetworkConfig(passes=1)"


def test_the_help_of_a_configuration_lists_every_field_with_type_default_and_meaning():
    text = inspect.getdoc(rtkpos.records.Ambiguity)
    assert "jump_m : float, default 0.5\n    A fix that lies further" in text
    assert "[m]; 0 to 1000.\n" in text
    assert "glonass : {'auto', 'on', 'off'}, default 'auto'" in text
    assert "ambiguity : Ambiguity, optional" in inspect.getdoc(rtkpos.RtkConfig)

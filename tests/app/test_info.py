"""`rtkpos info`: facts of made-up tables, and what it says about pairs that do not fit."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rtkpos.app import cli
from rtkpos.app.info_facts import gap_facts, nav_facts, obs_facts
from rtkpos.app.info_pair import nav_obstacles, obs_obstacles, pair_facts, pair_obstacles
from rtkpos.gnss.systems import BEIDOU, GPS
from tests.app.made_inputs import made_nav, made_obs, set_stage
from tests.data import dataset_path
from tests.io.made_solution import BASE_ECEF_M, START_NS, rotation_at

DAY_NS = 86_400 * 1_000_000_000


def test_facts_of_one_file() -> None:
    facts = obs_facts(made_obs())
    assert facts["epochs"] == 5
    assert facts["interval_s"] == 1.0
    assert facts["systems"]["G"]["satellites"] == ["G01", "G02", "G03", "G04", "G05", "G06"]
    assert facts["systems"]["G"]["mean_per_epoch"] == 6.0
    assert facts["systems"]["C"]["signals"]["2I"]["phase"] == 30
    assert facts["systems"]["G"]["phases_by_band"] == {"1": 30, "2": 30}
    assert facts["header_position"]["llh_deg"][0] == pytest.approx(35.13469901, abs=1e-7)


def test_gaps_are_counted() -> None:
    table = made_obs(n_epoch=6)
    table.time_ns[4:] += 9 * 1_000_000_000
    facts = gap_facts(table)
    assert (facts["gaps"], facts["missing_epochs"]) == (1, 9)
    assert facts["first_gaps"][0]["seconds"] == 10.0


def test_facts_of_navigation() -> None:
    facts = nav_facts(made_nav())
    assert facts["ephemerides"] == 12
    assert facts["systems"]["C"]["messages"] == {"LNAV": 6}


def test_a_good_pair_has_no_obstacle() -> None:
    rover, base = made_obs(), made_obs(BASE_ECEF_M)
    assert pair_obstacles(rover, base) == []
    facts = pair_facts(rover, base)
    assert facts["rover_epochs_with_base"] == 5
    assert facts["common"]["G"]["bands"] == "12"
    assert facts["baseline_m"] == pytest.approx(0.991, abs=1e-3)


def said(rover, base) -> str:
    """All obstacles as one text."""
    return " ".join(pair_obstacles(rover, base))


def test_obstacles_of_pairs() -> None:
    rover = made_obs()
    assert "no time in common" in said(rover, made_obs(BASE_ECEF_M, start_ns=START_NS + DAY_NS))
    only_gps = made_obs(BASE_ECEF_M, codes=((GPS, "5Q"),))
    assert "no system has carrier phases on a common band" in said(rover, only_gps)
    only_beidou = made_obs(BASE_ECEF_M, codes=((BEIDOU, "2I"),))
    assert "only one common band" in said(rover, only_beidou)
    assert "no satellite system in common" in said(made_obs(codes=((GPS, "1C"),)), only_beidou)
    assert "swapped" in said(made_obs(step_s=30.0), made_obs(BASE_ECEF_M, n_epoch=121))
    assert "swapped" in said(rover, made_obs(np.full(3, np.nan)))
    assert "same position" in said(rover, made_obs())
    far = BASE_ECEF_M + rotation_at(BASE_ECEF_M).T @ (50_000.0, 0.0, 0.0)
    assert "50.0 km" in said(rover, made_obs(far))


def test_obstacles_of_single_files() -> None:
    table = made_obs()
    assert nav_obstacles(table, made_nav(), "x") == []
    assert "no ephemerides for BeiDou" in nav_obstacles(table, made_nav((GPS,)), "x")[0]
    assert "same day" in nav_obstacles(table, made_nav(toe_ns=START_NS - DAY_NS), "x")[0]
    table.phase_cycle[:] = np.nan
    assert "no carrier phases" in obs_obstacles(table, "x")[0]


def test_command_shows_text_or_json(tmp_path, monkeypatch, capsys) -> None:
    stage = set_stage(tmp_path, monkeypatch)
    files = [str(stage.folder / name) for name in ("rover.obs", "base.obs", "brdc.nav")]
    assert cli.run(["info", *files]) == 0
    text = capsys.readouterr().out
    assert "5, every 1 s" in text
    assert "bands 1 2" in text
    assert "of unknown type, 0.0000 m above the marker" in text
    assert "Nothing found that would stop a fix." in text
    assert cli.run(["info", "--json", *files]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["pair"]["rover_epochs_with_base"] == 5
    assert facts["observations"][0]["code_position"] is not None


def test_real_pair() -> None:
    from rtkpos.io.rinex_obs import read_obs

    rover, base = (
        read_obs(dataset_path("static-nagoya-2024", f"{role}.obs.gz")) for role in ("rover", "base")
    )
    facts = obs_facts(rover)
    assert facts["epochs"] == 301
    assert facts["gaps"] == 0
    assert set(facts["systems"]["C"]["signals"]) == {"2I", "6I", "7I"}
    assert facts["systems"]["C"]["mean_per_epoch"] == pytest.approx(25.5, abs=0.6)
    pair = pair_facts(rover, base)
    assert pair["rover_epochs_with_base"] == 301
    assert pair["common"]["C"]["bands"] == "267"
    assert pair["baseline_m"] == pytest.approx(1.0, abs=0.2)
    assert pair_obstacles(rover, base) == []

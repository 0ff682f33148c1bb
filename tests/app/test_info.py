"""`rtkpos info`: facts of made-up tables, and what it says about pairs that do not fit."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from rtkpos.app.command_line import main
from rtkpos.app.info.command import file_facts
from rtkpos.app.info.facts import gap_facts, nav_facts, obs_facts
from rtkpos.app.info.pair import nav_obstacles, obs_obstacles, pair_facts, pair_obstacles
from rtkpos.app.info.quality import (
    base_obstacles,
    pair_remarks,
    paired_signals,
    tracking_obstacles,
)
from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.gnss.signals import carrier_hz, sig_band
from rtkpos.gnss.systems import BEIDOU, GPS
from rtkpos.prepare.tracking import tracking_numbers
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
    assert main.run(["info", *files]) == 0
    text = capsys.readouterr().out
    assert "5, every 1 s" in text
    assert "bands 1 2" in text
    assert "of unknown type, 0.0000 m above the marker" in text
    assert "Nothing found that would stop a fix." in text
    assert main.run(["info", "--json", *files]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["pair"]["rover_epochs_with_base"] == 5
    assert facts["observations"][0]["code_position"] is not None


def test_real_pair() -> None:
    from rtkpos.io.rinex.read_observations import read_obs

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


def test_receivers_that_track_badly_are_called_out() -> None:
    good = {
        "code_noise_m": 0.3, "loss_share": 0.01, "half_share": 0.0, "cn0_dbhz": 44.0,
        "phase_share": 1.0,
    }  # fmt: skip
    assert tracking_obstacles(good, "x") == []
    assert tracking_obstacles(dict.fromkeys(good), "x") == [], "unknown is not bad"
    for name, value, said in (
        ("code_noise_m", 3.5, "3.5 m: phone grade"),
        ("loss_share", 0.17, "17% of the carrier phases"),
        ("half_share", 0.21, "half a cycle"),
        ("cn0_dbhz", 30.0, "30 dB-Hz"),
    ):
        found = tracking_obstacles(good | {name: value}, "x")
        assert len(found) == 1
        assert said in found[0]


def test_slow_base_few_satellites_and_doubtful_base() -> None:
    rover = made_obs(n_epoch=61)
    assert "15 s old in the median and up to 39 s" in " ".join(
        pair_obstacles(rover, made_obs(BASE_ECEF_M, n_epoch=3, step_s=40.0))
    )
    few = made_obs(BASE_ECEF_M, codes=((GPS, "1C"), (GPS, "2W")))
    assert "only 6 satellites per epoch" in said(made_obs(), few)
    code_m = BASE_ECEF_M + np.array([60.0, 0.0, 0.0])
    assert "60 m from its code position" in base_obstacles(few, code_m)[0]
    assert base_obstacles(few, BASE_ECEF_M) == base_obstacles(few, None) == []


def test_how_signals_are_paired() -> None:
    rover = made_obs(codes=((GPS, "1C"), (GPS, "2L"), (BEIDOU, "2I")))
    base = made_obs(BASE_ECEF_M, codes=((GPS, "1C"), (GPS, "2X"), (BEIDOU, "2I")))
    assert paired_signals(rover, base) == {"G": ["1C", "2L with 2X"], "C": ["2I"]}
    assert paired_signals(made_obs(codes=((GPS, "1C"),)), made_obs(codes=((GPS, "5Q"),))) == {}


def test_different_antennas_are_worth_knowing_only() -> None:
    rover, base = made_obs(), made_obs(BASE_ECEF_M)
    assert pair_remarks(rover, base) == []
    named = [
        dataclasses.replace(t, station=dataclasses.replace(t.station, antenna=name))
        for t, name in ((rover, "AAA  NONE"), (base, "BBB"))
    ]
    assert "AAA NONE and BBB" in pair_remarks(*named)[0]
    assert pair_obstacles(*named) == []


def test_systems_of_the_base_alone_need_no_ephemerides() -> None:
    nav, only_gps = made_nav((GPS,)), made_obs(codes=((GPS, "1C"),))
    assert nav_obstacles(made_obs(), nav, "x", only_gps) == []
    assert nav_obstacles(made_obs(), nav, "x", made_obs()) != []


@pytest.mark.parametrize("noise_m", [0.0, 0.5, 3.0])
@pytest.mark.parametrize("codes", [((GPS, "1C"), (GPS, "2W")), ((BEIDOU, "2I"),)])
def test_scatter_of_codes_is_measured_beside_slips_and_clocks(noise_m, codes) -> None:
    rng = np.random.default_rng(7)
    table = made_obs(codes=codes, n_epoch=100)
    epoch = np.repeat(np.arange(100), np.diff(table.row_start))
    moved_m = 300.0 * epoch + 4.0 * epoch**1.5
    table.code_m[:] += moved_m + noise_m * rng.standard_normal(table.n_row)
    pairs = zip(table.sat.tolist(), table.sig.tolist(), strict=True)
    hertz = np.array([carrier_hz(sat >> 6, sig_band(sig)) for sat, sig in pairs])
    table.phase_cycle[:] += moved_m * hertz / SPEED_OF_LIGHT_MPS
    assert tracking_numbers(table)["code_noise_m"] == pytest.approx(noise_m, rel=0.1, abs=1e-6)


CLEAN = {
    "static-nagoya-2024": ("rover.obs.gz", "base.obs.gz", "base.nav.gz"),
    "kinematic-fujisawa-2021-265": ("SEPT265G.21O.gz", "3034265G.21O.gz", "SEPT2650.21P.gz"),
    "static-clas-fujisawa-2021-078": ("SEPT078M1.21O.gz", "3034078M1.21O.gz", "SEPT078M.21P.gz"),
    "vrs-static-shanghai-2023": ("rover.obs.gz", "base.obs.gz", "rover.nav.gz"),
}


@pytest.mark.compiled
@pytest.mark.parametrize("name", CLEAN)
def test_clean_pairs_give_no_scare(name) -> None:
    assert file_facts([dataset_path(name, file) for file in CLEAN[name]])["obstacles"] == []


@pytest.mark.compiled
def test_the_walk_is_called_phone_grade_beforehand() -> None:
    files = [
        dataset_path("kinematic-shanghai-2023-part1", f"{n}.gz")
        for n in ("rover.obs", "base.obs", "rover.nav")
    ]
    found = file_facts(files)["obstacles"]
    assert "phone grade" in found[0]
    assert not any("base.obs" in text for text in found)

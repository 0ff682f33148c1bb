"""Options of direction, static start and moving base on the command line, and what is reported."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rtkpos.app.command_line import main
from rtkpos.records.solution import HourlyMeans
from rtkpos.records.status import FixStatus
from tests.app.made_inputs import Stage, set_stage
from tests.io.made_solution import PLACE_ECEF_M, made_solution, rotation_at

HOUR_NS = 3600 * 1_000_000_000


@pytest.fixture
def stage(tmp_path, monkeypatch) -> Stage:
    """Readers and solver that return made-up tables."""
    return set_stage(tmp_path, monkeypatch)


def static_solution():
    """A static session of three hours with millimetres of everything."""
    rotation = rotation_at(PLACE_ECEF_M)
    return made_solution(
        (FixStatus.FIXED,) * 4,
        mode="static",
        static_ecef_m=PLACE_ECEF_M,
        static_cov_m2=rotation.T @ np.diag([1e-6, 4e-6, 9e-6]) @ rotation,
        hourly=HourlyMeans(
            start_ns=np.arange(3) * HOUR_NS,
            ecef_m=np.tile(PLACE_ECEF_M, (3, 1)),
            n_epoch=np.array([2, 1, 1]),
            std_enu_m=np.array([0.0012, 0.0008, 0.0041]),
        ),
    )


def moving_solution():
    """Two epochs with the vector to a moving base, one without."""
    vector = np.tile([3.0, -1.0, 2.0], (3, 1))
    vector[2] = np.nan
    status = (FixStatus.FIXED, FixStatus.FLOAT, FixStatus.SPP)
    return made_solution(status, mode="moving_base", baseline_ecef_m=vector)


def test_direction_and_static_start_reach_the_configuration(stage) -> None:
    main.run(stage.words("--direction", "combined", "--static-start", "90", "-q"))
    config = stage.seen["config"]
    assert (config.direction, config.static_start_s) == ("combined", 90.0)


@pytest.mark.parametrize(
    "words",
    [("--direction", "sideways"), ("--static-start", "-5"), ("--static-start", "1e9")],
)
def test_impossible_directions_and_starts_are_1(stage, words) -> None:
    assert main.run(stage.words(*words)) == 1


def test_a_moving_base_needs_no_coordinates_and_writes_vectors(stage, capsys) -> None:
    stage.base.station.approx_ecef_m[:] = np.nan
    stage.solution = moving_solution()
    assert main.run([*stage.files(), "--mode", "moving_base", "-q"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line[0] != "%"]
    assert len(rows) == 2
    east_north_up = np.array([float(word) for word in rows[0][2:5]])
    assert np.linalg.norm(east_north_up) == pytest.approx(np.sqrt(14.0), abs=1e-3)


def test_coordinates_and_truth_given_for_a_moving_base_are_warned_of(stage, capsys) -> None:
    stage.solution = moving_solution()
    truth = " ".join(str(v) for v in PLACE_ECEF_M)
    assert main.run(stage.words("--mode", "moving_base", "--truth", truth)) == 0
    told = capsys.readouterr().err
    assert "base coordinates given are not used" in told
    assert "only the vector from a moving base is precise" in told
    assert "baseline   3.742 m" in told


def test_static_coordinate_its_sigma_and_hourly_means_are_reported(stage, tmp_path, capsys) -> None:
    stage.solution = static_solution()
    summary = tmp_path / "s.json"
    words = stage.words("--mode", "static", "--direction", "combined", "--summary", str(summary))
    assert main.run(words) == 0
    told = capsys.readouterr().err
    assert "sigma    1.0/2.0/3.0 mm" in told
    assert "hourly   1.2/0.8/4.1 mm (E/N/U, standard deviation of 3 hourly means)" in told
    facts = json.loads(summary.read_text())
    assert facts["direction"] == "combined"
    assert facts["static"]["sigma_enu_m"] == pytest.approx([0.001, 0.002, 0.003])
    assert facts["static"]["hourly"]["n_epoch"] == [2, 1, 1]


def test_the_pos_header_names_the_direction(stage, capsys) -> None:
    stage.solution = made_solution(direction="backward")
    main.run(stage.words("--direction", "backward", "-q"))
    assert "% solution  : Backward" in capsys.readouterr().out

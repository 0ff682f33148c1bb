"""Options of `solve`: how they become a configuration, base coordinates, files, a summary."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rtkpos.app.command_line import main
from rtkpos.app.solve.file_kind import NAVIGATION, OBSERVATIONS, OTHER, file_kind
from rtkpos.app.solve.request import parse_bands
from rtkpos.core.station.geodesy import enu_rotation
from rtkpos.io.solutions.pos import ecef_from_degrees
from rtkpos.records.status import FixStatus
from tests.app.made_inputs import NAV_HEAD, OBS_HEAD, Stage, set_stage
from tests.io.made_solution import BASE_ECEF_M, PLACE_ECEF_M, made_solution, rotation_at


@pytest.fixture
def stage(tmp_path, monkeypatch) -> Stage:
    """Readers and solver that return made-up tables."""
    return set_stage(tmp_path, monkeypatch)


def test_options_override_the_file(stage, tmp_path) -> None:
    (tmp_path / "c.toml").write_text(
        'mode = "static"\n[selection]\nsystems = "GE"\nelevation_mask_deg = 20.0\n'
        "[ambiguity]\nmin_pairs = 6\n"
    )
    words = stage.words("-k", str(tmp_path / "c.toml"), "--systems", "GC", "--bands", "C26,G12")
    assert main.run([*words, "--ar", "hold", "--force", "-q"]) == 4
    config = stage.seen["config"]
    assert (config.mode, config.ar) == ("static", "hold")
    assert config.selection.systems == "GC"
    assert config.selection.elevation_mask_deg == 20.0
    assert config.selection.bands == {"C": "26", "G": "12"}
    assert config.ambiguity.min_pairs == 6
    assert config.base.force


@pytest.mark.parametrize(
    ("text", "code"),
    [("nonsense = 1", 1), ("[selection]\nelevation_mask_deg = 99.0", 1), ("a = [", 1), (None, 2)],
)
def test_bad_configuration_files(stage, tmp_path, capsys, text, code) -> None:
    path = tmp_path / "c.toml"
    if text is not None:
        path.write_text(text)
    assert main.run(stage.words("--config", str(path))) == code
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_bands() -> None:
    assert parse_bands("C26, g1") == {"C": "26", "G": "1"}


def test_base_from_degrees(stage) -> None:
    llh = ["35.134707705", "136.977577939", "104.8529"]
    assert main.run([*stage.files(), "--base-llh", *llh, "-q"]) == 4
    assert np.abs(stage.seen["base_ecef_m"] - BASE_ECEF_M).max() < 2e-4


def test_base_from_header_is_announced_and_is_the_marker(stage, capsys) -> None:
    stage.base.station.antenna_enu_m[:] = (0.1, 0.2, 1.5)
    assert main.run(stage.files()) == 4
    assert np.abs(stage.seen["base_ecef_m"] - BASE_ECEF_M).max() < 1e-9
    assert "taken from the header of its file." in capsys.readouterr().err


def test_base_from_header_is_the_antenna_on_request(stage, capsys) -> None:
    stage.base.station.antenna_enu_m[:] = (0.1, 0.2, 1.5)
    assert main.run([*stage.files(), "--coordinates", "antenna"]) == 4
    expected = BASE_ECEF_M + rotation_at(BASE_ECEF_M).T @ (0.1, 0.2, 1.5)
    assert np.abs(stage.seen["base_ecef_m"] - expected).max() < 1e-9
    assert stage.seen["config"].antenna.coordinates == "antenna"
    assert "taken from the header of its file (marker plus" in capsys.readouterr().err


def test_antenna_options_reach_the_configuration(stage) -> None:
    words = stage.words("--antex", "a.atx", "--rover-antenna", "LEIAR25.R3 LEIT", "-q")
    assert main.run([*words, "--base-antenna", "TRM59800.00 NONE"]) == 4
    antenna = stage.seen["config"].antenna
    assert (antenna.antex, antenna.rover) == ("a.atx", "LEIAR25.R3 LEIT")
    assert antenna.base == "TRM59800.00 NONE"


def test_options_and_header_that_differ_are_reported(stage, capsys) -> None:
    xyz = [str(v) for v in BASE_ECEF_M + np.array([30.0, 0.0, 0.0])]
    assert main.run([*stage.files(), "--base-xyz", *xyz]) == 4
    assert "are 30.0 m apart" in capsys.readouterr().err


def test_base_that_its_own_observations_contradict(stage, capsys) -> None:
    # The made-up solver puts the base beside PLACE_ECEF_M, 1 m from BASE_ECEF_M.
    east = rotation_at(BASE_ECEF_M).T @ np.array([1.0, 0.0, 0.0])
    near = [str(v) for v in BASE_ECEF_M + 100.0 * east]
    assert main.run([*stage.files(), "--base-xyz", *near]) == 4
    assert "m from the code position of the base itself" in capsys.readouterr().err
    swapped = [str(BASE_ECEF_M[k]) for k in (1, 0, 2)]
    assert main.run([*stage.files(), "--base-xyz", *swapped]) == 2
    error = capsys.readouterr().err
    assert "km from the code position" in error
    assert "--force" in error
    assert main.run([*stage.files(), "--base-xyz", *swapped, "--force"]) == 4


def test_base_from_code_positions_marks_the_result_relative(stage, capsys) -> None:
    stage.base.station.approx_ecef_m[:] = np.nan
    assert main.run([*stage.files(), "--base-position", "single"]) == 4
    out = capsys.readouterr()
    assert np.abs(stage.seen["base_ecef_m"] - PLACE_ECEF_M).max() < 1e-6
    assert "relative result" in out.err
    assert "% note      : relative result" in out.out


@pytest.mark.parametrize(
    ("name", "start"),
    [("o.pos", "% program"), ("o.csv", "time_gpst"), ("o.geojson", '{"type"'), ("o.kml", "<?xml"),
     ("o.nmea", "$GNGGA"), ("o.txt", "% program")],
)  # fmt: skip
def test_format_follows_the_ending(stage, name, start) -> None:
    assert main.run(stage.words("-o", str(stage.folder / name), "-q")) == 4
    assert (stage.folder / name).read_text().startswith(start)


def test_format_option_wins(stage, capsys) -> None:
    assert main.run(stage.words("--format", "csv", "-q")) == 4
    assert capsys.readouterr().out.startswith("time_gpst")


def test_summary_holds_what_a_script_wants(stage, tmp_path) -> None:
    truth = [str(v) for v in PLACE_ECEF_M]
    path = tmp_path / "s.json"
    words = stage.words("--summary", str(path), "--truth", *truth, "-q", "-o", str(tmp_path / "o"))
    assert main.run(words) == 4
    data = json.loads(path.read_text())
    assert data["epochs"] == {
        "total": 5, "fixed": 1, "float": 1, "dgnss": 1, "single": 1, "none": 1,
    }  # fmt: skip
    assert data["reasons"] == {"RATIO_LOW": 4}
    assert data["first_fix"] == {"time_gpst": "2024-06-24 08:20:00.000", "after_s": 0.0}
    assert data["base"]["origin"] == "option"
    assert data["baseline_m"]["median"] == pytest.approx(0.991, abs=1e-3)
    assert data["accuracy"]["n_wrong"] == 0
    assert data["accuracy"]["all"]["rms_3d_m"] < 1e-6
    assert data["config"]["selection"]["elevation_mask_deg"] == 10.0
    assert data["inputs"]["base"][0].endswith("base.obs")


def test_wrong_fixes_are_counted_on_the_screen(stage, capsys) -> None:
    stage.solution = made_solution(
        (FixStatus.FIXED,) * 4, np.array([[0, 0, 0]] * 3 + [[0.3, 0, 0]])
    )
    assert main.run(stage.words("--truth", *(str(v) for v in PLACE_ECEF_M))) == 0
    assert "1 of 4  25.00 %" in capsys.readouterr().err


def test_kind_of_files(tmp_path) -> None:
    import bz2
    import gzip

    texts = {"o": (OBS_HEAD, OBSERVATIONS), "n": (NAV_HEAD, NAVIGATION), "h": ("<html>", OTHER)}
    for name, (text, kind) in texts.items():
        for pack in (bytes, gzip.compress, bz2.compress):
            path = tmp_path / name
            path.write_bytes(pack(text.encode()))
            assert file_kind(path) == kind
    crinex = f"{'3.0                 COMPACT RINEX FORMAT':<60}CRINEX VERS   / TYPE\n"
    (tmp_path / "c").write_text(crinex)
    assert file_kind(tmp_path / "c") == OBSERVATIONS


def test_helpers_agree_with_geodesy() -> None:
    rotation = np.empty((3, 3))
    enu_rotation(0.5, 1.0, rotation)
    assert np.allclose(rotation @ rotation.T, np.eye(3))
    assert np.isnan(ecef_from_degrees(np.array([[np.nan, 1.0, 2.0]]))).any()

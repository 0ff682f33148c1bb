"""The table form of a solution: one call for all rows, the same numbers as row by row."""

from __future__ import annotations

import time

import numpy as np
import pytest

from rtkpos.core.station.geodesy import ecef_to_geodetic, enu_rotation
from rtkpos.core.station.many_points import enu_rotations, geodetic_of_points
from rtkpos.io.solutions.csv_table import format_csv
from rtkpos.records.history import History, InputFile
from rtkpos.records.status import FixStatus
from tests.io.made_solution import made_solution

DAY = 86_400


def scattered(n: int, seed: int = 1):
    """A solution of n epochs over some kilometres, with gaps and full covariances."""
    rng = np.random.default_rng(seed)
    status = tuple(FixStatus(int(k)) for k in rng.integers(0, 5, n))
    solution = made_solution(status, rng.normal(size=(n, 3)) * 1000.0)
    root = rng.normal(size=(n, 3, 3))
    solution.cov_ecef_m2[:] = root @ root.transpose(0, 2, 1) * 1e-4
    solution.velocity_mps[:] += rng.normal(size=(n, 3))
    solution.ratio[::7] = np.nan
    return solution


def naive_frames(solution):
    """Geodetic positions and rotations row by row, NaN without a position."""
    llh = np.full((solution.n_epoch, 3), np.nan)
    rotation = np.full((solution.n_epoch, 3, 3), np.nan)
    for k in np.flatnonzero(np.isfinite(solution.ecef_m[:, 0])):
        ecef_to_geodetic(solution.ecef_m[k], llh[k])
        enu_rotation(llh[k, 0], llh[k, 1], rotation[k])
    return llh, rotation


def test_positions_and_sigmas_are_those_of_a_loop_bit_for_bit():
    solution = scattered(400)
    llh, rotation = naive_frames(solution)
    np.testing.assert_array_equal(solution.llh(), llh)
    out = np.full((400, 3), np.nan)
    for k in np.flatnonzero(np.isfinite(llh[:, 0])):
        local = rotation[k] @ solution.cov_ecef_m2[k] @ rotation[k].T
        out[k] = np.sqrt(np.maximum(np.diag(local), 0.0))
    np.testing.assert_array_equal(solution.sigma_enu_m(), out)


def test_kernels_over_rows_count_what_has_no_position():
    solution = scattered(50)
    llh, rotation = np.empty((50, 3)), np.empty((50, 3, 3))
    missing = int((solution.status == FixStatus.NONE).sum())
    assert geodetic_of_points(solution.ecef_m, llh) == missing > 0
    enu_rotations(llh, rotation)
    good = np.isfinite(llh[:, 0])
    np.testing.assert_array_equal(rotation[good], naive_frames(solution)[1][good])
    assert np.isnan(rotation[~good]).all()


def test_csv_is_that_of_a_loop():
    solution = scattered(60)
    llh, rotation = naive_frames(solution)
    lines = format_csv(solution).splitlines()[1:]
    for k, line in enumerate(lines):
        words = line.split(",")
        if solution.status[k] == FixStatus.NONE:
            assert words[5] == words[11] == ""
            continue
        assert words[5] == f"{np.degrees(llh[k, 0]):.10f}"
        velocity = rotation[k] @ solution.velocity_mps[k]
        assert words[11:14] == [f"{value:.4f}" for value in velocity]
        assert words[17] == ("" if np.isnan(solution.ratio[k]) else f"{solution.ratio[k]:.3f}")


def test_a_dataset_has_units_covariance_probability_and_history():
    history = History(
        version="0.1.0", inputs=(InputFile(role="rover", name="rover.obs", sha256="ab" * 32),)
    )
    solution = made_solution(history=history)
    data = solution.to_xarray()
    assert data["lat_deg"].attrs["units"] == "degree"
    assert data["x_m"].attrs["units"] == "m"
    assert data["vx_mps"].attrs["units"] == "m s-1"
    assert data["cov_ecef_m2"].attrs["units"] == "m2"
    assert data["n_sat"].attrs["units"] == "1"
    assert data["cov_ecef_m2"].dims == ("time", "axis", "other_axis")
    np.testing.assert_array_equal(data["cov_ecef_m2"].values, solution.cov_ecef_m2)
    assert "probability" in data
    assert data.attrs["base_ecef_m"] == solution.base_ecef_m.tolist()
    assert "rover rover.obs sha256 abab" in data.attrs["history"]


def test_a_data_frame_has_the_covariance_in_columns_and_the_history_beside():
    solution = made_solution(history=History(version="0.1.0"))
    frame = solution.to_dataframe()
    assert frame["cov_xy_m2"].tolist() == solution.cov_ecef_m2[:, 0, 1].tolist()
    assert frame["cov_zz_m2"].tolist() == solution.cov_ecef_m2[:, 2, 2].tolist()
    assert frame.attrs["history"].startswith("rtkpos 0.1.0")


def test_a_solution_is_shown_in_one_line():
    text = repr(scattered(1000))
    assert "1000 epochs" in text
    assert "% FIXED" in text
    assert "\n" not in text
    assert len(text) < 250


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("name", ["to_xarray", "to_dataframe"])
def test_a_day_at_1_hz_becomes_a_table_in_less_than_0_3_s(name):
    solution = scattered(DAY)
    make = getattr(solution, name)
    make()
    times = []
    for _ in range(3):
        start = time.process_time()
        make()
        times.append(time.process_time() - start)
    assert min(times) < 0.3

"""Observations to georinex' layout and back."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.errors import DataError
from rtkpos.gnss.signals import sig_code
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.io.xarray_bridge import from_xarray, to_xarray
from tests.io.obs_text import epoch_line, file_3, header_3, sat_line, value_of

COLUMNS = ("time_ns", "row_start", "sat", "sig", "code_m", "phase_cycle", "doppler_hz", "cn0_dbhz")


def test_layout_and_values():
    dataset = to_xarray(read_obs(file_3(3).encode()))
    assert dict(dataset.sizes) == {"time": 3, "sv": 3}
    assert dataset["sv"].values.tolist() == ["G05", "G12", "C07"]
    value = dataset["L2W"].sel(sv="G12", time="2024-06-24T08:20:02").item()
    assert value == value_of("G12", 2.0, 4)
    assert np.isnan(dataset["C2I"].sel(sv="G12")).all()
    assert dataset.attrs["time_system"] == "GPS"
    assert dataset.attrs["position"] == [4027894.006, 307045.916, 4919474.91]
    assert set(dataset.data_vars) >= {"C1C", "L1C", "S1C", "L1Clli", "C2I", "L2Illi"}


def test_round_trip():
    text = header_3() + epoch_line(0.0, 2) + sat_line("G05", lli="3") + sat_line("C07")
    text += epoch_line(1.0, 1) + sat_line("C08", 1.0, lli="1")
    table = read_obs(text.encode())
    back = from_xarray(to_xarray(table))
    for column in (*COLUMNS, "lli"):
        assert getattr(back, column).tobytes() == getattr(table, column).tobytes(), column
        assert getattr(back, column).dtype == getattr(table, column).dtype
    assert back.station.approx_ecef_m.tolist() == table.station.approx_ecef_m.tolist()


def test_one_system():
    dataset = to_xarray(read_obs(file_3(2).encode()), "C")
    assert dataset["sv"].values.tolist() == ["C07"]
    with pytest.raises(DataError, match="one letter"):
        to_xarray(read_obs(file_3(2).encode()), "GC")


def test_rinex_2_names_zeros_order_and_time_system():
    import xarray as xr

    times = np.array(["2024-06-24T08:20:01", "2024-06-24T08:20:00"], "datetime64[ns]")
    dataset = xr.Dataset(
        {
            "C1": (("sv", "time"), np.array([[2.0, 1.0]])),
            "L1": (("sv", "time"), np.array([[0.0, 5.0]])),
            "P2": (("sv", "time"), np.array([[np.nan, 7.0]])),
        },
        coords={"time": times, "sv": ["R07"]},
        attrs={"version": 2.11, "time_system": "GLO"},
    )
    table = from_xarray(dataset)
    assert [sig_code(int(sig)) for sig in table.sig] == ["1C", "2P", "1C"]
    assert table.code_m.tolist() == [1.0, 7.0, 2.0]
    assert np.isnan(table.phase_cycle).tolist() == [False, True, True]
    assert table.time_ns[0] == read_obs(file_3(1).encode()).time_ns[0] + 18 * 10**9


def test_what_is_no_georinex_dataset_is_refused():
    import xarray as xr

    with pytest.raises(DataError, match="no coordinate 'time'"):
        from_xarray(xr.Dataset({"a": ("x", np.zeros(2))}))
    dataset = to_xarray(read_obs(file_3(1).encode()))
    with pytest.raises(DataError, match="time_system"):
        from_xarray(dataset.assign_attrs(time_system="XYZ"))

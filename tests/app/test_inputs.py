"""Reading rover and base side by side gives the same tables and the same errors."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from rtkpos.app.solve import inputs
from rtkpos.app.solve.inputs import read_inputs, sort_inputs
from rtkpos.app.solve.request import SolveRequest
from rtkpos.errors import ConfigError, FileError, RinexError
from rtkpos.live.warm import _nav_text, _rinex3_text
from rtkpos.records.config import RtkConfig
from tests.io.obs_text import file_3

OBS_3 = file_3(4).encode()


@pytest.fixture
def request_of(tmp_path, monkeypatch):
    """A request for small files that count as long ones."""
    monkeypatch.setattr(inputs, "LONG_BYTES", 1)
    rover, base, nav = (tmp_path / name for name in ("rover.obs", "base.obs", "nav.rnx"))
    rover.write_bytes(_rinex3_text())
    base.write_bytes(_rinex3_text().replace(b"45.000", b"41.000"))
    nav.write_bytes(_nav_text())
    return SolveRequest(rover=(rover,), base=(base,), nav=(nav,))


def test_both_are_read(request_of, monkeypatch):
    side_by_side = read_inputs(request_of, RtkConfig())
    monkeypatch.setattr(inputs, "LONG_BYTES", 1 << 40)
    in_turn = read_inputs(request_of, RtkConfig())
    for role in ("rover", "base"):
        for name in ("time_ns", "sat", "code_m", "cn0_dbhz"):
            one, other = (getattr(getattr(i, role), name) for i in (side_by_side, in_turn))
            np.testing.assert_array_equal(one, other)
    assert side_by_side.base.source == in_turn.base.source
    assert not np.array_equal(side_by_side.rover.cn0_dbhz, side_by_side.base.cn0_dbhz)


@pytest.mark.parametrize("role", ["rover", "base"])
def test_errors_of_either_arrive(request_of, role):
    path: Path = getattr(request_of, role)[0]
    path.write_text("no RINEX, but not empty\n")
    with pytest.raises(RinexError, match=f"{role}.obs is not a RINEX file"):
        read_inputs(request_of, RtkConfig())


def test_a_file_that_is_missing_is_told(request_of):
    request_of.base[0].unlink()
    with pytest.raises(FileError, match="there is no such file"):
        read_inputs(request_of, RtkConfig())


def test_a_base_without_epochs_leaves_single_positions(request_of):
    head = _rinex3_text().split(b"> 2024")[0]
    request_of.base[0].write_bytes(head)
    found = read_inputs(request_of, RtkConfig())
    assert found.base is None
    assert "Positions are single" in found.base_missing


def shifted(text: bytes, minutes: int) -> bytes:
    """The same recording some minutes later."""
    return text.replace(b" 08 20 ", b" 08 %02d " % (20 + minutes))


@pytest.fixture
def receivers(request_of, tmp_path):
    """Paths of a rover, its base with the same header, and the rover's next file."""
    rover, base, nav = request_of.rover[0], request_of.base[0], request_of.nav[0]
    base.write_bytes(OBS_3.replace(b"20005000", b"20005009"))
    rover.write_bytes(OBS_3)
    following = tmp_path / "following.obs"
    following.write_bytes(shifted(OBS_3, 5))
    return rover, base, nav, following


def test_rover_base_nav_in_the_order_of_rnx2rtkp(receivers):
    rover, base, nav, following = receivers
    found = sort_inputs(SolveRequest(rover=(rover, base, nav)))
    assert (found.rover, found.base, found.nav) == ((rover,), (base,), (nav,))
    found = sort_inputs(SolveRequest(rover=(rover, base), nav=(nav,)))
    assert (found.rover, found.base) == ((rover,), (base,))
    found = sort_inputs(SolveRequest(rover=(rover, following, base, nav)))
    assert (found.rover, found.base) == ((rover, following), (base,))


def test_base_that_begins_later_or_is_packed(receivers):
    rover, base, nav, _ = receivers
    long = b"".join([OBS_3, *(shifted(OBS_3, k).split(b"END OF HEADER")[1][8:] for k in (1, 2, 3))])
    rover.write_bytes(long)
    later = shifted(OBS_3, 2).replace(b"20005000", b"20005009")
    base.write_bytes(gzip.compress(later.replace(b"TEST ", b"BASE ")))
    found = sort_inputs(SolveRequest(rover=(rover, base, nav)))
    assert (found.rover, found.base) == ((rover,), (base,))


def test_files_of_one_receiver_stay_one_rover(receivers):
    rover, _, nav, following = receivers
    found = sort_inputs(SolveRequest(rover=(rover, following, nav)))
    assert (found.rover, found.base) == ((rover, following), ())


@pytest.mark.parametrize("how", ["base", "single"])
def test_two_receivers_are_never_one_rover(receivers, how):
    rover, base, nav, following = receivers
    request = SolveRequest(rover=(rover, base), nav=(nav,), base=(following,))
    if how == "single":
        request = SolveRequest(rover=(rover, base, nav), options={"mode": "single"})
    with pytest.raises(ConfigError, match=r"rover.obs and .*base.obs are given as ROVER but"):
        sort_inputs(request)

"""Bands of a run, signal pairs, common satellites and base epochs."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos._arrays import record_of
from rtkpos.errors import InputError
from rtkpos.estimate.baseline.epoch_work import epoch_work
from rtkpos.gnss.signals import sig_code, sig_index
from rtkpos.gnss.systems import BEIDOU, GALILEO, GPS, QZSS, sat_from_name
from rtkpos.prepare.align import match_epochs
from rtkpos.prepare.common import pair_cost, pair_epoch
from rtkpos.prepare.pairing import choose_bands, make_plan
from rtkpos.records.config import RtkConfig, Selection
from tests.recordings import recording, window

SECOND_NS = 1_000_000_000


def test_bands_are_those_both_receivers_have():
    rover, base, _, _ = recording("vrs-static-shanghai-2023")
    bands = choose_bands(rover, base, Selection())
    assert bands[GPS] == (1, 5), "the rover has no L2"
    assert bands[GALILEO] == (1, 5)
    assert bands[BEIDOU] == (2,), "the rover has B1I only"


def test_named_bands_and_their_order_are_obeyed():
    rover, base, _, _ = recording("static-nagoya-2024")
    bands = choose_bands(rover, base, Selection(bands={"C": "62", "G": "5"}))
    assert bands[BEIDOU] == (6, 2)
    assert bands[GPS] == (5,)
    assert choose_bands(rover, base, Selection(n_band_max=1))[BEIDOU] == (2,)


def test_no_common_band_is_an_error_that_says_what_each_has():
    rover, base, _, _ = recording("bdsonly-monitoring-24h")
    config = RtkConfig.from_dict({"selection": {"systems": "G"}})
    with pytest.raises(InputError, match="C"):
        make_plan(window(rover, 0, 2), window(base, 0, 2), config)


def test_equal_codes_are_preferred_then_families():
    rover, base, _, _ = recording("kinematic-fujisawa-2021-265")
    plan = make_plan(rover, base, RtkConfig())

    def cost(a, b):
        return pair_cost(sig_index(GPS, a), sig_index(GPS, b), plan.rank, plan.family)

    assert cost("2W", "2W") < cost("2L", "2X") < cost("2W", "2X")


def test_real_pairs_of_unlike_receivers():
    """Rover 2L 2W 5Q and base 2W 2X 5X pair as 2W-2W and 5Q-5X; Galileo 1C-1X, 5Q-5X, 7Q-7X."""
    rover, base, _, _ = recording("kinematic-fujisawa-2021-265")
    plan = record_of(make_plan(rover, base, RtkConfig()))
    work = record_of(epoch_work())
    n = pair_epoch(rover.arrays(), 10, base.arrays(), 10, plan, work)
    seen = {GPS: set(), GALILEO: set(), QZSS: set()}
    for i in range(n):
        for slot in range(3):
            a, b = work.row[:, i, slot]
            if a >= 0:
                pair = (sig_code(int(rover.sig[a])), sig_code(int(base.sig[b])))
                seen[int(work.sat[i]) >> 6].add(pair)
    assert {("1C", "1C"), ("2W", "2W"), ("5Q", "5X")} <= seen[GPS]
    assert seen[GALILEO] == {("1C", "1X"), ("5Q", "5X"), ("7Q", "7X")}


def test_common_satellites_are_the_intersection():
    rover, base, _, _ = recording("static-nagoya-2024")
    plan = record_of(make_plan(rover, base, RtkConfig()))
    work = record_of(epoch_work())
    n = pair_epoch(rover.arrays(), 7, base.arrays(), 7, plan, work)
    sats = [set(t.sat[t.row_start[7] : t.row_start[8]].tolist()) for t in (rover, base)]
    paired = set(work.sat[:n].tolist())
    assert paired <= (sats[0] & sats[1])
    assert len(paired) >= 0.95 * len(sats[0] & sats[1])
    assert list(work.sat[:n]) == sorted(work.sat[:n])


def test_unwanted_satellites_do_not_pair():
    rover, base, _, _ = recording("static-nagoya-2024")
    config = RtkConfig.from_dict({"selection": {"systems": "C", "exclude": ("C21",)}})
    plan = record_of(make_plan(rover, base, config))
    work = record_of(epoch_work())
    n = pair_epoch(rover.arrays(), 0, base.arrays(), 0, plan, work)
    assert set(work.sat[:n] >> 6) == {BEIDOU}
    assert sat_from_name("C21") not in work.sat[:n]


def test_base_epoch_is_the_latest_not_after_the_rover_and_not_too_old():
    rover = np.array([0, 5, 10, 29, 31, 45, 100], np.int64) * SECOND_NS
    base = np.array([0, 30, 60], np.int64) * SECOND_NS
    index = match_epochs(rover, base, SECOND_NS // 50, 20 * SECOND_NS)
    assert index.tolist() == [0, 0, 0, -1, 1, 1, -1]


def test_base_tag_slightly_late_is_the_same_epoch():
    rover = np.array([10], np.int64) * SECOND_NS
    base = rover + 5_000_000
    assert match_epochs(rover, base, 20_000_000, SECOND_NS).tolist() == [0]
    assert match_epochs(rover, base, 1_000_000, SECOND_NS).tolist() == [-1]

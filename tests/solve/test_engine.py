"""The live engine: the numbers of `solve`, epoch by epoch, and nothing lost on the way."""

from __future__ import annotations

import dataclasses
import threading

import numpy as np
import pytest

from rtkpos.errors import DataError, InputError
from rtkpos.live.engine import RtkEngine
from rtkpos.live.engine_state import BASE_EPOCHS
from rtkpos.live.navigation import NAV_COLUMNS, empty_nav, joined_nav, nav_of_columns
from rtkpos.processing.epoch import epochs
from rtkpos.processing.run import solve
from rtkpos.records.config import Ambiguity, BaseLink, RtkConfig, Selection
from rtkpos.records.status import FixStatus, Reason
from tests.solve.runs import (
    FUJISAWA,
    NAGOYA,
    SECOND_NS,
    assert_same,
    engine_of,
    feed,
    short,
    solved,
    thinned,
)

pytestmark = pytest.mark.compiled


@pytest.mark.parametrize("name", [NAGOYA, FUJISAWA])
def test_live_and_recorded_runs_are_the_same_bit_for_bit(name):
    engine, rover, base = engine_of(name)
    fixes = [engine.update(*pair) for pair in zip(rover, base, strict=True)]
    assert_same(fixes, solved(name))
    assert np.mean([fix.is_fixed for fix in fixes]) > 0.9


@pytest.mark.parametrize("mode", ["single", "dgnss", "static"])
def test_other_modes_are_the_same_too(mode):
    engine, rover, base = engine_of(NAGOYA, 20, mode=mode)
    fixes = [engine.update(*pair) for pair in zip(rover, base, strict=True)]
    assert_same(fixes, solved(NAGOYA, 20, mode))


def test_faster_and_slower_bases_are_the_same_too():
    rover, base, nav, place = short(FUJISAWA)
    slow = thinned(base, lambda s: s % 7 == 0)
    engine = RtkEngine.from_tables(rover, slow, nav, place)
    assert_same(feed(engine, rover, slow), solve(rover, nav, slow, place))
    few = thinned(rover, lambda s: s % 5 == 0)
    engine = RtkEngine.from_tables(few, base, nav, place)
    assert_same(feed(engine, few, base), solve(few, nav, base, place))


@pytest.mark.parametrize(
    "config",
    [
        RtkConfig(selection=Selection(systems="GECJ")),
        RtkConfig(ambiguity=Ambiguity(glonass="on")),
        RtkConfig(mode="static", selection=Selection(systems="GC")),
    ],
    ids=["without-glonass", "glonass-told", "static"],
)
def test_an_engine_without_the_recordings_gives_the_positions_of_solve(config):
    """Both receivers are of one type, which `solve` knows from the headers and an engine not."""
    rover, base, nav, place = short(NAGOYA)
    engine = RtkEngine(config, nav, place)
    assert_same(feed(engine, rover, base), solve(rover, nav, base, place, config))


def test_what_only_headers_tell_makes_an_engine_differ_by_millimetres():
    rover, base, nav, place = short(NAGOYA)
    live = np.array([f.ecef_m for f in feed(RtkEngine(RtkConfig(), nav, place), rover, base)])
    assert 0.0 < np.abs(live - solved(NAGOYA).ecef_m).max() < 5e-3


def test_engine_that_chooses_its_own_bands_fixes_as_well():
    rover, base, nav, place = short(NAGOYA)
    engine = RtkEngine(RtkConfig(), nav, place)
    fixes = feed(engine, rover, base)
    assert all(fix.is_fixed for fix in fixes)
    apart_mm = 1e3 * np.abs(np.array([f.ecef_m for f in fixes]) - solved(NAGOYA).ecef_m).max()
    assert apart_mm < 5.0, f"{apart_mm:.2f} mm"


def test_base_may_come_later_than_the_rover():
    rover, base, nav, place = short(NAGOYA, 20)
    engine = RtkEngine(RtkConfig(), nav, place)
    alone = [engine.update(epoch) for epoch in list(epochs(rover))[:5]]
    assert {fix.status for fix in alone} == {FixStatus.SPP}
    assert {fix.reason for fix in alone} == {Reason.NO_BASE_EPOCH}
    rest = zip(list(epochs(rover))[5:], list(epochs(base))[5:], strict=True)
    assert all(engine.update(*pair).is_fixed for pair in rest)


def test_snapshot_goes_on_bit_for_bit():
    engine, rover, base = engine_of(FUJISAWA)
    for k in range(30):
        engine.update(rover[k], base[k])
    snapshot = engine.snapshot()
    first = [engine.update(rover[k], base[k]) for k in range(30, 60)]
    _, _, nav, place = short(FUJISAWA)
    other = RtkEngine(RtkConfig(), empty_nav(), place + 100.0)
    other.restore(snapshot)
    assert other.snapshot() == snapshot
    second = [other.update(rover[k], base[k]) for k in range(30, 60)]
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a.ecef_m, b.ecef_m)
        assert (a.status, a.reason, a.n_fixed) == (b.status, b.reason, b.n_fixed)
    assert engine.snapshot() == other.snapshot()
    assert nav.n_ephemeris == other._nav.n_ephemeris


def test_foreign_snapshots_are_refused_and_change_nothing():
    engine, rover, base = engine_of(NAGOYA, 20)
    engine.update(rover[0], base[0])
    before = engine.snapshot()
    flipped = bytearray(before)
    flipped[len(before) // 2] ^= 1
    other = RtkEngine(RtkConfig(ar="hold"), short(NAGOYA, 20)[2], short(NAGOYA, 20)[3])
    foreign = [b"", b"hello", before[:1000], bytes(flipped), b"x" + before, other.snapshot()]
    for data in foreign:
        with pytest.raises(DataError):
            engine.restore(data)
        assert engine.snapshot() == before
    with pytest.raises(DataError, match="configuration"):
        engine.restore(other.snapshot())
    with pytest.raises(DataError, match="bytes"):
        engine.restore("text")


def altered(epoch, **columns):
    """The epoch with other columns."""
    return dataclasses.replace(epoch, **columns)


UNUSABLE = {
    "time is NaN": lambda e: altered(e, time_ns=float("nan")),
    "time is a float": lambda e: altered(e, time_ns=float(e.time_ns)),
    "time is a truth value": lambda e: altered(e, time_ns=True),
    "time is negative": lambda e: altered(e, time_ns=-5),
    "time is huge": lambda e: altered(e, time_ns=1 << 62),
    "time goes back": lambda e: altered(e, time_ns=e.time_ns - 10 * SECOND_NS),
    "time stands still": lambda e: altered(e, time_ns=e.time_ns - SECOND_NS),
    "code is float32": lambda e: altered(e, code_m=e.code_m.astype(np.float32)),
    "satellites are floats": lambda e: altered(e, sat=e.sat.astype(np.float64)),
    "satellites are texts": lambda e: altered(e, sat=np.array(["G01"] * e.n_row)),
    "columns differ in length": lambda e: altered(e, code_m=e.code_m[:-1]),
    "column is a matrix": lambda e: altered(e, code_m=e.code_m.reshape(-1, 1)),
    "column is missing": lambda e: altered(e, lli=None),
    "row is there twice": lambda e: altered(e, sig=np.full_like(e.sig, e.sig[0])),
    "event is out of range": lambda e: altered(e, event=999),
}


@pytest.mark.parametrize("fault", list(UNUSABLE))
def test_unusable_epochs_raise_and_change_nothing(fault):
    engine, rover, base = engine_of(NAGOYA, 20)
    engine.update(rover[0], base[0])
    before = engine.snapshot()
    with pytest.raises(DataError):
        engine.update(UNUSABLE[fault](rover[1]), base[1])
    assert engine.snapshot() == before
    if fault != "time stands still":  # the same base epoch may be given again
        with pytest.raises(DataError):
            engine.update(rover[1], UNUSABLE[fault](base[1]))
        assert engine.snapshot() == before
    assert engine.update(rover[1], base[1]).is_fixed


def test_order_layout_and_strangers_do_not_matter():
    engine, rover, base = engine_of(NAGOYA, 20)
    plain = engine.update(rover[0], base[0])
    shuffle = np.random.default_rng(1).permutation(rover[0].n_row)
    names = ("sat", "sig", "code_m", "phase_cycle", "doppler_hz", "cn0_dbhz", "lli")
    mixed = {name: getattr(rover[0], name)[shuffle] for name in names}
    doubled = {name: np.repeat(column, 2)[::2] for name, column in mixed.items()}
    strangers = {
        name: np.append(column, np.full(2, 999 if name == "sat" else 0)).astype(column.dtype)
        for name, column in doubled.items()
    }
    engine, _, _ = engine_of(NAGOYA, 20)
    other = engine.update(dataclasses.replace(rover[0], **strangers), base[0])
    assert np.array_equal(plain.ecef_m, other.ecef_m)
    assert engine.notes == {"unknown_satellite": 2}
    cut = {name: column[rover[1].n_row // 2 :] for name, column in vars(rover[1]).items()
           if name in names}  # fmt: skip
    assert engine.update(dataclasses.replace(rover[1], **cut), base[1]).status > FixStatus.NONE


def test_rows_beyond_the_limit_are_cut_and_counted():
    engine, rover, base = engine_of(NAGOYA, 20)
    n = 3000
    sat, letter = np.divmod(np.arange(n), 150)
    crowd = dataclasses.replace(
        rover[0],
        sat=sat.astype(np.int16),
        sig=letter.astype(np.int16),
        lli=np.zeros(n, np.uint8),
        **{k: np.full(n, 2e7) for k in ("code_m", "phase_cycle", "doppler_hz", "cn0_dbhz")},
    )
    engine.update(crowd, base[0])
    assert engine.notes["rows_cut"] == n - 1024
    assert engine.update(rover[1], base[1]).status > FixStatus.NONE


def test_many_base_epochs_at_once_are_bounded_and_counted():
    engine, rover, base = engine_of(NAGOYA, 60)
    engine.update(rover[0], base[0])
    dense = [
        dataclasses.replace(base[1], time_ns=base[1].time_ns + k * SECOND_NS // 100)
        for k in range(2 * BASE_EPOCHS)
    ]
    engine.update(rover[2], dense)
    assert engine.notes["base_epoch_lost"] == BASE_EPOCHS
    assert engine.update(rover[3], base[3]).status >= FixStatus.DGNSS


def test_old_corrections_age_and_then_stop():
    rover, base, nav, place = short(NAGOYA)
    config = RtkConfig(base=BaseLink(max_age_s=10.0))
    engine = RtkEngine.from_tables(rover, base, nav, place, config)
    first, *rest = epochs(rover)
    assert engine.update(first, next(epochs(base))).is_fixed
    fixes = [engine.update(epoch) for epoch in rest]
    assert [round(fix.age_s, 9) for fix in fixes[:40]] == list(range(1, 41))
    assert {fix.status for fix in fixes[10:]} == {FixStatus.SPP}
    assert {fix.reason for fix in fixes[10:]} == {Reason.CORRECTION_TOO_OLD}
    assert min(fix.status for fix in fixes[:10]) >= FixStatus.DGNSS


def test_small_move_of_the_base_keeps_the_fix_and_a_large_one_starts_anew():
    engine, rover, base = engine_of(NAGOYA, 20, ar="continuous")
    before = [engine.update(rover[k], base[k]) for k in range(5)][-1]
    place = short(NAGOYA, 20)[3]
    step_m = np.array([0.3, -0.2, 0.1])
    engine.set_base_position(place + step_m)
    moved = engine.update(rover[5], base[5])
    assert moved.is_fixed
    assert np.abs(moved.ecef_m - before.ecef_m - step_m).max() < 0.01
    locks = engine._memory.state.n_lock.max()
    assert locks >= 5
    engine.set_base_position(place + 3.0)
    engine.update(rover[6], base[6])
    assert engine._memory.state.n_lock.max() <= 1
    with pytest.raises(InputError):
        engine.set_base_position(np.zeros(3))


def part_of(nav, rows):
    """Some ephemerides of a table."""
    columns = {name: getattr(nav, name)[rows] for name in NAV_COLUMNS}
    return nav_of_columns(columns, nav.ionosphere)


def test_ephemerides_may_arrive_in_pieces():
    rover, base, nav, place = short(NAGOYA, 20)
    engine = RtkEngine(RtkConfig(), None, place)
    rover, base = list(epochs(rover)), list(epochs(base))
    blind = engine.update(rover[0], base[0])
    assert (blind.status, blind.reason) == (FixStatus.NONE, Reason.NO_EPHEMERIS)
    rows = np.random.default_rng(2).permutation(nav.n_ephemeris)
    for piece in np.array_split(rows, 7):
        engine.add_nav(part_of(nav, np.sort(piece)))
    for name in NAV_COLUMNS:
        assert np.array_equal(getattr(engine._nav, name), getattr(nav, name), equal_nan=True), name
    assert np.array_equal(engine._nav.sat_start, nav.sat_start)
    assert all(engine.update(rover[k], base[k]).is_fixed for k in range(1, 10))
    carriers = engine._inputs.plan.pairing.carrier_hz[64:88, 0]
    assert np.isfinite(carriers).sum() >= 8  # GLONASS channels came with the ephemerides


def test_ephemerides_in_use_are_the_same_after_more_arrived():
    rover, base, nav, place = short(NAGOYA, 20)
    gps_only = part_of(nav, np.flatnonzero(nav.sat >= 64))
    engine = RtkEngine(RtkConfig(), gps_only, place)
    engine.update(next(epochs(rover)), next(epochs(base)))
    used = engine._memory.state.eph_row.copy()
    before = [engine._nav.toe_ns[row] for row in used if row >= 0]
    engine.add_nav(nav)
    after = [engine._nav.toe_ns[row] for row in engine._memory.state.eph_row if row >= 0]
    assert before == after
    assert before
    joined, _ = joined_nav(nav, nav)
    assert joined.n_ephemeris == nav.n_ephemeris
    middle_ns = int(np.median(nav.toe_ns))
    recent, moved = joined_nav(nav, empty_nav(), middle_ns)
    assert np.array_equal(moved >= 0, nav.toe_ns >= middle_ns)
    assert np.array_equal(recent.toe_ns[moved[moved >= 0]], nav.toe_ns[moved >= 0])


def test_threads_may_share_an_engine():
    engine, rover, base = engine_of(NAGOYA, 20)
    snapshots, errors = [], []

    def watch():
        try:
            snapshots.extend(engine.snapshot() for _ in range(10))
        except Exception as error:
            errors.append(error)

    watchers = [threading.Thread(target=watch) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    fixes = [engine.update(*pair) for pair in zip(rover, base, strict=True)]
    for watcher in watchers:
        watcher.join()
    assert not errors
    assert_same(fixes, solved(NAGOYA, 20))
    for snapshot in snapshots:
        engine.restore(snapshot)

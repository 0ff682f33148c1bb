"""Many baselines in threads: the numbers of `solve`, files read once, failures kept apart."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

import rtkpos
from rtkpos.batch.many_jobs import (
    SolveJob,
    StoppedError,
    in_threads,
    solve_many,
    stopper,
    warm_once,
)
from rtkpos.batch.shared_tables import SharedTables, file_key
from rtkpos.errors import ConfigError, FileError, InputError
from rtkpos.io.rinex import read_navigation as rinex_nav
from rtkpos.io.rinex import read_observations as rinex_obs
from rtkpos.processing.run import solve
from rtkpos.records.config import RtkConfig
from tests.data import dataset_path
from tests.recordings import FILES, recording

SMALL = "static-geonet-2005"


def files_of(name):
    rover, base, nav = FILES[name]
    return (
        dataset_path(name, rover),
        dataset_path(name, base),
        tuple(dataset_path(name, file) for file in nav),
    )


def job_of(name=SMALL, **changes):
    rover, base, nav = files_of(name)
    place = recording(name)[3]["base_xyz"]
    return SolveJob(**{"rover": rover, "base": base, "nav": nav, "base_ecef_m": place} | changes)


def assert_equal(a, b):
    for name in ("time_ns", "ecef_m", "cov_ecef_m2", "velocity_mps", "status", "reason", "ratio"):
        assert np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True), name
    assert a.diagnostics.totals == b.diagnostics.totals
    assert (a.notes, a.signals, dict(a.report.counts)) == (b.notes, b.signals, b.report.counts)


@pytest.mark.compiled
@pytest.mark.parametrize("n_thread", [1, 2, 5])
def test_results_are_those_of_solve_bit_for_bit_in_the_order_of_the_jobs(n_thread):
    configs = [
        RtkConfig(),
        RtkConfig(ar="instantaneous"),
        RtkConfig(mode="static"),
        RtkConfig(mode="single"),
        RtkConfig(direction="combined"),
        RtkConfig(direction="backward"),
    ]
    rover, base, nav, truth = recording(SMALL)
    place = np.array(truth["base_xyz"])
    alone = [solve(rover, nav, base, place, config) for config in configs]
    told = []
    together = rtkpos.solve_many(
        [job_of(config=config) for config in configs],
        n_thread=n_thread,
        on_done=lambda index, result: told.append((index, result)),
    )
    for one, other in zip(alone, together, strict=True):
        assert_equal(one, other)
    assert sorted(index for index, _ in told) == list(range(len(configs)))
    assert all(together[index] is result for index, result in told)


@pytest.mark.compiled
def test_each_file_is_read_once_and_tables_may_be_given(monkeypatch):
    read, lock = [], threading.Lock()
    warm_once()
    originals = {"obs": rinex_obs.read_obs, "nav": rinex_nav.read_nav}

    def counting(kind):
        def counted(paths, **options):
            if not isinstance(paths, bytes):  # those of warming up
                with lock:
                    read.append(paths)
            time.sleep(0.02)  # so that others ask meanwhile
            return originals[kind](paths, **options)

        return counted

    monkeypatch.setattr(rinex_obs, "read_obs", counting("obs"))
    monkeypatch.setattr(rinex_nav, "read_nav", counting("nav"))
    rover = recording(SMALL)[0]
    jobs = [job_of(), job_of(config=RtkConfig(mode="static")), job_of(rover=rover), job_of()]
    results = solve_many(jobs, n_thread=4)
    assert all(isinstance(result, rtkpos.Solution) for result in results)
    assert sorted(map(str, read)) == sorted(map(str, files_of(SMALL)))


def test_tables_go_with_their_last_user(monkeypatch):
    monkeypatch.setattr(rinex_obs, "read_obs", lambda paths, **options: object())
    key = file_key("obs", "a.obs")
    assert key == file_key("obs", ["./a.obs"])
    assert key != file_key("nav", "a.obs") != file_key("nav", "a.obs", strict=True)
    shared = SharedTables([key, key])
    with shared.used_by_one([key]):
        first = shared.obs("a.obs")
    with shared.used_by_one([key]):
        assert shared.obs(["a.obs"]) is first
        assert (shared.n_held, shared.n_read) == (1, 1)
    assert shared.n_held == 0
    assert shared.obs("a.obs") is not first
    assert (shared.n_held, shared.n_read) == (0, 2)


def test_who_waits_for_a_table_gets_its_error(monkeypatch):
    def read_obs(paths, **options):
        time.sleep(0.05)
        raise FileError("no such thing")

    monkeypatch.setattr(rinex_obs, "read_obs", read_obs)
    shared = SharedTables([file_key("obs", "a")] * 3)
    errors = []

    def ask(item):
        with pytest.raises(FileError, match="no such thing") as caught:
            shared.obs("a")
        errors.append(caught.value)

    in_threads(range(3), ask, lambda *_: None, n_thread=3, stop=threading.Event())
    assert shared.n_read == 1
    assert len({id(error) for error in errors}) == 1


@pytest.mark.compiled
def test_a_failure_is_the_result_of_its_job_alone():
    jobs = [
        job_of(),
        job_of(rover="nowhere.obs"),
        job_of(base_ecef_m=None),
        job_of(rover=3),
        job_of(nav=b"rubbish"),
        job_of(),
    ]
    results = solve_many(jobs, n_thread=2)
    kinds = [type(result) for result in results]
    assert kinds[0] is kinds[5] is rtkpos.Solution
    assert kinds[1:3] == [FileError, InputError]
    assert isinstance(results[3], TypeError)
    assert isinstance(results[4], rtkpos.RtkposError)
    assert "nowhere.obs" in str(results[1])
    assert_equal(results[0], results[5])


def test_nothing_to_do_and_no_threads():
    assert solve_many([]) == []
    with pytest.raises(ConfigError, match="at least 1; got 0"):
        solve_many([SolveJob(rover="a", nav="b")], n_thread=0)


def test_an_interruption_stops_the_jobs_under_way_and_starts_no_other():
    stop, started, stopped = threading.Event(), [], []

    def work(item):
        started.append(item)
        if item == 0:
            return item
        stop.wait(10.0)
        with pytest.raises(StoppedError, match="epoch 7 of 99"):
            stopper(stop)(7, 99)
        stopped.append(item)
        return item

    def interrupt(item, result):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_threads(range(50), work, interrupt, n_thread=2, stop=stop)
    assert sorted(stopped) == sorted(started)[1:]
    assert len(started) < 50

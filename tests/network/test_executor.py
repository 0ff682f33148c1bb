"""Executors: the same results everywhere, failures that stay alone, workers that die."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from rtkpos.batch.executor import (
    ClusterExecutor,
    ProcessExecutor,
    ThreadExecutor,
    WorkerLostError,
    make_executor,
)
from rtkpos.errors import ConfigError
from tests.network import small_tasks

# Dask closes its sockets late and warns about it; it is the tests' cluster, not ours to mend.
quiet_cluster = pytest.mark.filterwarnings("ignore")


def test_threads_give_results_with_their_numbers():
    with ThreadExecutor(3) as executor:
        assert sorted(executor.map(small_tasks.square, range(20))) == [
            (k, k * k) for k in range(20)
        ]


def test_gather_hands_back_what_was_submitted():
    with ThreadExecutor(2) as executor:
        handles = [executor.submit(small_tasks.square, k) for k in range(5)]
        found = dict(executor.gather(handles))
    assert [found[handle] for handle in handles] == [0, 1, 4, 9, 16]


def test_failure_of_one_task_is_its_result():
    with ThreadExecutor(2) as executor:
        found = dict(executor.map(small_tasks.fail_on_three, range(6)))
    assert isinstance(found.pop(3), ValueError)
    assert found == {k: k for k in (0, 1, 2, 4, 5)}


def test_no_more_jobs_are_under_way_than_workers():
    lock, running, most = threading.Lock(), [0], [0]

    def task(number):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.005)
        with lock:
            running[0] -= 1

    started = []
    with ThreadExecutor(3) as executor:
        for done, _ in enumerate(executor.map(task, iter(range(30)), started.append), 1):
            assert len(started) <= done + 3
    assert started == list(range(30))
    assert most[0] <= 3


def test_nothing_to_do_ends_at_once():
    with ThreadExecutor(1) as executor:
        assert list(executor.map(small_tasks.square, [])) == []
        assert list(executor.gather([])) == []


def test_executors_by_name():
    with make_executor("threads", 2) as executor:
        assert executor.n_worker == 2
    with pytest.raises(ConfigError, match="must be one of threads, processes, cluster; got 'gpu'"):
        make_executor("gpu")
    with pytest.raises(ConfigError, match="at least 1; got 0"):
        make_executor("threads", 0)


@pytest.mark.slow
def test_processes_give_the_results_of_threads():
    with ProcessExecutor(2) as executor:
        assert sorted(executor.map(small_tasks.square, range(20))) == [
            (k, k * k) for k in range(20)
        ]


@pytest.mark.slow
def test_lost_process_costs_nothing_but_time(tmp_path):
    jobs = [(k, str(tmp_path / "neighbour")) for k in range(8)]
    with ProcessExecutor(2) as executor:
        found = dict(executor.map(small_tasks.die_once, jobs))
    assert found == {k: k for k in range(8)}
    assert (tmp_path / "neighbour").exists()


@pytest.mark.slow
def test_task_that_always_dies_is_named_and_stops_no_other():
    with ProcessExecutor(2) as executor:
        found = dict(executor.map(small_tasks.die_always, range(6)))
    assert isinstance(found.pop(3), WorkerLostError)
    assert found == {k: k for k in (0, 1, 2, 4, 5)}


# --- Dask ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as running:
        yield running


@pytest.mark.slow
@quiet_cluster
def test_cluster_gives_the_results_of_threads(cluster):
    with ClusterExecutor(cluster.scheduler_address) as executor:
        assert executor.n_worker == 2
        found = dict(executor.map(small_tasks.fail_on_three, range(10)))
    assert isinstance(found.pop(3), ValueError)
    assert found == {k: k for k in range(10) if k != 3}


@pytest.mark.slow
@quiet_cluster
def test_cluster_survives_a_worker_killed_in_mid_run(cluster):
    pids = [worker.pid for worker in cluster.workers.values()]
    with ClusterExecutor(cluster.scheduler_address) as executor:
        found = {}
        for number, result in executor.map(small_tasks.slow_square, range(40)):
            found[number] = result
            if len(found) == 10:
                os.kill(pids[0], signal.SIGKILL)
    assert found == {k: k * k for k in range(40)}
    assert pids[0] not in [worker.pid for worker in cluster.workers.values()]


@pytest.mark.slow
@quiet_cluster
def test_silent_address_is_a_sentence():
    pytest.importorskip("distributed")
    with pytest.raises(ConfigError, match=r"no cluster answers at 'tcp://127.0.0.1:9'"):
        ClusterExecutor("tcp://127.0.0.1:9", timeout_s=1.0)


def test_missing_dask_is_a_sentence(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ConfigError, match=r'pip install "rtkpos\[cluster\]"'):
        make_executor("cluster")

"""Jobs of cells and hours: what they hold, restarts that cost nothing twice, lost workers."""

from __future__ import annotations

import dataclasses
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rtkpos.batch.cell_hours import cell_jobs, run_cell_jobs
from rtkpos.batch.executor import ClusterExecutor, ThreadExecutor
from rtkpos.batch.job_manifest import DONE, FAILED, QUARANTINED, only_one
from rtkpos.constants import NS_PER_HOUR
from rtkpos.errors import ConfigError, InputError
from rtkpos.gnss.time import ns_from_calendar
from rtkpos.network.graph.cells import plan_cells
from rtkpos.network.graph.graph import build_graph
from rtkpos.network.stations.station_list import NetworkStation
from rtkpos.simulate.scenario.country import country_stations
from tests.network import cell_tasks

START_NS = ns_from_calendar(2024, 6, 24, 8, 0, 0.0)
SPAN = (START_NS, START_NS + 3 * NS_PER_HOUR)
NAMES, ECEF = country_stations(90)
PLAN = plan_cells(build_graph(NAMES, ECEF))
STATIONS = [NetworkStation(name=n, ecef_m=e) for n, e in zip(NAMES, ECEF, strict=True)]


def jobs(span=SPAN, options=None):
    return cell_jobs(PLAN, STATIONS, span, options)


def run(folder, task=cell_tasks.measure_cell, work=None, **more):
    with ThreadExecutor(2) as executor:
        return run_cell_jobs(jobs() if work is None else work, task, executor, folder, **more)


def results(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.bin")}


def test_every_baseline_is_computed_once_an_hour():
    for hour in range(3):
        here = [job for job in jobs() if job.start_ns == START_NS + hour * NS_PER_HOUR]
        pairs = [
            frozenset(job.stations[k].name for k in edge) for job in here for edge in job.edges
        ]
        wanted = {frozenset(NAMES[k] for k in edge) for edge in PLAN.graph.edges}
        assert len(pairs) == len(set(pairs))
        assert set(pairs) == wanted
        assert sum(len(job.triangles) for job in here) == len(PLAN.graph.triangles)


def test_job_names_its_stations_core_first():
    job = jobs()[0]
    assert [one.name for one in job.stations[: job.n_core]] == [NAMES[k] for k in PLAN.core(0)]
    assert [one.name for one in job.stations[job.n_core :]] == [NAMES[k] for k in PLAN.ring(0)]
    assert job.name == "2024-06-24T08-cell0000"
    assert np.array_equal(job.ecef_m[0], ECEF[PLAN.core(0)[0]])


def test_hours_are_full_but_the_first_and_last():
    minute = NS_PER_HOUR // 60
    spans = sorted(
        {(j.start_ns, j.end_ns) for j in jobs((START_NS - minute, SPAN[1] - 9 * minute))}
    )
    assert spans[0] == (START_NS - minute, START_NS)
    assert spans[-1] == (SPAN[1] - NS_PER_HOUR, SPAN[1] - 9 * minute)
    assert len(spans) == 4


def test_span_must_go_forward():
    with pytest.raises(ConfigError, match="must end after it starts"):
        jobs((START_NS, START_NS))


def test_jobs_are_picklable():
    job = pickle.loads(pickle.dumps(jobs()[0]))
    assert cell_tasks.measure_cell(job) == cell_tasks.measure_cell(jobs()[0])


def test_results_and_manifest_are_in_the_folder(tmp_path):
    ended = []
    manifest = run(tmp_path, on_done=lambda entry: ended.append(entry.name))
    assert len(manifest.names(DONE)) == 3 * PLAN.n_cell == len(results(tmp_path)) == len(ended)
    for job in jobs():
        made = cell_tasks.measure_cell(job)
        entry = manifest.entries[job.name]
        assert entry.result == made.figures
        assert (tmp_path / entry.output).read_bytes() == made.content


def test_restart_does_only_what_is_missing(tmp_path):
    run(tmp_path)
    before = results(tmp_path)
    (tmp_path / "2024-06-24T09-cell0001.bin").unlink()
    (tmp_path / "2024-06-24T10-cell0000.bin").write_bytes(b"damaged")
    ended = []
    run(tmp_path, on_done=lambda entry: ended.append(entry.name))
    assert sorted(ended) == ["2024-06-24T09-cell0001", "2024-06-24T10-cell0000"]
    assert results(tmp_path) == before


def test_changed_options_or_stations_are_done_again(tmp_path):
    run(tmp_path)
    ended = []
    run(tmp_path, work=jobs(options={"mask": 10}), on_done=ended.append)
    assert len(ended) == 3 * PLAN.n_cell
    moved = [dataclasses.replace(one, stations=(*one.stations[:-1], STATIONS[0])) for one in jobs()]
    ended.clear()
    run(tmp_path, work=moved[:1], on_done=ended.append)
    assert len(ended) == 1


def test_changed_input_file_is_read_again(tmp_path):
    path = tmp_path / "a.obs"
    path.write_text("one")
    stations = (dataclasses.replace(STATIONS[0], files=(path,)), *STATIONS[1:])
    work = cell_jobs(PLAN, stations, (START_NS, START_NS + NS_PER_HOUR))
    run(tmp_path, work=work)
    path.write_text("another")
    ended = []
    again = cell_jobs(PLAN, stations, (START_NS, START_NS + NS_PER_HOUR))
    run(tmp_path, work=again, on_done=lambda entry: ended.append(entry.name))
    seeing = [one.name for one in again if any(s.name == NAMES[0] for s in one.stations)]
    assert sorted(ended) == sorted(seeing)
    assert 0 < len(seeing) < len(again)


def test_failed_hour_is_recorded_and_tried_again(tmp_path):
    manifest = run(tmp_path, cell_tasks.refuse_second_hour)
    failed = manifest.names(FAILED)
    assert len(failed) == PLAN.n_cell * len(
        {j.start_ns for j in jobs() if j.start_ns % (2 * NS_PER_HOUR)}
    )
    assert manifest.entries[failed[0]].message == "internal error: ValueError: no data in this hour"
    ended = []
    run(tmp_path, cell_tasks.refuse_second_hour, on_done=lambda entry: ended.append(entry.name))
    assert sorted(ended) == sorted(failed)


def test_interrupted_run_goes_on_where_it_was(tmp_path):
    ended = []

    def stop_after_two(entry):
        ended.append(entry.name)
        if len(ended) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, on_done=stop_after_two)
    manifest = run(tmp_path, on_done=lambda entry: ended.append(entry.name))
    assert sorted(ended) == sorted(job.name for job in jobs())
    assert {entry.tries for entry in manifest.entries.values()} == {1}


def test_job_that_ends_its_worker_is_poison_and_not_tried_again(tmp_path):
    manifest = run(tmp_path, cell_tasks.end_the_worker)
    poison = manifest.names(QUARANTINED)
    assert poison == [job.name for job in jobs() if job.cell == 1]
    assert manifest.entries[poison[0]].message.startswith("the job ended its process twice")
    ended = []
    again = run(tmp_path, cell_tasks.end_the_worker, on_done=ended.append)
    assert not ended
    assert again.names(QUARANTINED) == poison


KILLED = """
import sys
from pathlib import Path
from tests.network import cell_tasks, test_cell_jobs
test_cell_jobs.run(Path(sys.argv[1]), cell_tasks.measure_cell_slowly)
"""


@pytest.mark.slow
def test_killed_run_goes_on_and_leaves_the_same_bytes(tmp_path):
    root = Path(__file__).parents[2]
    killed = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "a")], cwd=root)
    deadline = time.monotonic() + 120.0
    while len(results(tmp_path / "a")) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    killed.kill()
    killed.wait()
    n_before = len(results(tmp_path / "a"))
    assert 3 <= n_before < len(jobs())
    remnant = tmp_path / "a" / f".{jobs()[-1].name}.bin.7.part"
    remnant.write_bytes(b"half")
    ended = []
    manifest = run(tmp_path / "a", cell_tasks.measure_cell_slowly, on_done=ended.append)
    assert not remnant.exists()
    assert len(manifest.names(DONE)) == len(jobs())
    assert len(ended) <= len(jobs()) - n_before + 2  # those under way are done again
    run(tmp_path / "b", cell_tasks.measure_cell_slowly)
    assert results(tmp_path / "a") == results(tmp_path / "b")


def test_second_run_in_the_same_folder_is_refused(tmp_path):
    with only_one(tmp_path, "rtkpos network"):
        with pytest.raises(InputError, match="another `rtkpos network` works in"):
            run(tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Dask, which closes its sockets late
def test_cluster_that_loses_a_worker_gives_the_bytes_of_threads(tmp_path):
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    run(tmp_path / "threads")
    ended = []
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        pids = [worker.pid for worker in cluster.workers.values()]

        def kill_one(entry):
            ended.append(entry.name)
            if len(ended) == 3:
                os.kill(pids[0], signal.SIGKILL)

        with ClusterExecutor(cluster.scheduler_address) as executor:
            manifest = run_cell_jobs(
                jobs(), cell_tasks.measure_cell_slowly, executor, tmp_path / "cluster", kill_one
            )
    assert len(manifest.names(DONE)) == len(jobs())
    assert results(tmp_path / "cluster") == results(tmp_path / "threads")

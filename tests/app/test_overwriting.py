"""No command writes its result over a file it reads, or two results into one file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rtkpos.app.command_line import main
from rtkpos.errors import ConfigError
from rtkpos.io.rinex.write_observations import write_obs
from rtkpos.io.text.atomic import refuse_overwriting
from tests.app.made_inputs import NAV_HEAD, OBS_HEAD, made_obs, set_stage
from tests.app.network_files import BASES, places, write_list

SCENARIO = '[run]\nduration_s = 1\nsystems = "G"\n[[station]]\nname = "A"\n'


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """Readers and solver that return made-up tables; the working folder holds the files."""
    found = set_stage(tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep").mkdir()
    (tmp_path / "soft.pos").symlink_to("rover.obs")
    (tmp_path / "loop.pos").symlink_to("deep/../soft.pos")
    os.link(tmp_path / "base.obs", tmp_path / "hard.pos")
    (tmp_path / "c.toml").write_text('mode = "kinematic"\n')
    (tmp_path / "track.csv").write_text("x\n")
    write_list(tmp_path / "list.toml", places(), with_files=True)
    for name in BASES:
        write_obs(tmp_path / f"{name}.obs", made_obs(n_epoch=1))
    (tmp_path / "ant.atx").write_text("ANTEX\n")
    return found


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {str(p): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def assert_refused(words, folder, capsys):
    """Exit code 1, one sentence, and every file as it was."""
    before = contents(folder)
    assert main.run(words) == 1
    error = capsys.readouterr().err
    assert "Traceback" not in error
    assert len(error.strip().splitlines()) == 1
    assert "an input" in error or "the input" in error or "two outputs" in error
    assert contents(folder) == before


@pytest.mark.parametrize(
    "more",
    [
        "-o rover.obs",
        "-o ./deep/../rover.obs",
        "-o soft.pos",
        "-o loop.pos",
        "-o hard.pos",
        "--summary brdc.nav",
        "-o out.pos --summary deep/../out.pos",
        "-k c.toml -o c.toml",
        "--truth track.csv --summary track.csv",
        "--antex ant.atx -o ant.atx",
    ],
)
def test_solve(stage, capsys, more):
    assert_refused(stage.words(*more.split()), stage.folder, capsys)


@pytest.mark.parametrize("more", ["-o list.toml", "-o BASE2.obs", "--summary BASE1.obs"])
def test_solve_with_a_list_of_stations(stage, capsys, more):
    words = ["solve", "rover.obs", "--nav", "brdc.nav", "--stations", "list.toml", *more.split()]
    assert_refused(words, stage.folder, capsys)


@pytest.mark.parametrize(
    "line",
    [
        "vrs list.toml --nav brdc.nav --at 34.6 112.4 160 -o BASE1.obs",
        "vrs list.toml --nav brdc.nav --at 34.6 112.4 160 -o deep/../list.toml",
        "solve list.toml rover.obs --nav brdc.nav -o rover.pos --summary rover.obs",
        "solve list.toml rover.obs --nav brdc.nav -o rover.pos --summary rover.pos",
        "solve list.toml rover.obs --nav brdc.nav -o soft.pos",
        "solve list.toml --nav brdc.nav --corrections net.npz",
        "check list.toml --geojson list.toml",
        "check list.toml --geojson BASE1.obs",
        "check list.toml --nav brdc.nav --geojson brdc.nav",
        "plan list.toml --geojson list.toml",
        "plan list.toml --map same.png --geojson same.png",
    ],
)
def test_network(stage, capsys, line):
    (stage.folder / "net.npz").symlink_to("brdc.nav")
    assert_refused(["network", *line.split()], stage.folder, capsys)


@pytest.mark.parametrize("name", ["a.pos", "totals.csv", "manifest.json", ".lock"])
def test_batch(tmp_path, capsys, name):
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text(NAV_HEAD)
    (tmp_path / "a.obs").write_text(OBS_HEAD)
    (tmp_path / "link.nav").symlink_to(out / name)
    jobs = tmp_path / "jobs.toml"
    jobs.write_text('[[job]]\nrover = "a.obs"\nnav = "link.nav"\n')
    assert_refused(["batch", str(jobs), "-o", str(out)], tmp_path, capsys)


@pytest.mark.parametrize("name", ["nav.rnx", "notes.txt", "truth/A.csv"])
def test_simulate_into_a_folder_with_other_files(tmp_path, capsys, name):
    out = tmp_path / "out"
    (out / "truth").mkdir(parents=True)
    (out / name).write_text("precious\n")
    before = contents(tmp_path)
    assert main.run(["simulate", "open-sky", "-o", str(out)]) == 1
    assert f"holds {name}, which no simulation wrote" in capsys.readouterr().err
    assert contents(tmp_path) == before


def test_simulate_beside_its_scenario(tmp_path, capsys):
    (tmp_path / "a.toml").write_text(SCENARIO)
    assert main.run(["simulate", str(tmp_path / "a.toml"), "-o", str(tmp_path)]) == 1
    assert "holds a.toml" in capsys.readouterr().err


def test_simulate_replaces_its_own_result_unless_it_was_changed(tmp_path, capsys):
    (tmp_path / "a.toml").write_text(SCENARIO)
    words = ["simulate", str(tmp_path / "a.toml"), "-o", str(tmp_path / "out"), "-q"]
    assert main.run(words) == 0
    before = contents(tmp_path)
    assert main.run([*words, "--seed", "1"]) == main.run(words) == 0
    assert contents(tmp_path).keys() == before.keys()
    (tmp_path / "out" / "stations.csv").write_text("my own list\n")
    assert main.run(words) == 1
    assert "holds stations.csv" in capsys.readouterr().err


def test_demo(tmp_path, capsys):
    from rtkpos.io.datasets.shipped import shipped_path

    (tmp_path / "simulated-car.pos").symlink_to(shipped_path("demo", "CAR.csv"))
    before = contents(shipped_path("demo"))
    assert main.run(["demo", "--out", str(tmp_path)]) == 1
    assert "the input" in capsys.readouterr().err
    assert contents(shipped_path("demo")) == before


def test_devices_may_serve_several_times(tmp_path):
    refuse_overwriting(["/dev/null", "/dev/null"], ["/dev/null"])
    refuse_overwriting([tmp_path / "a", None, tmp_path / "b"], [tmp_path / "c", None])


def test_names_without_a_file_are_compared_as_well(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="two outputs go to one file"):
        refuse_overwriting([tmp_path / "new.pos", tmp_path / "link" / "new.pos"], [])

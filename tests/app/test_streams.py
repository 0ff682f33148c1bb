"""Closed, full and broken standard streams, and names and terminals of other encodings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rtkpos.io.rinex.write_observations import write_obs
from tests.app.made_inputs import made_obs
from tests.app.network_files import NAV, places, write_demo, write_list

CODE = "from rtkpos.app.command_line.main import main; main()"
FULL = Path("/dev/full")
# How a shell writes it.
STREAMS = {
    "stdout closed": ">&-",
    "stdout full": ">/dev/full",
    "stderr closed": "2>&-",
    "stderr full": "2>/dev/full",
    "stdin closed": "<&-",
    "all closed": "<&- >&- 2>&-",
}
GBK = os.fsdecode(b"\xb2\xe2\xca\xd4")

pytestmark = [
    pytest.mark.compiled,
    pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full and a shell"),
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """30 epochs of three bases and a car."""
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder)
    write_list(folder / "list.toml", places())
    (folder / "jobs.toml").write_text(
        f"[[job]]\nname = 'car'\nrover = 'CAR.obs'\nbase = 'BASE1.obs'\nnav = '{NAV}'\n"
    )
    (folder / "one.toml").write_text(
        '[run]\nduration_s = 1\nsystems = "G"\n[[station]]\nname = "A"\n'
    )
    return folder


def shell(folder: Path, words: list[str], streams: str, **environment: str):
    """The command with redirected streams; what is left of stderr holds no traceback."""
    done = subprocess.run(
        ["sh", "-c", f'"$@" {streams}', "sh", sys.executable, "-c", CODE, *words],
        cwd=folder,
        check=False,
        capture_output=True,
        env=os.environ | environment,
        timeout=300,  # a cold cache is compiled first
    )
    assert b"Traceback" not in done.stderr
    assert b"internal error" not in done.stderr
    return done


def solve_words(*more: str) -> list[str]:
    return ["solve", "CAR.obs", "--base", "BASE1.obs", "--nav", NAV, *more]


@pytest.mark.parametrize("streams", STREAMS.values(), ids=STREAMS)
def test_a_result_file_needs_no_stream(demo, tmp_path, streams):
    target, summary = tmp_path / "a.pos", tmp_path / "a.json"
    done = shell(demo, solve_words("-o", str(target), "--summary", str(summary)), streams)
    assert done.returncode == 0
    assert len([line for line in target.read_text().splitlines() if line[:1] != "%"]) == 30
    assert json.loads(summary.read_text())["exit_code"] == 0


@pytest.mark.parametrize("streams", [">&-", ">/dev/full"])
def test_a_result_that_does_not_get_out_is_2(demo, tmp_path, streams):
    summary = tmp_path / "a.json"
    done = shell(demo, solve_words("--summary", str(summary), "-q"), streams)
    assert done.returncode == 2
    assert done.stderr.startswith(b"rtkpos: standard output cannot be written: ")
    assert done.stderr.count(b"\n") == 1
    assert json.loads(summary.read_text())["exit_code"] == 2


@pytest.mark.parametrize(
    ("line", "code", "file"),
    [
        ("--version", 2, ""),
        ("--help", 2, ""),
        ("data list", 2, ""),
        ("info CAR.obs", 2, ""),
        ("explain CAR.obs --base BASE1.obs --nav NAV", 2, ""),
        ("network check list.toml --geojson OUT/map.json", 2, "map.json"),
        ("network plan list.toml --geojson OUT/plan.json", 2, "plan.json"),
        ("network vrs list.toml --nav NAV --at 34.602 112.402 160 -o OUT/v.obs", 0, "v.obs"),
        ("network solve list.toml CAR.obs --nav NAV -o OUT/n.pos", 0, "n.pos"),
        ("batch jobs.toml -o OUT/batch", 0, "batch/car.pos"),
        ("simulate one.toml -o OUT/sim", 0, "sim/A.obs"),
        ("solve none.obs --nav NAV", 2, ""),
        ("nonsense", 1, ""),
    ],
)
def test_every_command_ends_as_it_should_without_usable_streams(demo, tmp_path, line, code, file):
    words = line.replace("NAV", NAV).replace("OUT", str(tmp_path)).split()
    done = shell(demo, words, "<&- >/dev/full 2>/dev/full")
    assert done.returncode == code
    assert not file or (tmp_path / file).stat().st_size > 0


def test_a_reader_that_leaves_is_no_error(demo, tmp_path):
    """Neither of the messages, which come before the result, nor of the result."""
    for streams, more in (("2>&1 | true", ["-o", str(tmp_path / "a.pos")]), ("| true", ["-q"])):
        done = shell(demo, solve_words(*more), f"{streams}; exit 0")
        assert done.stderr == b""
    assert (tmp_path / "a.pos").exists()
    reader, writer = os.pipe()
    os.close(reader)
    words = [sys.executable, "-c", CODE, *solve_words("-o", str(tmp_path / "b.pos"))]
    assert (
        subprocess.run(words, cwd=demo, stdout=writer, stderr=writer, check=False).returncode == 0
    )
    os.close(writer)
    assert (tmp_path / "b.pos").read_bytes()[200:] == (tmp_path / "a.pos").read_bytes()[200:]


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_names_of_other_encodings_and_ascii_terminals(demo, tmp_path, environment):
    try:
        (tmp_path / f"{GBK}.obs").write_bytes((demo / "CAR.obs").read_bytes())
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    base = str(demo / "BASE1.obs")
    words = ["solve", f"{GBK}.obs", "--base", base, "--nav", NAV]
    done = shell(
        tmp_path, [*words, "-o", f"{GBK}.pos", "--summary", f"{GBK}.json"], "", **environment
    )
    assert done.returncode == 0
    assert os.fsencode(f"wrote {GBK}.pos") in done.stderr
    written = (tmp_path / f"{GBK}.pos").read_text("utf-8")
    assert r"\udcb2\udce2\udcca\udcd4.obs" in written
    json.loads((tmp_path / f"{GBK}.json").read_text("utf-8"))
    kml = shell(tmp_path, [*words, "--format", "kml", "-q"], "", **environment)
    assert kml.returncode == 0
    kml.stdout.decode("utf-8")
    info = shell(tmp_path, ["info", f"{GBK}.obs"], "", **environment)
    assert info.returncode == 0
    assert os.fsencode(GBK) in info.stdout
    wrong = shell(tmp_path, ["solve", f"{GBK}.none", "--nav", NAV], "", **environment)
    assert wrong.returncode == 2
    assert os.fsencode(f"rtkpos: {GBK}.none") in wrong.stderr


def test_a_name_the_system_cannot_express_is_2(demo, tmp_path):
    (tmp_path / "jobs.toml").write_text(
        f"[[job]]\nname = '测'\nrover = '{demo}/CAR.obs'\nnav = '{NAV}'\n", "utf-8"
    )
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = shell(tmp_path, ["batch", "jobs.toml", "-o", "out"], "", **ascii_only)
    assert done.returncode == 2
    assert rb"a file name with '\u6d4b' has no form" in done.stderr


def test_rinex_headers_are_ascii_whatever_a_station_is_called(tmp_path):
    table = made_obs(n_epoch=1)
    path = tmp_path / "a.obs"
    write_obs(path, table, comments=("made from 洛阳", f"and {GBK}"))
    assert b"made from ??" in path.read_bytes()
    path.read_text("ascii")

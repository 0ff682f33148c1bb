"""Numbers, nesting, names and lengths that nobody means: an error of ours, in a short sentence."""

from __future__ import annotations

import json
import os
import random
import re
import time
from pathlib import Path

import numpy as np
import pytest

from rtkpos._toml import parse_toml
from rtkpos.app.batch.jobs_file import read_jobs
from rtkpos.app.command_line import main
from rtkpos.app.solve.file_kind import file_kind
from rtkpos.batch.job_manifest import Entry, Manifest
from rtkpos.errors import ConfigError, InputError, RtkposError, quoted
from rtkpos.io.products.antex import read_antex
from rtkpos.io.products.sp3 import read_sp3
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.io.solutions.pos import read_pos
from rtkpos.io.solutions.reference_track import read_truth
from rtkpos.io.text.files import read_file
from rtkpos.io.text.toml_file import read_toml
from rtkpos.network.stations.station_list import read_stations
from rtkpos.records.config import RtkConfig
from rtkpos.simulate.scenario.scenario import parse_scenario
from tests.io.antex_text import antex_text, block, frequency
from tests.io.obs_text import file_3

LONG = 2000  # characters no message may have
NEAR_NS = 1_403_252_400 * 10**9
READERS = {
    "obs": read_obs,
    "nav": read_nav,
    "sp3": read_sp3,
    "antex": read_antex,
    "stations": read_stations,
    "toml": read_toml,
    "truth": read_truth,
    "pos": read_pos,
    "kind": file_kind,
    "jobs": lambda path: read_jobs(path, path.parent),
}


def refused(call, *words):
    """The one short sentence of an error of ours."""
    with pytest.raises(RtkposError) as caught:
        call(*words)
    text = str(caught.value)
    assert len(text) < LONG
    assert text.isprintable()
    return text


def result_or_refusal(call):
    """What a call returns, None when it refuses in one short sentence; nothing else is raised."""
    refusals = []
    try:
        return call()
    except RtkposError as error:
        refusals.append(str(error))
    assert len(refusals[0]) < LONG
    return None


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("n" * 300, "file name too long"),
        ("/".join(["n" * 200] * 40), "file name too long"),
        ("zero\0.obs", "null byte"),
        ("loop", "symbolic links"),
        ("none.obs", "there is no such file"),
        (".", "is a directory"),
    ],
)
def test_names_that_no_file_has(reader, name, words, tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert words in refused(READERS[reader], tmp_path / name)


@pytest.mark.parametrize("reader", READERS)
def test_devices_are_no_files(reader):
    assert "is a device" in refused(READERS[reader], Path("/dev/zero"))


def test_a_file_longer_than_allowed_is_not_read(tmp_path):
    path = tmp_path / "long.toml"
    with path.open("wb") as stream:
        stream.truncate(1 << 40)
    for read in (read_toml, read_obs, read_nav, read_sp3, read_truth):
        assert "too long" in refused(read, path)
    assert "more than 1 MB" in refused(lambda: read_file(path, most=1_000_000))


def test_a_pipe_whose_kind_is_asked_for(tmp_path):
    """Looking at its beginning takes it away from the reader."""
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(fifo, os.O_WRONLY)
    os.write(writer, b"     3.04\n")
    try:
        assert "is a pipe" in refused(file_kind, fifo)
    finally:
        os.close(writer)
        os.close(reader)


def test_a_pipe_is_read_to_its_end(tmp_path):
    text = file_3(3).encode()
    ends = os.pipe()
    os.write(ends[1], text)
    os.close(ends[1])
    try:
        assert read_obs(f"/dev/fd/{ends[0]}").n_epoch == 3
    finally:
        os.close(ends[0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"mode = {'9' * 400}", "mode is an integer of 400 digits, too large"),
        (f"mode = {'9' * 5000}", "not valid TOML"),
        (f"a = {'[' * 2000}", "nested"),
        (f"a = {'[' * 2000}{']' * 2000}", "nested"),
        (f"a = {'[' * 60}{']' * 60}", "nested too deeply"),
        (f"a = {'{a=' * 60}1{'}' * 60}", "nested too deeply"),
        (f"{'a.' * 20000}b = 1", "nested too deeply"),
        (f"[{'.'.join('ab' * 3000)}]", "nested too deeply"),
        ('files = "a\\u0000b"', "zero character"),
    ],
)
def test_toml_that_nobody_means(text, words, tmp_path):
    path = tmp_path / "x.toml"
    path.write_text(text)
    readers = (
        lambda: RtkConfig.from_toml(text),
        lambda: parse_scenario(text),
        lambda: read_toml(path),
        lambda: read_stations(path),
        lambda: read_jobs(path, tmp_path),
    )
    for read in readers:
        assert words in refused(read)
    assert main.run(["solve", "r.obs", "--nav", "n.nav", "-k", str(path)]) in (1, 2)


def test_toml_with_many_dots_that_are_no_keys():
    text = f"# {'.' * 400}\nversion = '{'1.' * 300}'\nlist = [{'1.5, ' * 300}]\n"
    assert len(parse_toml(text)["list"]) == 300


@pytest.mark.parametrize("value", ["x" * 5000, ["y" * 50] * 500, {"z" * 3000: 1}])
def test_long_values_are_shortened(value, tmp_path):
    literal = json.dumps(value).replace('": ', '" = ')
    for key in ("mode", "selection", "noise.phase_a_m", "selection.systems", "k" * 3000):
        sentence = refused(RtkConfig.from_toml, f"{key} = {literal}")
        assert len(sentence) < 400
    for key in ("name", "files", "xyz", "llh", "interval_s", "k" * 3000):
        (tmp_path / "s.toml").write_text(f"[[station]]\n{key} = {literal}\n")
        assert len(refused(read_stations, tmp_path / "s.toml")) < LONG
    for key in ("name", "base_xyz", "format", "strict", "k" * 3000):
        (tmp_path / "j.toml").write_text(f'[defaults]\nnav = "n"\n[[job]]\n{key} = {literal}\n')
        assert len(refused(read_jobs, tmp_path / "j.toml", tmp_path)) < LONG


def test_messages_are_short_and_printable_whatever_they_quote():
    error = InputError("a" * 5000 + "\x1b[31m\x85 end")
    assert len(str(error)) == 1500
    assert str(error).endswith("\\x1b[31m\\x85 end")
    assert quoted("x" * 100) == f"'{'x' * 36} ... {'x' * 17}'"
    assert quoted(10**5000) == "a int too large to be shown"


GRIDS = ["1e-320", "-5.0", "0.0", "nan", "inf", "1e300", "1e-9", "400.0", "0.4", ""]


@pytest.mark.parametrize("step", GRIDS)
def test_grids_that_no_calibration_has(step):
    """A step near the smallest number there is made infinitely many nodes."""
    good = block("GOOD            NONE", frequency("G01"))
    spoilt = (
        good.replace("     0.0".ljust(60) + "DAZI", f"  {step:>6}".ljust(60) + "DAZI"),
        good.replace("   5.0".ljust(42) + "ZEN1", f"{step:>6}".ljust(42) + "ZEN1"),
    )
    for text in spoilt:
        if text == good:
            continue
        table = read_antex(antex_text(text, good))
        assert len(table.antennas) in (1, 2)
        assert all(np.isfinite(a.zenith_rad).all() for a in table.antennas)


HUGE = ["9" * 400, "9" * 25, "1e308", "inf", "nan", "1e-320", "-1e30", "9" * 5000]
TRACKS = {
    "pos": "{0} 116400.000 35.1 137.0 60.0 1 9 0.1 0.1 0.1 0 0 0 1.0 9.9\n",
    "pos, seconds": "2320 {0} 35.1 137.0 60.0 1 9 0.1 0.1 0.1 0 0 0 1.0 9.9\n",
    "pos, date": "{0}/06/24 08:20:00.000 35.1 137.0 60.0 1 9\n",
    "pos, quality": "2024/06/24 08:20:00.000 35.1 137.0 60.0 {0} {0}\n",
    "csv": "week,tow,lat,lon,height\n{0},{0},35.1,137.0,60.0\n",
    "csv, tow": "tow,lat,lon,height\n{0},35.1,137.0,60.0\n",
    "nmea": "$GPGGA,0820{0},3509.0,N,13658.0,E,4,12,0.8,60.0,M,38.0,M,1.0,0\n",
    "nmea, quality": "$GPGGA,082000,3509.0,N,13658.0,E,{0},12,0.8,60.0,M,38.0,M,1.0,0\n",
    "nmea, date": "$GPZDA,082000,24,06,{0},00,00\n"
    "$GPGGA,082000,3509.0,N,13658.0,E,4,12,0.8,60.0,M,38.0,M,1.0,0\n",
    "json": '{{"rover_xyz": [{0}, 1, 2]}}',
    "json, nested": '{{"rover_xyz": ' + "[" * 5000,
}


@pytest.mark.parametrize("kind", TRACKS)
@pytest.mark.parametrize("value", HUGE)
def test_tracks_with_numbers_of_any_size(kind, value, tmp_path):
    path = tmp_path / "track"
    path.write_text(TRACKS[kind].format(value))
    for near_ns in (None, NEAR_NS):
        truth = result_or_refusal(lambda near=near_ns: read_truth(path, near))
        assert truth is None or truth.time_ns.dtype == np.int64


@pytest.mark.parametrize(
    "text",
    [
        "ecef " * 20_000 + "x\n1,2\n",
        ",".join(["a"] * 3000) + ",tow,week,x,y,z\n" + "1,2\n" * 3000,
        "%" * 200_000 + "\n1,2\n",
        "%" + "\n" * 200_000 + "1,2\n",
    ],
    ids=["long name", "many columns", "long cell", "many lines"],
)
def test_tables_of_any_form_take_time_in_proportion(text, tmp_path):
    """A column name of 100 kB took 50 s, and every row looked for its columns anew."""
    path = tmp_path / "track.csv"
    path.write_text(text)
    start = time.process_time()
    assert "holds no positions" in refused(read_truth, path)
    assert time.process_time() - start < 5.0


def test_sp3_of_one_character(tmp_path):
    (tmp_path / "x.sp3").write_text("#")
    assert "first line is none of an SP3 file" in refused(read_sp3, tmp_path / "x.sp3")


@pytest.mark.parametrize("text", ["[" * 5000, "9" * 5000, '{"jobs": [{"name": 1e999}]}', "\0"])
def test_a_manifest_that_is_none(text, tmp_path):
    (tmp_path / "manifest.json").write_text(text)
    manifest = Manifest(tmp_path, [Entry(name="a")])
    assert "cannot be used" in manifest.warning
    assert len(manifest.warning) < LONG


STATIONS = """[defaults]
interval_s = 1.0
[network]
edge_max_km = 100.0
[[station]]
name = "A"
xyz = [-3817681.3, 3562838.9, 3650158.2]
epoch = 2020.5
[[station]]
name = "B"
llh = [35.0, 137.0, 60.0]
"""
CONFIG = 'mode = "static"\nselection.bands = {C = "26"}\nambiguity.n_search_max = 1000\n'
JOBS = '[defaults]\nnav = "n"\n[[job]]\nrover = "r"\nbase_xyz = [1.0, 2.0, 3.0]\nmode = "static"\n'
TEXTS = {
    "stations": (STATIONS, READERS["stations"], ".toml"),
    "jobs": (JOBS, READERS["jobs"], ".toml"),
    "config": (CONFIG, lambda path: RtkConfig.from_toml(path.read_text("latin-1")), ".toml"),
    "truth": (TRACKS["csv"].format(5) * 4, lambda path: read_truth(path, NEAR_NS), ""),
    "nmea": (TRACKS["nmea"].format("00") * 4, lambda path: read_truth(path, NEAR_NS), ""),
    "pos": (TRACKS["pos"].format(2320) * 4, READERS["pos"], ""),
    "antex": (antex_text(block("GOOD            NONE", frequency("G01"))).decode(), read_antex, ""),
}
VALUES = [*HUGE, "", "true", '"x"', "[]", "{}", "[[1]]", "1979-05-27", "-1", "*", "\0", "0x10"]


def mutant(text: str, chance: random.Random) -> bytes:
    """A text with some numbers replaced, a few bytes changed, or a line long, cut or doubled."""
    for _ in range(chance.choice([1, 1, 2, 6])):
        spots = [m.span() for m in re.finditer(r"[-+]?\d+(\.\d+)?", text)]
        if spots:
            start, stop = chance.choice(spots)
            text = text[:start] + chance.choice(VALUES) + text[stop:]
    lines = text.split("\n")
    k = chance.randrange(len(lines))
    lines[k] = chance.choice([lines[k]] * 5 + [lines[k] * 200, lines[k][: len(lines[k]) // 2], ""])
    data = bytearray("\n".join(lines).encode())
    for _ in range(chance.choice([0, 0, 3])):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", TEXTS)
def test_mutants_give_a_result_or_a_short_error(kind, tmp_path):
    text, read, suffix = TEXTS[kind]
    chance = random.Random(kind)
    path = tmp_path / f"x{suffix}"
    for _ in range(150):
        path.write_bytes(mutant(text, chance))
        result_or_refusal(lambda: read(path))


def test_wrong_usage_is_code_1_and_unreadable_input_code_2(tmp_path, capsys):
    long = "n" * 300
    assert main.run(["info", long]) == 2
    assert main.run(["solve", long, "--nav", long]) == 2
    assert main.run(["network", "check", f"{long}.toml", "--nav", long]) == 2
    assert main.run(["batch", f"{long}.toml", "-o", str(tmp_path)]) == 2
    assert main.run(["simulate", long, "-o", str(tmp_path / "o")]) == 2
    said = capsys.readouterr().err
    assert "internal error" not in said
    assert "Traceback" not in said


def test_config_error_keeps_its_code():
    with pytest.raises(ConfigError) as caught:
        RtkConfig.from_toml(f"mode = {'9' * 400}")
    assert caught.value.exit_code == 1

"""Scenario files: ready ones load, wrong ones are refused in one sentence with nothing written."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest

from rtkpos.app.command_line.main import run
from rtkpos.app.other.simulate_command import load_scenario, ready_scenarios
from rtkpos.errors import ConfigError
from rtkpos.simulate.in_memory import simulate_in_memory
from rtkpos.simulate.scenario.scenario import LISTS, SECTIONS, parse_scenario, scenario_of
from rtkpos.simulate.world import make_world

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "simulate.md"
CAR = '[[vehicle]]\nname = "C"\npath_enu_m = {}\n'
GOOD = '[[station]]\nname = "A"\n'
READY = (
    "faulty-base",
    "luoyang-network",
    "luoyang-waves",
    "open-sky",
    "platoon",
    "storm",
    "tunnel",
    "urban-canyon",
)


# Set by the test itself, or impossible at once: a path of no length, spans that end as they begin.
SPARED = (
    "duration_s",
    "path_enu_m",
    "outages_s",
    "canyons",
    "stops",
    "speeds",
    "enu_m",
    "number",
    "center_enu_m",
)


def load_text(name):
    return ready_scenarios()[name]


def test_ready_scenarios_load():
    assert tuple(ready_scenarios()) == READY
    network = load_scenario("luoyang-network", 7)
    assert (len(network.stations), len(network.vehicles), network.run.seed) == (12, 2, 7)


def test_the_network_has_a_quiet_day_and_one_with_waves():
    quiet, waves = (load_scenario(f"luoyang-{name}", None) for name in ("network", "waves"))
    assert (quiet.stations, quiet.vehicles, quiet.run) == (
        waves.stations,
        waves.vehicles,
        waves.run,
    )
    assert quiet.ionosphere.wave_tecu == 0.0
    given = waves.ionosphere
    assert (given.wave_tecu, given.wave_km, given.wave_mps) == (0.5, 200.0, 100.0)
    place = np.array([one.enu_m[:2] for one in quiet.stations]) / 1e3
    apart = np.hypot(*(place[:, None] - place).T)
    nearest = np.sort(apart, axis=1)[:, 1]
    assert 30.0 < nearest.min() < nearest.max() < 60.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[run]\nduration_s = -5\n" + GOOD, ("run.duration_s", "-5", "between 1 and 604800")),
        ("[run]\nintervall_s = 1\n" + GOOD, ("run.intervall_s", "unknown", "interval_s")),
        ('[run]\nsystems = "GX"\n' + GOOD, ("run.systems", "'GX'", "GRECJ")),
        ('[run]\nstart = "yesterday"\n' + GOOD, ("run.start", "'yesterday'", "2024-06-24T08:00")),
        ('[run]\nstart = "2024-02-30T00:00:00"\n' + GOOD, ("run.start", "02-30")),
        ("[noise]\non = 1\n" + GOOD, ("noise.on", "1", "true or false")),
        ("[noise]\ncode_m = nan\n" + GOOD, ("noise.code_m", "nan", "between 0 and 10")),
        ('[clocks]\nkind = "quartz"\n' + GOOD, ("clocks.kind", "quartz", "perfect, steered")),
        ("[weather]\n" + GOOD, ("weather", "unknown", "troposphere")),
        ("[run]\n", ("no receiver", "[[station]]")),
        ("[[station]]\n", ("station[0].name", "missing")),
        ('[[station]]\nname = "../A"\n', ("../A", "letters")),
        (GOOD + GOOD, ("'A'", "no other")),
        ('[[station]]\nname = "A"\nenu_m = [1, 2]\n', ("station[0].enu_m", "3 numbers")),
        ('[[vehicle]]\nname = "A"\npath_enu_m = [[0, 0, 0]]\n', ("path_enu_m", "at least 2")),
        (
            '[[vehicle]]\nname = "A"\npath_enu_m = [[0, 0, 0], [9, 9, 0]]\nstops = [[7, 1]]\n',
            ("stops of A", "7", "between 0 and 1"),
        ),
        ('[run]\nsystems = "G\\n"\n' + GOOD, ("run.systems", "GRECJ")),
        ("[run]\nseed = 1.5\n" + GOOD, ("run.seed", "1.5", "whole number")),
        (f"[run]\nseed = {10**400}\n" + GOOD, ("run.seed", "401 digits")),
        (GOOD + "interval_s = 1e-9\n", ("station[0].interval_s", "1e-09", "0 or between 0.05")),
        (GOOD + GOOD.replace("A", "a"), ("'A'", "no other")),
        (GOOD.replace("A", "A-arcs"), ("'A-arcs'", "-arcs")),
        (GOOD + "enu_m = [0, 0, 30000]\n", ("A ", "30150", "-500 and 20000")),
        (GOOD + "outages_s = [[20, 10]]\n", ("outages_s of A", "20 to 10")),
        (GOOD + "clock_resets_s = [[20, 1]]\n", ("clock_resets_s", "[[20, 1]]", "step", "0.01")),
        (GOOD + "skyline = [[20, 95]]\n", ("skyline", "[[20, 95]]", "elevation", "90")),
        (CAR.format("[[0, 0, 0], [0, 0, 0]]"), ("path_enu_m of C", "0 m long", "between 1 and")),
        (
            CAR.format("[[0, 0, 0], [9, 0, 0]]") + "canyons = [[9, 9, 20, 20]]\n",
            ("canyons of C", "9 to 9"),
        ),
        (
            '[clocks]\nkind = "drifting"\nms_jumps = false\ndrift_ppm = 10\n[run]\n'
            "duration_s = 10000\n" + GOOD,
            ("clocks.drift_ppm = 10", "100 ms", "at most 1"),
        ),
        ("a = " + "[" * 5000 + "]" * 5000, ("TOML", "deeply")),
        ('"a\\nb" = 1\n' + GOOD, ("unknown section a\\nb",)),
        ("run = 3\n" + GOOD, ("run", "section", "3")),
        ("station = 3\n", ("station", "[[station]]")),
        ("[run\n", ("TOML",)),
    ],
)
def test_wrong_scenarios_are_named(text, words, tmp_path, capsys):
    with pytest.raises(ConfigError) as caught:
        parse_scenario(text)
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert message.endswith(".")
    assert "\n" not in message
    (tmp_path / "bad.toml").write_text(text)
    assert run(["simulate", str(tmp_path / "bad.toml"), "-o", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert [file.name for file in tmp_path.iterdir()] == ["bad.toml"]


ALL_SECTIONS = SECTIONS | LISTS
FIELDS = [
    (section, item) for section, kind in ALL_SECTIONS.items() for item in dataclasses.fields(kind)
]
STRANGERS = ("x" * 9, True, 1, -1e300, 10**400, math.nan, math.inf, [], [[]], [1.0], {}, {"a": 1})
SPLINTERS = list(b'[]{}="\\n.-#e9anx')
STRANGERS = (*STRANGERS, [[[1, 2, 3]]], ["a", "b", "c"], [math.nan] * 3, [[10**400] * 3])


def good_values():
    car = {"name": "C", "path_enu_m": [[0, 0, 0], [300, 0, 0]]}
    run = {"duration_s": 2.0, "systems": "GRECJ"}
    network = {"name": "N", "number": 3}
    return {"run": run, "station": [{"name": "A"}], "network": [network], "vehicle": [car]}


def with_value(section, name, value):
    values = good_values()
    part = values[section][0] if section in LISTS else values.setdefault(section, {})
    part[name] = value
    return values


def refusal(make, given):
    """The sentence by which a scenario is refused, None when it is taken."""
    try:
        make(given)
    except ConfigError as error:
        return str(error)
    return None


@pytest.mark.parametrize(("section", "item"), FIELDS, ids=lambda x: getattr(x, "name", x))
def test_every_field_refuses_strangers_by_name(section, item):
    """In one sentence with the field; what is allowed after all makes a scenario."""
    tried = [refusal(scenario_of, with_value(section, item.name, value)) for value in STRANGERS]
    messages = [message for message in tried if message is not None]
    assert len(messages) > len(STRANGERS) // 2
    for message in messages:
        assert item.name in message, message
        assert message.endswith(".")
        assert "\n" not in message
        assert len(message) < 500


@pytest.mark.parametrize("end", [1, 2], ids=["low", "high"])
@pytest.mark.parametrize("section", ALL_SECTIONS)
def test_the_limits_of_every_section_can_be_simulated(section, end):
    """All its numbers at their lowest, then at their highest; the tests make warnings errors."""
    values = good_values() | {"clocks": {"kind": "drifting"}}
    part = values[section][0] if section in LISTS else values.setdefault(section, {})
    for item in dataclasses.fields(ALL_SECTIONS[section]):
        rule = item.metadata
        if item.name in SPARED:
            continue
        if "low" in rule:
            part[item.name] = rule["low" if end == 1 else "high"]
        elif "columns" in rule:
            line = [column[end] for column in rule["columns"]]
            part[item.name] = [line] if rule["is_list"] else line
    values["run"]["duration_s"] = 2.0
    _, made = simulate_in_memory(scenario_of(values))
    assert set(made) == {"A", "N01", "N02", "N03", "C"}


def places(**network):
    made = scenario_of({"network": [{"name": "N"} | network]})
    return np.array([one.enu_m for one in made.stations]), [one.name for one in made.stations]


def test_a_network_on_a_grid_has_its_spacing():
    enu_m, names = places(number=11, spacing_km=25.0, center_enu_m=[1000.0, 2000.0, 150.0])
    assert names[0] == "N01"
    assert names[-1] == "N11"
    assert np.ptp(enu_m[:, 0]) == 75_000.0
    assert np.ptp(enu_m[:, 1]) == 50_000.0
    assert (enu_m[:, 2] == 150.0).all()
    assert enu_m[:8].mean(axis=0) == pytest.approx([1000.0, 2000.0 - 12_500.0, 150.0])


def test_a_random_network_keeps_its_distance_and_its_seed():
    enu_m, names = places(number=120, spacing_km=40.0, layout="random", height_scatter_m=80.0)
    assert names[0] == "N001"
    apart = np.hypot(*(enu_m[:, None, :2] - enu_m[None, :, :2]).T) + 1e9 * np.eye(120)
    nearest = apart.min(axis=0)
    assert nearest.min() >= 40_000.0 - 1e-3
    assert np.median(nearest) < 60_000.0
    assert enu_m[:, 2].std() == pytest.approx(80.0, rel=0.2)
    again, _ = places(number=120, spacing_km=40.0, layout="random", height_scatter_m=80.0)
    other, _ = places(number=120, spacing_km=40.0, layout="random", seed=2)
    assert np.array_equal(enu_m, again)
    assert not np.array_equal(enu_m[:, :2], other[:, :2])


def test_a_network_may_not_take_the_name_of_a_station():
    message = refusal(parse_scenario, '[[network]]\nname = "N"\n' + GOOD.replace("A", "n03"))
    assert "'N03'" in message or "'n03'" in message
    message = refusal(parse_scenario, '[[network]]\nname = "a/b"\n')
    assert "'a/b01'" in message


def test_damaged_scenarios_never_end_in_a_traceback():
    text = load_text("urban-canyon").encode()
    rng = np.random.default_rng(6)
    refused = 0
    for _ in range(400):
        damaged = bytearray(text)
        for place in rng.integers(0, len(text), rng.integers(1, 4)):
            damaged[place : place + rng.integers(0, 3)] = bytes(rng.choice(SPLINTERS, 1))
        message = refusal(parse_scenario, damaged.decode("utf-8", "replace"))
        refused += message is not None
        assert "\n" not in (message or "")
    assert refused > 100


def test_a_start_may_be_written_as_a_time():
    made = parse_scenario("[run]\nstart = 2024-06-24T08:00:00\n" + GOOD)
    assert made.start_ns == parse_scenario(GOOD).start_ns


def test_a_missing_scenario_names_the_ready_ones(tmp_path, capsys):
    assert run(["simulate", "open-sea", "-o", str(tmp_path / "out")]) == 2
    assert "open-sky" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_seed_out_of_range_is_refused(tmp_path, capsys):
    assert run(["simulate", "open-sky", "-o", str(tmp_path / "out"), "--seed", "-1"]) == 1
    assert "--seed -1" in capsys.readouterr().err


def test_the_command_writes_a_short_run(tmp_path, capsys):
    (tmp_path / "a.toml").write_text('[run]\nduration_s = 5\nsystems = "C"\n' + GOOD)
    assert run(["simulate", str(tmp_path / "a.toml"), "-o", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "A.obs").stat().st_size > 1000
    assert "1 receivers over 5 s" in capsys.readouterr().err


def test_a_missing_navigation_file_is_named(tmp_path, capsys):
    (tmp_path / "a.toml").write_text('[run]\nnav = "none.rnx"\n' + GOOD)
    assert run(["simulate", str(tmp_path / "a.toml"), "-o", str(tmp_path / "out")]) == 2
    assert "none.rnx" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["a.toml"]


@pytest.fixture
def folder_with_nav(tmp_path):
    """A folder with a navigation file of GPS at 8 h on 24 June 2024."""
    text = '[run]\nduration_s = 2\nsystems = "G"\n' + GOOD
    (tmp_path / "nav.rnx").write_text(make_world(parse_scenario(text)).nav_text)
    return tmp_path


@pytest.mark.parametrize(
    ("systems", "start", "words"),
    [
        ("GE", "2024-06-24T08:00:00", ("run.nav", "Galileo", "run.systems")),
        ("G", "2024-06-27T08:00:00", ("run.nav", "GPS", "2024-06-27T", "within a day")),
    ],
)
def test_a_navigation_file_that_does_not_fit_is_named(
    folder_with_nav, capsys, systems, start, words
):
    text = f'[run]\nnav = "nav.rnx"\nsystems = "{systems}"\nstart = "{start}"\n' + GOOD
    (folder_with_nav / "a.toml").write_text(text)
    out = folder_with_nav / "out"
    assert run(["simulate", str(folder_with_nav / "a.toml"), "-o", str(out)]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert all(word in said for word in words), said
    assert not out.exists()


def test_a_navigation_file_lies_beside_its_scenario(folder_with_nav, monkeypatch):
    (folder_with_nav / "a.toml").write_text('[run]\nnav = "nav.rnx"\nduration_s = 2\n' + GOOD)
    made = load_scenario(str(folder_with_nav / "a.toml"), None)
    assert made.run.nav == str(folder_with_nav / "nav.rnx")


@pytest.mark.parametrize("content", [b"", b"\x00\xff" * 99, b"     3.04           OBSERVATION"])
def test_a_strange_navigation_file_is_one_sentence(tmp_path, capsys, content):
    (tmp_path / "a.toml").write_text('[run]\nnav = "a.nav"\n' + GOOD)
    (tmp_path / "a.nav").write_bytes(content)
    assert run(["simulate", str(tmp_path / "a.toml"), "-o", str(tmp_path / "out")]) in (1, 2)
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_is_one_sentence(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        assert run(["simulate", "open-sky", "-o", str(place)]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_the_page_lists_every_key_as_it_is():
    """Otherwise run tools/docs/make_scenario_table.py."""
    path = ROOT / "tools" / "docs" / "make_scenario_table.py"
    spec = importlib.util.spec_from_file_location("tool", path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    page = PAGE.read_text("utf-8")
    assert f"{tool.START}\n{tool.tables()}\n{tool.END}" in page


def test_the_example_of_the_page_is_a_scenario():
    page = PAGE.read_text("utf-8")
    made = parse_scenario(page.split("```toml\n")[1].split("```")[0])
    assert (made.n_epoch(made.stations[0]), made.n_epoch(made.vehicles[0])) == (601, 12_001)


def test_the_python_of_the_page_runs(tmp_path, monkeypatch):
    page = PAGE.read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    car = CAR.format("[[0, 0, 0], [99, 0, 0]]").replace('"C"', '"CAR"')
    Path("a.toml").write_text('[run]\nsystems = "J"\nduration_s = 5\n' + car)
    exec(page.split("```python\n")[1].split("```")[0], {})
    assert (tmp_path / "folder" / "CAR.obs").exists()

"""Scenario files: ready ones load, wrong ones are refused in one sentence with nothing written."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.app.cli import run
from rtkpos.app.simulate_command import load_scenario, ready_scenarios
from rtkpos.errors import ConfigError
from rtkpos.simulate.scenario import parse_scenario

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
            ("stops of A", "7", "0 to 1"),
        ),
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


def test_a_navigation_file_without_the_system_is_named(tmp_path, capsys):
    (tmp_path / "a.toml").write_text('[run]\nnav = "none.rnx"\n' + GOOD)
    assert run(["simulate", str(tmp_path / "a.toml"), "-o", str(tmp_path / "out")]) == 2
    assert "none.rnx" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["a.toml"]

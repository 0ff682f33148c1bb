"""Every way the command can end: its code, and one readable line without a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from rtkpos.app.command_line import main
from rtkpos.app.command_line.main import TerminatedError
from rtkpos.errors import RinexError
from rtkpos.records.status import FixStatus
from tests.app.made_inputs import NAV_HEAD, Stage, made_nav, set_stage
from tests.io.made_solution import made_solution

FIXED = (FixStatus.FIXED,) * 4


@pytest.fixture
def stage(tmp_path, monkeypatch) -> Stage:
    """Readers and solver that return made-up tables; a solution without gaps."""
    found = set_stage(tmp_path, monkeypatch)
    found.solution = made_solution(FIXED)
    return found


def one_line(capsys) -> str:
    """The last line of stderr, which must be free of tracebacks."""
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error.strip().splitlines()[-1]


def test_done_is_0(stage, capsys) -> None:
    assert main.run(stage.words()) == 0
    out = capsys.readouterr()
    assert out.out.startswith("% program   : rtkpos")
    assert "fixed          4  100.0 %" in out.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["solve"], "rover"),
        (["nonsense"], "nonsense"),
        (["solve", "x", "--mode", "rubbish"], "rubbish"),
        (["solve", "x", "--elevation-mask", "much"], "--elevation-mask"),
        (["data", "path"], "name"),
    ],
)
def test_wrong_usage_is_1(words, said, capsys) -> None:
    assert main.run(words) == 1
    assert said in one_line(capsys).lower()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--systems", "GX"], "selection.systems"),
        (["--bands", "2C"], "--bands"),
        (["--elevation-mask", "95"], "elevation_mask_deg"),
        (["--base-llh", "35", "136", "100"], "not both"),
        (["--base-position", "single"], "contradicts"),
        (["--truth", "1 2 3"], "surface"),
    ],
)
def test_impossible_options_are_1(stage, more, said, capsys) -> None:
    assert main.run(stage.words(*more)) == 1
    assert said in one_line(capsys)


def test_latitude_given_as_xyz_is_1(stage, capsys) -> None:
    assert main.run([*stage.files(), "--base-xyz", "35.13", "136.97", "104.8"]) == 1
    assert "--base-llh" in one_line(capsys)


def test_same_file_twice_or_no_navigation_is_1(stage, capsys) -> None:
    rover = stage.files()[1]
    assert main.run(["solve", rover, "--base", rover, "--nav", "n"]) == 1
    assert "given as rover and as base" in one_line(capsys)
    assert main.run(["solve", rover]) == 1
    assert "--nav" in one_line(capsys)


def test_mode_that_needs_a_base_without_one_is_1(stage, capsys) -> None:
    words = ["solve", stage.files()[1], "--nav", stage.files()[5], "--mode", "static"]
    assert main.run(words) == 1
    assert "needs a base" in one_line(capsys)


def test_missing_file_is_2(tmp_path, capsys) -> None:
    assert main.run(["info", str(tmp_path / "none.obs")]) == 2
    assert "none.obs" in one_line(capsys)


def test_no_base_coordinates_is_2_and_names_the_options(stage, capsys) -> None:
    stage.base.station.approx_ecef_m[:] = np.nan
    assert main.run(stage.files()) == 2
    line = one_line(capsys)
    assert "--base-xyz" in line
    assert "--base-position single" in line


def test_no_ephemeris_is_2(stage, capsys) -> None:
    stage.nav = made_nav(systems=(0,))
    stage.nav = type(stage.nav)(**{**vars(stage.nav), "sat": stage.nav.sat[:0]})
    assert main.run(stage.words()) == 2
    assert "no usable ephemeris" in one_line(capsys)


def test_unwritable_output_is_2_before_any_work(stage, capsys) -> None:
    assert main.run(stage.words("-o", f"{stage.folder}/no/out.pos")) == 2
    assert "does not exist" in one_line(capsys)
    assert "obs" not in stage.seen


def test_no_solution_is_3_with_reasons_and_no_file(stage, capsys) -> None:
    stage.solution = made_solution((FixStatus.NONE,) * 3)
    result, summary = stage.folder / "out.pos", stage.folder / "s.json"
    assert main.run(stage.words("-o", str(result), "--summary", str(summary))) == 3
    line = one_line(capsys)
    assert "no position at any of 3 epochs" in line
    assert "(3)" in line
    assert not result.exists()
    assert json.loads(summary.read_text())["exit_code"] == 3


def test_epochs_without_position_are_4_with_counts(stage, capsys) -> None:
    stage.solution = made_solution()
    assert main.run(stage.words("-o", f"{stage.folder}/out.pos")) == 4
    assert "1 of 5 epochs have no position" in capsys.readouterr().err
    assert (stage.folder / "out.pos").exists()


def test_damaged_input_is_4_with_counts(stage, capsys) -> None:
    stage.rover.report.add("epoch_truncated", "rover.obs line 99")
    assert main.run(stage.words()) == 4
    error = capsys.readouterr().err
    assert "1 epoch truncated in rover" in error
    assert "rover.obs line 99" in error


def test_base_of_no_use_is_4(stage, capsys) -> None:
    stage.solution = made_solution((FixStatus.SPP,) * 3)
    assert main.run(stage.words()) == 4
    assert "no epoch could use the base" in capsys.readouterr().err


def test_bad_field_costs_no_epoch_and_is_0(stage, capsys) -> None:
    stage.rover.report.add("bad_field", "rover.obs line 7")
    assert main.run(stage.words()) == 0
    assert "skipped 1 bad field" in capsys.readouterr().err


def test_empty_base_degrades_to_single_and_is_4(stage, monkeypatch, capsys) -> None:
    import rtkpos.io.rinex.read_observations as module

    read = module.read_obs

    def read_obs(paths, **options):
        if paths[0].name == "base.obs":
            raise RinexError("base.obs: no epochs in it.")
        return read(paths, **options)

    monkeypatch.setattr(module, "read_obs", read_obs)
    assert main.run(stage.words()) == 4
    assert "Positions are single" in capsys.readouterr().err
    assert stage.seen["config"].mode == "single"
    assert main.run(stage.words("--strict")) == 2


def test_internal_error_is_5_and_shows_where_only_on_request(stage, monkeypatch, capsys) -> None:
    import rtkpos.processing.run

    def broken(*args, **options):
        raise ZeroDivisionError("inner\nworkings")

    monkeypatch.setattr(rtkpos.processing.run, "solve", broken)
    assert main.run(stage.words()) == 5
    assert "internal error: ZeroDivisionError: inner workings" in one_line(capsys)
    assert main.run(["--debug", *stage.words()]) == 5
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt, 130), (TerminatedError, 143)])
def test_interrupted_run_leaves_no_file(stage, monkeypatch, capsys, error, code) -> None:
    def interrupt(handle: int) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", interrupt)
    assert main.run(stage.words("-o", f"{stage.folder}/out.pos")) == code
    assert sorted(p.name for p in stage.folder.iterdir()) == ["base.obs", "brdc.nav", "rover.obs"]
    one_line(capsys)


def test_quiet_says_nothing_when_all_is_well(stage, capsys) -> None:
    assert main.run(stage.words("-q", "-o", f"{stage.folder}/o.pos")) == 0
    assert capsys.readouterr().err == ""


def test_navigation_among_the_rovers_is_recognised(stage, capsys) -> None:
    (stage.folder / "more.nav").write_text(NAV_HEAD)
    rover, nav = stage.files()[1], stage.files()[5]
    assert main.run(["solve", rover, str(stage.folder / "more.nav"), "--nav", nav, "-q"]) == 0
    assert stage.seen["nav"] == ["brdc.nav", "more.nav"]
    assert stage.seen["config"].mode == "single"


def run_process(*words: str, **options) -> subprocess.Popen:
    """The command as a process of its own."""
    code = "from rtkpos.app.command_line.main import main; main()"
    return subprocess.Popen([sys.executable, "-c", code, *words], text=True, **options)


def test_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = run_process("data", "list", stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    error = process.communicate(timeout=30)[1]
    assert process.returncode == 0
    assert error == ""


def test_sigterm_is_143(tmp_path) -> None:
    # A pipe that nobody writes to keeps the command waiting in open().
    fifo = tmp_path / "rover.obs"
    os.mkfifo(fifo)
    process = run_process("solve", str(fifo), stderr=subprocess.PIPE)
    handle = os.open(fifo, os.O_WRONLY)  # returns once the command has opened it to read
    process.send_signal(signal.SIGTERM)
    error = process.communicate(timeout=30)[1]
    os.close(handle)
    assert process.returncode == 143
    assert error.count("\n") == 1


def test_help_is_fast_and_loads_nothing_heavy() -> None:
    code = (
        "import sys; from rtkpos.app.command_line import main; assert main.run(['--help']) == 0;"
        "heavy = {'numba', 'numpy', 'scipy', 'xarray', 'pooch', 'georinex'} & set(sys.modules);"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30, stdout=subprocess.DEVNULL)

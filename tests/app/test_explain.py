"""`rtkpos explain`: its text, JSON, exit codes, and the short form in the report of `solve`."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rtkpos.app.command_line import main
from rtkpos.app.explain.text import WIDTH, explanation_lines, short_lines
from rtkpos.diagnose.why import explain
from rtkpos.records.config import RtkConfig
from rtkpos.records.status import FixStatus, Reason
from tests.app.made_inputs import Stage, set_stage
from tests.data import dataset_path
from tests.io.made_solution import made_solution

WALK = "kinematic-shanghai-2023-part1"
FIXED, FLOAT = FixStatus.FIXED, FixStatus.FLOAT


@pytest.fixture
def stage(tmp_path, monkeypatch) -> Stage:
    """Readers and solver that return made-up tables."""
    return set_stage(tmp_path, monkeypatch)


def explained(text: str, reason: Reason = Reason.RATIO_LOW):
    """The explanation of a made-up run; x is fixed."""
    status = tuple(FIXED if letter == "x" else FLOAT for letter in text)
    reasons = np.array([Reason.OK if s == FIXED else reason for s in status], np.int8)
    return explain(made_solution(status, reason=reasons), RtkConfig())


def words(stage: Stage, *more: str) -> list[str]:
    """Arguments of `explain` over the files of the stage."""
    return ["explain", *stage.words(*more)[1:]]


def test_long_text_has_spans_causes_margins_and_advice() -> None:
    lines = explanation_lines(explained("oooxxxxxxxxoo"))
    text = "\n".join(lines)
    assert lines[0] == "5 of 13 epochs (38.5 %) are not fixed, in 2 spans."
    assert "1. 2024-06-24 08:20:00 to 08:20:02 GPST, 2 s, 3 epochs" in lines
    assert "2. 2024-06-24 08:20:11 to 08:20:12 GPST, 1 s, 2 epochs" in lines
    assert "because" in text
    assert "What would help" in text
    assert "as in span 1." in text, "a sentence is said once"
    assert max(len(line) for line in lines) <= WIDTH
    assert "nan" not in text


def test_many_spans_are_counted_not_listed() -> None:
    result = explained(("o" + "x" * 6) * 60)
    lines = explanation_lines(result)
    assert sum(line[:1].isdigit() for line in lines) == 12  # headline, 10 spans, the rest
    assert any(line.startswith("50 more spans; their epochs by first cause:") for line in lines)
    assert any("shorter spans 20" in line for line in lines)
    assert sum(" GPST, 1 epoch" in line for line in short_lines(result)) == 3


def test_all_fixed_is_one_line_of_margins() -> None:
    assert explanation_lines(explained("xxx"))[0] == "All 3 epochs are fixed."
    assert "17 satellites" in explanation_lines(explained("xxx"))[1]
    assert len(short_lines(explained("xxx"))) == 1


def test_without_a_wish_for_a_fix_what_fell_short_is_counted() -> None:
    status = (FixStatus.SPP, FixStatus.SPP, FixStatus.NONE)
    reason = np.array([Reason.OK, Reason.OK, Reason.FEW_ROVER_SATELLITES], np.int8)
    solution = made_solution(status, reason=reason, mode="single")
    lines = explanation_lines(explain(solution, RtkConfig(mode="single")))
    assert "--base" in lines[1]
    assert lines[-2:] == [
        "Epochs that fell short of this mode:",
        "       1  fewer than 4 usable rover satellites",
    ]


def test_command_gives_text_or_json(stage, capsys) -> None:
    assert main.run(words(stage)) == 0
    out = capsys.readouterr().out
    assert "4 of 5 epochs (80.0 %) are not fixed, in 1 span." in out
    assert main.run(words(stage, "--json", "-q")) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["not_fixed"] == 4
    assert facts["spans"][0]["causes"][0]["says"]
    assert stage.seen["config"].mode == "kinematic"


def test_options_of_solve_are_options_of_explain(stage, tmp_path, capsys) -> None:
    (tmp_path / "c.toml").write_text("[ambiguity]\nmin_pairs = 6\n")
    more = ("--ar", "hold", "--systems", "GC", "-k", str(tmp_path / "c.toml"), "-m", "15", "-q")
    assert main.run(words(stage, *more)) == 0
    config = stage.seen["config"]
    assert (config.ar, config.selection.systems) == ("hold", "GC")
    assert config.ambiguity.min_pairs == 6
    assert config.selection.elevation_mask_deg == 15.0
    rover, nav = stage.files()[1], stage.files()[5]
    assert main.run(["explain", rover, "--nav", nav, nav, "-q"]) == 0
    assert "needs a base" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["-o", "x.pos"], 1, "--output"),
        (["--summary", "x.json"], 1, "--summary"),
        (["--nonsense"], 1, "--nonsense"),
        (["--systems", "GX"], 1, "selection.systems"),
    ],
)
def test_wrong_usage_is_one_line(stage, capsys, more, code, said) -> None:
    assert main.run(words(stage, *more)) == code
    lines = capsys.readouterr().err.splitlines()
    assert said in lines[-1]
    assert "Traceback" not in lines[-1]


def test_missing_words_and_files(tmp_path, capsys) -> None:
    assert main.run(["explain"]) == 1
    assert "ROVER" in capsys.readouterr().err
    assert main.run(["explain", str(tmp_path / "none.obs"), "--nav", "none.nav"]) == 2


def test_report_and_summary_of_solve_hold_the_causes(stage, tmp_path, capsys) -> None:
    path = tmp_path / "s.json"
    assert main.run(stage.words("-o", str(tmp_path / "r.pos"), "--summary", str(path))) == 4
    shown = capsys.readouterr().err
    assert "4 of 5 epochs (80.0 %) are not fixed, in 1 span." in shown
    assert "what would help" in shown
    facts = json.loads(path.read_text())["explanation"]
    assert facts["spans"][0]["epochs_not_fixed"] == 4


@pytest.mark.compiled
def test_walk_is_explained_by_its_slips(capsys) -> None:
    files = [str(dataset_path(WALK, f"{n}.gz")) for n in ("rover.obs", "base.obs", "rover.nav")]
    arguments = ["explain", files[0], "--base", files[1], "--nav", files[2], "-q"]
    assert main.run([*arguments, "--systems", "GC"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "because cycle slips:" in text
    assert "carrier phases slip per epoch (where fixed:" in text
    assert "no base epoch: give the base file of the same time" in text

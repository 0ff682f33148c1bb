"""Faults end to end: what the command makes of damaged files, by its exit code and its words."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from rtkpos.app.command_line import main
from tests.data import dataset_path
from tests.robustness import corpus

N_EPOCH = 8
NAME = "static-nagoya-2024"
DONE, USAGE, INPUT, NO_SOLUTION, PARTIAL = range(5)


@pytest.fixture(scope="module")
def pair() -> dict[str, bytes]:
    """Rover, base and navigation text of a few epochs."""
    dataset_path(NAME)
    return dict(zip(("rover", "base", "nav"), corpus.nagoya(N_EPOCH), strict=True))


class Command:
    """`rtkpos solve` on three texts in a folder."""

    def __init__(self, folder, pair, capsys):
        self.folder, self.pair, self.capsys = folder, pair, capsys
        self.base_words = ["--base-xyz", *(str(x) for x in corpus.truth_m()[0])]
        self.said = ""

    def run(self, *more: str, **texts: bytes) -> int:
        """Exit code with some of the texts replaced; never a traceback, never a partial file."""
        for role, text in (self.pair | texts).items():
            (self.folder / role).write_bytes(text)
        f, out = self.folder, self.folder / "out.pos"
        out.unlink(missing_ok=True)
        words = ["solve", str(f / "rover"), "--base", str(f / "base"), "--nav", str(f / "nav")]
        code = main.run(
            [*words, *self.base_words, "-o", str(out), "--summary", str(f / "s"), *more]
        )
        self.said = self.capsys.readouterr().err
        assert "Traceback" not in self.said
        assert out.exists() == (code in (DONE, PARTIAL))
        return code

    def positions(self) -> np.ndarray:
        """(n, 5) latitude, longitude, height, quality, satellites of the result."""
        lines = (self.folder / "out.pos").read_text().splitlines()
        rows = [line.split()[2:7] for line in lines if not line.startswith("%")]
        return np.array(rows, dtype=float)

    def summary(self) -> dict:
        """The JSON summary of the run."""
        return json.loads((self.folder / "s").read_text())


@pytest.fixture
def command(tmp_path, pair, capsys) -> Command:
    """The command on the clean pair."""
    return Command(tmp_path, pair, capsys)


@pytest.fixture(scope="module")
def clean(tmp_path_factory, pair) -> np.ndarray:
    """Positions of the run without a fault."""

    class Silent:
        @staticmethod
        def readouterr():
            return type("Out", (), {"err": ""})

    fresh = Command(tmp_path_factory.mktemp("clean"), pair, Silent)
    assert fresh.run() == DONE
    return fresh.positions()


def cut_epoch(text: bytes, k: int) -> tuple[int, int]:
    """Span of epoch k in an observation text."""
    starts = [*corpus.epoch_starts(text), len(text)]
    return starts[k], starts[k + 1]


def test_clean_pair_is_done_and_fixed(clean):
    assert len(clean) == N_EPOCH
    assert (clean[:, 3] == 1).all()


def test_directory_and_missing_file_are_input_errors(command, tmp_path):
    """Row 1."""
    for name in (tmp_path, tmp_path / "none.obs"):
        assert main.run(["solve", str(name), "--nav", str(tmp_path / "none.nav")]) == INPUT
        assert str(name) in command.capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"\n\n", None])
def test_rover_without_epochs_is_an_input_error(command, pair, content):
    """Row 2: empty, blank, header only."""
    header = pair["rover"][: corpus.body_start(pair["rover"])]
    assert command.run(rover=header if content is None else content) == INPUT
    assert "no epochs" in command.said or "empty" in command.said


def test_base_without_epochs_degrades_to_single(command, pair):
    """Row 2."""
    assert command.run(base=pair["base"][: corpus.body_start(pair["base"])]) == PARTIAL
    assert (command.positions()[:, 3] == 5).all()


def test_content_counts_not_the_name(command, pair, clean):
    """Row 3: gzip without its ending is read, a server's error page is named."""
    assert command.run(rover=gzip.compress(pair["rover"])) == DONE
    assert np.array_equal(command.positions(), clean)
    assert command.run(rover=b"<html><body>404 Not Found</body></html>") == INPUT
    assert "HTML" in command.said


def test_cut_file_keeps_the_whole_epochs(command, pair, clean):
    """Row 4."""
    start, _ = cut_epoch(pair["rover"], N_EPOCH - 1)
    assert command.run(rover=pair["rover"][: start + 200]) == PARTIAL
    assert np.array_equal(command.positions(), clean[:-1])
    assert "cut" in command.said
    assert command.run("--strict", rover=pair["rover"][: start + 200]) == INPUT


def test_cut_gzip_keeps_what_decoded(command, pair, clean):
    """Row 5."""
    packed = gzip.compress(pair["rover"])
    assert command.run(rover=packed[: len(packed) * 3 // 4]) == PARTIAL
    n = len(command.positions())
    assert 2 < n < N_EPOCH
    assert np.array_equal(command.positions(), clean[:n])
    assert command.run("--strict", rover=packed[: len(packed) * 3 // 4]) == INPUT


def test_cut_crinex_keeps_what_decoded(command, pair, clean):
    """Row 5."""
    import hatanaka

    packed = hatanaka.rnx2crx(pair["rover"])
    assert command.run(rover=packed) == DONE
    assert np.array_equal(command.positions(), clean)
    assert command.run(rover=packed[: len(packed) * 3 // 4]) == PARTIAL
    n = len(command.positions())
    assert 2 < n < N_EPOCH
    assert np.array_equal(command.positions(), clean[:n])


@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
def test_line_ends_blank_lines_and_nuls_change_nothing(command, pair, clean, end):
    """Rows 6 and 7."""
    middle = cut_epoch(pair["rover"], 4)[0]
    stray = pair["rover"][:middle] + b"\n" + pair["rover"][middle:] + b"\0" * 300
    texts = {"rover": stray, "base": pair["base"], "nav": pair["nav"]}
    assert command.run(**{role: text.replace(b"\n", end) for role, text in texts.items()}) == DONE
    assert np.array_equal(command.positions(), clean)


@pytest.mark.parametrize("count", [b"  0", b"  7", b"999", b" -1"])
def test_wrong_satellite_count_costs_one_epoch(command, pair, clean, count):
    """Row 8."""
    start, _ = cut_epoch(pair["rover"], 4)
    text = pair["rover"][: start + 32] + count + pair["rover"][start + 35 :]
    assert command.run(rover=text) == PARTIAL
    assert len(command.positions()) == N_EPOCH - 1
    assert np.allclose(command.positions()[:4], clean[:4], rtol=0, atol=1e-9)
    assert (command.positions()[:, 3] == 1).all()


def test_long_line_costs_nothing_but_itself(command, pair, clean):
    """Row 9."""
    _, stop = cut_epoch(pair["rover"], 4)
    text = pair["rover"][:stop] + b"x" * 100_000 + b"\n" + pair["rover"][stop:]
    assert command.run(rover=text) in (DONE, PARTIAL)
    assert len(command.positions()) >= N_EPOCH - 1
    assert (command.positions()[:, 3] == 1).all()


def test_epochs_twice_and_out_of_order_give_the_same(command, pair, clean):
    """Rows 13 and 14."""
    a, b = cut_epoch(pair["rover"], 3)
    _, c = cut_epoch(pair["rover"], 4)
    text = pair["rover"]
    assert command.run(rover=text[:b] + text[a:b] + text[b:]) == DONE
    assert np.array_equal(command.positions(), clean)
    assert command.run(rover=text[:a] + text[b:c] + text[a:b] + text[c:]) == DONE
    assert np.array_equal(command.positions(), clean)
    assert "out of order" in command.said


@pytest.mark.parametrize("place", ["zero", "far"])
def test_header_position_of_the_rover_plays_no_role(command, pair, clean, place):
    """Row 22: 0 0 0, or 100 km off."""
    lines = pair["rover"].split(b"\n")
    at = next(k for k, line in enumerate(lines) if b"APPROX POSITION XYZ" in line)
    shift = 1e5 if place == "far" else 0.0
    xyz = corpus.truth_m()[1] + shift if shift else np.zeros(3)
    lines[at] = b"%14.4f%14.4f%14.4f" % tuple(xyz) + b" " * 18 + b"APPROX POSITION XYZ"
    assert command.run(rover=b"\n".join(lines)) == DONE
    assert np.array_equal(command.positions(), clean)


def test_versions_may_differ_among_the_inputs(command, pair, clean):
    """Row 23: a rover of RINEX 4 with a base and navigation of RINEX 3; an unknown version."""
    newer = pair["rover"].replace(b"     3.04", b"     4.01", 1)
    assert newer != pair["rover"]
    assert command.run(rover=newer) == DONE
    assert np.array_equal(command.positions(), clean)
    assert command.run(rover=pair["rover"].replace(b"     3.04", b"     7.00", 1)) == INPUT
    assert "7.00" in command.said


def test_navigation_of_another_day_is_no_solution(command, pair):
    """Row 29."""
    old = pair["nav"].replace(b" 2024 06 2", b" 2024 03 2")
    assert command.run(nav=old) in (NO_SOLUTION, INPUT)
    assert "ephemer" in command.said


def test_unhealthy_and_absurd_records_are_left_out(command, pair, clean):
    """Rows 30 and 31: the eccentricity of every GPS record is 0.9; the others still fix."""
    blocks = corpus.record_blocks(pair["nav"])
    head = pair["nav"][: corpus.body_start(pair["nav"])]
    changed = []
    for block in blocks:
        lines = block.split(b"\n")
        if block[:1] == b"G":
            lines[2] = lines[2][:23] + b" 9.000000000000e-01" + lines[2][42:]
        changed.append(b"\n".join(lines))
    assert command.run(nav=head + b"".join(changed)) in (DONE, PARTIAL)
    assert (command.positions()[:, 3] == 1).all()
    assert (command.positions()[:, 4] < clean[:, 4]).all()
    assert "out of range" in command.said


def test_time_system_that_is_unknown_is_refused(command, pair):
    """Row 37."""
    text = pair["rover"].replace(b"GPS         TIME OF FIRST OBS", b"XYZ         TIME OF FIRST OBS")
    assert text != pair["rover"]
    assert command.run(rover=text) == INPUT
    assert "XYZ" in command.said


def test_tags_with_noise_find_their_base_epoch(command, pair, clean):
    """Row 38: every other epoch line says 0.1 us less or more."""
    text = pair["rover"]
    for k, start in enumerate(corpus.epoch_starts(text)):
        second = float(text[start + 18 : start + 29]) + (1e-7 if k % 2 else 0.0)
        text = text[: start + 18] + b"%11.7f" % second + text[start + 29 :]
    assert command.run(rover=text) == DONE
    assert (command.positions()[:, 3] == 1).all()
    assert np.allclose(command.positions()[:, :3], clean[:, :3], rtol=0, atol=1e-4)


def test_base_coordinates_of_another_place_are_refused_unless_forced(command):
    """Row 56: X and Y exchanged; 100 m off."""
    x, y, z = corpus.truth_m()[0]
    command.base_words = ["--base-xyz", str(y), str(x), str(z)]
    assert command.run() == INPUT
    command.base_words = ["--base-xyz", str(x + 100.0), str(y), str(z)]
    assert command.run() == DONE
    assert "100" in command.said
    command.base_words = ["--base-xyz", "35.1347", "136.9776", "104.85"]
    assert command.run() == USAGE


def test_base_without_coordinates_needs_the_option(command, pair):
    """Row 57."""
    command.base_words = []
    lines = pair["base"].split(b"\n")
    silent = b"\n".join(line for line in lines if b"APPROX POSITION" not in line)
    assert command.run(base=silent) == INPUT
    assert "--base-position single" in command.said
    assert command.run("--base-position", "single", base=silent) == DONE
    assert "relative" in (command.folder / "out.pos").read_text()


def test_result_names_frame_and_antenna_models(command):
    """Rows 58 and 60."""
    assert command.run() == DONE
    text = (command.folder / "out.pos").read_text() + command.said
    assert "no PCO/PCV" in text

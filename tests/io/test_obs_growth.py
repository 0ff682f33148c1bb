"""Long files: output that grows, and the search for headers behind each other."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.io.rinex._observations import scan_file as _obs_file
from rtkpos.io.rinex._observations.scan_file import _find_label
from rtkpos.io.rinex.read_observations import read_obs
from tests.io.obs_text import epoch_line, header_3, sat_line

COLUMNS = ("time_ns", "row_start", "event", "rx_clock_s", "sat", "sig", "code_m", "phase_cycle")
LABEL = b"RINEX VERSION / TYPE"


def growing_text(n_epoch: int) -> bytes:
    """Epochs with more and more satellites, an event between them."""
    text = header_3()
    for k in range(n_epoch):
        names = [f"G{number:02d}" for number in range(1, 2 + 20 * k // n_epoch)]
        text += epoch_line(k % 60, len(names), minute=20 + k // 60)
        text += "".join(sat_line(name, float(k)) for name in names)
        if k == n_epoch // 2:
            text += ">                              4  1\n" + f"{'':60}COMMENT\n"
    return text.encode()


@pytest.mark.parametrize("first_rows", [4, 40, 333])
def test_output_that_grows_gives_the_same_table(first_rows, monkeypatch):
    text = growing_text(150)
    whole = read_obs(text)
    assert whole.n_epoch == 150
    monkeypatch.setattr(_obs_file, "_MIN_ROWS", 4)
    monkeypatch.setattr(_obs_file, "_FIRST_ROWS", first_rows)
    grown = read_obs(text)
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(grown, name), getattr(whole, name), name)
    assert grown.report.counts == whole.report.counts
    assert grown.events == whole.events


def test_labels_are_found_as_by_a_plain_search():
    rng = np.random.default_rng(4)
    pieces = [LABEL, LABEL[:-1], b"/", b" / TYPE", b"RINEX VERSION /", b"G01  123.456\n", b"//"]
    for _ in range(300):
        content = b"".join(pieces[k] for k in rng.integers(0, len(pieces), rng.integers(0, 12)))
        for start in rng.integers(0, len(content) + 3, 4).tolist():
            assert _find_label(content, start) == content.find(LABEL, start)
    assert _find_label(LABEL, -1) == -1


def test_labels_are_found_behind_many_slashes():
    content = b"/" * 5000 + LABEL + b"/" * 2000 + LABEL
    assert _find_label(content, 7) == 5000
    assert _find_label(content, 5001) == 7020
    assert _find_label(content, 7021) == -1

"""What damaged files have brought to light, each as the smallest case that shows it."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.errors import RtkposError
from rtkpos.io.rinex.crinex import decode_crinex
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.records.status import FixStatus
from tests.data import dataset_path
from tests.io.obs_text import epoch_3, epoch_line, header_3, sat_line
from tests.recordings import altered, recording, run, window
from tests.robustness import corpus


@pytest.mark.parametrize("year", ["2825", "9999", "1024", "0000"])
def test_record_of_another_age_is_one_bad_record(year):
    """A digit of the year: nanoseconds beyond 64 bits, or a time long before GPS."""
    dataset_path("static-nagoya-2024")
    text = corpus.nagoya()[2]
    at = text.index(b"\nG", corpus.body_start(text)) + 5
    nav = read_nav(text[:at] + year.encode() + text[at + 4 :])
    assert nav.n_ephemeris == read_nav(text).n_ephemeris - 1


@pytest.mark.parametrize("number", [" 9.000000000000E+307", "-9.000000000000E+307"])
def test_numbers_near_the_end_of_the_range_are_no_warning(number):
    """Squares of such elements overflow; warnings are errors in this suite."""
    dataset_path("static-nagoya-2024")
    text = corpus.nagoya()[2]
    blocks = corpus.record_blocks(text)
    for block in (blocks[0], next(b for b in blocks if b[:1] == b"R")):
        for column in (23, 42, 61):
            lines = block.split(b"\n")
            lines[2] = lines[2][: column - 19] + number[1:].encode() + lines[2][column:]
            damaged = text.replace(block, b"\n".join(lines))
            assert read_nav(damaged).n_ephemeris >= read_nav(text).n_ephemeris - 1


def test_lost_epoch_line_costs_its_own_epoch_only():
    """The lines behind start with a satellite the epoch before does not have."""
    orphan = sat_line("G02", 1.0) + sat_line("G05", 1.0) + sat_line("C07", 1.0)
    text = header_3() + epoch_3(0.0) + orphan + epoch_3(2.0)
    table = read_obs(text.encode())
    assert table.n_epoch == 2
    assert table.report.counts["epoch_bad_header"] == 1
    short = header_3() + epoch_3(0.0) + epoch_line(1.0, 1) + sat_line("G05", 1.0)
    other = short + sat_line("C07", 1.0) + epoch_3(2.0)
    table = read_obs(other.encode())
    assert table.n_epoch == 3
    assert table.report.counts["satellite_count_wrong"] == 1


def test_crash_of_the_crinex_decoder_keeps_the_epochs_before():
    """A byte beyond ASCII in a satellite's name kills the decoder with its text still buffered."""
    name = "georinex-tests/P43300USA_R_20190012056_17M_15S_MO.crx"
    dataset_path(corpus.CORPUS)
    import hatanaka

    text = corpus.cut_obs(corpus.load(corpus.CORPUS, name), 6)
    packed = hatanaka.rnx2crx(text)
    at = packed.rindex(b"S38")
    damaged = packed[:at] + b"\xe905" + packed[at + 3 :]
    found, complaint = decode_crinex(damaged, 10**8)
    if not complaint:
        pytest.skip("this build of the decoder takes the byte")
    whole = read_obs(text)
    kept = read_obs(found)
    assert 1 <= kept.n_epoch < whole.n_epoch
    assert np.array_equal(kept.time_ns, whole.time_ns[: kept.n_epoch])


def test_first_group_without_a_usable_code_still_has_a_position():
    """The clock of a pair group whose codes are all excluded is unknown; another group's serves."""
    table = window(recording("static-nagoya-2024")[0], 0, 10)
    spread = np.random.default_rng(1).uniform(1e3, 1e5, table.n_row)
    first = table.sat == table.sat[0]
    for sig in np.unique(table.sig[first]):
        rows = table.sig == sig
        broken = altered(table, code_m=lambda c, rows=rows: np.where(rows, c + spread, c))
        solution, error_m = run("static-nagoya-2024", rover=broken, last=10)
        has = solution.status > FixStatus.NONE
        assert has.any()
        assert np.isfinite(solution.ecef_m[has]).all()
        assert np.isfinite(solution.cov_ecef_m2[has]).all()
        assert error_m[solution.status == FixStatus.FIXED].max(initial=0.0) < 0.05


def test_empty_and_tiny_files_are_one_sentence():
    for content in (b"", b"\0", b"\x1f\x8b", b"BZh", b"PK\x03\x04", b"\x1f\x9d", b"\n" * 99, b"x"):
        for read in (read_obs, read_nav):
            with pytest.raises(RtkposError) as caught:
                read(content)
            assert "\n" not in str(caught.value)

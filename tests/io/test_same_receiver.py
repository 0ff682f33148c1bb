"""Whether two observation files are those of two receivers or of one."""

from __future__ import annotations

import pytest

from rtkpos.io.rinex.same_receiver import are_two_receivers
from tests.io.obs_text import epoch_3, file_3, header_3


@pytest.mark.parametrize(("n_first", "n_second"), [(20, 20), (1, 3), (59, 1)])
def test_short_files_that_follow_each_other_are_of_one_receiver(tmp_path, n_first, n_second):
    first, second = tmp_path / "first.obs", tmp_path / "second.obs"
    first.write_text(file_3(n_first))
    epochs = [
        epoch_3(float(k % 60), minute=20 + k // 60) for k in range(n_first, n_first + n_second)
    ]
    second.write_text(header_3() + "".join(epochs))
    assert not are_two_receivers(first, second)
    assert not are_two_receivers(second, first)


@pytest.mark.parametrize("skipped", [0, 5])
def test_files_of_one_time_with_other_values_are_of_two_receivers(tmp_path, skipped):
    first, second = tmp_path / "first.obs", tmp_path / "second.obs"
    first.write_text(file_3(20))
    other = "".join(epoch_3(float(k)).replace(".0", ".5") for k in range(skipped, 20))
    second.write_text(header_3() + other.replace(".5000000 ", ".0000000 "))
    assert are_two_receivers(first, second)
    assert are_two_receivers(second, first)

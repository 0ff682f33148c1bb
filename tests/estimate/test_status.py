"""The enumerations that kernels and configuration share."""

from __future__ import annotations

from rtkpos._numba.decorator import kernel
from rtkpos.records.config import AR_MODES, MODES
from rtkpos.records.status import REASON_TEXT, ArMode, Reason, RunMode


@kernel
def reason_of_sign(value):
    """A member of an enumeration from a kernel."""
    return Reason.RATIO_LOW.value if value < 0.0 else Reason.OK.value


def test_every_reason_has_a_text():
    assert set(REASON_TEXT) == set(Reason)


def test_the_words_of_the_configuration_name_the_modes():
    assert [RunMode[word.upper()] for word in MODES] == list(RunMode)
    assert {ArMode[word.upper()] for word in AR_MODES} == set(ArMode)


def test_kernels_write_the_numbers_of_the_enumeration():
    assert Reason(reason_of_sign(-1.0)) is Reason.RATIO_LOW
    assert Reason(reason_of_sign(1.0)) is Reason.OK

"""The numbers kernels write are those of the public enums."""

from __future__ import annotations

from rtkpos.estimate import verdicts
from rtkpos.records.config import AR_MODES, MODES
from rtkpos.records.solution import REASON_TEXT, FixStatus, Reason

REASONS = {
    "OK": Reason.OK,
    "FEW_ROVER": Reason.FEW_ROVER_SATELLITES,
    "NO_EPHEMERIS_LEFT": Reason.NO_EPHEMERIS,
    "CODE_FAILED": Reason.CODE_POSITION_FAILED,
    "NO_BASE": Reason.NO_BASE_EPOCH,
    "AGE_TOO_LARGE": Reason.CORRECTION_TOO_OLD,
    "FEW_COMMON": Reason.FEW_COMMON_SATELLITES,
    "AR_IS_OFF": Reason.AR_OFF,
    "FEW_AMBIGUITIES": Reason.FEW_AMBIGUITIES,
    "UNCERTAIN": Reason.FLOAT_TOO_UNCERTAIN,
    "SUCCESS_LOW": Reason.SUCCESS_RATE_LOW,
    "RATIO_LOW": Reason.RATIO_LOW,
    "POSTFIT_LARGE": Reason.POSTFIT_LARGE,
    "JUMP": Reason.POSITION_JUMP,
    "SEARCH_LIMIT": Reason.SEARCH_LIMIT,
    "BAD_COVARIANCE": Reason.BAD_COVARIANCE,
    "LOW_TRUST": Reason.LOW_TRUST,
    "NO_BASE_PLACE": Reason.BASE_POSITION_FAILED,
}
# Reasons that no epoch has by itself: `solve` gives them.
OF_THE_RUN = {Reason.DIRECTIONS_DISAGREE}


def test_reasons_agree_and_all_have_a_text():
    assert {name: getattr(verdicts, name) for name in REASONS} == REASONS
    assert set(REASONS.values()) | OF_THE_RUN == set(Reason) == set(REASON_TEXT)


def test_status_and_mode_numbers_agree():
    for status in FixStatus:
        assert getattr(verdicts, status.name) == status
    for mode in MODES:
        assert getattr(verdicts, f"MODE_{mode.upper()}") == MODES.index(mode)
    assert all(hasattr(verdicts, f"AR_{mode.upper()}") for mode in AR_MODES)

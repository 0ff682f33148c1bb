"""Causes of epochs without a fix: one row per cause, with its rule, its sentence and its advice.

A cause is weighed in a span by the larger of two numbers between 0 and 1:

* named: the share of the span's epochs whose `Reason` names the cause, times the weight given here.
  A reason that ends an epoch early (no base epoch) names its cause outright, weight 1. A test that
  failed (ratio, success rate) says little about why: weight 0.4 or 0.5.
* measured: how far a measured number lies between `normal` (0) and `bad` (1), times `top`, times
  the share of epochs that reached the integers (or ended for a reason in `also`). Where the fixed
  epochs of the same recording are nearly as bad (within a quarter), it counts 0.7: they were fixed
  all the same.

So a measured root cause outranks the test that failed because of it, once it is more than half bad.
Sentences are filled with the numbers of the span; where one of them is unknown, `bare` is said.
"""

from __future__ import annotations

import math
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rtkpos.records.status import REASON_TEXT, Reason

# Reasons that end an epoch before any integer is tried.
EARLY = frozenset(
    {
        Reason.FEW_ROVER_SATELLITES,
        Reason.NO_EPHEMERIS,
        Reason.CODE_POSITION_FAILED,
        Reason.NO_BASE_EPOCH,
        Reason.CORRECTION_TOO_OLD,
        Reason.FEW_COMMON_SATELLITES,
        Reason.AR_OFF,
    }
)
LIKE_FIXED = 1.25
FIXED_TOO = 0.7
UNNAMED = 0.4  # weight of a reason no row names


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One row: how to weigh, what to say, what would help.

    named : weight by Reason      measure : name of a number, weighed from `normal` to `bad`
    says, bare : sentences with and without the numbers      fixed : number shown of fixed epochs
    """

    name: str
    says: str
    bare: str
    helps: str
    named: Mapping[Reason, float] = field(default_factory=dict)
    measure: str = ""
    normal: float = 0.0
    bad: float = 1.0
    top: float = 1.0
    also: frozenset[Reason] = frozenset()
    fixed: str = ""


_SKY = frozenset({Reason.FEW_COMMON_SATELLITES})

CAUSES = (
    Cause(
        name="age of the corrections",
        named={Reason.CORRECTION_TOO_OLD: 1.0},
        measure="age_s", normal=5.0, bad=25.0,
        says="the newest base epoch is {age_words} old (limit {limit_age_s:g} s)",
        bare="the newest base epoch is older than {limit_age_s:g} s",
        helps="close the gaps of the base: its data link, its recording, or its interval",
        fixed="{age_s:.0f} s in the median",
    ),
    Cause(
        name="no base epoch",
        named={Reason.NO_BASE_EPOCH: 1.0},
        says="the base has no epoch before this time; it begins {base_late_s:.0f} s after "
        "the span",
        bare="the base has no epoch before this time",
        helps="give the base file of the same time; several files can follow --base",
    ),
    Cause(
        name="rover satellites",
        named={Reason.FEW_ROVER_SATELLITES: 1.0},
        says="the rover sees {n_rover:.0f} satellites above {mask_deg:g} degrees ({rover_sees}); a "
        "position needs 4, and one more for every further system",
        bare="fewer than 4 usable satellites at the rover",
        helps="a freer view of the sky, a lower --elevation-mask, or more --systems",
    ),
    Cause(
        name="ephemerides",
        named={Reason.NO_EPHEMERIS: 1.0},
        measure="no_ephemeris_share", normal=0.15, bad=0.6, also=_SKY,
        says="{no_ephemeris_share:.0%} of the satellites seen by both have no valid ephemeris",
        bare="too few of the satellites have a valid ephemeris",
        helps="give a navigation file that covers the systems and the whole time",
    ),
    Cause(
        name="code position",
        named={Reason.CODE_POSITION_FAILED: 1.0},
        says="the codes of {n_rover:.0f} satellites ({rover_sees}) do not agree on one position",
        bare="the codes do not agree on one position",
        helps="a freer view of the sky; a damaged or wrong navigation file does the same",
    ),
    Cause(
        name="common satellites",
        named={Reason.FEW_COMMON_SATELLITES: 0.9, Reason.FEW_AMBIGUITIES: 0.6},
        measure="n_common", normal=9.0, bad=5.0, top=0.9, also=_SKY,
        says="{n_common:.0f} satellites above {mask_deg:g} degrees are common to both with carrier "
        "phases; the rover sees {n_rover:.0f} ({rover_sees}), the base {n_base:.0f} ({base_sees})",
        bare="too few satellites are common to rover and base",
        helps="a freer view for the receiver that sees fewer, a lower --elevation-mask, more "
        "--systems at both ends",
        fixed="{n_common:.0f}",
    ),
    Cause(
        name="signal mismatch",
        measure="lost_share", normal=0.1, bad=0.5, also=_SKY,
        says="{lost_share:.0%} of the {n_both:.0f} satellites both see have no carrier phases on a "
        "common band: the rover has {rover_signals}, the base {base_signals}",
        bare="rover and base have no carrier phases on a common band for some satellites",
        helps="record the same bands at both ends, or take a base that has the rover's",
        fixed="{lost_share:.0%}",
    ),
    Cause(
        name="single band",
        measure="n_band", normal=1.6, bad=1.0, top=0.6,
        says="each common satellite has {n_band:.1f} common bands on average",
        bare="there is one common band",
        helps="receivers with two or three bands in common fix within seconds; with one, "
        "allow minutes, use every system, and leave out --bands",
        fixed="{n_band:.1f}",
    ),
    Cause(
        name="cycle slips",
        measure="slip_share", normal=0.08, bad=0.35,
        says="{n_slip:.0f} of {n_phase:.0f} carrier phases slip per epoch",
        bare="carrier phases slip at many epochs",
        helps="keep the antenna from being shaded or turned, mount it on a ground plane; a "
        "receiver with steadier tracking",
        fixed="{n_slip:.0f}",
    ),
    Cause(
        name="slips at the start",
        measure="storm_share", normal=0.25, bad=0.9, top=0.8,
        says="at the start of the span {storm_slips:.0f} of {n_phase:.0f} carrier phases slipped "
        "at one epoch; their ambiguities had to be found again",
        bare="many carrier phases slipped at the start of the span",
        helps="nothing but time: an obstacle, or a gap in the recording, came before",
    ),
    Cause(
        name="half cycles",
        measure="half_share", normal=0.1, bad=0.5, top=0.9,
        says="{half_share:.0%} of the rover's carrier phases carry the half-cycle flag and cannot "
        "be fixed to integers",
        bare="many of the rover's carrier phases carry the half-cycle flag",
        helps="stronger signals: the flag stays until the receiver has read the navigation "
        "message of a satellite",
        fixed="{half_share:.0%}",
    ),
    Cause(
        name="code noise",
        measure="code_factor", normal=1.3, bad=3.0,
        says="the codes scatter by {code_m:.1f} m between rover and base; {expected_code_m:.1f} m "
        "is usual under open sky",
        bare="the codes scatter more than expected",
        helps="an antenna away from walls and bodies that reflect; the codes of a phone-grade "
        "antenna stay at metres",
        fixed="{code_m:.1f} m",
    ),
    Cause(
        name="weak signals",
        measure="cn0_dbhz", normal=36.0, bad=27.0, top=0.9,
        says="the rover's signals have {cn0_dbhz:.0f} dB-Hz in the median; open sky gives 40 to 50",
        bare="the rover's signals are weak",
        helps="a better antenna or place; check cable and connectors",
        fixed="{cn0_dbhz:.0f} dB-Hz",
    ),
    Cause(
        name="geometry",
        measure="pdop", normal=3.0, bad=8.0, top=0.8,
        says="the {n_common:.0f} common satellites stand badly: PDOP {pdop:.1f} (below 3 is good)",
        bare="the common satellites stand badly",
        helps="more systems, a lower --elevation-mask, or another time of day",
        fixed="{pdop:.1f}",
    ),
    Cause(
        name="distance",
        measure="distance_km", normal=8.0, bad=50.0,
        says="rover and base are {distance_km:.1f} km apart, where the ionosphere differs by some "
        "{distance_mm:.0f} mm; {ionosphere_words}",
        bare="rover and base are far apart",
        helps="a base within 10 km, a virtual base (VRS) near the rover, or more time",
    ),
    Cause(
        name="base coordinate",
        measure="base_effect_mm", normal=8.0, bad=40.0,
        says="the base coordinate is {base_offset_m:.0f} m from the base's own code position, "
        "which bends the differences by up to {base_effect_mm:.0f} mm over {distance_km:.1f} km",
        bare="the base coordinate does not fit the base's own codes",
        helps="give the right coordinate with --base-xyz or --base-llh",
    ),
    Cause(
        name="moving antenna",
        measure="static_spread_m", normal=5.0, bad=15.0,
        says="the mode is static, but the positions of these epochs reach {static_spread_m:.0f} m "
        "from their middle",
        bare="the mode is static, but the positions move",
        helps="--mode kinematic",
    ),
    Cause(
        name="start of the filter",
        measure="start_share", normal=0.2, bad=1.0, top=0.7,
        says="the filter had started {since_s:.0f} s before (median); {start_share:.0%} of these "
        "epochs lie in its first {start_s:.0f} s",
        bare="the filter had just started",
        helps="time: record some minutes before it matters, and keep the power on",
    ),
    Cause(
        name="success rate",
        named={Reason.SUCCESS_RATE_LOW: 0.5},
        says="fewer than {limit_pairs:.0f} ambiguities can be predicted right with the "
        "{limit_success:.1%} that is needed; the float position is uncertain by {sigma_m:.2f} m",
        bare="fewer than {limit_pairs:.0f} ambiguities can be predicted right with the "
        "{limit_success:.1%} that is needed",
        helps="whatever sharpens the float position: more satellites and bands, a nearer base, "
        "fewer slips, or time",
    ),
    Cause(
        name="probability",
        named={Reason.LOW_PROBABILITY: 0.5},
        says="the integers are right with a probability of {probability:.3f}; "
        "{limit_probability:.3f} is needed",
        bare="the integers are not certain enough",
        helps="more satellites and bands, a nearer base, fresher corrections, or better codes; the "
        "profile 'available' fixes sooner and wrongly more often",
        fixed="{probability:.3f}",
    ),
    Cause(
        name="ratio",
        named={Reason.RATIO_LOW: 0.5},
        says="the second-best integers fit {ratio:.1f} times worse than the best; "
        "{ratio_needed:.1f} times are needed",
        bare="the best integers are not clearly better than the second best",
        helps="whatever makes the phases agree better: less multipath, a nearer base, more "
        "satellites, or time",
        fixed="{ratio:.1f}",
    ),
    Cause(
        name="uncertain position",
        named={Reason.FLOAT_TOO_UNCERTAIN: 0.5},
        says="too few integers could be fixed for a sharp position: its standard deviation stays "
        "above {limit_sigma_mm:.0f} mm (float {uncertain_m:.2f} m)",
        bare="too few integers could be fixed for a sharp position (limit {limit_sigma_mm:.0f} mm)",
        helps="more satellites and bands in common, a nearer base, or time",
    ),
    Cause(
        name="post-fit residuals",
        named={Reason.POSTFIT_LARGE: 0.5},
        says="with integers put in, the carrier phases disagree by {postfit_mm:.0f} mm (limit "
        "{limit_postfit_mm:.0f} mm)",
        bare="with integers put in, the carrier phases disagree with each other or with the codes",
        helps="less multipath, an undamaged recording, the right antenna and base coordinate",
        fixed="{postfit_mm:.0f} mm",
    ),
    Cause(
        name="position jump",
        named={Reason.POSITION_JUMP: 0.5},
        says="{jump_share:.0%} of the epochs had integers whose position the antenna cannot have "
        "reached since the last fix, or that contradicts the float or static position",
        bare="integers were found, but their position is not where the antenna can be",
        helps="nothing, if it is rare: a wrong fix was caught",
    ),
    Cause(
        name="fixing switched off",
        named={Reason.AR_OFF: 1.0},
        says="integer fixing is switched off (--ar off)",
        bare="integer fixing is switched off (--ar off)",
        helps="--ar continuous",
    ),
    Cause(
        name="search limit",
        named={Reason.SEARCH_LIMIT: 1.0},
        says="the integer search stopped at its limit of {limit_search:.0f} steps",
        bare="the integer search stopped at its limit",
        helps="raise ambiguity.n_search_max; the float position is uncertain there",
    ),
    Cause(
        name="moving base lost",
        named={Reason.BASE_POSITION_FAILED: 1.0},
        says="the moving base had no code position of its own",
        bare="the moving base had no code position of its own",
        helps="open sky for the base, too: it needs four satellites with codes",
    ),
    Cause(
        name="directions disagree",
        named={Reason.DIRECTIONS_DISAGREE: 1.0},
        says="the forward and the backward run do not give the same place",
        bare="the forward and the backward run do not give the same place",
        helps="one of the two fixed wrong integers there; run each direction by itself and compare",
    ),
    Cause(
        name="numerics",
        named={Reason.BAD_COVARIANCE: 1.0},
        says="the covariance of the float solution was not positive definite",
        bare="the covariance of the float solution was not positive definite",
        helps="please report it with the files: this should not happen",
    ),
)  # fmt: skip


def named_weight(cause: Cause, share: Mapping[Reason, float]) -> float:
    """Weight of a cause by what the reasons name. share : part of the span's epochs by Reason."""
    return sum(weight * share.get(reason, 0.0) for reason, weight in cause.named.items())


def measured_weight(
    cause: Cause,
    share: Mapping[Reason, float],
    numbers: Mapping[str, Any],
    fixed: Mapping[str, Any],
) -> float:
    """Weight of a cause by what was measured in the span; 0 where it is unknown."""
    value = float(numbers.get(cause.measure, math.nan)) if cause.measure else math.nan
    if math.isnan(value):
        return 0.0
    bad = min(max((value - cause.normal) / (cause.bad - cause.normal), 0.0), 1.0)
    reached = sum(part for reason, part in share.items() if reason not in EARLY - cause.also)
    other = float(fixed.get(cause.measure, math.nan))
    is_like_fixed = (
        value <= LIKE_FIXED * other if cause.bad > cause.normal else LIKE_FIXED * value >= other
    )
    return bad * cause.top * reached * (FIXED_TOO if is_like_fixed else 1.0)


def words_of_cause(cause: Cause, numbers: Mapping[str, Any], fixed: Mapping[str, Any]) -> str:
    """What a cause says with the numbers of a span, and of the fixed epochs to compare."""
    text = filled(cause.says, numbers) or filled(cause.bare, numbers) or cause.bare
    other = filled(cause.fixed, fixed) if cause.fixed else ""
    return f"{text} (where fixed: {other})" if other else text


def filled(text: str, numbers: Mapping[str, Any]) -> str:
    """The text with its numbers; "" when one of them is not known."""
    names = [name for _, name, _, _ in string.Formatter().parse(text) if name]
    known = {name: numbers.get(name, math.nan) for name in names}
    return "" if any(_is_unknown(value) for value in known.values()) else text.format(**known)


def _is_unknown(value: float | str) -> bool:
    """True for NaN and for an empty word."""
    return value == "" or (isinstance(value, float) and not math.isfinite(value))


def cause_of_reason(reason: Reason) -> Cause:
    """A row for a reason that no row of CAUSES names, so that nothing stays unexplained."""
    text = REASON_TEXT[reason]
    return Cause(name=text, named={reason: UNNAMED}, says=text, bare=text, helps="")

"""Which ionosphere a run gets: preference, distance in time, unusable messages, warnings."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.core.atmosphere.ionosphere import (
    IONO_BDGIM,
    IONO_KLOBUCHAR,
    IONO_KLOBUCHAR_BEIDOU,
    IONO_OFF,
    slant_ionosphere_l1,
)
from rtkpos.errors import ConfigError
from rtkpos.gnss.time import ns_from_calendar
from rtkpos.physics.atmosphere import ionosphere_model, is_usable, no_ionosphere
from rtkpos.records.broadcast import BroadcastTable, Ionosphere, sat_starts
from rtkpos.records.report import ReadReport

HOUR_NS = 3600 * 10**9
START_NS = ns_from_calendar(2023, 3, 12, 6)
END_NS = START_NS + 4 * HOUR_NS
KLOBUCHAR = (2.9e-08, 7.5e-09, -1.2e-07, 0.0, 1.3e5, 0.0, -2.6e5, 1.3e5)
BDGIM = (35.5, 2.0, 12.0, 13.375, -17.25, 1.125, 1.0, 3.0, 0.375)


def message(kind, source, values, time_ns=-1):
    return Ionosphere(kind=kind, source=source, coefficients=np.array(values), time_ns=time_ns)


GPS = message("klobuchar", "G", KLOBUCHAR)
BEIDOU = message("klobuchar", "C", KLOBUCHAR)
GLOBAL = message("bdgim", "C", BDGIM)
OTHERS = (message("nequick", "E", (160.75, 0.371, 0.009)), message("klobuchar", "J", KLOBUCHAR))


def broadcast(*messages):
    whole, small = np.empty(0, np.int64), np.empty(0, np.int8)
    return BroadcastTable(
        sat=np.empty(0, np.int16),
        sat_start=sat_starts(np.empty(0, np.int16)),
        message=small,
        toe_ns=whole,
        toc_ns=whole,
        tx_ns=whole,
        issue=whole,
        health=whole,
        healthy=small,
        orbit=small,
        accuracy_m=np.empty(0),
        param=np.empty((0, 23)),
        ionosphere=messages,
    )


def chosen(choice, *messages):
    report = ReadReport()
    return ionosphere_model(broadcast(*messages), choice, START_NS, END_NS, report), report


@pytest.mark.parametrize(
    ("choice", "messages", "kind"),
    [
        ("broadcast", (*OTHERS, GLOBAL, BEIDOU, GPS), IONO_KLOBUCHAR),
        ("broadcast", (GLOBAL, BEIDOU), IONO_KLOBUCHAR_BEIDOU),
        ("broadcast", (*OTHERS, GLOBAL), IONO_BDGIM),
        ("klobuchar", (GLOBAL, BEIDOU), IONO_KLOBUCHAR_BEIDOU),
        ("bdgim", (GPS, GLOBAL), IONO_BDGIM),
        ("off", (GPS, BEIDOU, GLOBAL), IONO_OFF),
    ],
)
def test_preference(choice, messages, kind):
    model, report = chosen(choice, *messages)
    assert model.kind == kind
    assert report.warnings == []


@pytest.mark.parametrize("choice", ["broadcast", "klobuchar", "bdgim"])
def test_nothing_usable_is_off_with_a_warning(choice):
    model, report = chosen(choice, *OTHERS)
    assert model.kind == IONO_OFF
    assert slant_ionosphere_l1(model, 0.5, 1.0, 0.5, 1.0, START_NS) == 0.0
    assert len(report.warnings) == 1
    assert repr(choice) in report.warnings[0]


def test_unknown_choice_is_a_config_error():
    with pytest.raises(ConfigError, match="got 'nequick'"):
        chosen("nequick", GPS)


def test_message_nearest_to_the_middle_of_the_run_counts():
    middle = (START_NS + END_NS) // 2
    dated = [
        message("klobuchar", "G", (a * 1e-8, *KLOBUCHAR[1:]), middle + hours * HOUR_NS)
        for a, hours in ((1.0, -30.0), (2.0, -1.5), (3.0, 2.0))
    ]
    model, _ = chosen("broadcast", GPS, *dated)
    assert model.coefficients[0] == 2.0e-8


def test_header_value_serves_when_nothing_is_dated():
    model, _ = chosen("broadcast", GPS)
    np.testing.assert_array_equal(model.coefficients[:8], KLOBUCHAR)


@pytest.mark.parametrize(
    "values", [(0.0,) * 8, KLOBUCHAR[:7], (np.nan, *KLOBUCHAR[1:]), (np.inf, *KLOBUCHAR[1:])]
)
def test_broken_coefficients_are_passed_over(values):
    broken = message("klobuchar", "G", values)
    assert not is_usable(broken)
    model, _ = chosen("broadcast", broken, BEIDOU)
    assert model.kind == IONO_KLOBUCHAR_BEIDOU


def test_bdgim_table_spans_the_run_and_changes_no_delay_with_its_start():
    place = (0.6, 2.0, 0.7, 1.0)
    report = ReadReport()
    long = ionosphere_model(
        broadcast(GLOBAL), "bdgim", START_NS - 50 * HOUR_NS, END_NS + 50 * HOUR_NS, report
    )
    short, _ = chosen("bdgim", GLOBAL)
    assert len(short.background) == 12
    assert len(long.background) in (52, 53, 54)
    for hour in range(5):
        time_ns = START_NS + hour * HOUR_NS
        assert slant_ionosphere_l1(short, *place, time_ns) == slant_ionosphere_l1(
            long, *place, time_ns
        )


def test_every_model_has_the_types_of_one_compilation():
    for model in (no_ionosphere(), chosen("broadcast", GPS)[0], chosen("bdgim", GLOBAL)[0]):
        assert type(model.kind) is int
        assert type(model.first_slot) is int
        for array in (model.coefficients, model.background):
            assert array.dtype == np.float64
            assert array.flags.c_contiguous
            assert array.flags.writeable
        assert model.coefficients.shape == (9,)
        assert model.background.shape[0] >= 12

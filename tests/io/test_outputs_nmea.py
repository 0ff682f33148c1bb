"""NMEA sentences: checksums, fields, UTC, and reading them back."""

from __future__ import annotations

import re

import numpy as np
import pytest

from rtkpos.gnss.time import ns_from_calendar
from rtkpos.io.solutions.nmea import checksum, format_nmea, parse_nmea, sentence, utc_warning
from rtkpos.records.status import FixStatus
from tests.io.made_solution import START_NS, made_solution

# The example of the NMEA 0183 standard's GLL, and a sentence printed by rnx2rtkp 2.4.3.
GLL = "GPGLL,5057.970,N,00146.110,E,142451,A"
GLL_CHECKSUM = "27"
RTKLIB_GGA = (
    "$GNGGA,081942.00,3508.0819418,N,13658.6545278,E,4,16,1.0,67.077,M,37.779,M,0.0,0000*60"
)
SECOND_NS = 1_000_000_000


def sentences(text: str, kind: str) -> list[list[str]]:
    """Fields of the sentences of a kind."""
    return [line.split("*")[0].split(",") for line in text.split("\r\n") if line[3:6] == kind]


def test_checksum_of_published_sentences() -> None:
    assert checksum(GLL) == GLL_CHECKSUM
    assert checksum(RTKLIB_GGA[1:-3]) == "60"
    assert sentence(GLL) == f"${GLL}*27"


def test_every_sentence_has_a_valid_checksum_and_fits() -> None:
    lines = format_nmea(made_solution()).split("\r\n")[:-1]
    assert len(lines) == 4 * 4 + 2
    for line in lines:
        match = re.fullmatch(r"\$([^*]+)\*([0-9A-F]{2})", line)
        assert match
        value = 0
        for character in match[1]:
            value ^= ord(character)
        assert f"{value:02X}" == match[2]


def test_gga_fields() -> None:
    gga = sentences(format_nmea(made_solution()), "GGA")
    assert [row[6] for row in gga] == ["4", "5", "2", "1", "0"]
    fixed = gga[0]
    assert fixed[1] == "081942.00"  # 18 leap seconds before 08:20:00 GPST
    assert fixed[2].startswith("3508.0819")
    assert len(fixed[2].split(".")[1]) >= 7
    assert fixed[3] == "N"
    assert fixed[4].startswith("13658.6545")
    assert fixed[5] == "E"
    assert fixed[7] == "17"
    assert fixed[11] == "0.0"
    assert fixed[13] == "0.5"
    assert gga[3][13] == ""  # a code position has no correction age


def test_rmc_speed_course_date() -> None:
    rmc = sentences(format_nmea(made_solution()), "RMC")
    assert rmc[0][9] == "240624"
    assert float(rmc[0][7]) == pytest.approx(5.0 / (1852 / 3600), abs=1e-3)
    assert float(rmc[0][8]) == pytest.approx(np.degrees(np.arctan2(3, 4)), abs=0.05)
    assert [row[2] for row in rmc] == ["A", "A", "A", "A", "V"]
    assert [row[12] for row in rmc] == ["R", "F", "D", "A", "N"]


def test_gst_ellipse_of_a_known_covariance() -> None:
    # sigma 5 cm along north 30 deg east, 1 cm across
    direction = np.radians(30.0)
    along = np.array([np.sin(direction), np.cos(direction)])
    across = np.array([along[1], -along[0]])
    cov = np.zeros((3, 3))
    cov[:2, :2] = 25e-4 * np.outer(along, along) + 1e-4 * np.outer(across, across)
    cov[2, 2] = 4e-4
    solution = made_solution((FixStatus.FIXED,), cov_enu_m2=cov)
    gst = sentences(format_nmea(solution), "GST")[0]
    assert [float(word) for word in gst[3:6]] == [0.05, 0.01, 30.0]
    assert float(gst[6]) == pytest.approx(np.sqrt(cov[1, 1]), abs=1e-4)
    assert float(gst[7]) == pytest.approx(np.sqrt(cov[0, 0]), abs=1e-4)
    assert float(gst[8]) == 0.02


def test_southern_and_western_angles() -> None:
    place = np.array([2_200_000.0, -4_900_000.0, -3_400_000.0])
    gga = sentences(format_nmea(made_solution((FixStatus.SPP,), place_ecef_m=place)), "GGA")[0]
    assert (gga[3], gga[5]) == ("S", "W")


def test_leap_second_reads_60() -> None:
    # 2016-12-31 23:59:60 UTC is 2017-01-01 00:00:17 GPST
    solution = made_solution((FixStatus.SPP,) * 3)
    solution.time_ns[:] = (
        ns_from_calendar(2017, 1, 1, 0, 0, 16 * SECOND_NS) + np.arange(3) * SECOND_NS
    )
    gga = sentences(format_nmea(solution), "GGA")
    assert [row[1] for row in gga] == ["235959.00", "235960.00", "000000.00"]
    zda = sentences(format_nmea(solution), "ZDA")
    assert [row[2:5] for row in zda] == [
        ["31", "12", "2016"], ["31", "12", "2016"], ["01", "01", "2017"],
    ]  # fmt: skip


def test_utc_beyond_the_table_warns() -> None:
    assert utc_warning(made_solution()) == ""
    late = made_solution((FixStatus.SPP,))
    late.time_ns[:] = ns_from_calendar(2035, 1, 1)
    assert "leap second" in utc_warning(late)


def test_round_trip() -> None:
    solution = made_solution()
    track = parse_nmea(format_nmea(solution))
    assert track.time_ns.tolist() == solution.time_ns[:4].tolist()
    assert track.quality.tolist() == [4, 5, 2, 1]
    assert np.abs(track.ecef_m - solution.ecef_m[:4]).max() < 1e-4


def test_reads_gga_of_rtklib_with_a_date_from_outside() -> None:
    track = parse_nmea(RTKLIB_GGA, near_ns=START_NS + 3600 * SECOND_NS)
    assert track.time_ns.tolist() == [START_NS]
    # altitude 67.077 + separation 37.779 is the ellipsoidal height of the antenna
    assert np.linalg.norm(track.ecef_m[0] - made_solution().ecef_m[0]) < 0.05


def test_midnight_without_a_new_date_goes_to_the_next_day() -> None:
    rmc = sentence("GNRMC,235959.00,A,3508.0,N,13658.0,E,,,240624,,,A,V")
    gga = [
        sentence(f"GNGGA,{clock},3508.0,N,13658.0,E,1,10,,10.0,M,0.0,M,,")
        for clock in ("235959.00", "000000.00")
    ]
    track = parse_nmea("\n".join([gga[0], rmc, gga[1]]))
    assert np.diff(track.time_ns).tolist() == [SECOND_NS]


def test_bad_checksums_and_rubbish_are_passed_over() -> None:
    damaged = RTKLIB_GGA.replace("3508.08", "3509.08")
    assert len(parse_nmea(f"{damaged}\n$GNGGA,,,,*\nrubbish\n", near_ns=START_NS).time_ns) == 0

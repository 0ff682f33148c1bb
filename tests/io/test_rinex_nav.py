"""Navigation files as they are: against an independent reader, plain counts and known values."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from rtkpos.core import tables as t
from rtkpos.errors import RinexError, RtkposError
from rtkpos.gnss.systems import sat_from_name, sat_name
from rtkpos.gnss.time import ns_from_calendar
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.records.broadcast import Message
from tests.data import dataset_path, text_of

NS = 1_000_000_000
CORPUS = "rinex-corpus"

# georinex name -> column of `param`
KEPLER_NAMES = {
    "SVclockBias": t.P_AF0,
    "SVclockDrift": t.P_AF1,
    "SVclockDriftRate": t.P_AF2,
    "sqrtA": t.P_SQRT_A,
    "Eccentricity": t.P_ECC,
    "Io": t.P_I0,
    "Omega0": t.P_OMEGA0,
    "omega": t.P_OMEGA,
    "M0": t.P_M0,
    "DeltaN": t.P_DELTA_N,
    "IDOT": t.P_I_DOT,
    "OmegaDot": t.P_OMEGA_DOT,
    "Cuc": t.P_CUC,
    "Cus": t.P_CUS,
    "Crc": t.P_CRC,
    "Crs": t.P_CRS,
    "Cic": t.P_CIC,
    "Cis": t.P_CIS,
}
CARTESIAN_NAMES = {"X": t.G_X, "Y": t.G_Y, "Z": t.G_Z, "dX": t.G_VX, "dY": t.G_VY, "dZ": t.G_VZ}


@pytest.mark.parametrize(
    ("dataset", "file", "use", "least"),
    [
        (CORPUS, "georinex-tests/brdc2420.18n.gz", None, 40),
        (CORPUS, "georinex-tests/ab422100.18n", None, 150),
        (CORPUS, "georinex-tests/p1462100.18g", None, 140),
        ("static-nagoya-2024", "base.nav.gz", "GREC", 90),
        ("network-netherlands-2021-001", "AMEL00NLD_R_20210010000_01D_MN.rnx.gz", "GR", 500),
    ],
)
def test_elements_equal_those_of_georinex(dataset, file, use, least):
    georinex = pytest.importorskip("georinex")
    path = dataset_path(dataset, file)
    nav = read_nav(path)
    with np.errstate(all="ignore"):
        other = georinex.load(path, use=set(use) if use else None)
    names = {**KEPLER_NAMES, **CARTESIAN_NAMES}
    theirs = {name: other[name].values for name in names if name in other}
    unix_ns = other.time.values.astype("datetime64[ns]").astype(np.int64)
    times = {int(time): k for k, time in enumerate(unix_ns)}
    sats = {str(name): k for k, name in enumerate(other.sv.values)}
    compared = 0
    for row in range(nav.n_ephemeris):
        name = sat_name(int(nav.sat[row]))
        shift_ns = {"C": 14 * NS, "R": 18 * NS}.get(name[0], 0)
        time = int(nav.toc_ns[row]) - shift_ns + UNIX_TO_GPS_NS
        if name not in sats or time not in times or nav.message[row] == Message.FNAV:
            continue
        columns = CARTESIAN_NAMES if name[0] == "R" else KEPLER_NAMES
        wanted = np.array([theirs[key][times[time], sats[name]] for key in columns])
        if np.isnan(wanted).any():
            continue
        found = nav.param[row, list(columns.values())]
        assert np.allclose(found, wanted, rtol=1e-12, atol=0.0), name
        compared += 1
    assert compared >= least


UNIX_TO_GPS_NS = 315_964_800 * NS


def test_every_navigation_file_of_the_corpora_is_read_or_refused_in_one_sentence():
    folder = dataset_path(CORPUS)
    dataset_path("rinex-corpus", "gnsstk/nrmg0150.16o.gz")  # a part that cannot be fetched
    files = [
        *(folder / "georinex-tests").glob("*n*"),
        *(folder / "georinex-tests").glob("*.18[eg]"),
        *(folder / "gnsstk").glob("*n*"),
        *(folder / "nav-solutions" / "NAV").rglob("*.*"),
    ]
    read, refusals = Counter(), []
    for path in files:
        if not path.is_file() or path.stat().st_size > 400_000:
            continue
        try:
            nav = read_nav(path)
        except RtkposError as error:
            refusals.append(str(error))
            continue
        read["ephemerides"] += nav.n_ephemeris
        read["files"] += 1
        assert nav.n_ephemeris or nav.report.warnings
        assert np.all(np.isfinite(nav.param[(nav.sat >> 6) != 1]))
    assert read["files"] > 60
    assert read["ephemerides"] > 15_000
    assert len(refusals) > 10
    assert all("\n" not in text and text.endswith(".") for text in refusals)


@pytest.fixture(scope="module")
def brd4():
    return read_nav(dataset_path("products-misc", "BRD400DLR_S_20230710000_01D_MN.rnx.gz"))


def test_rinex4_messages_are_counted_as_a_plain_search_counts_them(brd4):
    path = dataset_path("products-misc", "BRD400DLR_S_20230710000_01D_MN.rnx.gz")
    lines = text_of(path).splitlines()
    frames = Counter(
        f"eph_{line[6]}_{line[10:].split()[0]}" for line in lines if line.startswith("> EPH")
    )
    found = {name: n for name, n in brd4.report.counts.items() if name.startswith("eph_")}
    assert found == dict(frames)
    dropped = sum(
        brd4.report.counts[name] for name in ("duplicate", "out_of_range", "toe_toc_mismatch")
    )
    assert brd4.n_ephemeris + dropped == sum(frames.values())
    assert brd4.report.counts["ion_message"] == 130
    kinds = {(one.source, one.kind) for one in brd4.ionosphere}
    assert kinds == {
        ("G", "klobuchar"),
        ("J", "klobuchar"),
        ("I", "klobuchar"),
        ("C", "klobuchar"),
        ("C", "bdgim"),
        ("E", "nequick"),
    }
    assert brd4.leap_seconds == 18
    assert brd4.time_corrections["GAGP"][:2] == (1.073931343853e-08, 1.86517468137e-14)


def test_rinex4_health_and_accuracy(brd4):
    def state(name, message):
        rows = (brd4.sat == sat_from_name(name)) & (brd4.message == message)
        return set(zip(brd4.health[rows].tolist(), brd4.healthy[rows].tolist(), strict=True))

    # GPS CNAV of 2023 flags L5 alone as unhealthy; that does not condemn the satellite.
    assert state("G01", Message.CNAV) == {(1, 1)}
    assert state("G22", Message.LNAV) == {(63, 0)}
    assert state("E14", Message.INAV) == {(130, 0)}
    assert state("C14", Message.D1) == {(0, 1), (1, 0)}
    assert state("J02", Message.LNAV) == {(0, 1)}
    cnav = (brd4.sat == sat_from_name("G01")) & (brd4.message == Message.CNAV)
    assert brd4.accuracy_m[cnav].min() > 0.1
    assert brd4.accuracy_m[cnav].max() < 5.0


def test_orbit_classes_come_from_the_elements(brd4):
    """C01-C05, C59-C61: GEO; C06-C10, C13, C16, C38-C40: IGSO (csno-tarc.cn, 2023)."""
    classes = {}
    for sat, orbit in zip(brd4.sat, brd4.orbit, strict=True):
        classes.setdefault(sat_name(int(sat)), set()).add(int(orbit))
    assert all(len(found) == 1 for found in classes.values())
    beidou = {name: found.pop() for name, found in classes.items() if name[0] == "C"}
    geo = {name for name, orbit in beidou.items() if orbit == t.ORBIT_GEO}
    igso = {name for name, orbit in beidou.items() if orbit == t.ORBIT_IGSO}
    assert geo == {"C01", "C02", "C03", "C04", "C05", "C59", "C60", "C61"} & set(beidou)
    assert igso == {f"C{n:02d}" for n in (6, 7, 8, 9, 10, 13, 16, 38, 39, 40)} & set(beidou)
    geo_rows = np.isin(brd4.sat, [sat_from_name(name) for name in geo])
    assert set(brd4.message[geo_rows]) == {Message.D2}


def test_first_records_of_the_nagoya_file():
    """Values copied by eye from the file: times in GPST, BDT and UTC scales, units."""
    nav = read_nav(dataset_path("static-nagoya-2024", "base.nav.gz"))
    row = int(np.flatnonzero(nav.sat == sat_from_name("G05"))[0])
    assert nav.toe_ns[row] == nav.toc_ns[row] == ns_from_calendar(2024, 6, 24, 10)
    assert nav.tx_ns[row] == ns_from_calendar(2024, 6, 24, 8, 0, 18 * NS)
    assert (nav.issue[row], nav.accuracy_m[row], nav.health[row]) == (72, 2.0, 0)
    assert nav.param[row, t.P_TGD1] == -1.071020960808e-08
    assert nav.param[row, t.P_TOE_SOW] == 122_400.0
    beidou = nav.sat >> 6 == 3
    assert set((nav.toe_ns[beidou] // NS) % 3600) == {14}
    assert np.all((nav.param[beidou, t.P_TOE_SOW] * NS + 14 * NS - nav.toe_ns[beidou]) % NS == 0)
    glonass = nav.sat >> 6 == 1
    assert set((nav.toe_ns[glonass] // NS) % 900) == {18}
    assert np.all(np.abs(nav.param[glonass, t.G_CHANNEL]) <= 7)
    assert nav.leap_seconds == 18
    assert {one.kind for one in nav.ionosphere} == {"klobuchar", "nequick"}
    assert np.array_equal(nav.sat, np.sort(nav.sat))


def test_merging_files_removes_repetitions_whatever_their_order():
    folder = "network-netherlands-2021-001"
    files = [
        dataset_path(folder, "AMEL00NLD_R_20210010000_01D_MN.rnx.gz"),
        dataset_path(folder, "CBW100NLD_R_20210010000_01D_MN.rnx.gz"),
    ]
    one, two = read_nav(files), read_nav(files[::-1])
    alone = [read_nav(path).n_ephemeris for path in files]
    assert max(alone) <= one.n_ephemeris < sum(alone)
    assert one.report.counts["duplicate"] == sum(alone) - one.n_ephemeris
    for name in ("sat", "message", "toe_ns", "tx_ns", "issue", "param", "healthy"):
        assert np.array_equal(getattr(one, name), getattr(two, name), equal_nan=True), name
    key = np.stack([one.sat, one.message, one.issue, one.toe_ns], axis=1)
    assert len(np.unique(key, axis=0)) == one.n_ephemeris


@pytest.mark.parametrize(
    ("dataset", "file", "what"),
    [
        ("static-nagoya-2024", "base.obs.gz", "OBSERVATION"),
        ("ppp-esbc-2020-177", "Sta21114.sp3.gz", "RINEX"),
        ("ppp-esbc-2020-177", "GRG0MGXFIN_20201770000_01D_30S_CLK.CLK.gz", "CLOCK"),
    ],
)
def test_other_files_are_refused_by_name(dataset, file, what):
    with pytest.raises(RinexError, match=what) as caught:
        read_nav(dataset_path(dataset, file))
    assert file.removesuffix(".gz") in str(caught.value)

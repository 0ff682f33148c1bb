"""Real files of many receivers, cut to a few epochs or records at test time, nothing copied."""

from __future__ import annotations

import functools
import itertools
import re
from dataclasses import dataclass
from pathlib import Path

import hatanaka
import numpy as np

from rtkpos.errors import DatasetError
from rtkpos.gnss.time import ns_from_calendar
from rtkpos.io.datasets.folders import dataset_dir
from rtkpos.io.text.decompress import read_content
from tests.robustness.mutators import EPOCH_2, EPOCH_3, body_start

CORPUS = "rinex-corpus"
SOLUTIONS = "nav-solutions"
N_EPOCH, MAX_RECORDS = 4, 24
NEAR_NS = 7200 * 10**9

# (data set, observation file, navigation file that serves it or "")
OBSERVATIONS: tuple[tuple[str, str, str], ...] = (
    ("static-nagoya-2024", "rover.obs.gz", "base.nav.gz"),
    ("kinematic-fujisawa-2021-265", "3034265G.21O.gz", "SEPT2650.21P.gz"),
    ("kinematic-phone-beijing-street", "rover.obs.gz", "rover.nav.gz"),
    ("static-clas-fujisawa-2021-078", "SEPT078M1.21O.gz", "SEPT078M.21P.gz"),
    ("static-geonet-2005", "07590920.05o.gz", "07590920.05n.gz"),
    ("static-herstmonceux-2018", "hers0010.18O.gz", "brdc0010.18n.gz"),
    ("static-herstmonceux-2018", "hert0010.18O.gz", "brdc0010.18n.gz"),
    (CORPUS, "georinex-tests/14601736.18o", "georinex-tests/14601736.18n"),
    (CORPUS, "georinex-tests/ABMF00GLP_R_20181330000_01D_30S_MO.zip", ""),
    (CORPUS, "georinex-tests/ac660270.18o.Z", ""),
    (CORPUS, "georinex-tests/demo.10o", "georinex-tests/demo.10n"),
    (CORPUS, "georinex-tests/demo3.10o", ""),
    (CORPUS, "georinex-tests/rinex2onesat.10o", ""),
    (CORPUS, "gnsstk/arlm200b.15o.gz", "gnsstk/arlm200b.15n"),
    (CORPUS, "gnsstk/test_input_rinex3_76193040.14o.gz", "gnsstk/test_input_rinex3_76193040.14n"),
    (CORPUS, "gnsstk/test_dfix_tower239.ed.15o.gz", ""),
    (CORPUS, "gnsstk/mixed211.05o", ""),
    (CORPUS, "gnsstk/nrmg0150.16o.gz", ""),
    (CORPUS, "gnsstk/osn31700.16o", ""),
    (CORPUS, "gnsstk/test_input_rinex2_obs_SystemGlonass.06o", ""),
    (CORPUS, f"{SOLUTIONS}/OBS/V2/delf0010.21o.gz", f"{SOLUTIONS}/NAV/V2/cbw10010.21n.gz"),
    (CORPUS, f"{SOLUTIONS}/OBS/V2/rovn0010.21o", f"{SOLUTIONS}/NAV/V2/dlf10010.21g"),
    (CORPUS, f"{SOLUTIONS}/OBS/V2/KOSG0010.95O", ""),
    (CORPUS, f"{SOLUTIONS}/OBS/V2/barq071q.19o", ""),
    (CORPUS, f"{SOLUTIONS}/OBS/V3/16dBatt_no_interference_coldstart.obs.gz",
     f"{SOLUTIONS}/NAV/V3/16dBatt_no_interference_coldstart.nav.gz"),
    (CORPUS, f"{SOLUTIONS}/OBS/V3/ACOR00ESP_R_20213550000_01D_30S_MO.rnx.gz", ""),
    (CORPUS, f"{SOLUTIONS}/OBS/V3/GEOP092I.24o.gz", ""),
    (CORPUS, f"{SOLUTIONS}/OBS/V3/LARM0010.22O", ""),
    (CORPUS, f"{SOLUTIONS}/OBS/V3/gps.23O.gz", ""),
    (CORPUS, f"{SOLUTIONS}/CRNX/V3/BME100HUN_R_20213550000_01D_30S_MO.crx", ""),
)  # fmt: skip
# Decoded, cut and encoded again as Compact RINEX; with the navigation file that serves it.
COMPACT: tuple[tuple[str, str, str], ...] = (
    (CORPUS, "georinex-tests/P43300USA_R_20190012056_17M_15S_MO.crx", ""),
    (CORPUS, f"{SOLUTIONS}/CRNX/V1/AJAC3550.21D", ""),
    (CORPUS, f"{SOLUTIONS}/CRNX/V1/aopr0010.17d", ""),
    (CORPUS, f"{SOLUTIONS}/CRNX/V1/zegv0010.21d",
     f"{SOLUTIONS}/NAV/V3/AMEL00NLD_R_20210010000_01D_MN.rnx"),
    (CORPUS, f"{SOLUTIONS}/CRNX/V3/DOUR00BEL_R_20200130000_01D_30S_MO.crx", ""),
    (CORPUS, f"{SOLUTIONS}/CRNX/V3/KMS300DNK_R_20221591000_01H_30S_MO.crx",
     f"{SOLUTIONS}/NAV/V4/KMS300DNK_R_20221591000_01H_MN.rnx.gz"),
    (CORPUS, f"{SOLUTIONS}/CRNX/V3/KUNZ00CZE.crx", ""),
    ("static-nagoya-2024", "base.obs.gz", "base.nav.gz"),
)  # fmt: skip
# Navigation files beyond those that serve an observation file above.
NAVIGATION: tuple[tuple[str, str], ...] = (
    ("products-misc", "BRD400DLR_S_20230710000_01D_MN.rnx.gz"),
    (CORPUS, "georinex-tests/p1462100.18g"),
    (CORPUS, "georinex-tests/galileo3.15n"),
    (CORPUS, "gnsstk/rinnav_BDS_D1_test.14n"),
    (CORPUS, "gnsstk/qzsssampl_U_20141330729_01D_RN.rnx"),
    (CORPUS, f"{SOLUTIONS}/NAV/V3/NYA100NOR_S_20241240000_01D_CN.rnx.gz"),
)


@dataclass(frozen=True)
class Case:
    """A clean text, what it is ("obs", "crx", "nav"), and its partner for a position.

    partner : navigation text for observations, observation text for navigation; may be empty
    """

    name: str
    kind: str
    text: bytes
    partner: bytes = b""


def load(dataset: str, file: str) -> bytes:
    """The RINEX text of a file."""
    return read_content(Path(dataset_dir(dataset)) / file)


def is_here() -> bool:
    """Whether all data sets of the corpus are on this machine."""
    try:
        names = {item[0] for item in (*OBSERVATIONS, *COMPACT, *NAVIGATION)}
        return all(dataset_dir(name).is_dir() for name in names)
    except DatasetError:
        return False


def epoch_starts(text: bytes) -> list[int]:
    """Offsets of the epoch lines of an observation text, events included."""
    marker = EPOCH_3 if text[:9].strip()[:1] in b"34" else EPOCH_2
    return [m.start() for m in marker.finditer(text, body_start(text))]


def cut_obs(text: bytes, n_epoch: int, first: int = 0) -> bytes:
    """The header and `n_epoch` epochs."""
    starts = [*epoch_starts(text), len(text)]
    first = min(first, max(len(starts) - 2, 0))
    return (
        text[: body_start(text)]
        + text[starts[first] : starts[min(first + n_epoch, len(starts) - 1)]]
    )


def record_starts(text: bytes) -> list[int]:
    """Offsets of the records of a navigation text."""
    start = b"> EPH" if text[:9].strip()[:1] == b"4" else b"[A-Z]\\d\\d \\d{4}"
    if text[:9].strip()[:1] in b"12":
        start = b"[ \\d]\\d \\d\\d "
    return [m.start() for m in re.finditer(b"^" + start, text[body_start(text) :], re.MULTILINE)]


def record_blocks(text: bytes) -> list[bytes]:
    """The records of a navigation text."""
    body = text[body_start(text) :]
    starts = [*record_starts(text), len(body)]
    return [body[a:b] for a, b in itertools.pairwise(starts)]


def record_time_ns(block: bytes) -> int:
    """Calendar of a record as it stands there, in ns; 0 where it is unreadable."""
    head = block.split(b"\n")[1 if block.startswith(b"> ") else 0]
    words = re.findall(
        rb"\d+", head[2:23] if head[:1].isdigit() or head[:1] == b" " else head[3:23]
    )
    try:
        year, month, day, hour, minute = (int(word) for word in words[:5])
        year += 0 if year > 99 else 1900 + 100 * (year < 80)
        return ns_from_calendar(year, month, day, hour, minute)
    except ValueError:
        return 0


def cut_nav(text: bytes, near_ns: int | None = None, n_record: int = MAX_RECORDS) -> bytes:
    """The header and records near a time, each satellite once as far as there is room."""
    blocks = record_blocks(text)
    if near_ns is not None:
        blocks = [b for b in blocks if abs(record_time_ns(b) - near_ns) <= NEAR_NS] or blocks
    seen: dict[bytes, bytes] = {}
    for block in blocks:
        seen.setdefault(block.split(b"\n")[0][:15] if block[:1] == b">" else block[:3], block)
    first = list(seen.values())
    every = -(-len(first) // n_record) if first else 1
    chosen = first[::every] + [block for block in blocks if block not in first]
    return text[: body_start(text)] + b"".join(chosen[:n_record])


def first_time_ns(text: bytes) -> int:
    """Calendar of the first epoch of an observation text [ns]."""
    start = epoch_starts(text)[0]
    words = re.findall(rb"\d+", text[start : start + 18])
    year, month, day, hour, minute = (int(word) for word in words[:5])
    return ns_from_calendar(
        year + (0 if year > 99 else 1900 + 100 * (year < 80)), month, day, hour, minute
    )


@functools.cache
def cases() -> tuple[Case, ...]:
    """All clean texts."""
    found: list[Case] = []
    navigation: dict[str, Case] = {}
    for is_compact, items in ((False, OBSERVATIONS), (True, COMPACT)):
        for dataset, file, nav_file in items:
            obs = cut_obs(load(dataset, file), N_EPOCH)
            nav = b""
            if nav_file:
                nav = cut_nav(load(dataset, nav_file), first_time_ns(obs))
                name = f"{dataset}/{nav_file}"
                navigation.setdefault(name, Case(name, "nav", nav, obs))
            text = hatanaka.rnx2crx(obs) if is_compact else obs
            found.append(Case(f"{dataset}/{file}", "crx" if is_compact else "obs", text, nav))
    for dataset, file in NAVIGATION:
        found.append(Case(f"{dataset}/{file}", "nav", cut_nav(load(dataset, file)), b""))
    return (*found, *navigation.values())


@functools.cache
def nagoya(n_epoch: int = 4) -> tuple[bytes, bytes, bytes]:
    """Rover, base and navigation text of a few epochs of the 1 m pair."""
    name = "static-nagoya-2024"
    rover, base = (cut_obs(load(name, f"{who}.obs.gz"), n_epoch) for who in ("rover", "base"))
    nav = cut_nav(load(name, "base.nav.gz"), first_time_ns(rover), 80)
    return rover, base, nav


def truth_m() -> tuple[np.ndarray, np.ndarray]:
    """Base and rover coordinates of that pair, (3,) ECEF [m]."""
    import json

    truth = json.loads((Path(dataset_dir("static-nagoya-2024")) / "truth.json").read_text())
    return np.array(truth["base_xyz"]), np.array(truth["rover_xyz"])

"""rnx2rtkp of the RTKLIB family on the same data: configuration, run, solution, time."""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.accuracy.case import Case
from rtkpos.errors import RtkposError
from rtkpos.gnss.time import calendar_from_ns
from rtkpos.io.solutions.pos import STATUS_OF_QUALITY, PosTable, read_pos
from rtkpos.records.solution import Solution
from rtkpos.records.status import FixStatus

TIMEOUT_S = 3600  # a day of epochs on a busy machine
SAME_EPOCH_NS = 100_000_000
# RTKLIB EX and 2.4.2 write l1+l2, 2.4.3 writes l1+2.
OLD_WORDS = {"l1+l2": "l1+2", "l1+l2+l5": "l1+2+3", "l1": "l1"}
# Hand-tuned for short baselines: mask 15 degrees, no outage or lock counters, and EX's gate on the
# float variance (pos2-arthres1) open, without which its first fix comes 7 to 12 s late.
COMMON = {
    "pos1-elmask": "15",
    "pos1-dynamics": "off",
    "pos1-tidecorr": "off",
    "pos1-ionoopt": "brdc",
    "pos1-tropopt": "saas",
    "pos1-sateph": "brdc",
    "pos2-gloarmode": "off",
    "pos2-bdsarmode": "on",
    "pos2-arthres": "3",
    "pos2-arthres1": "100",
    "pos2-arlockcnt": "0",
    "pos2-minfixsats": "4",
    "pos2-minholdsats": "5",
    "pos2-mindropsats": "10",
    "pos2-arelmask": "15",
    "pos2-arminfix": "10",
    "pos2-elmaskhold": "15",
    "pos2-aroutcnt": "20",
    "pos2-maxage": "30",
    "pos2-rejionno": "1000",
    "pos2-slipthres": "0.05",
    "stats-eratio1": "100",
    "stats-eratio2": "100",
    "stats-errphase": "0.003",
    "stats-errphaseel": "0.003",
    "out-solformat": "xyz",
    "out-outhead": "on",
    "out-outopt": "off",
    "out-timesys": "gpst",
    "out-timeform": "tow",
    "out-timendec": "3",
    "out-solstatic": "all",
    "out-outsingle": "off",
}


@dataclass(eq=False)
class Peer:
    """A program of the family: where it is, how it is called, which words it knows."""

    path: Path
    label: str = ""
    old_words: bool | None = None

    @property
    def name(self) -> str:
        """Its own name for itself, once it has run; before that the file's."""
        return self.label or self.path.name

    @property
    def is_ex(self) -> bool:
        """Whether it is RTKLIB EX, whose combined track can serve as a reference."""
        return "EX" in self.label


@dataclass(frozen=True, kw_only=True)
class PeerRun:
    """What one run gave: rows of its output file and times of the whole process [s]."""

    table: PosTable
    wall_s: float
    cpu_s: float


def find_peers(paths: list[Path], names: list[str]) -> list[Peer]:
    """The programs named, and the `rnx2rtkp` on PATH, each once."""
    on_path = shutil.which("rnx2rtkp")
    wanted = [*paths, *([Path(on_path)] if on_path else [])]
    unique = {path.resolve(): path for path in wanted if path.is_file()}
    peers = [Peer(path) for path in unique.values()]
    for peer, name in zip(peers, names, strict=False):
        peer.label = name
    return peers


def configuration(case: Case, bands: str, soltype: str = "") -> dict[str, str]:
    """Options of a run in RTKLIB's words."""
    row = case.row
    options = COMMON | {
        "pos1-posmode": row.mode,
        "pos1-frequency": bands,
        "pos1-soltype": soltype or row.direction,
        "pos1-navsys": str(row.peer_navsys),
        "pos2-armode": row.ar,
    }
    options |= dict(row.peer_options)
    if case.antex is not None:
        # The types and heights of both antennas are taken from the headers.
        options |= {"pos1-posopt2": "on", "ant1-anttype": "*", "ant2-anttype": "*"}
        options["file-rcvantfile"] = str(case.antex)
    if case.base is not None:
        options["ant2-postype"] = "xyz"
        for k, value in enumerate(case.base_ecef_m, start=1):
            options[f"ant2-pos{k}"] = f"{value:.4f}"
    return options


def run_peer(peer: Peer, case: Case, bands: str, work: Path, soltype: str = "") -> PeerRun:
    """Run a peer on a case; RtkposError when it gives no position. soltype : "" = the row's."""
    _learn_words(peer, work)
    words = OLD_WORDS[bands] if peer.old_words else bands
    conf, out = work / "peer.conf", work / "peer.pos"
    options = configuration(case, words, soltype)
    conf.write_text("".join(f"{key} ={value}\n" for key, value in options.items()))
    out.unlink(missing_ok=True)
    files = [case.rover, *([case.base] if case.base else []), *case.nav]
    command = [peer.path, "-k", conf, "-o", out, *_span(case), *files]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise RtkposError(f"{peer.name} did not end within {TIMEOUT_S} s.") from None
    wall_s = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not out.exists():
        raise RtkposError(f"{peer.name} wrote no solution (exit code {done.returncode}).")
    _learn_label(peer, out)
    return PeerRun(
        table=read_pos(out),
        wall_s=wall_s,
        cpu_s=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    )


def _learn_words(peer: Peer, work: Path) -> None:
    """Find out by trying how this program spells the frequencies."""
    if peer.old_words is not None:
        return
    conf = work / "words.conf"
    conf.write_text("pos1-frequency =l1+l2\n")
    command = [peer.path, "-k", conf, "-o", work / "words.pos", work / "none.obs"]
    done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)
    peer.old_words = b"invalid option value" in done.stdout + done.stderr


def _learn_label(peer: Peer, out: Path) -> None:
    """Take the version from the head of its output."""
    if not peer.label:
        with out.open(encoding="ascii", errors="replace") as file:
            head = file.read(400)
        found = re.search(r"^% program *: *\S+ +(?:ver\.)?(.+?)\s*$", head, re.MULTILINE)
        peer.label = f"RTKLIB {found.group(1)}" if found else peer.path.name


def _span(case: Case) -> list[str]:
    """Options -ts and -te of a case that is cut in time."""
    if case.span_ns is None:
        return []
    words = []
    for option, time_ns in zip(("-ts", "-te"), case.span_ns, strict=True):
        year, month, day, hour, minute, ns = calendar_from_ns(time_ns)
        clock = f"{hour:02d}:{minute:02d}:{ns / 1e9:06.3f}"
        words += [option, f"{year}/{month:02d}/{day:02d}", clock]
    return words


def as_solution(table: PosTable, like: Solution) -> Solution:
    """A peer's positions on the rover epochs of `like`; epochs it left out have none.

    Everything but position and status is missing (NaN) in the result.
    """
    n = like.n_epoch
    ecef_m, status = np.full((n, 3), np.nan), np.zeros(n, np.int8)
    nearest = np.searchsorted(table.time_ns, like.time_ns - SAME_EPOCH_NS)
    for k, row in enumerate(nearest.tolist()):
        if row < len(table.time_ns) and table.time_ns[row] <= like.time_ns[k] + SAME_EPOCH_NS:
            ecef_m[k] = table.ecef_m[row]
            status[k] = STATUS_OF_QUALITY.get(int(table.quality[row]), FixStatus.NONE)
    return replace(
        like,
        ecef_m=ecef_m,
        status=status,
        velocity_mps=np.full((n, 3), np.nan),
        cov_ecef_m2=np.full((n, 3, 3), np.nan),
        ratio=np.full(n, np.nan),
        static_ecef_m=np.full(3, np.nan),
    )


def in_span(case: Case, start_ns: int, end_ns: int) -> Case:
    """The same case cut to a part of its time."""
    return replace(case, span_ns=(start_ns, end_ns))

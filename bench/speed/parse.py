"""Speed of reading observations: RINEX 3 files of 100 MB and more, made from real recordings.

A peer reads, sorts and stores the same file as a whole process whose navigation file has a single
ephemeris, of a satellite that is not in the recording: no position is computed.
"""

from __future__ import annotations

import re
import resource
import subprocess
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from bench.accuracy.case import unpacked
from bench.accuracy.peer import TIMEOUT_S, Peer
from rtkpos.errors import DatasetError, FileError, RtkposError
from rtkpos.io.rinex.crinex import decode_crinex
from rtkpos.io.rinex.read_observations import read_obs

MEGABYTE = 1e6
SOURCES = (
    ("static-nagoya-2024", "rover.obs"),
    ("static-clas-fujisawa-2021-078", "SEPT078M.21O"),
)
GEORINEX_EPOCHS = (10, 300)
_END = b"END OF HEADER"
_TIME = re.compile(rb"^> (\d{4}) (\d\d) (\d\d) (\d\d) (\d\d) ([ \d]\d\.\d{7})")


def measure_parse(work: Path, quick: bool, peers: Sequence[Peer] = ()) -> list[dict[str, Any]]:
    """MB/s (10^6 byte) of `read_obs` on long files, of the peers, and of georinex on pieces."""
    size = 20e6 if quick else 110e6
    results = []
    for dataset, name in SOURCES[: 1 if quick else None]:
        try:
            source = unpacked(dataset, name, work)
        except DatasetError:
            continue
        long = work / f"long-{name}"
        n_epoch = lengthen(source, long, size)
        results.append({"source": dataset, "n_epoch": n_epoch} | time_read(long))
        results[-1]["peers"] = [time_peer(peer, long, work) for peer in peers]
        long.unlink()
        results[-1]["crinex"] = time_crinex(source)
        results[-1] |= time_georinex(source, work) if not quick else {}
    return results


def lengthen(source: Path, target: Path, size: float) -> int:
    """Repeat the epochs of a RINEX 3 file, time advancing, up to `size` bytes; epochs written."""
    content = source.read_bytes()
    head_end = content.index(b"\n", content.index(_END)) + 1
    body = content[head_end:]
    starts = [m.start() for m in re.finditer(rb"^>", body, re.MULTILINE)]
    epochs = [body[a:b] for a, b in zip(starts, [*starts[1:], len(body)], strict=True)]
    times = [_time(epoch) for epoch in epochs]
    step = times[1] - times[0]
    period = times[-1] - times[0] + step
    n_repeat = max(1, -(-int(size) // len(body)))
    with target.open("wb") as file:
        file.write(content[:head_end])
        for k in range(n_repeat):
            for epoch, moment in zip(epochs, times, strict=True):
                file.write(_stamp(moment + k * period) + epoch[29:])
    return n_repeat * len(epochs)


def _time(epoch: bytes) -> datetime:
    """Time of an epoch line; FileError for one that cannot be repeated."""
    found = _TIME.match(epoch)
    if found is None:
        raise FileError(f"epoch line {epoch[:40]!r} is not of the RINEX 3 form.")
    year, month, day, hour, minute = (int(word) for word in found.groups()[:5])
    return datetime(year, month, day, hour, minute) + timedelta(seconds=float(found.group(6)))


def _stamp(moment: datetime) -> bytes:
    """The first 29 columns of an epoch line."""
    seconds = moment.second + moment.microsecond * 1e-6
    return f"> {moment:%Y %m %d %H %M} {seconds:10.7f}".encode("ascii")


def time_read(path: Path, repeats: int = 3) -> dict[str, Any]:
    """Best and median MB/s of reading one file, one warm-up before; CPU time over wall time."""
    megabytes = path.stat().st_size / MEGABYTE
    wall, cpu = [], []
    for _ in range(repeats + 1):
        start, start_cpu = time.perf_counter(), time.process_time()
        table = read_obs(path)
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
        n_read = table.n_epoch
        del table
    return {
        "megabytes": round(megabytes, 1),
        "n_epoch_read": n_read,
        "repeats": repeats,
        "best_mb_s": round(megabytes / min(wall[1:]), 1),
        "median_mb_s": round(megabytes / median(wall[1:]), 1),
        "best_mb_per_cpu_s": round(megabytes / min(cpu[1:]), 1),
    }


def time_peer(peer: Peer, path: Path, work: Path, repeats: int = 3) -> dict[str, Any]:
    """MB per second of processor time of a peer that reads a file and solves nothing."""
    nav = work / "one.nav"
    nav.write_text(nav_of_one())
    command = [str(peer.path), "-p", "0", "-o", str(work / "none.pos"), str(path), str(nav)]
    times = []
    for _ in range(repeats):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, capture_output=True, check=False, timeout=TIMEOUT_S)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        if done.returncode:
            raise RtkposError(f"{peer.name} ended with {done.returncode} while reading.")
    rate = path.stat().st_size / MEGABYTE / min(times)
    return {"program": peer.name, "mb_per_cpu_s": round(rate, 1)}


def time_crinex(source: Path, repeats: int = 5) -> dict[str, float]:
    """MB of text per second of processor time from CRINEX, ours and by RNXCMP's program."""
    import hatanaka
    from hatanaka.hatanaka import executables

    packed = hatanaka.rnx2crx(source.read_bytes())
    command = [str(executables.joinpath("crx2rnx")), "-"]
    ours, theirs, n_byte = [], [], 0
    for _ in range(repeats):
        start = time.process_time()
        n_byte = len(decode_crinex(packed, 1 << 30)[0])
        ours.append(time.process_time() - start)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, input=packed, capture_output=True, check=True, timeout=TIMEOUT_S)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        theirs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    megabytes = n_byte / MEGABYTE
    return {
        "megabytes": round(megabytes, 1),
        "mb_per_cpu_s": round(megabytes / min(ours), 1),
        "rnxcmp_mb_per_cpu_s": round(megabytes / min(theirs), 1),
    }


def nav_of_one() -> str:
    """A navigation file with one ephemeris of a satellite that no recording here has."""
    numbers = (f"{value:19.12E}" for value in (1e-4, 1e-12, 0.0))
    rows = [f"J09 2024 06 24 08 00 00{''.join(numbers)}"]
    rows += ["    " + f"{0.0:19.12E}" * 4] * 6 + ["    " + f"{0.0:19.12E}" * 2]
    head = f"{'     3.04':20}{'N: GNSS NAV DATA':20}{'M: MIXED':20}RINEX VERSION / TYPE"
    return "\n".join([head, f"{'':60}END OF HEADER", *rows]) + "\n"


def time_georinex(source: Path, work: Path) -> dict[str, Any]:
    """MB/s of georinex on the first epochs of the same recording (a second run of each piece).

    It adds epochs one by one to what it has, so that a longer piece takes more time per byte: what
    it does with the longest is the nearest to a file of 100 MB that can be waited for.
    """
    rates, sizes = [], []
    for n_epoch in GEORINEX_EPOCHS:
        rate, size = _georinex_rate(source, work, n_epoch)
        rates.append(round(rate, 4))
        sizes.append(round(size, 2))
    return {
        "georinex_mb_s": rates[0],
        "georinex_megabytes": sizes[0],
        "georinex_longer": [rates[-1], sizes[-1]],
    }


def _georinex_rate(source: Path, work: Path, n_epoch: int) -> tuple[float, float]:
    """MB per second of processor time, and MB, of georinex on so many epochs."""
    import warnings

    import georinex

    piece = work / "piece.rnx"
    content = source.read_bytes()
    starts = [m.start() for m in re.finditer(rb"^>", content, re.MULTILINE)]
    piece.write_bytes(content[: starts[min(n_epoch, len(starts) - 1)]])
    times = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(2):
            start = time.process_time()
            georinex.load(piece)
            times.append(time.process_time() - start)
    megabytes = piece.stat().st_size / MEGABYTE
    return megabytes / min(times), megabytes

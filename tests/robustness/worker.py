"""A process of its own for what must not share one: `python -m tests.robustness.worker TASK ...`.

mutants SEED FIRST LAST LOG    run mutants; before each its number is written to LOG
memory SEED COUNT              peak memory of reading mutants and crafted files, as JSON
digests SEED COUNT EVERY       what reading mutants gives, one hash a line
"""

from __future__ import annotations

import faulthandler
import json
import resource
import sys
from pathlib import Path

from rtkpos.errors import RtkposError
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.io.rinex.read_observations import read_obs
from tests.robustness.accounting import digest
from tests.robustness.corpus import cases, load
from tests.robustness.harness import clean_seconds, make_mutant, run_many

MEBIBYTE = 1 << 20
STUCK_S = 60.0


def mutants(seed: int, first: int, last: int, log: Path) -> None:
    """Run mutants; a hang inside compiled code ends the process, with the number left in `log`."""
    clean_seconds()

    def note(index: int) -> None:
        log.write_text(str(index))
        faulthandler.dump_traceback_later(STUCK_S, exit=True)

    summary = run_many(seed, range(first, last), note)
    faulthandler.cancel_dump_traceback_later()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(summary.__dict__ | {"peak_mib": round(peak)}))


def crafted() -> list[tuple[str, bytes]]:
    """Files that claim much and hold little, and one that is large."""
    obs = load("static-nagoya-2024", "rover.obs.gz")
    head = obs[: obs.index(b"\n>") + 1]
    nav = load("static-nagoya-2024", "base.nav.gz")
    claims = b"> 2024 06 24 08 20  0.0000000  0999\n" * 20_000
    types = head.replace(b"SYS / # / OBS TYPES", b"COMMENT            ", 1)
    return [
        ("obs", head + claims),
        ("obs", head.replace(b"G   ", b"G999", 1) + obs[len(head) :][:20_000]),
        ("obs", types + b"x" * 2_000_000),
        ("obs", head + b"> 2024 06 24 08 20  0.0000000  4999\n" * 20_000),
        ("obs", obs[:3_000_000] + b"\0" * 1_000_000),
        ("nav", nav + b"\n" * 200_000),
        ("nav", nav[:60_000] + b"G05 2024 06 24 08 00 00\n" * 20_000),
    ]


def reading_peak(kind: str, text: bytes) -> float:
    """Growth of the peak resident memory while reading a text [bytes]."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        read_nav(text) if kind == "nav" else read_obs(text)
    except RtkposError:
        pass
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024.0


def memory(seed: int, count: int) -> None:
    """Peak growth over the allowance of 64 MiB + 8 x input, at most 1 when bounded; as JSON."""
    for case in cases():
        reading_peak(case.kind, case.text)
    texts = [("crafted", *item) for item in crafted()]
    texts += [(m.damage, m.case.kind, m.text) for m in (make_mutant(seed, k) for k in range(count))]
    _limit_address_space(64 * MEBIBYTE + 8 * max(len(text) for _, _, text in texts))
    worst, where, used = 0.0, "", 0.0
    for name, kind, text in texts:
        used = reading_peak(kind, text)
        share = used / (64 * MEBIBYTE + 8 * len(text))
        if share > worst:
            worst, where = share, f"{name} {kind} {len(text)} bytes: {used / MEBIBYTE:.1f} MiB"
    print(json.dumps({"n": len(texts), "worst": worst, "where": where}))


def _limit_address_space(more: int) -> None:
    """Let the process take at most `more` bytes on top of what it has (Linux)."""
    status = Path("/proc/self/statm")
    if status.exists():
        pages = int(status.read_text().split()[0])
        limit = pages * resource.getpagesize() + more
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


def digests(seed: int, count: int, every: int) -> None:
    """Hash of what is read from every so manieth case and mutant."""
    for case in cases()[::every]:
        print(digest(case.text, case.kind))
    for index in range(1, count + 1):
        mutant = make_mutant(seed, index * 5 + 1)
        print(digest(mutant.text, mutant.case.kind))


def main(words: list[str]) -> None:
    """Run the task named by the first word."""
    numbers = [int(word) for word in words[1:4]]
    if words[0] == "mutants":
        mutants(*numbers, Path(words[4]))
    elif words[0] == "memory":
        memory(*numbers)
    else:
        digests(*numbers)


if __name__ == "__main__":
    main(sys.argv[1:])

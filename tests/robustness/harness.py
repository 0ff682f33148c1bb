"""One mutant through reading and solving: a table, a typed error, or a finding."""

from __future__ import annotations

import functools
import json
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rtkpos.errors import RtkposError
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.processing.run import solve
from rtkpos.records.config import RtkConfig
from rtkpos.records.solution import Solution
from rtkpos.records.status import FixStatus
from tests.robustness.corpus import Case, cases, nagoya, truth_m
from tests.robustness.mutators import KINDS, WHOLE, damaged_gzip

HANG_S = 5.0
SLOWER = 50.0
CLEAN_FLOOR_S = 0.02  # below this the clock and the collector decide, not the mutant
WRONG_FIX_M = 0.5
RTK_EVERY = 5  # every so manieth mutant is one of the RTK pair
ROLES = ("rover", "base", "nav")
SINGLE = RtkConfig(mode="single")
AR = ("continuous", "instantaneous")


@dataclass(frozen=True)
class Mutant:
    """A damaged text with its origin; `damage` names the mutators, `span` the touched part."""

    case: Case
    role: str
    damage: str
    text: bytes
    span: tuple[int, int]


@dataclass
class Verdict:
    """What became of one mutant; `finding` is empty when it behaved."""

    outcome: str
    seconds: float = 0.0
    finding: str = ""


@dataclass
class Summary:
    """Counts over many mutants and the findings as (index, damage, case, what)."""

    count: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[int, str, str, str]] = field(default_factory=list)
    slowest_s: float = 0.0
    slowest: str = ""

    def as_json(self) -> str:
        """One line for the parent process."""
        return json.dumps(self.__dict__)


def generator(seed: int, index: int) -> np.random.Generator:
    """The random numbers of one mutant: a finding is reproduced by (seed, index)."""
    return np.random.default_rng([seed, index])


@functools.cache
def rtk_cases() -> tuple[Case, ...]:
    """The RTK pair as cases: rover, base, navigation."""
    kinds = ("obs", "obs", "nav")
    return tuple(
        Case(f"nagoya {role}", kind, text)
        for role, kind, text in zip(ROLES, kinds, nagoya(), strict=True)
    )


def make_mutant(seed: int, index: int) -> Mutant:
    """The mutant with this number: one case, one to three mutators."""
    rng = generator(seed, index)
    is_rtk = index % RTK_EVERY == 0
    pool = rtk_cases() if is_rtk else cases()
    k = (index // RTK_EVERY) % len(pool) if is_rtk else int(rng.integers(len(pool)))
    case = pool[k]
    mutators = KINDS[case.kind]
    text, span, names = case.text, WHOLE, []
    for n in range(1 if rng.random() < 0.8 else int(rng.integers(2, 4))):
        mutator = mutators[int(rng.integers(len(mutators)))]
        text, touched = mutator(rng, text or b" ")
        span = touched if n == 0 else WHOLE
        names.append(mutator.__name__)
        if mutator is damaged_gzip or not text:
            break
    return Mutant(case, ROLES[k] if is_rtk else "", "+".join(names), text, span)


@functools.cache
def read_partner(kind: str, text: bytes) -> Any:
    """The clean partner of a case, read once."""
    return read_nav(text) if kind == "nav" else read_obs(text)


def run_point(case: Case, text: bytes) -> str:
    """Read a text and, where it has a partner, solve for code positions: the outcome."""
    if case.kind == "nav":
        nav = read_nav(text)
        if not case.partner:
            return "read"
        rover = read_partner("obs", case.partner)
    else:
        rover = read_obs(text)
        partner = case.partner or rtk_cases()[2].text
        nav = read_partner("nav", partner)
    check_solution(solve(rover, nav, config=SINGLE))
    return "solved" if case.partner else "read"


def run_pair(role: str, text: bytes, index: int) -> str:
    """RTK of the pair with one of its files replaced: the outcome."""
    clean = dict(zip(ROLES, rtk_cases(), strict=True))
    tables: dict[str, Any] = {}
    for name in ROLES:
        read: Callable[[bytes], Any] = read_nav if name == "nav" else read_obs
        is_mutant = name == role
        tables[name] = read(text) if is_mutant else read_partner(clean[name].kind, clean[name].text)
    base_m, rover_m = truth_m()
    config = RtkConfig(ar=AR[index // (RTK_EVERY * len(ROLES)) % 2])
    solution = solve(tables["rover"], tables["nav"], tables["base"], base_m, config)
    check_solution(solution)
    fixed = solution.status == FixStatus.FIXED
    error_m = np.linalg.norm(solution.ecef_m[fixed] - rover_m, axis=1)
    if np.any(error_m > WRONG_FIX_M):
        raise AssertionError(f"fixed with an error of {error_m.max():.2f} m")
    return "fixed" if fixed.any() else "pair"


def check_solution(solution: Solution) -> None:
    """Positions are finite exactly where the status claims one, with a covariance that can be."""
    has = solution.status > FixStatus.NONE
    if not np.all(np.isfinite(solution.ecef_m[has])):
        raise AssertionError("a status above NONE without a finite position")
    if not np.all(np.isfinite(solution.cov_ecef_m2[has])):
        raise AssertionError("a status above NONE without a finite covariance")
    if np.any(np.diagonal(solution.cov_ecef_m2[has], axis1=1, axis2=2) < 0):
        raise AssertionError("a negative variance")
    if np.any(np.isfinite(solution.ecef_m[~has])):
        raise AssertionError("a position at an epoch with status NONE")


def run_mutant(mutant: Mutant, index: int, clean_s: float) -> Verdict:
    """Verdict on one mutant; nothing it does escapes except a crash of the process."""
    start = time.perf_counter()
    finding = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            outcome = (
                run_pair(mutant.role, mutant.text, index)
                if mutant.role
                else run_point(mutant.case, mutant.text)
            )
    except RtkposError as error:
        outcome = "refused"
        if "\n" in str(error).strip() or not str(error):
            finding = f"the message is not one sentence: {str(error)[:200]!r}"
    except Exception as error:  # the point of the test: no other exception may come out
        outcome = "exception"
        place = traceback.extract_tb(error.__traceback__)[-1]
        name = f"{place.filename.rpartition('/')[2]}:{place.lineno}"
        finding = f"{type(error).__name__}: {str(error)[:200]} ({name})"
    seconds = time.perf_counter() - start
    limit = min(HANG_S, SLOWER * max(clean_s, CLEAN_FLOOR_S))
    if seconds > limit and not finding:
        finding = f"took {seconds:.2f} s, allowed are {limit:.2f} s"
    return Verdict(outcome, seconds, finding)


@functools.cache
def clean_seconds() -> dict[str, float]:
    """Time of each clean case, by name, after everything is compiled."""
    found = {}
    for case in (*cases(), *rtk_cases()):
        role = case.name.removeprefix("nagoya ")
        run: Callable[[], str] = (
            (lambda role=role, case=case: run_pair(role, case.text, 0))
            if role in ROLES
            else (lambda case=case: run_point(case, case.text))
        )
        times = []
        for _ in range(3):
            start = time.perf_counter()
            try:
                run()
            except RtkposError:
                pass
            times.append(time.perf_counter() - start)
        found[case.name] = min(times)
    return found


def run_many(
    seed: int, indices: Iterable[int], before: Callable[[int], None] | None = None
) -> Summary:
    """Many mutants in this process; `before(index)` is called ahead of each (watchdog, log)."""
    clean = clean_seconds()
    summary = Summary()
    for index in indices:
        if before is not None:
            before(index)
        mutant = make_mutant(seed, index)
        verdict = run_mutant(mutant, index, clean[mutant.case.name])
        summary.count += 1
        summary.outcomes[verdict.outcome] += 1
        summary.kinds[mutant.case.kind + (" pair" if mutant.role else "")] += 1
        if verdict.seconds > summary.slowest_s:
            summary.slowest_s = verdict.seconds
            summary.slowest = f"{index} {mutant.damage} {mutant.case.name}"
        if verdict.finding:
            summary.findings.append((index, mutant.damage, mutant.case.name, verdict.finding))
    return summary

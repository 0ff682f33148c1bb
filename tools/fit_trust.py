"""Fit the probability of a fix and measure what the profiles promise.

    python -m tools.fit_trust [--fit-only]

Runs every recording of tools/trust_corpus.py with open gates, fits the coefficients of
estimate/ambiguity/fix_probability.py on every other half minute (30 epochs), reports on the rest
and on recordings left out of the fit, prints coefficients ready to paste, runs the same recordings
with each profile, and writes bench/results/trust.md. Takes about three
minutes, from the project's folder; recordings that are not on this machine are an error: a table of
fewer would not compare.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rtkpos._arrays import BoolArray
from rtkpos._numba.cache_folder import use_project_cache
from rtkpos.records.config import PROFILES
from rtkpos.records.status import FixStatus
from tools import trust_model as model
from tools.trust_corpus import (
    MEMORY,
    SINGLE,
    Candidates,
    Trial,
    candidates,
    judged,
    recorded,
    run_trial,
    trials,
)
from tools.trust_model import Rated

PAGE = Path(__file__).resolve().parents[1] / "bench" / "results" / "trust.md"
HEAD = """\
# Probability of fixes

Written by `python -m tools.fit_trust`; what the terms are, how a fix is judged and what follows
stands in docs/decisions/trust.md. Real recordings, as they are and made worse on purpose."""
EDGES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 1.0)
WRONG_RATES = (1e-4, 1e-3, 1e-2)
RIGID = ((4.0, 12), (3.0, 12))  # ratio demanded below so many integers
RATIOS = (2.0, 3.0, 4.0)
WAYS = {MEMORY: "continuous", SINGLE: "single-epoch"}


class Tally(NamedTuple):
    """Epochs of runs with one profile: all, fixed, fixed and judged, of these wrong, far off."""

    n: int
    fixed: int
    judged: int
    wrong: int
    far: int


def gather() -> list[Candidates]:
    """The candidates of all runs that have any."""
    out = []
    for trial in trials():
        found = candidates(trial)
        told = f"{trial.name} {trial.systems or 'all'} {trial.ar} {trial.variant}"
        print(f"{told}: {len(found.wrong)} candidates, {found.wrong.sum()} wrong", flush=True)
        if len(found.wrong):
            out.append(found)
    check_twin(out)
    return out


def check_twin(corpus: Sequence[Candidates]) -> None:
    """Stop when numpy's probability is not the kernel's: the fit would be of something else."""
    compiled = np.concatenate([c.columns["probability"] for c in corpus])
    apart = np.abs(model.rate(corpus, model.in_use()).probability - compiled).max()
    if not apart < 1e-9:
        raise SystemExit(f"fit_trust: trust_model differs from fix_probability.py by {apart:.1e}.")


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Lines of a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return [*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows), ""]


def percent(part: float, whole: float) -> str:
    """A share in percent, three digits where it is small; a dash of nothing."""
    if not whole:
        return "–"
    share = 100.0 * part / whole
    return f"{share:.3f} %" if 0.0 < share < 1.0 else f"{share:.2f} %"


def coefficient_table(corpus: Sequence[Candidates]) -> list[str]:
    """Coefficients in use, of new fits, and how far one recording moves them."""
    names = list(dict.fromkeys(c.trial.name for c in corpus))
    full, half = model.fit(corpus), model.fit(corpus, which=model.first_half)
    apart = np.array([model.fit([c for c in corpus if c.trial.name != n]) for n in names])
    rows = [
        (f"`{name}`", f"{a:.2f}", f"{b:.2f}", f"{c:.2f}", f"{low:.2f} .. {high:.2f}")
        for name, a, b, c, low, high in zip(
            model.COEFFICIENTS, model.in_use(), full, half, apart.min(0), apart.max(0), strict=True
        )
    ]
    print("\n".join(f"{n} = {b:.2f}" for n, b in zip(model.COEFFICIENTS, full, strict=True)))
    head = ("coefficient", "in use", "fit on all", "fit on one half", "one recording left out")
    return table(head, rows)


def reliability_table(ratings: dict[str, Rated]) -> list[str]:
    """Predicted and observed share of right integers by bins of the prediction."""
    rows = []
    for low, high in pairwise(EDGES):
        row = [f"{low:g} .. {high:g}"]
        for rated in ratings.values():
            p = rated.probability
            inside = (p >= low) & ((p < high) | (high == 1.0))
            n = int(inside.sum())
            row += [str(n), f"{p[inside].mean():.4f}", f"{rated.right[inside].mean():.4f}"]
        rows.append(row)
    head = ["predicted"]
    for name in ratings:
        head += [f"{name}: n", "mean", "observed"]
    return table(head, rows)


def wrong_above(rated: Rated) -> list[str]:
    """Wrong of kept at the threshold of each profile."""
    cells = []
    for certainty in PROFILES.values():
        kept = rated.probability >= certainty.probability_min
        cells.append(f"{(kept & ~rated.right).sum()} of {kept.sum()}")
    return cells


def left_out_table(parts: dict[str, Rated]) -> list[str]:
    """By recording: how a fit on the others does on it."""
    rows = [
        (
            recorded(name).row.label,
            len(rated.right),
            int((~rated.right).sum()),
            f"{(1.0 - rated.probability).sum():.0f}",
            *wrong_above(rated),
        )
        for name, rated in parts.items()
    ]
    limits = [f"p >= {c.probability_min:g}: wrong" for c in PROFILES.values()]
    return table(("recording left out", "candidates", "wrong", "expected", *limits), rows)


def rule_table(corpus: Sequence[Candidates], parts: dict[str, Rated]) -> list[str]:
    """Models and rigid rules beside each other."""
    models = {
        "all eight terms": model.pooled(parts),
        "odds of the two best candidates alone": None,
        "the same, scaled by the misfit": None,
        "ratio and number of integers": None,
    }
    others = (model.odds_of_norms, model.odds_of_scaled_norms, model.ratio_and_number)
    for name, of in zip(list(models)[1:], others, strict=True):
        models[name] = model.pooled(model.leave_one_out(corpus, of))
    for k, name in enumerate(model.COEFFICIENTS[1:], 1):
        models[f"without `{name}`"] = model.pooled(model.leave_one_out(corpus, model.without(k)))
    rows = []
    for name, rated in models.items():
        if rated is not None:
            kept = [f"{100.0 * model.kept_at(rated, r):.1f} %" for r in WRONG_RATES]
            rows.append((name, f"{model.log_loss(rated):.0f}", *kept))
    rates = [f"kept at {100.0 * r:g} % wrong" for r in WRONG_RATES]
    return table(("model, recordings left out", "log loss", *rates), rows)


def rigid_table(corpus: Sequence[Candidates]) -> list[str]:
    """What fixed ratios keep and let through, beside the probability."""
    n = np.concatenate([c.columns["n_fixed"] for c in corpus])
    ratio = np.concatenate([c.columns["ratio"] for c in corpus])
    rated = model.rate(corpus, model.in_use())
    rules: dict[str, BoolArray] = {"every candidate (table of ratios alone)": ratio > 0.0}
    rules |= {f"ratio {r:g}": ratio >= r for r in RATIOS}
    rules |= {f"ratio {r:g} below {k} integers": (n >= k) | (ratio >= r) for r, k in RIGID}
    rules["at least 12 integers"] = n >= 12
    for certainty in PROFILES.values():
        limit = certainty.probability_min
        rules[f"probability {limit:g}"] = rated.probability >= limit
    rows = []
    for name, kept in rules.items():
        wrong = int((kept & ~rated.right).sum())
        rows.append((name, percent(kept.sum(), len(n)), wrong, percent(wrong, kept.sum())))
    return table(("rule", "kept", "wrong", "wrong of kept"), rows)


def measure() -> dict[tuple[Trial, str], Tally]:
    """Every run of the corpus with every profile."""
    out = {}
    for trial in trials():
        for profile in PROFILES:
            run = run_trial(trial, {"profile": profile})
            fixed = int((run.status == FixStatus.FIXED).sum())
            counts = [int(of.sum()) for of in judged(trial, run)]
            out[trial, profile] = Tally(run.n_epoch, fixed, *counts)
    return out


def added(tallies: Iterable[Tally]) -> Tally:
    """The sum of tallies."""
    return Tally(*np.sum([tuple(t) for t in tallies], axis=0).tolist())


def worst(found: dict[Trial, Tally]) -> str:
    """The recording with the largest share of wrong fixes, all its runs together."""
    names = dict.fromkeys(t.name for t in found)
    tallies = {n: added(v for t, v in found.items() if t.name == n) for n in names}
    name = max(tallies, key=lambda n: tallies[n].wrong / max(tallies[n].judged, 1))
    tally = tallies[name]
    if not tally.wrong:
        return "none wrong"
    return f"{recorded(name).row.label}: {percent(tally.wrong, tally.judged)}"


def is_default(trial: Trial) -> bool:
    """As recorded and with all systems (the 35 km line: GPS, as in the benchmark)."""
    return trial.is_plain and trial.systems in ("", recorded(trial.name).row.systems)


def profile_tables(found: dict[tuple[Trial, str], Tally]) -> list[str]:
    """Pooled rates, then those of every recording as it is."""
    groups = {
        "as recorded, all systems": is_default,
        "as recorded, fewer systems": lambda t: t.is_plain and not is_default(t),
        "made worse": lambda t: not t.is_plain,
    }
    rows = []
    for name, of in groups.items():
        for profile, certainty in PROFILES.items():
            chosen = {t: v for (t, p), v in found.items() if p == profile and of(t)}
            total = added(chosen.values())
            cells = (f"{certainty.probability_min:g}", total.n, percent(total.fixed, total.n))
            rate = percent(total.wrong, total.judged)
            far = percent(total.far, total.judged)
            rows.append((name, f"`{profile}`", *cells, total.wrong, rate, worst(chosen), far))
    head = ("runs", "profile", "threshold", "epochs", "fixed", "wrong", "wrong of judged fixes")
    head = (*head, "worst recording", "off by over 10 cm")
    lines = ["Pooled over all runs:", "", *table(head, rows)]
    lines += ["By recording, as it is (fixed, wrong, off by over 10 cm):", ""]
    return lines + table(("recording", "systems", "way", *PROFILES), recording_rows(found))


def recording_rows(found: dict[tuple[Trial, str], Tally]) -> list[list[str]]:
    """A row for each recording, systems and way of fixing."""
    rows = []
    for trial in dict.fromkeys(t for t, _ in found if t.is_plain):
        row = [recorded(trial.name).row.label, trial.systems or "all", WAYS[trial.ar]]
        for profile in PROFILES:
            tally = found[trial, profile]
            row.append(f"{percent(tally.fixed, tally.n)}, {tally.wrong}, {tally.far}")
        rows.append(row)
    return rows


def fit_report(corpus: Sequence[Candidates]) -> list[str]:
    """Everything that candidates with open gates tell."""
    n, wrong = sum(len(c.wrong) for c in corpus), sum(int(c.wrong.sum()) for c in corpus)
    parts = model.leave_one_out(corpus)
    half = model.fit(corpus, which=model.first_half)
    ratings = {
        "in use, all": model.rate(corpus, model.in_use()),
        "other half": model.rate(corpus, half, which=model.other_half),
        "left out": model.pooled(parts),
    }
    full = model.rate(corpus, model.fit(corpus))
    lines = [f"{len(corpus)} runs with {n} candidates, {wrong} of them wrong.", ""]
    lines += ["## Coefficients", "", *coefficient_table(corpus)]
    losses = [f"{model.log_loss(rated):.0f}" for rated in (ratings["in use, all"], full)]
    lines += [f"Log loss over all candidates: in use {losses[0]}, fit on all {losses[1]}."]
    lines += ["", "## Reliability", "", *reliability_table(ratings)]
    lines += ["## Recordings left out", "", *left_out_table(parts)]
    lines += ["## Other models and rules", "", *rule_table(corpus, parts), *rigid_table(corpus)]
    return lines


def write_page(lines: Sequence[str]) -> None:
    """Write the page of results."""
    PAGE.write_text("\n".join([HEAD, "", *lines]).rstrip() + "\n", encoding="utf-8")


def main() -> None:
    """Fit, measure, write."""
    use_project_cache()
    report = fit_report(gather())
    if "--fit-only" in sys.argv[1:]:
        print("\n".join(report))
        return
    write_page([*report, "## Profiles", "", *profile_tables(measure())])


if __name__ == "__main__":
    main()

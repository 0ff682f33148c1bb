"""The logistic model of fix_probability.py in plain numpy: its terms, a fit, how it is judged.

Used by tools/fit_trust.py. Candidates of one recording are alike for minutes, so a model checked on
other minutes of the recordings it was fitted on looks better than it is; the fair check leaves
the whole recording out (`leave_one_out`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from rtkpos._arrays import BoolArray, FloatArray
from rtkpos.estimate.ambiguity import fix_probability as model_in_use
from tools.trust_corpus import Candidates

COEFFICIENTS = (
    "INTERCEPT",
    "PER_LOG_RATIO",
    "PER_LOG_INTEGERS",
    "PER_LOG_CODE_MISFIT",
    "PER_LOG_INTEGER_MISFIT",
    "PER_LOG10_FAILURE",
    "PER_HELD_OUT",
    "PER_LOG_AGE",
)
HALF_EPOCHS = 30  # every other block of so many epochs fits, the rest checks
EVIDENCE_CAP = 150.0  # a run weighs no more than so many candidates, however long
RIDGE = 0.01
ODDS_CAP = 50.0
APART_CAP = 30.0


class Rated(NamedTuple):
    """Candidates with the probability some model gives them: (n,) each."""

    probability: FloatArray
    right: BoolArray


Terms = Callable[[Candidates], FloatArray]


def in_use() -> FloatArray:
    """The coefficients of fix_probability.py, (8,) in the order of COEFFICIENTS."""
    return np.array([getattr(model_in_use, name) for name in COEFFICIENTS])


def terms(c: Candidates) -> FloatArray:
    """What the coefficients multiply: (n, 8)."""
    v, n = c.columns, c.columns["n_fixed"]
    cap = model_in_use.HELD_OUT_CAP
    columns = (
        np.ones_like(n),
        np.log(np.clip(v["ratio"], 1.0, model_in_use.RATIO_CAP)),
        np.log(n),
        np.log(np.maximum(v["code_misfit"], 1.0)),
        np.log(np.maximum(v["norm"] / n, model_in_use.INTEGER_MISFIT_FLOOR)),
        np.log10(np.clip(v["failure"], model_in_use.FAILURE_FLOOR, 1.0)),
        np.clip(v["held_out"], -cap, cap),
        np.log1p(v["age_s"]),
    )
    return np.column_stack(columns)


def odds_of_norms(c: Candidates) -> FloatArray:
    """Lost: the odds a perfect noise model would give the best two candidates, alone: (n, 2)."""
    apart = np.minimum(c.columns["norms_apart"] / 2.0, APART_CAP)
    return np.column_stack([np.ones_like(apart), apart])


def odds_of_scaled_norms(c: Candidates) -> FloatArray:
    """Lost: the same with the norms divided by their misfit, as a logarithm: (n, 2)."""
    misfit = np.maximum(c.columns["norm"] / c.columns["n_fixed"], 1.0)
    apart = np.minimum(c.columns["norms_apart"] / 2.0, 200.0) / misfit
    return np.column_stack([np.ones_like(apart), np.log1p(apart)])


def ratio_and_number(c: Candidates) -> FloatArray:
    """Lost: ratio and number of integers alone: (n, 3)."""
    return terms(c)[:, :3]


def without(k: int) -> Terms:
    """The terms but for number k."""
    return lambda c: np.delete(terms(c), k, axis=1)


def first_half(c: Candidates) -> BoolArray:
    """Candidates in every other block of HALF_EPOCHS epochs: (n,)."""
    return np.asarray((c.epoch // HALF_EPOCHS) % 2 == 0)


def everything(c: Candidates) -> BoolArray:
    """All candidates: (n,)."""
    return np.ones(len(c.wrong), bool)


def fit(
    corpus: Sequence[Candidates], of: Terms = terms, which: Callable[..., BoolArray] = everything
) -> FloatArray:
    """Coefficients of a logistic regression with a slight ridge, each run of limited weight."""
    chosen = [which(c) for c in corpus]
    x = np.vstack([of(c)[s] for c, s in zip(corpus, chosen, strict=True)])
    sign = np.concatenate(
        [np.where(c.wrong[s], -1.0, 1.0) for c, s in zip(corpus, chosen, strict=True)]
    )
    n = [int(s.sum()) for s in chosen]
    weight = np.concatenate([np.full(k, min(1.0, EVIDENCE_CAP / max(k, 1))) for k in n])
    good = np.isfinite(x).all(axis=1)
    x, sign, weight = x[good], sign[good], weight[good]

    def loss(b: FloatArray) -> tuple[float, FloatArray]:
        margin = sign * (x @ b)
        pull = np.concatenate([[0.0], b[1:]])
        share = 1.0 / (1.0 + np.exp(np.clip(margin, -500.0, 500.0)))
        value = (weight * np.logaddexp(0.0, -margin)).sum() + RIDGE * (pull**2).sum()
        return float(value), -(x.T @ (weight * sign * share)) + 2.0 * RIDGE * pull

    return np.asarray(minimize(loss, np.zeros(x.shape[1]), jac=True, method="BFGS").x)


def rate(
    corpus: Sequence[Candidates],
    b: FloatArray,
    of: Terms = terms,
    which: Callable[..., BoolArray] = everything,
) -> Rated:
    """Probabilities the coefficients give the candidates, NaN counted as none."""
    x = np.vstack([of(c)[which(c)] for c in corpus])
    right = np.concatenate([~c.wrong[which(c)] for c in corpus])
    odds = np.clip(x @ b, -ODDS_CAP, ODDS_CAP)
    return Rated(np.nan_to_num(1.0 / (1.0 + np.exp(-odds))), right)


def other_half(c: Candidates) -> BoolArray:
    """Candidates that `first_half` leaves out: (n,)."""
    return ~first_half(c)


def leave_one_out(corpus: Sequence[Candidates], of: Terms = terms) -> dict[str, Rated]:
    """By recording: its candidates rated by a fit on all other recordings."""
    out = {}
    for name in dict.fromkeys(c.trial.name for c in corpus):
        rest = [c for c in corpus if c.trial.name != name]
        out[name] = rate([c for c in corpus if c.trial.name == name], fit(rest, of), of)
    return out


def pooled(parts: dict[str, Rated]) -> Rated:
    """All parts together."""
    ratings = parts.values()
    return Rated(
        np.concatenate([r.probability for r in ratings]), np.concatenate([r.right for r in ratings])
    )


def log_loss(rated: Rated) -> float:
    """Sum of -log probability of what was the case: smaller is better."""
    p = np.clip(rated.probability, 1e-9, 1.0 - 1e-9)
    return float(-np.where(rated.right, np.log(p), np.log1p(-p)).sum())


def kept_at(rated: Rated, wrong_rate: float) -> float:
    """Largest share of the candidates, best first, with no more than `wrong_rate` wrong."""
    order = np.argsort(-rated.probability, kind="stable")
    wrong = np.cumsum(~rated.right[order])
    number = np.arange(1, len(order) + 1)
    # Equal probabilities stand or fall together.
    p = rated.probability[order]
    last = np.append(p[1:] != p[:-1], True)
    good = np.flatnonzero(last & (wrong <= wrong_rate * number))
    return float((good[-1] + 1) / len(order)) if len(good) else 0.0

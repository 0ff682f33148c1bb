"""Make src/rtkpos/core/ils/ratio_table.py: thresholds of the fixed-failure-rate ratio test.

    python tools/make_ratio_table.py [samples per geometry]

For each number of ambiguities and each failure rate of integer bootstrapping: random GNSS
geometries (1-3 frequencies, single epoch, ionosphere known or weighted), decorrelated, the n most
precise ambiguities kept, the covariance scaled until the bootstrapped failure rate is the wanted
one, float ambiguities drawn around zero, the two nearest integer vectors searched. The table holds
the largest mu with P(norm_1 / norm_2 <= mu and wrong) <= promised rate, over all geometries
together. Method: Verhagen & Teunissen (2013), The ratio test for future GNSS ambiguity
resolution, GPS Solutions 17:535.
"""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import Any

import numpy as np

from rtkpos._arrays import BoolArray, FloatArray, record_of
from rtkpos._numba.decorator import kernel
from rtkpos.core.ils.decorrelation import decorrelate, integer_workspace
from rtkpos.core.ils.search import search
from rtkpos.core.ils.success_rate import bootstrapped_failure_rate

SEED = 20130417
SIZES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30)  # n = 40 takes many minutes
MODEL_FAILURE = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 0.99)
PROMISED = (0.001, 0.01)
N_GEOMETRY = 20
SMALL_SIZE, SMALL_SIZE_MORE = 12, 5  # small n vary more and are cheap: more draws
WAVELENGTH_M = (0.1903, 0.2442, 0.2548)  # GPS L1, L2, L5
N_NODE_MAX = 100_000
OUTPUT = Path(__file__).parents[1] / "src" / "rtkpos" / "core" / "ils" / "ratio_table.py"


def random_covariance(
    n_pair: int, n_frequency: int, sigma_iono_m: float, random: np.random.Generator
) -> FloatArray:
    """Covariance [cycle^2] of the double-difference ambiguities of one epoch, n_pair a frequency.

    Code 0.3 m, phase 3 mm, both at zenith and per double difference; sigma_iono_m = 0: no
    ionosphere, else one delay per pair with that prior.
    """
    azimuth = random.uniform(0.0, 2.0 * np.pi, n_pair + 1)
    elevation = np.sort(np.arcsin(random.uniform(0.2, 1.0, n_pair + 1)))
    los = np.stack(
        [
            np.cos(elevation) * np.sin(azimuth),
            np.cos(elevation) * np.cos(azimuth),
            np.sin(elevation),
        ],
        axis=1,
    )
    difference = np.hstack([np.eye(n_pair), -np.ones((n_pair, 1))])
    weight = np.linalg.inv(difference @ np.diag(1.0 + np.sin(elevation) ** -2) @ difference.T)
    n = n_pair * n_frequency
    n_iono = n_pair if sigma_iono_m > 0.0 else 0
    normal = np.zeros((n + 3 + n_iono, n + 3 + n_iono))
    for frequency in range(n_frequency):
        iono_factor = (WAVELENGTH_M[frequency] / WAVELENGTH_M[0]) ** 2
        for sigma_m, sign in ((0.3, 1.0), (0.003, -1.0)):
            design = np.zeros((n_pair, normal.shape[0]))
            design[:, n : n + 3] = -difference @ los
            design[:, n + 3 :] = sign * iono_factor * np.eye(n_pair)[:, :n_iono]
            if sign < 0.0:
                block = slice(frequency * n_pair, (frequency + 1) * n_pair)
                design[:, block] = WAVELENGTH_M[frequency] * np.eye(n_pair)
            normal += design.T @ weight @ design / sigma_m**2
    if n_iono:
        normal[n + 3 :, n + 3 :] += weight / sigma_iono_m**2
    cov = np.asarray(np.linalg.inv(normal)[:n, :n], dtype=np.float64)
    return np.ascontiguousarray((cov + cov.T) / 2.0)


def load_geometry(n: int, random: np.random.Generator, work: Any) -> None:
    """Leave the decorrelated n most precise ambiguities of a random geometry in work[:n]."""
    n_frequency = int(random.integers(1, 4))
    n_pair = max(5, -(-n // n_frequency))
    cov = random_covariance(n_pair, n_frequency, float(random.choice([0.0, 0.02])), random)
    total = cov.shape[0]
    if decorrelate(cov, total, work) != 0:
        raise RuntimeError(f"make_ratio_table: decorrelation failed for {n} ambiguities.")
    work.cond_var[:n] = work.cond_var[total - n : total].copy()
    work.factor_t[:n, :n] = work.factor_t[total - n : total, total - n : total].copy()


def scale_to_failure(n: int, failure: float, work: Any) -> None:
    """Scale the conditional variances until bootstrapping fails at the wanted rate."""
    start = work.cond_var[:n].copy()
    low, high = -20.0, 20.0
    for _ in range(80):
        middle = (low + high) / 2.0
        work.cond_var[:n] = start * np.exp(middle)
        if bootstrapped_failure_rate(work.cond_var, 0, n) > failure:
            high = middle
        else:
            low = middle


@kernel
def draw_ratios(noise, work, candidates, norms, out_mu, out_wrong):
    """norm_1 / norm_2 and whether the nearest integers are wrong, for each row of noise.

    noise : (n_sample, n) standard normal. A search given up counts as ratio 1 (rejected).
    """
    n = noise.shape[1]
    for sample in range(noise.shape[0]):
        for k in range(n):
            total = 0.0
            for i in range(k, n):
                factor = 1.0 if i == k else work.factor_t[k, i]
                total += factor * noise[sample, i] * np.sqrt(work.cond_var[i])
            work.floats_z[k] = total
        status = search(0, n, 2, N_NODE_MAX, work, candidates, norms)
        out_wrong[sample] = False
        out_mu[sample] = 1.0 if status != 0 else norms[0] / norms[1]
        for k in range(n):
            out_wrong[sample] |= candidates[0, k] != 0.0


def simulate(
    n: int, failure: float, n_sample: int, random: np.random.Generator, work: Any
) -> tuple[FloatArray, BoolArray]:
    """(mu, wrong) of n_sample draws from one random geometry."""
    load_geometry(n, random, work)
    scale_to_failure(n, failure, work)
    out_mu, out_wrong = np.empty(n_sample), np.empty(n_sample, dtype=np.bool_)
    noise = random.standard_normal((n_sample, n))
    draw_ratios(noise, work, np.zeros((2, n)), np.zeros(2), out_mu, out_wrong)
    return out_mu, out_wrong


def largest_mu(mu: FloatArray, wrong: BoolArray, promised: float) -> float:
    """Largest mu at which the share of wrong and accepted draws stays within promised."""
    wrong_mu = np.sort(mu[wrong])
    allowed = int(promised * mu.size)
    return float(wrong_mu[allowed]) if allowed < wrong_mu.size else 1.0


def make_tables(n_sample: int) -> FloatArray:
    """mu as (promised, size, model failure), made monotone to the safe side.

    A worse model never has a larger mu; a smaller n never a larger one than a larger n.
    """
    random = np.random.default_rng(SEED)
    work = record_of(integer_workspace(46))
    table = np.empty((len(PROMISED), len(SIZES), len(MODEL_FAILURE)))
    for row, n in enumerate(SIZES):
        n_draw = n_sample * (SMALL_SIZE_MORE if n <= SMALL_SIZE else 1)
        for col, failure in enumerate(MODEL_FAILURE):
            draws = [simulate(n, failure, n_draw, random, work) for _ in range(N_GEOMETRY)]
            mu = np.concatenate([d[0] for d in draws])
            wrong = np.concatenate([d[1] for d in draws])
            for k, promised in enumerate(PROMISED):
                table[k, row, col] = largest_mu(mu, wrong, promised)
        print(n, np.round(table[:, row], 3).tolist(), flush=True)
    table = np.minimum.accumulate(table, axis=2)
    return np.minimum.accumulate(table[:, ::-1], axis=1)[:, ::-1]


def write_module(table: FloatArray, n_sample: int) -> None:
    """Write the table as a Python module."""
    date = datetime.datetime.now(tz=datetime.UTC).date()
    lines = [
        '"""Thresholds of the fixed-failure-rate ratio test; made by tools/make_ratio_table.py.',
        "",
        f"Own simulation of {date}, seed {SEED}: {N_GEOMETRY} geometries x {n_sample} draws an",
        f"entry ({SMALL_SIZE_MORE} times that up to n = {SMALL_SIZE}), made monotone to the safe",
        "side. mu: largest accepted norm_1 / norm_2.",
        '"""',
        "",
        "import numpy as np",
        "",
        f"SIZE = np.array({list(map(float, SIZES))})",
        f"MODEL_FAILURE = np.array({list(MODEL_FAILURE)})",
    ]
    for name, rows in zip(("MU_PER_MILLE", "MU_PERCENT"), table, strict=True):
        lines += ["# Rows: SIZE; columns: MODEL_FAILURE.", f"{name} = np.array(", "    ["]
        lines += ["        [" + ", ".join(f"{x:.3f}" for x in row) + "]," for row in rows]
        lines += ["    ]", ")"]
    OUTPUT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    write_module(make_tables(samples), samples)

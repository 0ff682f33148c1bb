"""The estimate between float and fixed against brute force over integer vectors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rtkpos.estimate.ambiguity.bie import equivariant_position
from rtkpos.estimate.ambiguity.fixing import N_CANDIDATE, condition_position, search_integers
from rtkpos.estimate.step_memory import step_memory
from rtkpos.processing.settings import kernel_settings
from rtkpos.records.config import RtkConfig

SETTINGS = kernel_settings(RtkConfig())._replace(min_pairs=3, success_min=1e-12)
BOX = 3  # brute force goes so far around the rounded float
EXACT_M = 1e-8


def random_cov(n, rng, sigma_cycle=0.4):
    """Covariance of position and n + 1 ambiguities, the first that of the reference satellite."""
    size = 4 + n
    design = rng.normal(size=(size, 3 * size))
    cov = design @ design.T / (3 * size)
    scale = np.concatenate([[0.3, 0.3, 0.5], np.full(n + 1, sigma_cycle)])
    return cov * scale[:, None] * scale[None, :]


def dd_of(n):
    """Matrix (n, 4 + n) from the states to the double differences."""
    out = np.zeros((n, 4 + n))
    out[:, 3] = -1.0
    out[np.arange(n), 4 + np.arange(n)] = 1.0
    return out


def searched(memory, state, cov):
    """Enter states and covariance, search, condition; the memory and the number of differences."""
    n = len(state) - 4
    amb, dd = memory.ambiguity, dd_of(n)
    memory.state.n_state = len(state)
    memory.state.state[: len(state)] = state
    memory.state.cov[: len(state), : len(state)] = cov
    amb.upper[:n], amb.lower[:n] = 4 + np.arange(n), 3
    amb.cov[:n, :n], amb.floats[:n] = dd @ cov @ dd.T, dd @ state
    search_integers(n, SETTINGS, 1.0, amb)
    assert amb.first_fixed == 0
    condition_position(n, memory.state, amb)
    return n


def estimate(memory, n, probability):
    """Position and covariance of `equivariant_position`."""
    position, cov = np.zeros(3), np.zeros((3, 3))
    equivariant_position(n, probability, memory.state, memory.ambiguity, position, cov)
    return position, cov


def twin(state, cov, probability):
    """Mean and covariance of the mixture of candidates and float, by brute force."""
    n = len(state) - 4
    dd = dd_of(n)
    floats, q = dd @ state, dd @ cov @ dd.T
    box = np.array(list(itertools.product(range(-BOX, BOX + 1), repeat=n)))
    vectors = np.round(floats) + box
    residual = floats - vectors
    norms = np.einsum("ki,ij,kj->k", residual, np.linalg.inv(q), residual)
    best = np.argsort(norms)[:N_CANDIDATE]
    factor = max(norms[best[0]] / n, 1.0)
    weight = np.exp(-0.5 * (norms[best] - norms[best[0]]) / factor)
    weight *= min(1.0 / weight.sum(), probability)
    gain = cov[:3] @ dd.T @ np.linalg.inv(q)
    fixed_cov = cov[:3, :3] - gain @ q @ gain.T
    places = np.vstack([state[:3] - residual[best] @ gain.T, state[:3]])
    weight = np.append(weight, 1.0 - weight.sum())
    covs = [fixed_cov] * N_CANDIDATE + [cov[:3, :3]]
    mean = weight @ places
    spread = sum(
        w * (c + np.outer(x - mean, x - mean)) for w, c, x in zip(weight, covs, places, strict=True)
    )
    return mean, spread, (places, weight, covs)


@pytest.mark.parametrize("n", [3, 4, 5])
@pytest.mark.parametrize("probability", [0.0, 0.3, 0.9, 1.0])
def test_position_and_covariance_equal_brute_force(n, probability):
    memory = step_memory()
    for seed in range(5):
        rng = np.random.default_rng(100 * n + seed)
        cov = random_cov(n, rng)
        state = rng.normal(size=4 + n)
        searched(memory, state, cov)
        position, spread = estimate(memory, n, probability)
        expected, expected_cov, _ = twin(state, cov, probability)
        np.testing.assert_allclose(position, expected, atol=EXACT_M)
        np.testing.assert_allclose(spread, expected_cov, atol=EXACT_M)


def test_certain_integers_give_the_fixed_position():
    rng = np.random.default_rng(7)
    cov = random_cov(5, rng, sigma_cycle=0.02)
    state = np.concatenate([rng.normal(size=3), np.arange(6) + 0.01 * rng.normal(size=6)])
    memory = step_memory()
    n = searched(memory, state, cov)
    amb = memory.ambiguity
    assert amb.norms[1] - amb.norms[0] > 60.0, "far apart"
    position, spread = estimate(memory, n, 1.0)
    np.testing.assert_allclose(position, state[:3] + fixed_shift(state, cov), atol=EXACT_M)
    np.testing.assert_allclose(spread, cov[:3, :3] - amb.gain_m2, atol=EXACT_M)


def fixed_shift(state, cov):
    """What rounding all ambiguities moves the position by."""
    dd = dd_of(len(state) - 4)
    floats = dd @ state
    return cov[:3] @ dd.T @ np.linalg.solve(dd @ cov @ dd.T, np.round(floats) - floats)


def test_integers_not_believed_leave_the_float():
    rng = np.random.default_rng(8)
    cov, state = random_cov(4, rng), rng.normal(size=8)
    memory = step_memory()
    n = searched(memory, state, cov)
    position, spread = estimate(memory, n, 0.0)
    np.testing.assert_array_equal(position, state[:3])
    np.testing.assert_array_equal(spread, cov[:3, :3])


def test_less_probability_is_never_more_certain_than_the_candidates_agree():
    """The position goes from the float to the candidates' mean on a straight line."""
    rng = np.random.default_rng(9)
    cov, state = random_cov(4, rng), rng.normal(size=8)
    memory = step_memory()
    n = searched(memory, state, cov)
    places = np.array([estimate(memory, n, p)[0] for p in (0.0, 0.05, 0.1)])
    np.testing.assert_allclose(places[1] - places[0], places[2] - places[1], atol=EXACT_M)


def test_covariance_is_that_of_the_mixture_drawn_at_random():
    rng = np.random.default_rng(10)
    cov, state = random_cov(4, rng), rng.normal(size=8)
    memory = step_memory()
    n = searched(memory, state, cov)
    position, spread = estimate(memory, n, 0.4)
    places, weight, covs = twin(state, cov, 0.4)[2]
    n_draw = 200_000
    part = rng.choice(len(weight), size=n_draw, p=weight)
    roots = np.array([np.linalg.cholesky(c) for c in covs])
    drawn = places[part] + np.einsum("kij,kj->ki", roots[part], rng.normal(size=(n_draw, 3)))
    sigma = np.sqrt(np.diag(spread))
    np.testing.assert_allclose(drawn.mean(axis=0), position, atol=0.01 * sigma.max())
    np.testing.assert_allclose(
        np.cov(drawn.T) / np.outer(sigma, sigma), spread / np.outer(sigma, sigma), atol=0.02
    )


def test_errors_are_as_large_as_promised_and_smaller_than_of_float_and_fix():
    """Floats drawn around known integers: the estimate is the best of the three, and honest."""
    rng = np.random.default_rng(11)
    n, n_draw = 4, 1500
    cov = random_cov(n, rng, sigma_cycle=0.35)
    root, memory = np.linalg.cholesky(cov), step_memory()
    float_, fixed, between, promised = [], [], [], []
    for _ in range(n_draw):
        state = root @ rng.normal(size=4 + n)
        searched(memory, state, cov)
        position, spread = estimate(memory, n, 1.0)
        float_.append(state[:3])
        fixed.append(state[:3] + memory.ambiguity.shifts[0])
        between.append(position)
        promised.append(np.trace(spread))
    square = [np.mean(np.sum(np.square(x), axis=1)) for x in (float_, fixed, between)]
    assert square[2] < min(square[:2])
    assert np.mean(promised) == pytest.approx(square[2], rel=0.15)

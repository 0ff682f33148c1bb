"""Decorrelation, integer search and bootstrapping against brute force and published values."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from scipy.stats import norm

from rtkpos.core.ils.decorrelation import (
    ILS_BAD_ARGUMENT,
    ILS_NODE_BOUND,
    ILS_NOT_POSITIVE,
    ILS_OK,
    _factorise,
    _load_covariance,
    _reduce,
    _round_row,
    decorrelate,
    integer_workspace,
)
from rtkpos.core.ils.search import (
    _walk_tree,
    conditional_floats,
    integer_least_squares,
    load_floats,
    search,
)
from rtkpos.core.ils.success_rate import bootstrapped_failure_rate, bootstrapped_success_rate
from rtkpos.core.ils.transformations import to_decorrelated, transposed_times
from rtkpos.estimate.baseline.epoch_work import N_DD
from tests.core.transformation import inverse_of, matrix_of, workspace

N_NODE_MAX = 100_000

# de Jonge & Tiberius (1996), The LAMBDA method for integer ambiguity estimation: implementation
# aspects, LGR-Series 12: the three-dimensional example that runs through the report.
PAPER_COV = np.array([[6.290, 5.978, 0.544], [5.978, 6.292, 2.340], [0.544, 2.340, 6.288]])
PAPER_FLOATS = np.array([5.450, 3.100, 2.970])


def gnss_like(n, random, noise_cycle=0.02, position_cycle=3.0):
    """Covariance of ambiguities tied together by three poorly known coordinates."""
    design = random.normal(size=(n, 3)) * position_cycle
    return design @ design.T + noise_cycle**2 * (np.eye(n) + np.ones((n, n)))


def solve(cov, floats, n_candidate=2, n_node_max=N_NODE_MAX, work=None):
    n = len(floats)
    work = workspace() if work is None else work
    candidates, norms = np.full((n_candidate, n), 7.5), np.full(n_candidate, 7.5)
    status = integer_least_squares(cov, floats, n, n_candidate, n_node_max, work, candidates, norms)
    return status, candidates, norms


def brute_force(cov, floats, n_candidate, bound):
    """Smallest norms among all integers that can have a norm up to the bound.

    The bound confines component i to sqrt(bound * cov[i, i]) around its float, and given the
    later ones even more closely; so the box, filled component by component, is complete.
    """
    inverse = np.linalg.inv(cov)
    points = np.zeros((1, 0))
    for i in range(len(floats)):
        reach = np.sqrt(bound * cov[i, i]) * (1.0 + 1e-9) + 1e-9
        axis = np.arange(np.ceil(floats[i] - reach), np.floor(floats[i] + reach) + 1.0)
        points = np.hstack([np.repeat(points, axis.size, 0), np.tile(axis, len(points))[:, None]])
        offset = points - floats[: i + 1]
        marginal = np.linalg.inv(cov[: i + 1, : i + 1])
        keep = np.einsum("ij,jk,ik->i", offset, marginal, offset) <= bound * (1.0 + 1e-7) + 1e-9
        points = points[keep]
    offset = points - floats
    values = np.einsum("ij,jk,ik->i", offset, inverse, offset)
    order = np.argsort(values)[:n_candidate]
    return points[order], values[order]


def test_published_example():
    status, candidates, norms = solve(PAPER_COV, PAPER_FLOATS)
    assert status == ILS_OK
    assert candidates.tolist() == [[5.0, 3.0, 4.0], [6.0, 4.0, 4.0]]
    assert norms == pytest.approx([0.2183, 0.3073], abs=5e-5)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_same_candidates_as_brute_force(n):
    random = np.random.default_rng(100 + n)
    work = workspace()
    for _ in range(120):
        cov = gnss_like(n, random, 10 ** random.uniform(-2, 0), 10 ** random.uniform(-1.5, 0.7))
        floats = random.normal(size=n) * 30.0
        status, candidates, norms = solve(cov, floats, 4, work=work)
        assert status == ILS_OK
        points, values = brute_force(cov, floats, 4, norms[-1])
        np.testing.assert_allclose(norms, values, rtol=1e-6, atol=1e-9)
        np.testing.assert_array_equal(candidates[0], points[0])


def test_norms_belong_to_the_candidates():
    random = np.random.default_rng(5)
    for n in (5, 9, 15):
        cov = gnss_like(n, random)
        floats = np.linalg.cholesky(cov) @ random.normal(size=n)
        status, candidates, norms = solve(cov, floats, 5)
        assert status == ILS_OK
        assert np.all(np.diff(norms) >= 0.0)
        assert len(np.unique(candidates, axis=0)) == 5
        for candidate, value in zip(candidates, norms, strict=True):
            offset = floats - candidate
            assert value == pytest.approx(offset @ np.linalg.solve(cov, offset), rel=1e-6)


@pytest.mark.parametrize("n", [1, 2, 7, 20, 40])
def test_decorrelation_is_unimodular_and_consistent(n):
    random = np.random.default_rng(n)
    work = workspace()
    cov = gnss_like(n, random)
    assert decorrelate(cov, n, work) == ILS_OK
    forward, inverse = matrix_of(n, work), inverse_of(n, work)
    assert np.array_equal(forward, np.rint(forward))
    assert np.array_equal(inverse @ forward, np.eye(n))  # both integer: determinant is +-1
    assert np.all(np.abs(inverse).sum(axis=0) <= work.growth[:n])
    vector = random.normal(size=n)
    plain, transposed = np.zeros(n), np.zeros(n)
    to_decorrelated(n, vector, work, plain)
    np.testing.assert_allclose(plain, forward @ vector, atol=1e-12 * np.abs(forward).max())
    transposed_times(n, vector.copy(), work, transposed)
    np.testing.assert_allclose(transposed, forward.T @ vector, atol=1e-12 * np.abs(forward).max())
    factor = np.triu(work.factor_t[:n, :n], 1) + np.eye(n)
    transformed = forward @ cov @ forward.T
    np.testing.assert_allclose(
        factor @ np.diag(work.cond_var[:n]) @ factor.T,
        transformed,
        atol=1e-9 * np.abs(cov).max(),
    )
    assert np.prod(work.cond_var[:n]) == pytest.approx(np.linalg.det(cov), rel=1e-5)


def factored(n, seed):
    """Covariance, and a workspace after the factorisation alone."""
    cov = gnss_like(n, np.random.default_rng(seed), 0.1)
    work = workspace()
    assert _load_covariance(cov, n, work) == ILS_OK
    assert _factorise(n, work) == ILS_OK
    return cov, work


def product_of(n, work):
    """L' D L of a workspace."""
    upper = np.triu(work.factor_t[:n, :n], 1) + np.eye(n)
    return upper @ np.diag(work.cond_var[:n]) @ upper.T


@pytest.mark.parametrize("n", [1, 3, 4, 5, 9, 14])
def test_factors_of_the_pivoted_covariance(n):
    cov, work = factored(n, n)
    order = work.order[:n]
    assert sorted(order.tolist()) == list(range(n))
    np.testing.assert_allclose(product_of(n, work), cov[np.ix_(order, order)], atol=1e-11)
    # The pivot is the smallest variance that is left: what follows it was no more precise.
    for last in range(1, n):
        rest = cov[np.ix_(order[:last], order[:last])]
        gone = order[last:]
        cross = cov[np.ix_(order[:last], gone)]
        conditional = rest - cross @ np.linalg.solve(cov[np.ix_(gone, gone)], cross.T)
        assert work.cond_var[last - 1] <= np.diag(conditional).min() * (1.0 + 1e-6)


@pytest.mark.parametrize("k", [0, 2, 5])
def test_rounding_a_row_leaves_halves_and_the_covariance(k):
    n = 8
    _, work = factored(n, 40 + k)
    work.factor_t[k, k + 1 : n] *= 7.0
    upper = np.triu(work.factor_t[:n, :n], 1) + np.eye(n)
    _round_row(k, n, work)
    assert work.n_step > 0
    assert np.all(np.abs(work.factor_t[k, k + 1 : n]) <= 0.5)
    after = np.triu(work.factor_t[:n, :n], 1) + np.eye(n)
    steps = matrix_of(n, work) @ np.linalg.inv(np.eye(n)[work.order[:n]])
    np.testing.assert_allclose(after, steps @ upper, atol=1e-11)


def test_reduction_swaps_until_no_swap_helps_and_keeps_the_covariance():
    n = 10
    cov, work = factored(n, 77)
    n_swap = _reduce(n, work)
    assert n_swap == np.sum(work.multiple[: work.n_step] == 0.0) > 0
    forward = matrix_of(n, work)
    np.testing.assert_allclose(product_of(n, work), forward @ cov @ forward.T, atol=1e-9)
    for k in range(n - 1):
        low = work.factor_t[k, k + 1] - np.rint(work.factor_t[k, k + 1])
        swapped = work.cond_var[k] + low**2 * work.cond_var[k + 1]
        assert swapped >= work.cond_var[k + 1] * (1.0 - 1e-8)


@pytest.mark.parametrize("first", [0, 2])
def test_walk_finds_the_nearest_of_all_points(first):
    n, n_candidate = 4, 3
    random = np.random.default_rng(31)
    for _ in range(20):
        cov = gnss_like(n, random, 0.3)
        floats = random.normal(size=n) * 10.0
        work = workspace()
        assert decorrelate(cov, n, work) == ILS_OK
        assert load_floats(floats, n, work) == ILS_OK
        found, norms = np.zeros((n_candidate, n)), np.zeros(n_candidate)
        assert _walk_tree(first, n, n_candidate, 10_000, work, found, norms) == n_candidate
        forward = matrix_of(n, work)[first:]
        cov_z, floats_z = forward @ cov @ forward.T, work.floats_z[first:n]
        points, values = brute_force(cov_z, floats_z, n_candidate, norms.max())
        np.testing.assert_allclose(np.sort(norms), values, rtol=1e-6)
        np.testing.assert_array_equal(found[np.argmin(norms), first:], points[0])
        assert _walk_tree(first, n, n_candidate, 3, work, found, norms) == -1


def test_walk_tries_the_nearest_integer_of_a_level_first():
    """Behind the second integer of the upper level the nearest below is the only one in bounds.

    Centres are 0.44 above; below 0.499 behind integer 0 and 0.470 behind integer 1.
    """
    work = workspace()
    coupling = -0.029
    work.cond_var[:2], work.factor_t[0, 1] = (1.0, 10.0), coupling
    work.floats_z[:2] = 0.499 + 0.44 * coupling, 0.44
    found, norms = np.zeros((1, 2)), np.zeros(1)
    assert _walk_tree(0, 2, 1, 100, work, found, norms) == 1
    np.testing.assert_array_equal(found[0], [0.0, 1.0])
    assert norms[0] == pytest.approx(0.47**2 + 0.56**2 / 10.0, rel=1e-12)
    assert 0.499**2 + 0.44**2 / 10.0 > norms[0], "the first one found is not the nearest"


def test_decorrelation_raises_the_bootstrapped_success_rate():
    random = np.random.default_rng(17)
    work = workspace()
    for _ in range(20):
        cov = gnss_like(12, random, 0.05)
        root = np.linalg.cholesky(cov[::-1, ::-1])
        before = np.diag(root)[::-1] ** 2
        assert decorrelate(cov, 12, work) == ILS_OK
        after = bootstrapped_success_rate(work.cond_var, 0, 12)
        assert after >= bootstrapped_success_rate(before.copy(), 0, 12)
        # Swaps leave no step where the order of two neighbours should be the other one.
        for k in range(11):
            low = work.factor_t[k, k + 1] - np.rint(work.factor_t[k, k + 1])
            swapped = work.cond_var[k] + low**2 * work.cond_var[k + 1]
            assert swapped >= work.cond_var[k + 1] * (1.0 - 1e-8)


def test_permuted_input_gives_permuted_candidates():
    random = np.random.default_rng(8)
    for _ in range(20):
        cov = gnss_like(10, random)
        floats = np.linalg.cholesky(cov) @ random.normal(size=10)
        order = random.permutation(10)
        _, plain, norms = solve(cov, floats)
        _, permuted, permuted_norms = solve(
            np.ascontiguousarray(cov[order][:, order]), floats[order]
        )
        np.testing.assert_array_equal(plain[:, order], permuted)
        np.testing.assert_allclose(norms, permuted_norms, rtol=1e-6)


def test_added_integers_shift_the_candidates_exactly():
    random = np.random.default_rng(9)
    for size in (3, 1e3, 2.0**40):
        cov = gnss_like(8, random)
        floats = np.round(random.normal(size=8) * 1024.0) / 1024.0
        shift = np.rint(random.uniform(-size, size, 8))
        _, plain, norms = solve(cov, floats)
        _, shifted, shifted_norms = solve(cov, floats + shift)
        np.testing.assert_array_equal(plain + shift, shifted)
        np.testing.assert_array_equal(norms, shifted_norms)


def test_scaled_covariance_scales_the_norms():
    _, plain, norms = solve(PAPER_COV, PAPER_FLOATS)
    for factor in (2.0**-60, 2.0**60):
        status, candidates, scaled = solve(PAPER_COV * factor, PAPER_FLOATS)
        assert status == ILS_OK
        np.testing.assert_array_equal(plain, candidates)
        np.testing.assert_allclose(scaled * factor, norms, rtol=1e-12)


def test_arrays_larger_than_n_and_the_upper_triangle_do_not_matter():
    cov = np.full((6, 6), np.nan)
    cov[:3, :3] = np.tril(PAPER_COV) + np.triu(np.full((3, 3), np.nan), 1)
    floats = np.concatenate([PAPER_FLOATS, [np.nan] * 3])
    candidates, norms = np.full((3, 7), -9.0), np.full(4, -9.0)
    work = workspace()
    status = integer_least_squares(cov, floats, 3, 2, N_NODE_MAX, work, candidates, norms)
    assert status == ILS_OK
    assert candidates[:2, :3].tolist() == [[5.0, 3.0, 4.0], [6.0, 4.0, 4.0]]
    assert np.all(candidates[2] == -9.0)
    assert np.all(candidates[:2, 3:] == -9.0)
    assert norms[2:].tolist() == [-9.0, -9.0]


def test_subset_search_is_least_squares_of_the_most_precise_ones():
    random = np.random.default_rng(12)
    n = 9
    for first in (0, 3, 6, 8):
        work = workspace()
        cov = gnss_like(n, random, 0.1)
        floats = np.linalg.cholesky(cov) @ random.normal(size=n) + 1e6
        assert decorrelate(cov, n, work) == ILS_OK
        assert load_floats(floats, n, work) == ILS_OK
        candidates, norms = np.zeros((2, n)), np.zeros(2)
        status = search(first, n, 2, N_NODE_MAX, work, candidates, norms)
        assert status == ILS_OK
        assert np.all(np.isnan(candidates[:, :first]))
        forward = matrix_of(n, work)[first:]
        cov_z = forward @ cov @ forward.T
        floats_z = forward @ (floats - work.shift[:n])
        _, _, expected = solve(cov_z, floats_z)
        np.testing.assert_allclose(norms, expected, rtol=1e-6)
        updated = np.zeros(n)
        conditional_floats(first, n, candidates[0], work, updated)
        gain = cov @ forward.T @ np.linalg.inv(cov_z)
        wanted = floats + gain @ (candidates[0, first:] - floats_z)
        np.testing.assert_allclose(updated, wanted, atol=1e-6)
        np.testing.assert_allclose(
            forward @ updated, candidates[0, first:] + forward @ work.shift[:n], atol=1e-6
        )


@pytest.mark.parametrize(
    ("n", "n_candidate", "n_node_max"),
    [(0, 2, 100), (-1, 2, 100), (4, 2, 100), (3, 0, 100), (3, 3, 100), (3, 2, 0)],
)
def test_bad_sizes(n, n_candidate, n_node_max):
    status = integer_least_squares(
        PAPER_COV, PAPER_FLOATS, n, n_candidate, n_node_max,
        workspace(), np.zeros((2, 3)), np.zeros(2),
    )  # fmt: skip
    assert status == ILS_BAD_ARGUMENT


def test_more_ambiguities_than_the_workspace_holds_are_refused():
    n = N_DD + 1
    candidates, norms = np.zeros((2, n)), np.zeros(2)
    args = np.eye(n), np.zeros(n), n, 2, N_NODE_MAX, workspace(), candidates, norms
    assert integer_least_squares(*args) == ILS_BAD_ARGUMENT


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_missing_values_are_bad_arguments(bad):
    cov, floats = PAPER_COV.copy(), PAPER_FLOATS.copy()
    floats[1] = bad
    status, candidates, norms = solve(cov, floats)
    assert status == ILS_BAD_ARGUMENT
    assert np.all(np.isnan(candidates))
    assert np.all(np.isnan(norms))
    cov[2, 1] = bad
    assert solve(cov, PAPER_FLOATS)[0] == ILS_BAD_ARGUMENT


@pytest.mark.parametrize(
    "cov",
    [
        np.zeros((3, 3)),
        -np.eye(3),
        np.ones((3, 3)),
        np.diag([1.0, 0.0, 1.0]),
        np.array([[1.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        np.eye(3) * 1e-200,
    ],
)
def test_not_positive_definite(cov):
    assert solve(cov, PAPER_FLOATS)[0] == ILS_NOT_POSITIVE


def test_node_bound_is_kept_and_reported():
    assert solve(PAPER_COV, PAPER_FLOATS, n_node_max=5)[0] == ILS_NODE_BOUND
    random = np.random.default_rng(3)
    status, candidates, _ = solve(np.eye(40) * 30.0, random.uniform(-9, 9, 40), 20, 2_000)
    assert status == ILS_NODE_BOUND
    assert np.all(np.isnan(candidates))


@pytest.mark.compiled
@pytest.mark.parametrize("floor", [0.0, 1e-18, 1e-12, 1e-9, 1e-6])
def test_near_singular_hundred_is_bounded(floor):
    random = np.random.default_rng(4)
    solve(PAPER_COV, PAPER_FLOATS)
    for rank in (1, 3, 50, 99):
        root = random.normal(size=(100, rank)) * 10.0 ** random.uniform(-3, 3, rank)
        cov = root @ root.T + floor * np.eye(100)
        start = time.perf_counter()
        status, candidates, norms = solve(cov, random.normal(size=100) * 1e6)
        assert time.perf_counter() - start < 2.0
        assert status in (ILS_OK, ILS_NOT_POSITIVE, ILS_NODE_BOUND)
        finite = np.all(np.isfinite(candidates)) and np.all(np.isfinite(norms))
        assert finite == (status == ILS_OK)


def test_extreme_values_end_with_a_status():
    random = np.random.default_rng(6)
    values = [0.0, 1.0, -1.0, 1e-300, 1e300, 1e99, 1e-99, 1e16, np.nan, np.inf, 0.5]
    for _ in range(300):
        n = int(random.integers(1, 5))
        cov = random.choice(values, size=(n, n))
        if random.uniform() < 0.7:
            cov[np.diag_indices(n)] = np.abs(random.choice([1e99, 1.0, 1e-99, 1e20], size=n))
        floats = random.choice(values, size=n) * random.normal(size=n)
        status, candidates, norms = solve(cov, floats, n_node_max=1000)
        assert 0 <= status <= 3
        assert status != ILS_OK or np.all(np.isfinite(candidates))
        assert status != ILS_OK or not np.any(np.isnan(norms))


def test_interpreted_twin_gives_the_same_numbers():
    """The entry points run as plain Python over the compiled helpers give the same."""
    random = np.random.default_rng(11)
    for n in (1, 3, 6):
        cov = gnss_like(n, random)
        floats = random.normal(size=n) * 5.0
        status, candidates, norms = solve(cov, floats)
        interpreted = getattr(integer_least_squares, "py_func", integer_least_squares)
        twin_candidates, twin_norms = np.zeros((2, n)), np.zeros(2)
        twin = interpreted(cov, floats, n, 2, N_NODE_MAX, workspace(), twin_candidates, twin_norms)
        assert (twin, status) == (ILS_OK, ILS_OK)
        np.testing.assert_array_equal(candidates, twin_candidates)
        np.testing.assert_array_equal(norms, twin_norms)


def test_workspace_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1; got 0"):
        integer_workspace(0)


def test_success_rate_against_the_normal_distribution():
    random = np.random.default_rng(2)
    for _ in range(50):
        cond_var = 10.0 ** random.uniform(-4, 1, 8)
        first = int(random.integers(0, 8))
        expected = np.prod(2.0 * norm.cdf(0.5 / np.sqrt(cond_var[first:])) - 1.0)
        assert bootstrapped_success_rate(cond_var, first, 8) == pytest.approx(expected, rel=1e-10)
        failure = bootstrapped_failure_rate(cond_var, first, 8)
        assert failure == pytest.approx(1.0 - expected, rel=1e-9, abs=1e-15)


def test_failure_rate_keeps_its_digits_far_below_one():
    tiny = 2.0 * norm.sf(0.5 / 0.04)  # 7.5e-36
    assert bootstrapped_failure_rate(np.array([0.04**2]), 0, 1) == pytest.approx(tiny, rel=1e-9)


def test_success_rate_is_monotone_and_within_bounds():
    cond_var = np.full(20, 0.05)
    rates = [bootstrapped_success_rate(cond_var, first, 20) for first in range(21)]
    assert np.all(np.diff(rates) > 0.0)
    assert rates[-1] == 1.0
    worse = [bootstrapped_success_rate(np.array([v]), 0, 1) for v in 10.0 ** np.arange(-9, 300, 4)]
    assert np.all(np.diff(worse) <= 0.0)
    assert min(worse) >= 0.0
    assert max(worse) <= 1.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_success_rate_of_an_unusable_variance_is_zero(bad):
    assert bootstrapped_success_rate(np.array([0.01, bad]), 0, 2) == 0.0


def test_bootstrapping_is_a_lower_bound_of_least_squares():
    """Share of right fixes in 2000 draws, against the bound minus three standard deviations."""
    random = np.random.default_rng(21)
    n, n_draw = 6, 2000
    cov = gnss_like(n, random, 0.02, 1.0)
    work = workspace()
    assert decorrelate(cov, n, work) == ILS_OK
    bound = bootstrapped_success_rate(work.cond_var, 0, n)
    assert 0.2 < bound < 0.95
    draws = random.normal(size=(n_draw, n)) @ np.linalg.cholesky(cov).T
    right = sum(not np.any(solve(cov, draw, 1, work=work)[1][0]) for draw in draws) / n_draw
    assert right > bound - 3.0 * np.sqrt(bound * (1.0 - bound) / n_draw)


def test_enumeration_order_is_complete_on_a_grid():
    """The 27 nearest come out, none twice, and none nearer than the last is left out."""
    floats = np.array([0.1, -0.2, 0.05])
    _, candidates, norms = solve(np.eye(3), floats, 27)
    expected = set(itertools.product((-1.0, 0.0, 1.0), repeat=3))
    found = {tuple(candidate) for candidate in candidates}
    assert len(found) == 27
    assert {p for p in expected if sum((np.array(p) - floats) ** 2) < norms[-1] - 1e-9} <= found

"""What each method of interpolation leaves of simulated atmospheres, and its time per epoch.

    python -m bench.interpolation

Stations on jittered lattices, the 16 nearest within 2.2 spacings of a point near the middle; zenith
values, 3 mm of noise at each station. Kriging with the covariance fitted online sees 30 epochs of
the same atmosphere first. Seeds are fixed; the times are processor time of one busy machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from rtkpos._numba.cache_folder import use_project_cache

NOISE_M = 0.003
N_NETWORK, N_SAT, N_WINDOW = 60, 20, 30
TECU_M = 0.16237  # on L1
FIELDS = (
    ("gradient 2 mm/km", None),
    ("waves 0.5 TECU, 200 km", 200e3),
    ("waves 0.5 TECU, 120 km", 120e3),
)
SPACINGS_M = (30e3, 50e3, 70e3, 100e3)

Field = Callable[[np.ndarray, int], np.ndarray]


def main() -> None:
    """Print both tables."""
    use_project_cache()
    from rtkpos.network.interpolation.interpolate import METHODS

    columns = [*METHODS, "kriging, fitted", "its error / sigma"]
    print(f"| field | spacing | {' | '.join(columns)} |")
    print("|---" * (len(columns) + 2) + "|")
    for name, length_m in FIELDS:
        for spacing_m in SPACINGS_M:
            row = " | ".join(f"{value:.1f}" for value in left_over(spacing_m, length_m))
            print(f"| {name} | {spacing_m / 1e3:.0f} km | {row} |")
    for method in METHODS:
        print(f"{method}: {epoch_us(method):.1f} us per epoch, 12 stations, 45 satellites")


def left_over(spacing_m: float, length_m: float | None) -> list[float]:
    """RMS errors [mm] by method and of kriging with the fitted covariance; these over its sigma."""
    from rtkpos.network.interpolation.field_covariance import Covariance
    from rtkpos.network.interpolation.interpolate import METHODS, interpolate

    rng = np.random.default_rng(3)
    fixed = Covariance(0.03**2, 2.5 * spacing_m, NOISE_M**2, 1.5)
    errors: dict[str, list[np.ndarray]] = {}
    for _ in range(N_NETWORK):
        field = atmosphere(rng, length_m)
        place, point = network(rng, spacing_m)
        relative, truth = place - point, field(point[None], N_SAT)[0]
        values = field(place, N_SAT)
        values = values + rng.normal(0.0, NOISE_M, values.shape)
        for method in METHODS:
            got = interpolate(values, relative, method, covariance=fixed)
            errors.setdefault(method, []).append(got.value_m - truth)
        got = interpolate(values, relative, covariance=fitted(rng, place, field))
        errors.setdefault("fitted", []).append(got.value_m - truth)
        errors.setdefault("normalised", []).append(1e-3 * (got.value_m - truth) / got.sigma_m)
    return [1e3 * float(np.sqrt(np.mean(np.square(error)))) for error in errors.values()]


def network(rng: np.random.Generator, spacing_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Stations (n, 2) around a point (2,)."""
    line = np.arange(-4, 5) * spacing_m
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    grid = grid + rng.uniform(-0.25, 0.25, grid.shape) * spacing_m
    point = rng.uniform(-0.5, 0.5, 2) * spacing_m
    distance = np.hypot(*(grid - point).T)
    near = np.argsort(distance)[:16]
    return grid[near[distance[near] < 2.2 * spacing_m]], point


def atmosphere(rng: np.random.Generator, length_m: float | None) -> Field:
    """A gradient, or waves of a length whose phase differs by satellite and draw."""
    angle = rng.uniform(0.0, 2.0 * np.pi)
    along = np.array([np.cos(angle), np.sin(angle)])
    phases = rng.uniform(0.0, 2.0 * np.pi, N_SAT * (N_WINDOW + 1))

    def gradient(place_m: np.ndarray, n: int) -> np.ndarray:
        return np.repeat((2e-6 * place_m @ along)[:, None], n, axis=1)

    def waves(place_m: np.ndarray, n: int) -> np.ndarray:
        angle = 2.0 * np.pi * (place_m @ along)[:, None] / length_m + phases[:n]
        return 0.5 * TECU_M * np.sin(angle)

    return gradient if length_m is None else waves


def fitted(rng: np.random.Generator, place_m: np.ndarray, field: Field):  # type: ignore[no-untyped-def]
    """The covariance the online variogram finds in a window of epochs."""
    from rtkpos.network.interpolation.variogram import (
        add_differences,
        fit_variogram,
        forgetting,
        variogram_sums,
    )

    sums = variogram_sums()
    values = field(place_m, N_SAT * (N_WINDOW + 1))[:, N_SAT:]
    for epoch in np.split(values, N_WINDOW, axis=1):
        noisy = np.ascontiguousarray(epoch + rng.normal(0.0, NOISE_M, epoch.shape))
        add_differences(noisy, np.ones(N_SAT), place_m, forgetting(30.0), sums)
    return fit_variogram(sums, NOISE_M**2)


def epoch_us(method: str) -> float:
    """Microseconds of one epoch with all weights new, the least of several runs inside a kernel."""
    from rtkpos.network.interpolation.field_covariance import ACTIVE_IONOSPHERE
    from rtkpos.network.interpolation.interpolate import interpolate_epochs, method_code
    from rtkpos.network.interpolation.station_geometry import around_work

    n_epoch, rng = 500, np.random.default_rng(4)
    place = rng.uniform(-80e3, 80e3, (12, 2))
    values, slant = rng.normal(size=(n_epoch, 12, 45)), np.ones((n_epoch, 45))
    out = np.empty((n_epoch, 45)), np.empty((n_epoch, 45)), np.empty(45, np.int64)
    work, times = around_work(), []
    for _ in range(16):
        start = time.process_time()
        interpolate_epochs(method_code(method), place, values, slant, ACTIVE_IONOSPHERE, work, *out)
        times.append(time.process_time() - start)
    return 1e6 * min(times[1:]) / n_epoch


if __name__ == "__main__":
    main()

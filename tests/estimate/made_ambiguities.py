"""An epoch of double differences made by hand, with the arrays of the ambiguity kernels."""

from __future__ import annotations

import numpy as np

from rtkpos.estimate.baseline.filter_states import OWNER_BIAS, add_state
from rtkpos.estimate.step_memory import step_memory

WAVELENGTH_M = (0.19, 0.244)
N_SAT, N_BAND = 7, 2


def made_memory(seed=1, noise_cycle=0.03, position_m=0.4):
    """(StepMemory, true integers (sat, band)) of such an epoch."""
    memory = step_memory()
    return memory, fill(memory, seed, noise_cycle, position_m)


def fill(memory, seed=1, noise_cycle=0.03, position_m=0.4):
    """Fill work, state and ambiguity of a memory; the true integers (sat, band).

    The filter has position, clock and 14 ambiguities; floats are integers plus what the covariance
    allows; satellites are those of GPS.
    """
    random = np.random.default_rng(seed)
    work, state, amb = memory.work, memory.state, memory.ambiguity
    work.n_sat = N_SAT
    work.sat[:N_SAT] = np.arange(N_SAT) + 3
    los = random.normal(size=(N_SAT, 3))
    los[:, 2] = np.abs(los[:, 2]) + 0.3
    work.los[:N_SAT] = los / np.linalg.norm(los, axis=1)[:, None]
    work.elevation_rad[0, :N_SAT] = np.linspace(0.3, 1.4, N_SAT)[random.permutation(N_SAT)]
    work.wavelength_m[:N_SAT, :N_BAND] = WAVELENGTH_M
    work.group[:N_SAT, :N_BAND] = work.datum_group[:N_SAT, :N_BAND] = np.arange(N_BAND)
    work.var_phase_m2[:N_SAT, :N_BAND] = random.uniform(1.0, 3.0, (N_SAT, N_BAND)) * 4e-6
    work.phase_ok[:N_SAT, :N_BAND] = amb.candidate[:N_SAT, :N_BAND] = 1
    integers = random.integers(-30, 30, (N_SAT, N_BAND)).astype(float)
    for _ in range(4):
        add_state(state, 0.0, 1.0, OWNER_BIAS)
    for i in range(N_SAT):
        for band in range(N_BAND):
            owner = int(work.sat[i]) * state.slot.shape[1] + band
            state.slot[work.sat[i], band] = add_state(state, 0.0, 1.0, owner)
    n = int(state.n_state)
    design = np.zeros((n, 4))
    design[:4] = np.diag([position_m, 0.8 * position_m, 1.5 * position_m, 1.0])
    for i in range(N_SAT):
        for band in range(N_BAND):
            row = np.append(work.los[i], -1.0) / WAVELENGTH_M[band]
            design[state.slot[work.sat[i], band]] = row @ design[:4]
    cov = design @ design.T + np.diag([1e-4] * 4 + [noise_cycle**2] * (n - 4))
    truth = np.zeros(n)
    for i in range(N_SAT):
        for band in range(N_BAND):
            truth[state.slot[work.sat[i], band]] = integers[i, band]
    state.cov[:n, :n] = cov
    state.state[:n] = truth + np.linalg.cholesky(cov) @ random.normal(size=n)
    amb.reference[:] = -1
    return integers

"""Broadcast elements by name, for those who must not know the columns of the compiled tables."""

from __future__ import annotations

import numpy as np

from rtkpos._arrays import BoolArray, FloatArray
from rtkpos.core import tables as t

KEPLER_COLUMNS = {
    "af0_s": t.P_AF0,
    "af1": t.P_AF1,
    "af2_per_s": t.P_AF2,
    "sqrt_a": t.P_SQRT_A,
    "ecc": t.P_ECC,
    "i0_rad": t.P_I0,
    "omega0_rad": t.P_OMEGA0,
    "omega_rad": t.P_OMEGA,
    "m0_rad": t.P_M0,
    "delta_n": t.P_DELTA_N,
    "i_dot": t.P_I_DOT,
    "omega_dot": t.P_OMEGA_DOT,
    "cuc": t.P_CUC,
    "cus": t.P_CUS,
    "crc_m": t.P_CRC,
    "crs_m": t.P_CRS,
    "cic": t.P_CIC,
    "cis": t.P_CIS,
    "tgd1_s": t.P_TGD1,
    "tgd2_s": t.P_TGD2,
    "toe_sow": t.P_TOE_SOW,
}
GLONASS_COLUMNS = {
    "tau_n_s": t.G_TAU_N,
    "gamma_n": t.G_GAMMA_N,
    "dtau_s": t.G_DTAU,
    "x_m": t.G_X,
    "y_m": t.G_Y,
    "z_m": t.G_Z,
    "vx_mps": t.G_VX,
    "vy_mps": t.G_VY,
    "vz_mps": t.G_VZ,
    "ax_mps2": t.G_AX,
    "ay_mps2": t.G_AY,
    "az_mps2": t.G_AZ,
    "channel": t.G_CHANNEL,
}
Elements = dict[str, FloatArray]


def named_elements(param: FloatArray, columns: dict[str, int]) -> Elements:
    """Columns of a parameter table (n, N_PARAM) by name: each (n,), SI units and radians.

    columns : KEPLER_COLUMNS or GLONASS_COLUMNS
    """
    return {name: param[:, column].copy() for name, column in columns.items()}


def parameter_rows(elements: Elements, columns: dict[str, int]) -> FloatArray:
    """The inverse of `named_elements`: (n, N_PARAM); names that are absent become 0."""
    n = len(next(iter(elements.values())))
    out = np.zeros((n, t.N_PARAM))
    for name, values in elements.items():
        out[:, columns[name]] = values
    return out


def is_in_tilted_frame(elements: Elements) -> BoolArray:
    """Whether BeiDou elements are those of a GEO, given in the frame of 5 deg: (n,).

    By radius and inclination, as lists of satellites go stale (BDS-SIS-ICD-B1I-3.0, table 5-11).
    """
    return (elements["sqrt_a"] > 6300.0) & (np.abs(elements["i0_rad"]) < 0.35)

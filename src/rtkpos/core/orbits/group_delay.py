"""Group delay of a signal against the broadcast satellite clock."""

from __future__ import annotations

from rtkpos._numba.decorator import kernel
from rtkpos.core.orbits.ephemeris import CNV3, FNAV
from rtkpos.core.tables import G_DTAU, P_TGD1, P_TGD2

_GPS, _GLONASS, _GALILEO, _BEIDOU, _QZSS, _IRNSS, _SBAS = range(7)  # as in `gnss.systems`

_F_E1, _F_E5A, _F_E5B, _F_E5, _F_E6, _F_L2 = 154.0, 115.0, 118.0, 116.5, 125.0, 120.0
GAMMA_L2 = (_F_E1 / _F_L2) ** 2  # frequencies in units of 10.23 MHz
GAMMA_L5 = (_F_E1 / _F_E5A) ** 2
GAMMA_E5B = (_F_E1 / _F_E5B) ** 2
GAMMA_E5 = (_F_E1 / _F_E5) ** 2
GAMMA_E6 = (_F_E1 / _F_E6) ** 2
GAMMA_NAVIC = (2492.028 / 1176.45) ** 2


@kernel
def _gps_delay(tgd_s, band_digit):
    """GPS and QZSS: the clock belongs to L1/L2 P(Y); L5 and L6 by the same scaling, approximate."""
    if band_digit == 1:
        return tgd_s
    if band_digit == 2:
        return GAMMA_L2 * tgd_s
    return (GAMMA_L5 if band_digit == 5 else GAMMA_E6) * tgd_s


@kernel
def _galileo_delay(bgd_e5a_s, bgd_e5b_s, is_fnav, band_digit):
    """Galileo: F/NAV clock is E1/E5a, I/NAV clock E1/E5b (OS SIS ICD 2.1, 5.1.5).

    A band outside the clock pair is reached through E1: (gamma - 1) BGD(E1, band) + BGD(clock
    pair). F/NAV carries no BGD(E1, E5b): then, as for E5 and E6, the pair's BGD is scaled.
    """
    bgd_s = bgd_e5a_s if is_fnav else bgd_e5b_s
    if band_digit == 1:
        return bgd_s
    if band_digit == 5:
        return bgd_s + (GAMMA_L5 - 1.0) * bgd_e5a_s
    if band_digit == 7:
        return bgd_s + (GAMMA_E5B - 1.0) * (bgd_s if is_fnav else bgd_e5b_s)
    return (GAMMA_E5 if band_digit == 8 else GAMMA_E6) * bgd_s


@kernel
def _beidou_delay(tgd1_s, tgd2_s, message, band_digit):
    """BeiDou: the clock belongs to B3I (BDS-SIS-ICD-B1I-3.0, 5.2.4.10; B1C-1.0, 7.6).

    D1/D2 carry TGD1 (B1I) and TGD2 (B2I), CNV1 and CNV2 those of the B1C and B2a pilots, CNV3
    that of B2b. Each serves as stand-in for its neighbour band: B1I <-> B1C, B2I <-> B2a, B2b.
    """
    if band_digit == 6 or (message == CNV3 and band_digit <= 2):
        return 0.0
    return tgd1_s if band_digit <= 2 else tgd2_s


@kernel
def group_delay_s(eph, row, system, band_digit):
    """Group delay of a band against the broadcast clock.

    eph : EphemerisArrays      row, system : int      band_digit : int RINEX band, 1..9
    Returns : float [s], such that code = range + rx_clock - c (sat_clock - group_delay) + ...;
              0 where the message carries none

    GPS, QZSS: IS-GPS-200N 20.3.3.3.3.2 (L1: TGD, L2: gamma TGD). GLONASS: tau_n holds for L1 and
    L2 leaves dtau_n = t_f2 - t_f1 later (ICD GLONASS 5.1, 4.4). NavIC: S: TGD, L5: gamma TGD
    (IRNSS SIS ICD SPS 1.1, 6.2.1.5).
    """
    param = eph.param[row]
    if system in (_GPS, _QZSS):
        return _gps_delay(param[P_TGD1], band_digit)
    if system == _GALILEO:
        is_fnav = eph.message[row] == FNAV
        return _galileo_delay(param[P_TGD1], param[P_TGD2], is_fnav, band_digit)
    if system == _BEIDOU:
        return _beidou_delay(param[P_TGD1], param[P_TGD2], eph.message[row], band_digit)
    if system == _GLONASS:
        return param[G_DTAU] if band_digit == 2 else 0.0
    if system == _IRNSS:
        return param[P_TGD1] * (1.0 if band_digit == 9 else GAMMA_NAVIC)
    return 0.0

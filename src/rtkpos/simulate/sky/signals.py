"""Which signals a satellite sends, on what carrier, how late and how strong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from rtkpos._arrays import BoolArray, FloatArray, SatArray, SigArray, SmallArray
from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.gnss.signals import carrier_hz, sig_index
from rtkpos.gnss.systems import BEIDOU, GALILEO, GLONASS, GPS, PRN_PER_SYSTEM, QZSS, systems_of
from rtkpos.io.rinex._navigation.elements import GLONASS_COLUMNS, KEPLER_COLUMNS
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.observations import UNKNOWN_CHANNEL
from rtkpos.simulate.sky.beidou2 import code_nodes

CODES = {
    GPS: ("1C", "2W", "2L", "5Q"),
    GLONASS: ("1C", "2C", "2P"),
    GALILEO: ("1C", "5Q", "7Q"),
    BEIDOU: ("2I", "7I", "6I", "1P", "5P"),
    QZSS: ("1C", "2L", "5Q"),
}
# C/N0 at the zenith [dB-Hz] from orbits at MEO height, as two pairs of receivers show it
# (bench/realism.py); codeless tracking of L2 P(Y) loses most.
_ZENITH_DBHZ = {
    GPS: {"1C": 47.5, "2W": 45.0, "2L": 47.0, "5Q": 51.0},
    GLONASS: {"1C": 50.5, "2C": 48.5, "2P": 47.5},
    GALILEO: {"1C": 46.0, "5Q": 49.0, "7Q": 49.0},
    BEIDOU: {"2I": 50.5, "7I": 50.0, "6I": 52.5, "1P": 49.5, "5P": 52.0},
    QZSS: {"1C": 46.0, "2L": 48.0, "5Q": 51.0},
}
_DAY_ORBIT_DB = -2.0  # of satellites at geosynchronous height
_SCATTER_DB = 1.2  # of the power of satellites of one kind
# Semi-codeless tracking multiplies two noisy signals, so that it loses nearly twice the dB.
_STEEPNESS = {"2W": 1.7}
# Noise of the code and its multipath, relative to those of GPS L1 C/A: they shrink with the length
# of a chip, and Galileo's E1 with the sharper peak of its modulation. B1C of the one pair at hand
# was no better than B1I.
_JITTER = {(GLONASS, code): 1.5 for code in CODES[GLONASS]} | {(GALILEO, "1C"): 0.6}
_ECHO = {(GALILEO, "1C"): 0.6}
_WIDE, _WIDE_JITTER, _WIDE_ECHO = ("5Q", "7Q", "6I", "5P"), 0.3, 0.65
_DAY_ORBIT_SQRT_A, _STANDING_TILT_RAD = 6300.0, 0.35
_BDS2_LAST_PRN = 18  # BeiDou-2: B1I B2I B3I; later ones: B1I B3I B1C B2a


@dataclass(frozen=True)
class SignalSet:
    """Signals of the satellites of one system.

    sig : (n_sig,)      sent : (n_sat, n_sig)      hertz : (n_sat, n_sig) carrier
    delay_s : (n_sat, n_sig) against the broadcast clock      zenith_dbhz : (n_sig,)
    steepness : (n_sig,) factor of what low elevation costs      power_db : (n_sat,) over the usual
    jitter, echo : (n_sig,) factors of the noise of the code and of its multipath
    stands : (n_sat,) geostationary      channel : (n_sat,) of GLONASS, else 0
    code_nodes_m : (n_sat, n_sig, 10) error of codes by elevation, None without any
    """

    sig: SigArray
    sent: BoolArray
    hertz: FloatArray
    delay_s: FloatArray
    zenith_dbhz: FloatArray
    steepness: FloatArray
    power_db: FloatArray
    jitter: FloatArray
    echo: FloatArray
    stands: BoolArray
    channel: FloatArray
    code_nodes_m: FloatArray | None = None

    @property
    def wavelength_m(self) -> FloatArray:
        """Carrier wavelengths (n_sat, n_sig)."""
        return SPEED_OF_LIGHT_MPS / self.hertz


def signals_of(table: BroadcastTable, system: int, sat: SatArray, rng: Generator) -> SignalSet:
    """Signals of satellites of a system, with channels and group delays of their first record.

    rng : draws the satellites' powers
    """
    codes = CODES[system]
    rows = np.array([int(np.flatnonzero(table.sat == one)[0]) for one in sat], dtype=np.int64)
    param = table.param[rows]
    channel = np.zeros(len(sat))
    if system == GLONASS:
        channel = param[:, GLONASS_COLUMNS["channel"]]
    hertz = np.array([[carrier_hz(system, int(c[0]), int(k)) for c in codes] for k in channel])
    far = np.zeros(len(sat), dtype=bool)
    if system != GLONASS:
        far = param[:, KEPLER_COLUMNS["sqrt_a"]] > _DAY_ORBIT_SQRT_A
    sent = np.ones((len(sat), len(codes)), dtype=bool)
    if system == BEIDOU:
        is_second = ((sat & (PRN_PER_SYSTEM - 1)) + 1 <= _BDS2_LAST_PRN)[:, None]
        sent = np.where(is_second, [c in ("2I", "7I", "6I") for c in codes], True)
        sent &= is_second | np.array([c != "7I" for c in codes])
    return SignalSet(
        sig=np.array([sig_index(system, code) for code in codes], dtype=np.int16),
        sent=sent,
        hertz=hertz.reshape(len(sat), len(codes)),
        delay_s=_group_delays(system, codes, param),
        zenith_dbhz=np.array([_ZENITH_DBHZ[system][code] for code in codes]),
        steepness=np.array([_STEEPNESS.get(code, 1.0) for code in codes]),
        power_db=_SCATTER_DB * rng.standard_normal(len(sat)) + np.where(far, _DAY_ORBIT_DB, 0.0),
        jitter=_relative(system, codes, _JITTER, _WIDE_JITTER),
        echo=_relative(system, codes, _ECHO, _WIDE_ECHO),
        stands=far & (np.abs(param[:, KEPLER_COLUMNS["i0_rad"]]) < _STANDING_TILT_RAD),
        channel=channel,
        code_nodes_m=code_nodes(sat, far, codes) if system == BEIDOU else None,
    )


def _relative(
    system: int, codes: tuple[str, ...], special: dict[tuple[int, str], float], wide: float
) -> FloatArray:
    """A factor per signal: a special one, that of wide-band signals, else 1."""
    usual = [wide if code in _WIDE else 1.0 for code in codes]
    return np.array([special.get((system, c), u) for c, u in zip(codes, usual, strict=True)])


def _group_delays(system: int, codes: tuple[str, ...], param: FloatArray) -> FloatArray:
    """How much later than the broadcast clock a code leaves: (n_sat, n_sig) [s].

    Every system's clock is that of a combination or a band on which the delay is zero. Sources:
    IS-GPS-200N 20.3.3.3.3.2 and IS-GPS-705J (L5 scaled from TGD, without its ISC); Galileo OS SIS
    ICD 2.1, 5.1.5, with the I/NAV clock; BDS-SIS-ICD-B1I-3.0, 5.2.4.10, B1C and B2a alike B1I, B2I.
    """
    tgd1 = param[:, KEPLER_COLUMNS["tgd1_s"]]
    tgd2 = param[:, KEPLER_COLUMNS["tgd2_s"]]
    first_hz = carrier_hz(system, 1)
    out = np.zeros((len(param), len(codes)))
    for k, code in enumerate(codes):
        scale = (first_hz / carrier_hz(system, int(code[0]))) ** 2
        if system in (GPS, QZSS):
            out[:, k] = scale * tgd1
        elif system == GALILEO:
            pair = tgd1 if code[0] == "5" else tgd2
            out[:, k] = tgd2 - (1.0 - scale) * pair
        elif system == BEIDOU:
            out[:, k] = {"1": tgd1, "2": tgd1, "6": 0.0 * tgd1}.get(code[0], tgd2)
    return out


def channel_numbers(table: BroadcastTable) -> SmallArray:
    """GLONASS channels by slot - 1: (64,) int8, UNKNOWN_CHANNEL where there is no satellite."""
    out = np.full(PRN_PER_SYSTEM, UNKNOWN_CHANNEL, dtype=np.int8)
    mine = systems_of(table.sat) == GLONASS
    out[table.sat[mine] & 63] = table.param[mine, GLONASS_COLUMNS["channel"]].astype(np.int8)
    return out

"""Constellations as an almanac describes them: one set of elements per satellite.

Nominal orbits (GPS SPS Performance Standard 2020, 3.2; Galileo OS SDD 1.3, 2.1;
BDS-SIS-ICD-B1I-3.0, 3.1; GLONASS ICD 5.1, 3.2.1; IS-QZSS-PNT-005, 3.1), with eccentricities,
harmonic terms and clocks as large as they are in flight, so that every term is used. As many
satellites as really fly: 31 GPS, 24 GLONASS, 26 Galileo, 45 BeiDou (15 of the second, 30 of the
third generation), 4 QZSS.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from rtkpos._arrays import FloatArray, SatArray, TimeArray
from rtkpos.constants import DEG, OMEGA_EARTH_GLONASS
from rtkpos.gnss.systems import BEIDOU, GALILEO, GLONASS, GPS, QZSS, sat_index
from rtkpos.io.rinex._navigation.elements import Elements
from rtkpos.simulate.sky.element_orbits import TILT_RAD, earth_rate, gravity_constant

_DAY_ORBIT_A_M = 42_164_170.0
# Walker constellations: satellites, planes, phasing, inclination [deg], semi-major axis [m].
_WALKER = {
    GALILEO: (24, 3, 1, 56.0, 29_599_800.0),
    BEIDOU: (24, 3, 1, 55.0, 27_906_100.0),
    GLONASS: (24, 3, 1, 64.8, 25_508_200.0),
}
# GPS: node and arguments of latitude [deg] of the 24 slots of the planes A to F.
# Source: GPS SPS Performance Standard (2001), table 3-1.
_GPS_AXIS_M, _GPS_TILT_DEG, _N_GPS = 26_559_700.0, 55.0, 31
_GPS_PLANES = (
    (272.847, (268.126, 161.786, 11.676, 41.806)),
    (332.847, (80.956, 173.336, 309.976, 204.376)),
    (32.847, (111.876, 11.796, 339.666, 241.556)),
    (92.847, (135.226, 265.446, 35.136, 167.356)),
    (152.847, (197.046, 302.596, 66.066, 333.686)),
    (212.847, (238.886, 345.226, 105.206, 135.346)),
)
# Galileo E14 and E18, which missed their orbits and serve nevertheless.
_GALILEO_NUMBERS = (*range(1, 14), *range(15, 18), *range(19, 27), 14, 18)
_GALILEO_LONG = {"axis_m": 27_977_600.0, "ecc": 0.162, "tilt": 49.85 * DEG}
_BEIDOU_MEO = (*range(19, 31), *range(32, 38), *range(41, 47))
_BEIDOU2_MEO = (11, 12, 14)
# IGSO one behind the other on a ground track: longitude of its crossing, how far ahead of the
# first group [deg], numbers. Read from broadcast records of June 2024.
_BEIDOU_IGSO = (
    (118.0, 0.0, (38, 39, 40)),
    (108.0, -13.0, (6, 7, 8)),
    (94.0, -25.0, (9, 10, 13)),
)
_BEIDOU_SINGLE_IGSO = (110.0, -11.0, 16)
_BEIDOU_GEO = (  # number, longitude [deg]
    (1, 140.0),
    (2, 84.0),
    (3, 110.5),
    (4, 160.0),
    (5, 58.75),
    (59, 140.0),
    (60, 80.0),
    (61, 110.5),
)
_QZSS_QZO, _QZSS_GEO, _QZSS_GEO_LON_DEG = (2, 3, 4), 7, 127.0
# Channels of the 24 slots; antipodal satellites share one (GLONASS constellation status 2023).
_CHANNELS = (1, -4, 5, 6, 1, -4, 5, 6, -2, -7, 0, -1, -2, -7, 0, -1, 4, -3, 3, 2, 4, -3, 3, 2)


@dataclass(frozen=True)
class Almanac:
    """Elements of the satellites of one system at a common reference time.

    sat : (n,) int16, increasing      elements : by name, each (n,)      toe_ns : (n,) GPST [ns]
    """

    system: int
    sat: SatArray
    elements: Elements
    toe_ns: TimeArray


def nominal_almanac(system: int, toe_ns: int, toe_sow: float, rng: Generator) -> Almanac:
    """The nominal constellation of a system; toe_sow : toe as second of the system's own week."""
    if system == GLONASS:
        return _glonass(toe_ns, rng)
    builders = {GPS: _gps, GALILEO: _galileo, BEIDOU: _beidou, QZSS: _qzss}
    numbers, shapes = builders[system](rng)
    sat = np.array([sat_index(system, n) for n in numbers], dtype=np.int16)
    e = {name: np.array([shape[name] for shape in shapes]) for name in shapes[0]}
    n = len(sat)
    e["omega0_rad"] = _wrap(e.pop("node_rad") + earth_rate(system) * toe_sow)
    e["m0_rad"], e["omega_rad"] = _wrap(e["m0_rad"]), _wrap(e["omega_rad"])
    e["toe_sow"] = np.full(n, toe_sow)
    _perturb(e, rng)
    _add_clock(e, system, rng)
    order = np.argsort(sat)
    elements = {name: values[order] for name, values in e.items()}
    return Almanac(system, sat[order], elements, np.full(n, toe_ns))


def _wrap(angle: FloatArray) -> FloatArray:
    return (angle + math.pi) % (2.0 * math.pi) - math.pi


def _shape(axis_m: float, ecc: float, tilt: float, node: float, phase: float) -> dict[str, float]:
    """Elements of an orbit by its argument of latitude; perigee where `perigee` puts it later."""
    perigee = (node * 7.0 + tilt) % (2.0 * math.pi)
    return {
        "sqrt_a": math.sqrt(axis_m),
        "ecc": ecc,
        "i0_rad": tilt,
        "node_rad": node,
        "omega_rad": perigee,
        "m0_rad": phase - perigee,
    }


def _walker(system: int, rng: Generator) -> list[dict[str, float]]:
    """Walker delta pattern i: n/planes/phasing. Source: Walker (1984), JBIS 37:559."""
    n, planes, phasing, tilt_deg, axis_m = _WALKER[system]
    start = rng.uniform(0.0, 2.0 * math.pi)
    shapes = []
    for k in range(n):
        plane, place = divmod(k, n // planes)
        node = start + 2.0 * math.pi * plane / planes
        phase = 2.0 * math.pi * (place * planes / n + phasing * plane / n)
        ecc = rng.uniform(0.0005, 0.002)
        shapes.append(_shape(axis_m, ecc, tilt_deg * DEG, node, phase))
    return shapes


def _gps(rng: Generator) -> tuple[list[int], list[dict[str, float]]]:
    """The 24 slots and seven satellites more, in the middle of the widest gaps."""
    planes = [(node, sorted(slots)) for node, slots in _GPS_PLANES]
    for _ in range(_N_GPS - 24):
        gap, place, slots = max(
            (float((after - before) % 360.0), before, slots)
            for _, slots in planes
            for before, after in zip(slots, slots[1:] + slots[:1], strict=True)
        )
        slots.append((place + gap / 2.0) % 360.0)
        slots.sort()
    turn, ahead = rng.uniform(0.0, 360.0, 2)
    shapes = [
        _shape(
            _GPS_AXIS_M,
            rng.uniform(0.0005, 0.012),
            _GPS_TILT_DEG * DEG,
            (node + turn) * DEG,
            (slot + ahead) * DEG,
        )
        for node, slots in planes
        for slot in slots
    ]
    return list(range(1, _N_GPS + 1)), shapes


def _galileo(rng: Generator) -> tuple[list[int], list[dict[str, float]]]:
    """The Walker constellation, and the two satellites in elongated orbits."""
    shapes = _walker(GALILEO, rng)
    node, phase = rng.uniform(0.0, 2.0 * math.pi, 2)
    for half in (0.0, math.pi):
        long = _GALILEO_LONG
        shapes.append(_shape(long["axis_m"], long["ecc"], long["tilt"], node, phase + half))
    return list(_GALILEO_NUMBERS), shapes


def _day_orbits(
    n: int, lon_deg: float, shape: tuple[float, float, float], ahead: float = 0.0
) -> list[dict[str, float]]:
    """n satellites one after the other on one ground track crossing the equator at a longitude.

    shape : eccentricity, inclination, argument of perigee [rad]      ahead : of all [rad]
    """
    ecc, tilt, perigee = shape
    shapes = []
    for k in range(n):
        turn = 2.0 * math.pi * k / n + ahead
        one = _shape(_DAY_ORBIT_A_M, ecc, tilt, lon_deg * DEG - turn, turn)
        one |= {"omega_rad": perigee, "m0_rad": turn - perigee}
        shapes.append(one)
    return shapes


def _beidou(rng: Generator) -> tuple[list[int], list[dict[str, float]]]:
    """24 and 3 MEO, 3 and 7 IGSO, 3 and 5 GEO of the third and the second generation."""
    medium = _walker(BEIDOU, rng)
    # Half-way between the first two satellites of each plane.
    second = [dict(medium[k], m0_rad=medium[k]["m0_rad"] + math.pi / 8.0) for k in (0, 8, 16)]
    ahead = rng.uniform(0.0, 2.0 * math.pi)
    igso = (0.003, 55.0 * DEG, math.pi)
    shapes, numbers = medium + second, [*_BEIDOU_MEO, *_BEIDOU2_MEO]
    for lon_deg, more_deg, group in _BEIDOU_IGSO:
        shapes += _day_orbits(len(group), lon_deg, igso, ahead + more_deg * DEG)
        numbers += group
    lon_deg, more_deg, number = _BEIDOU_SINGLE_IGSO
    shapes += _day_orbits(1, lon_deg, igso, ahead + more_deg * DEG)
    shapes += [_geo(lon_deg, rng) for _, lon_deg in _BEIDOU_GEO]
    return [*numbers, number, *(one for one, _ in _BEIDOU_GEO)], shapes


def _qzss(rng: Generator) -> tuple[list[int], list[dict[str, float]]]:
    """Three quasi-zenith satellites around 139 deg E, slowest over the north, and one GEO."""
    ahead = rng.uniform(0.0, 2.0 * math.pi)
    shapes = _day_orbits(3, 139.0, (0.075, 41.0 * DEG, 1.5 * math.pi), ahead)
    shapes += _day_orbits(1, _QZSS_GEO_LON_DEG, (0.0002, 0.1 * DEG, 0.0), ahead)
    return [*_QZSS_QZO, _QZSS_GEO], shapes


def _geo(lon_deg: float, rng: Generator) -> dict[str, float]:
    """A GEO 1.5 deg off the equator, its elements referred to the frame tilted by 5 deg."""
    lon, tilt = lon_deg * DEG, 1.5 * DEG
    node = rng.uniform(0.0, 2.0 * math.pi)
    pole = np.array(
        [math.sin(tilt) * math.sin(node), -math.sin(tilt) * math.cos(node), math.cos(tilt)]
    )
    here = np.array([math.cos(lon), math.sin(lon), 0.0])
    here -= pole * (pole @ here)
    axis_m = (gravity_constant(BEIDOU) / earth_rate(BEIDOU) ** 2) ** (1.0 / 3.0)
    return tilted_elements(here / np.linalg.norm(here), pole, axis_m, 0.0004)


def tilted_elements(
    here: FloatArray, pole: FloatArray, axis_m: float, ecc: float
) -> dict[str, float]:
    """Elements at perigee `here` of an orbit around `pole`, unit vectors of the level frame."""
    sin_t, cos_t = math.sin(TILT_RAD), math.cos(TILT_RAD)
    lean = np.array([[1.0, 0.0, 0.0], [0.0, cos_t, sin_t], [0.0, -sin_t, cos_t]])
    place, axis = lean @ here, lean @ pole
    node = math.atan2(axis[0], -axis[1])
    ahead = np.array([math.cos(node), math.sin(node), 0.0])
    perigee = math.atan2(float(np.cross(ahead, place) @ axis), float(ahead @ place))
    return {
        "sqrt_a": math.sqrt(axis_m),
        "ecc": ecc,
        "i0_rad": math.acos(float(axis[2])),
        "node_rad": node,
        "omega_rad": perigee,
        "m0_rad": 0.0,
    }


def _perturb(e: Elements, rng: Generator) -> None:
    """Small terms of usual size; none for orbits in the tilted frame, see `reissue`."""
    n = len(e["ecc"])
    is_geo = (e["sqrt_a"] > 6300.0) & (e["i0_rad"] < 0.35)
    for name, size in (
        ("delta_n", 4e-9),
        ("i_dot", 3e-10),
        ("omega_dot", 8e-9),
        ("cuc", 4e-6),
        ("cus", 8e-6),
        ("crc_m", 250.0),
        ("crs_m", 60.0),
        ("cic", 1e-7),
        ("cis", 1e-7),
    ):
        value = rng.uniform(-1.0, 1.0, n) * size
        e[name] = np.where(is_geo, 0.0, -np.abs(value) if name == "omega_dot" else value)


def _add_clock(e: Elements, system: int, rng: Generator) -> None:
    """Polynomials of the size of rubidium clocks, and group delays."""
    n = len(e["ecc"])
    e["af0_s"] = rng.uniform(-4e-4, 4e-4, n)
    e["af1"] = rng.uniform(-8e-12, 8e-12, n)
    e["af2_per_s"] = rng.uniform(-1e-19, 1e-19, n) if system == BEIDOU else np.zeros(n)
    e["tgd1_s"] = np.round(rng.uniform(-12e-9, 12e-9, n), 10)
    is_paired = system in (GALILEO, BEIDOU)
    e["tgd2_s"] = np.round(rng.uniform(-12e-9, 12e-9, n), 10) if is_paired else np.zeros(n)


def _glonass(toe_ns: int, rng: Generator) -> Almanac:
    """The Walker constellation as states in the rotating frame."""
    n = len(_CHANNELS)
    shapes = _walker(GLONASS, rng)
    e: Elements = {name: np.zeros(n) for name in ("dtau_s", "ax_mps2", "ay_mps2", "az_mps2")}
    state = np.array([_circular_state(shape) for shape in shapes])
    for k, name in enumerate(("x_m", "y_m", "z_m", "vx_mps", "vy_mps", "vz_mps")):
        e[name] = state[:, k]
    for name in ("ax_mps2", "ay_mps2", "az_mps2"):
        e[name] = np.asarray(rng.integers(-3, 4, n) * 2.0**-30 * 1e3, dtype=np.float64)
    e["tau_n_s"] = rng.uniform(-2e-4, 2e-4, n)
    e["gamma_n"] = np.asarray(rng.integers(-4, 5, n) * 2.0**-40, dtype=np.float64)
    e["channel"] = np.array(_CHANNELS, dtype=np.float64)
    sat = np.array([sat_index(GLONASS, k + 1) for k in range(n)], dtype=np.int16)
    return Almanac(GLONASS, sat, e, np.full(n, toe_ns))


def _circular_state(shape: dict[str, float]) -> FloatArray:
    """Position and velocity (6,) in the rotating frame of a circular orbit."""
    radius = shape["sqrt_a"] ** 2
    u, node, tilt = shape["omega_rad"] + shape["m0_rad"], shape["node_rad"], shape["i0_rad"]
    node_axis = np.array([math.cos(node), math.sin(node), 0.0])
    side = np.array(
        [-math.sin(node) * math.cos(tilt), math.cos(node) * math.cos(tilt), math.sin(tilt)]
    )
    place = radius * (math.cos(u) * node_axis + math.sin(u) * side)
    pace = math.sqrt(gravity_constant(GLONASS) / radius)
    speed = pace * (math.cos(u) * side - math.sin(u) * node_axis)
    speed = speed - np.cross([0.0, 0.0, OMEGA_EARTH_GLONASS], place)
    return np.concatenate([place, speed])

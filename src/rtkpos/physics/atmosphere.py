"""Which broadcast ionosphere a run uses, as the arrays the kernels take."""

from __future__ import annotations

import numpy as np

from rtkpos.core.atmosphere.ionosphere import (
    IONO_BDGIM,
    IONO_KLOBUCHAR,
    IONO_KLOBUCHAR_BEIDOU,
    IONO_OFF,
    N_BACKGROUND,
    SLOTS_PER_DAY,
    IonosphereModel,
    bdgim_background,
    bdgim_slot,
)
from rtkpos.errors import ConfigError
from rtkpos.records.broadcast import BroadcastTable, Ionosphere
from rtkpos.records.report import ReadReport

# (kind, source letter) of the messages each choice accepts, in order of preference.
GPS_KLOBUCHAR = ("klobuchar", "G")
BEIDOU_KLOBUCHAR = ("klobuchar", "C")
BDGIM = ("bdgim", "C")
CANDIDATES = {
    "broadcast": (GPS_KLOBUCHAR, BEIDOU_KLOBUCHAR, BDGIM),
    "klobuchar": (GPS_KLOBUCHAR, BEIDOU_KLOBUCHAR),
    "bdgim": (BDGIM,),
}
MODEL_KIND = {
    GPS_KLOBUCHAR: IONO_KLOBUCHAR,
    BEIDOU_KLOBUCHAR: IONO_KLOBUCHAR_BEIDOU,
    BDGIM: IONO_BDGIM,
}
N_COEFFICIENT = {"klobuchar": 8, "bdgim": 9}


def no_ionosphere() -> IonosphereModel:
    """The model whose delay is 0 everywhere."""
    return _model(IONO_OFF, np.zeros(9), 0, np.zeros((SLOTS_PER_DAY, N_BACKGROUND)))


def ionosphere_model(
    broadcast: BroadcastTable,
    choice: str,
    start_ns: int,
    end_ns: int,
    report: ReadReport,
) -> IonosphereModel:
    """The ionosphere of a run from its navigation data.

    choice           : "broadcast" (GPS Klobuchar, else BeiDou Klobuchar, else BDGIM), "klobuchar",
                       "bdgim" or "off" (`RtkConfig.atmosphere.ionosphere`)
    start_ns, end_ns : span of the run, GPST [ns]; of several messages the one sent nearest to its
                       middle counts, a header value only when there is no dated message
    report           : gets a warning when there is no usable message; the model is then "off"
    """
    if choice == "off":
        return no_ionosphere()
    if choice not in CANDIDATES:
        raise ConfigError(
            f"atmosphere.ionosphere must be one of {', '.join(CANDIDATES)}, off; got {choice!r}."
        )
    middle_ns = (start_ns + end_ns) // 2
    for candidate in CANDIDATES[choice]:
        message = _nearest(broadcast.ionosphere, candidate, middle_ns)
        if message is not None:
            return _compiled(MODEL_KIND[candidate], message, start_ns, end_ns)
    report.warn(
        f"the navigation data hold no usable ionosphere for {choice!r}; "
        "ionospheric delays are not corrected."
    )
    return no_ionosphere()


def is_usable(message: Ionosphere) -> bool:
    """True when the coefficients are complete, finite and not all zero."""
    n = N_COEFFICIENT.get(message.kind, 0)
    values = np.asarray(message.coefficients, dtype=np.float64)[:n]
    return n > 0 and len(values) == n and bool(np.isfinite(values).all() and values[:4].any())


def _nearest(
    messages: tuple[Ionosphere, ...], candidate: tuple[str, str], time_ns: int
) -> Ionosphere | None:
    """The usable message of a kind and system sent nearest to a time; dated before undated."""
    usable = [m for m in messages if (m.kind, m.source) == candidate and is_usable(m)]
    return min(usable, key=lambda m: (m.time_ns < 0, abs(m.time_ns - time_ns), m.sat), default=None)


def _compiled(kind: int, message: Ionosphere, start_ns: int, end_ns: int) -> IonosphereModel:
    """A message as arrays; BDGIM with its fixed part for every two hours of the run."""
    coefficients = np.zeros(9)
    n = N_COEFFICIENT[message.kind]
    coefficients[:n] = np.asarray(message.coefficients, dtype=np.float64)[:n]
    if kind != IONO_BDGIM:
        return _model(kind, coefficients, 0, np.zeros((SLOTS_PER_DAY, N_BACKGROUND)))
    first, last = int(bdgim_slot(start_ns)), int(bdgim_slot(max(start_ns, end_ns)))
    background = np.zeros((max(last - first + 1, SLOTS_PER_DAY), N_BACKGROUND))
    for row in range(len(background)):
        bdgim_background(first + row, background[row])
    return _model(kind, coefficients, first, background)


def _model(kind: int, coefficients: np.ndarray, slot: int, table: np.ndarray) -> IonosphereModel:
    """An IonosphereModel with the types every kernel is compiled for."""
    return IonosphereModel(
        int(kind), np.ascontiguousarray(coefficients), int(slot), np.ascontiguousarray(table)
    )

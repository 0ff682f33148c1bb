"""What we hold: frozen dataclasses of arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtkpos._lazy import public_words

if TYPE_CHECKING:
    from rtkpos.records.antenna import Antenna, AntennaPattern, AntennaTable
    from rtkpos.records.broadcast import BroadcastTable, Ionosphere, Message
    from rtkpos.records.config import (
        Ambiguity,
        Antennas,
        Atmosphere,
        BaseLink,
        Noise,
        RtkConfig,
        Selection,
        Slips,
        Tides,
    )
    from rtkpos.records.observations import EventRecord, ObsTable, Station
    from rtkpos.records.precise import PreciseTable
    from rtkpos.records.report import ReadReport
    from rtkpos.records.signal_use import SignalUse
    from rtkpos.records.solution import Diagnostics, HourlyMeans, Solution
    from rtkpos.records.status import FixStatus, Reason

_PLACES = {
    "antenna": (
        "Antenna",
        "AntennaPattern",
        "AntennaTable",
    ),
    "broadcast": (
        "BroadcastTable",
        "Ionosphere",
        "Message",
    ),
    "config": (
        "Ambiguity",
        "Antennas",
        "Atmosphere",
        "BaseLink",
        "Noise",
        "RtkConfig",
        "Selection",
        "Slips",
        "Tides",
    ),
    "observations": (
        "EventRecord",
        "ObsTable",
        "Station",
    ),
    "precise": ("PreciseTable",),
    "report": ("ReadReport",),
    "signal_use": ("SignalUse",),
    "solution": (
        "Diagnostics",
        "HourlyMeans",
        "Solution",
    ),
    "status": (
        "FixStatus",
        "Reason",
    ),
}
__getattr__, __dir__ = public_words(__name__, _PLACES)

__all__ = [
    "Ambiguity",
    "Antenna",
    "AntennaPattern",
    "AntennaTable",
    "Antennas",
    "Atmosphere",
    "BaseLink",
    "BroadcastTable",
    "Diagnostics",
    "EventRecord",
    "FixStatus",
    "HourlyMeans",
    "Ionosphere",
    "Message",
    "Noise",
    "ObsTable",
    "PreciseTable",
    "ReadReport",
    "Reason",
    "RtkConfig",
    "Selection",
    "SignalUse",
    "Slips",
    "Solution",
    "Station",
    "Tides",
]

"""Models for arrays: check units and ranges, call core, return named results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtkpos._lazy import public_words

if TYPE_CHECKING:
    from rtkpos.physics.satellites import SatelliteStates, satellite_states

_PLACES = {
    "satellites": (
        "SatelliteStates",
        "satellite_states",
    ),
}
__getattr__, __dir__ = public_words(__name__, _PLACES)

__all__ = [
    "SatelliteStates",
    "satellite_states",
]

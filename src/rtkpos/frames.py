"""Coordinates of points: degrees and ECEF, reference frames and their epochs.

`point_from_degrees` and `degrees_from_ecef` go between latitude, longitude, height and ECEF
(WGS 84); `convert_frame` moves points between the frames of `FRAMES`, `to_frame` between any that
PROJ knows.
"""

from __future__ import annotations

from rtkpos.physics.coordinates import degrees_from_ecef, point_from_degrees, to_frame
from rtkpos.physics.plates import plate_velocity
from rtkpos.physics.reference_frames import FRAMES, Frame, common_frame, convert_frame

__all__ = [
    "FRAMES",
    "Frame",
    "common_frame",
    "convert_frame",
    "degrees_from_ecef",
    "plate_velocity",
    "point_from_degrees",
    "to_frame",
]

"""Antenna calibrations: phase-centre offsets and variations by antenna type."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.gnss.systems import SYSTEM_LETTERS
from rtkpos.records.report import ReadReport
from rtkpos.records.shown import Facts, Shown, file_words

NULL_ANTENNA = "ADVNULLANTENNA"  # what network software calls the antenna of a virtual station
NO_RADOME = "NONE"
ALWAYS_NS = (-(1 << 62), 1 << 62)


@dataclass(frozen=True, kw_only=True)
class AntennaPattern:
    """Calibration of one antenna on one carrier.

    Parameters
    ----------
    pco_m : ndarray of float64
        (3,) mean phase centre minus reference point [m]: east, north, up of a receiver's antenna,
        x, y, z of the satellite's body for a satellite's.
    pcv_m : ndarray of float64
        (n_azimuth, n_zenith) phase-centre variation [m]; one row where it is equal in azimuth.
    """

    pco_m: FloatArray
    pcv_m: FloatArray


@dataclass(frozen=True, kw_only=True, repr=False)
class Antenna(Shown):
    """One antenna of a calibration file.

    Parameters
    ----------
    kind : str
        IGS name of the type ("LEIAR25.R3"); of a satellite its block.
    radome : str
        IGS name of the radome ("NONE"); "" for satellites.
    serial : str, optional
        Serial number, "" for the mean of a type.
    sat : int, optional
        Dense satellite index, -1 for receiver antennas.
    valid_ns : tuple[int, int], optional
        First and last GPST [ns].
    azimuth_rad : ndarray of float64
        (n_azimuth,) clockwise from north, a whole turn, or (1,) 0 [rad].
    zenith_rad : ndarray of float64
        (n_zenith,) zenith (satellites: nadir) angle, ascending [rad].
    patterns : dict[tuple[int, int], AntennaPattern]
        Calibrations by (system, RINEX band digit).
    """

    kind: str
    radome: str
    serial: str = ""
    sat: int = -1
    valid_ns: tuple[int, int] = ALWAYS_NS
    azimuth_rad: FloatArray
    zenith_rad: FloatArray
    patterns: dict[tuple[int, int], AntennaPattern]

    @property
    def name(self) -> str:
        """Type and radome as one writes them."""
        return f"{self.kind} {self.radome}".strip()

    def _facts(self) -> Facts:
        """The antenna and the carriers it was calibrated on."""
        bands = ", ".join(f"{SYSTEM_LETTERS[system]}{band}" for system, band in self.patterns)
        return {"name": self.name, "serial": self.serial, "calibrated on": bands}


@dataclass(frozen=True, kw_only=True, repr=False)
class AntennaTable(Shown):
    """The antennas of a calibration file that were asked for.

    Parameters
    ----------
    antennas : tuple of Antenna
        The antennas.
    is_absolute : bool, optional
        False where the file gives variations relative to a reference antenna.
    source : str, optional
        Name of the file.
    report : ReadReport, optional
        What was met on the way.
    """

    antennas: tuple[Antenna, ...]
    is_absolute: bool = True
    source: str = ""
    report: ReadReport = field(default_factory=ReadReport)

    def _facts(self) -> Facts:
        """How many antennas of receivers and satellites, and where they stand."""
        n_receiver = sum(one.sat < 0 for one in self.antennas)
        return {
            "receivers": f"{n_receiver} of receivers",
            "satellites": f"{len(self.antennas) - n_receiver} of satellites",
            "kind": "absolute" if self.is_absolute else "relative",
            "file": file_words((self.source,)),
        }

    def receiver(self, kind: str, radome: str, time_ns: int | None = None) -> Antenna | None:
        """The antenna of a type and radome, the mean of its type first; None when unknown.

        Parameters
        ----------
        kind : str
            Type.
        radome : str
            Radome, "" = NONE.
        time_ns : int, optional
            Time at which it must be valid, GPST [ns].

        Returns
        -------
        Antenna or None
            The antenna.
        """
        found = [
            a for a in self.antennas if a.sat < 0 and (a.kind, a.radome) == (kind, radome or "NONE")
        ]
        valid = [a for a in found if _covers(a, time_ns)]
        return min(valid, key=lambda a: a.serial != "", default=None)

    def satellite(self, sat: int, time_ns: int) -> Antenna | None:
        """The antenna a satellite carried at a time; None when unknown.

        Parameters
        ----------
        sat : int
            Satellite index.
        time_ns : int
            GPST [ns].

        Returns
        -------
        Antenna or None
            The antenna.
        """
        found = [a for a in self.antennas if a.sat == sat and _covers(a, time_ns)]
        return found[0] if found else None


def split_antenna_name(text: str) -> tuple[str, str]:
    """Type and radome of "LEIAR25.R3      NONE"; radome NONE where there is no second word."""
    words = text.upper().split()
    if len(words) > 1 and len(words[-1]) == 4:
        return " ".join(words[:-1]), words[-1]
    return " ".join(words), NO_RADOME


def null_antenna() -> Antenna:
    """The antenna whose phase centre is its reference point: that of virtual stations."""
    return Antenna(
        kind=NULL_ANTENNA,
        radome=NO_RADOME,
        azimuth_rad=np.zeros(1),
        zenith_rad=np.array([0.0, np.pi / 2.0]),
        patterns={},
    )


def _covers(antenna: Antenna, time_ns: int | None) -> bool:
    """Whether a calibration is valid at a time; always when no time is given."""
    return time_ns is None or antenna.valid_ns[0] <= time_ns <= antenna.valid_ns[1]

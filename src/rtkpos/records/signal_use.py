"""Which signals a run paired, band by band."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SignalUse:
    """One pair of codes of a band.

    Parameters
    ----------
    system : str
        System letter.
    band : int
        RINEX band digit.
    rover : str
        Code of the rover ("2W").
    base : str
        Code of the base.
    n_phase : int
        Satellite-epochs with the phase.
    n_code : int
        Satellite-epochs with the code alone.
    compared_with : str
        The pair whose phases these form double differences with, itself by default.
    """

    system: str
    band: int
    rover: str
    base: str
    n_phase: int
    n_code: int
    compared_with: str

    @property
    def pair(self) -> str:
        """The codes in short: "2W" or "2L-2X"."""
        return pair_name(self.rover, self.base)


def pair_name(rover: str, base: str) -> str:
    """Codes of rover and base in short: "2W" when they are the same, else "2L-2X"."""
    return rover if rover == base else f"{rover}-{base}"


def use_lines(uses: tuple[SignalUse, ...]) -> list[str]:
    """One line by system: "G  L1 1C 3432; L2 2W 3431 + 2L 19; L5 5Q-5X 1505".

    Pairs joined by "+" form double differences together, "," keeps them apart. Only pairs with
    phases are named; the number is that of satellite-epochs.
    """
    lines: dict[str, dict[int, str]] = {}
    for use in uses:
        if not use.n_phase:
            continue
        bands = lines.setdefault(use.system, {})
        text = f"{use.pair} {use.n_phase}"
        if use.band in bands:
            others = [o for o in uses if (o.system, o.band) == (use.system, use.band)]
            is_joint = any(o is not use and o.compared_with == use.compared_with for o in others)
            bands[use.band] += (" + " if is_joint else ", ") + text
        else:
            bands[use.band] = text
    return [
        f"{system}  " + "; ".join(f"L{band} {text}" for band, text in bands.items())
        for system, bands in lines.items()
    ]

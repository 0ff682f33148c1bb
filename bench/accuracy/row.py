"""One row of the benchmark: a recording in one mode."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.accuracy.targets import Target

DEFAULT_SYSTEMS = "GRECJI"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One recording in one mode.

    name : as `--only` takes it      label : how results call the recording
    dataset, rover, base, nav : folder and files, as published or with .gz; no base = single mode
    base_station : station of truth.json whose coordinates the base has, rover_station likewise
    n_band : bands of a satellite at most      direction : forward, or combined with backward
    is_moving : the antenna moved (limit for wrong fixes 0.20 m instead of 0.10 m)
    wrong_m : another limit for wrong fixes, 0 = the usual one
    truth : "point", "combined" (a peer's forward and backward track), or an NMEA file of the set
    without_offset : judge after taking away the median error (antennas at different places)
    is_truth_exact : the truth is better than a fix; where not, fixes do not count for calibration
    truth_sigma_m : standard deviation of the truth, which calibration of a static row adds
    cold_starts : also restart at epochs spread over the recording
    hourly : also report how hourly means repeat
    peer_bands : frequencies the peer runs with, in RTKLIB EX's words      peer_navsys : its mask
    peer_options : further options the peer needs to do its best here
    quick_s : seconds of the recording in a quick run, 0 = the row is left out of it
    coordinates : "antenna" where the truth is compared without the headers' antenna heights
    antex : data set and file of antenna calibrations, for us and for the peers
    vector_m : from base to rover, where another than that of truth.json is to judge
    min_fix_rate, max_wrong_rate : bounds beyond which the run fails: a collapse, not a target
    note : what a reader must know
    """

    name: str
    label: str
    dataset: str
    rover: str
    base: str = ""
    nav: tuple[str, ...] = ()
    base_station: str = ""
    rover_station: str = ""
    systems: str = DEFAULT_SYSTEMS
    mode: str = "kinematic"
    ar: str = "continuous"
    n_band: int = 3
    direction: str = "forward"
    is_moving: bool = False
    wrong_m: float = 0.0
    truth: str = "point"
    without_offset: bool = False
    truth_sigma_m: float = 0.0
    is_truth_exact: bool = True
    cold_starts: bool = False
    hourly: bool = False
    peer_bands: tuple[str, ...] = ("l1+l2",)
    peer_navsys: int = 57
    peer_options: tuple[tuple[str, str], ...] = ()
    quick_s: int = 0
    min_fix_rate: float = 0.0
    max_wrong_rate: float = 1.0
    target: Target = field(default_factory=Target)
    coordinates: str = "marker"
    antex: tuple[str, str] | None = None
    vector_m: tuple[float, float, float] | None = None
    note: str = ""

    @property
    def how(self) -> str:
        """Systems and mode in a few words."""
        systems = "default" if self.systems == DEFAULT_SYSTEMS else self.systems
        if self.mode == "single":
            return f"{systems}, single"
        more = ", two bands" if self.n_band == 2 else ""
        more += ", combined" if self.direction == "combined" else ""
        more += ", antenna models" if self.antex else ""
        mode = {"kinematic": "as moving" if not self.is_moving else "moving"}.get(
            self.mode, self.mode
        )
        ar = {"instantaneous": "single-epoch"}.get(self.ar, self.ar)
        return f"{systems}, {mode}, {ar}{more}"

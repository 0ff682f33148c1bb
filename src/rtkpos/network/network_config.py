"""What steers a network of reference stations; the defaults serve 20 to 100 km between stations."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

from rtkpos.network.interpolation.interpolate import METHODS
from rtkpos.records.config import RtkConfig, Selection, checked, limited

MASK_DEG = 7.0  # integers of a rising satellite are wanted when a rover begins to use it


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Integers between the stations, corrections from them, and their interpolation.

    selection : satellites and signals, as for a rover
    ar_mask_deg : integers are fixed above this elevation
    ionosphere_mm_per_km, wet_delay_mm_per_km : spread between two stations, zenith; with the
        correlation times as in `records.config.Atmosphere`
    success_rate_min, ratio_min, failure_rate : what a set of integers must reach in an epoch ...
    confirm_epochs, confirm_s : ... and for how long in a row, before it is held
    passes : 2 runs through a recording a second time with the integers of the first
    max_gap_s : integers of an arc end when it is unseen for longer
    dispersive_drift_mm, nondispersive_drift_mm : random walk of the corrections [mm/sqrt(s)]
    method : of interpolation      n_station_max : nearest stations used for a point
    antex : file of antenna calibrations (ANTEX), "" = phase centres at the reference points
    max_edge_km : longer baselines are left out      glonass : integers of GLONASS as for a rover
    """

    selection: Selection = field(default_factory=lambda: Selection(elevation_mask_deg=MASK_DEG))
    ar_mask_deg: float = limited(9.0, 0.0, 60.0)
    ionosphere_mm_per_km: float = limited(1.5, 0.01, 100.0)
    ionosphere_correlation_s: float = limited(1200.0, 1.0, 100_000.0)
    wet_delay_mm_per_km: float = limited(0.3, 0.0, 10.0)
    wet_delay_correlation_s: float = limited(14_400.0, 1.0, 100_000.0)
    success_rate_min: float = limited(0.999, 0.5, 1.0)
    failure_rate: float = limited(0.001, 0.001, 0.01)
    ratio_min: float = limited(2.0, 1.0, 10.0)
    misfit_max: float = limited(3.0, 1.0, 100.0)
    confirm_epochs: int = limited(3, 1, 1000)
    confirm_s: float = limited(10.0, 0.0, 3600.0)
    passes: int = limited(2, 1, 2)
    max_gap_s: float = limited(120.0, 0.0, 3600.0)
    dispersive_drift_mm: float = limited(1.0, 0.01, 100.0)
    nondispersive_drift_mm: float = limited(0.2, 0.001, 10.0)
    method: str = field(default="kriging", metadata={"one_of": tuple(METHODS)})
    n_station_max: int = limited(12, 1, 16)
    max_edge_km: float = limited(150.0, 1.0, 2000.0)
    antex: str = ""
    glonass: str = field(default="auto", metadata={"one_of": ("auto", "on", "off")})

    def __post_init__(self) -> None:
        """Validate every field; ConfigError names path, limit and value."""
        checked(self, "network.")
        self.rtk()

    @classmethod
    def for_rover(cls, config: RtkConfig) -> NetworkConfig:
        """The defaults with the satellites, signals and antenna file of a rover's configuration."""
        low_deg = min(config.selection.elevation_mask_deg, MASK_DEG)
        selection = replace(config.selection, elevation_mask_deg=low_deg)
        return cls(selection=selection, antex=config.antenna.antex)

    def rtk(self) -> RtkConfig:
        """The same choices as the configuration of a run between two receivers."""
        return RtkConfig.from_dict(
            {
                "mode": "static",
                "ar": "continuous",
                "selection": asdict(self.selection),
                "antenna": {"antex": self.antex},
                "slips": {"max_gap_s": self.max_gap_s},
                "ambiguity": {
                    "elevation_mask_deg": self.ar_mask_deg,
                    "success_rate_min": self.success_rate_min,
                    "failure_rate": self.failure_rate,
                    "ratio_min": self.ratio_min,
                    "ratio_max": 100.0,
                    "misfit_max": self.misfit_max,
                    "glonass": self.glonass,
                },
                "atmosphere": {
                    "long_from_km": 0.0,
                    "ionosphere_mm_per_km": self.ionosphere_mm_per_km,
                    "ionosphere_correlation_s": self.ionosphere_correlation_s,
                    "wet_delay_mm_per_km": self.wet_delay_mm_per_km,
                    "wet_delay_correlation_s": self.wet_delay_correlation_s,
                },
            }
        )

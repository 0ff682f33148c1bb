"""What steers a network of reference stations; the defaults serve 20 to 100 km between stations."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

from rtkpos.network.interpolation.interpolate import METHODS
from rtkpos.records.config import RtkConfig, Selection
from rtkpos.records.config_field import Section, checked, described, documented, limited, one_of

MASK_DEG = 7.0  # integers of a rising satellite are wanted when a rover begins to use it


@documented
@dataclass(frozen=True, kw_only=True, repr=False)
class NetworkConfig(Section):
    """Integers between the stations, corrections from them, and their interpolation."""

    selection: Selection = field(default_factory=lambda: Selection(elevation_mask_deg=MASK_DEG))
    ar_mask_deg: float = limited(9.0, 0.0, 60.0, "integers are fixed above this elevation")
    ionosphere_mm_per_km: float = limited(
        1.5, 0.01, 100.0, "spread of the ionosphere between two stations, in the zenith"
    )
    ionosphere_correlation_s: float = limited(
        1200.0, 1.0, 100_000.0, "correlation time of the ionosphere"
    )
    wet_delay_mm_per_km: float = limited(
        0.3, 0.0, 10.0, "spread of the wet delay between two stations, in the zenith"
    )
    wet_delay_correlation_s: float = limited(
        14_400.0, 1.0, 100_000.0, "correlation time of the wet delay"
    )
    success_rate_min: float = limited(
        0.999, 0.5, 1.0, "success rate that a set of integers must reach in an epoch"
    )
    failure_rate: float = limited(0.001, 0.001, 0.01, "failure rate of the ratio test")
    ratio_min: float = limited(2.0, 1.0, 10.0, "least threshold that the failure rate may lead to")
    misfit_max: float = limited(
        3.0, 1.0, 100.0, "squared norm of the best integers per double difference, at most"
    )
    confirm_epochs: int = limited(
        3, 1, 1000, "epochs in a row that give the same integers before they are held"
    )
    confirm_s: float = limited(10.0, 0.0, 3600.0, "for how long before they are held")
    passes: int = limited(
        2, 1, 2, "2 runs through a recording a second time with the integers of the first"
    )
    max_gap_s: float = limited(
        120.0, 0.0, 3600.0, "integers of an arc end when it is unseen for longer"
    )
    dispersive_drift_mm: float = limited(
        1.0, 0.01, 100.0, "random walk of the dispersive corrections"
    )
    nondispersive_drift_mm: float = limited(
        0.2, 0.001, 10.0, "random walk of the nondispersive corrections"
    )
    method: str = one_of("kriging", METHODS, "interpolation of the corrections")
    n_station_max: int = limited(12, 1, 16, "nearest stations used for a point")
    max_edge_km: float = limited(150.0, 1.0, 2000.0, "longer baselines are left out")
    antex: str = described(
        "", "file of antenna calibrations (ANTEX); none: phase centres at the reference points"
    )
    glonass: str = one_of("auto", ("auto", "on", "off"), "integers of GLONASS, as for a rover")

    def __post_init__(self) -> None:
        """Validate every field; ConfigError names path, limit and value."""
        checked(self, "network.")
        self.rtk()

    @classmethod
    def for_rover(cls, config: RtkConfig) -> NetworkConfig:
        """The defaults with the satellites, signals and antenna file of a rover's configuration.

        Parameters
        ----------
        config : RtkConfig
            The rover's configuration.

        Returns
        -------
        NetworkConfig
            The configuration of the network.
        """
        low_deg = min(config.selection.elevation_mask_deg, MASK_DEG)
        selection = replace(config.selection, elevation_mask_deg=low_deg)
        return cls(selection=selection, antex=config.antenna.antex)

    def rtk(self) -> RtkConfig:
        """The same choices as the configuration of a run between two receivers.

        Returns
        -------
        RtkConfig
            The configuration of one baseline.
        """
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

"""What receivers say of themselves: headers of their files, the list of stations."""

from __future__ import annotations

import numpy as np

from rtkpos.records.observations import Station
from rtkpos.simulate.medium.ellipsoid import from_local, place_llh
from rtkpos.simulate.scenario.scenario import Scenario
from rtkpos.simulate.scenario.sections import Site, Vehicle


def station_head(scenario: Scenario, given: Site | Vehicle) -> Station:
    """What the header of a receiver says; a station's place may be wrong on purpose."""
    place = np.full(3, np.nan)
    if isinstance(given, Site):
        wrong = np.array(given.enu_m) + np.array(given.wrong_by_enu_m)
        place = from_local(wrong, scenario.origin.llh)
    return Station(
        marker=given.name,
        marker_type="GEODETIC" if isinstance(given, Site) else "GROUND_CRAFT",
        receiver="RTKPOS SIMULATED",
        antenna="NONE",
        approx_ecef_m=place,
        antenna_enu_m=np.array(given.antenna_enu_m),
    )


def station_list(scenario: Scenario) -> str:
    """CSV of the stations: published and true marker, antenna offset, file of observations."""
    lines = [
        "name,lat_deg,lon_deg,height_m,ecef_x_m,ecef_y_m,ecef_z_m,"
        "true_x_m,true_y_m,true_z_m,antenna_east_m,antenna_north_m,antenna_up_m,files\n"
    ]
    for site in scenario.stations:
        said = station_head(scenario, site).approx_ecef_m
        lat, lon, height = place_llh(said)
        numbers = [*said, *scenario.marker_ecef(site), *site.antenna_enu_m]
        values = ",".join(f"{value:.4f}" for value in numbers)
        lines.append(
            f"{site.name},{np.degrees(lat):.10f},{np.degrees(lon):.10f},{height:.4f},{values},"
            f"{site.name}.obs\n"
        )
    return "".join(lines)

"""`rtkpos network ...`: the commands of networks of reference stations."""

from __future__ import annotations

from rtkpos.app.command_table.option import (
    FILE,
    INTEGER,
    NUMBER,
    TEXT,
    Command,
    Option,
    argument,
)
from rtkpos.app.command_table.solve_table import JSON, SOLVE

_MAPS, _GRAPH, _PLACE, _COST = "maps", "baselines", "place", "what is planned"

_LIST = argument(name="stations", kind=FILE, text="list of stations with their files (TOML or CSV)")
_HOURS = Option(
    name="hours", kind=NUMBER, group="files", text="only the first hours of the recordings"
)
_AT = Option(
    name="at",
    kind=NUMBER,
    n_value=3,
    metavar="LAT LON H",
    group=_PLACE,
    text="latitude and longitude in degrees, ellipsoidal height in metres",
)
_MAP = Option(
    name="map",
    field="picture",
    kind=FILE,
    metavar="FILE.png",
    group=_MAPS,
    text="picture of the network",
)
_GEOJSON = Option(
    name="geojson", kind=FILE, metavar="FILE", group=_MAPS, text="map for map programs"
)
_EDGE_MAX = Option(
    name="edge-max",
    field="edge_max_km",
    kind=NUMBER,
    metavar="KM",
    group=_GRAPH,
    default_at="rtkpos.network.graph.graph:GraphLimits.edge_max_m",
    default_scale=1e-3,
    text="longest baseline",
)
_ANGLE_MIN = Option(
    name="angle-min",
    field="angle_min_deg",
    kind=NUMBER,
    metavar="DEG",
    group=_GRAPH,
    default_at="rtkpos.network.graph.graph:GraphLimits.angle_min_deg",
    text="smallest angle of a triangle on the rim",
)
_NAV = SOLVE.option("nav")
_CONFIG = SOLVE.option("config", text="configuration (TOML), [network] is the network's; options "
                       "override it")  # fmt: skip

CHECK = Command(
    name="network check",
    text="Stations, baselines and triangles of a network, and what is odd about them.",
    detail="With --nav the recordings are read and the network is solved: integers, residuals and "
    "health of every station.",
    uses_kernels=True,
    arguments=(_LIST,),
    options=(
        _AT._replace(text=f"say where this point stands in the network: {_AT.text}"),
        _NAV,
        _CONFIG,
        _HOURS,
        SOLVE.option("systems"),
        SOLVE.option("antex"),
        _EDGE_MAX,
        _ANGLE_MIN,
        _MAP,
        _GEOJSON,
        JSON,
    ),
)

PLAN = Command(
    name="network plan",
    text="Cells of a network and what they cost in tasks, core hours and bytes.",
    uses_kernels=True,
    arguments=(_LIST._replace(is_required=False, text="list of stations (TOML or CSV)"),),
    options=(
        Option(
            name="stations",
            group=_COST,
            field="n_station",
            kind=INTEGER,
            metavar="N",
            text="a simulated country of N stations instead of a list",
        ),
        Option(
            name="seed", group=_COST, kind=INTEGER, default="1", text="another draw of the country"
        ),
        Option(
            name="cell-size",
            group=_COST,
            kind=INTEGER,
            metavar="N",
            default_at="rtkpos.network.graph.cells:CELL_SIZE",
            text="stations of a cell",
        ),
        Option(name="hours", group=_COST, kind=NUMBER, default="24", text="length of the data"),
        Option(
            name="interval",
            group=_COST,
            field="interval_s",
            kind=NUMBER,
            metavar="SECONDS",
            default="1",
            text="time between epochs",
        ),
        Option(
            name="ms-per-baseline",
            group=_COST,
            field="ms_per_baseline_epoch",
            kind=NUMBER,
            metavar="MS",
            default_at="rtkpos.batch.cost:CostRates.ms_per_baseline_epoch",
            text="processor time of a baseline and epoch",
        ),
        _EDGE_MAX,
        _ANGLE_MIN,
        _MAP,
        _GEOJSON,
        JSON,
    ),
)

VRS = Command(
    name="network vrs",
    text="Observations of a virtual station anywhere in a network.",
    uses_kernels=True,
    arguments=(_LIST,),
    options=(
        Option(
            name="output",
            short="o",
            kind=FILE,
            metavar="FILE.obs",
            is_required=True,
            group="output",
            text="observations of the virtual station (RINEX)",
        ),
        Option(
            name="rinex",
            field="version",
            kind=TEXT,
            choices=("3.04", "4.00"),
            default="3.04",
            group="output",
            text="version of the file",
        ),
        Option(name="name", kind=TEXT, default="VRS", group="output", text="its marker"),
        _AT._replace(text=f"where it stands: {_AT.text}"),
        Option(
            name="track",
            kind=FILE,
            metavar="FILE",
            group=_PLACE,
            text="a moving point instead (.pos, CSV or NMEA)",
        ),
        _NAV,
        _CONFIG,
        _HOURS,
        *SOLVE.pick("systems", "bands", "antex"),
        _EDGE_MAX,
        *SOLVE.pick("strict", "quiet"),
    ),
)

NETWORK_SOLVE = Command(
    name="network solve",
    text="Solve a network once, and every rover in it with a virtual base that goes along.",
    uses_kernels=True,
    arguments=(
        _LIST,
        argument(
            name="rovers",
            metavar="ROVER",
            kind=FILE,
            is_many=True,
            is_required=False,
            text="observations, each file a rover of its own",
        ),
    ),
    options=(
        _NAV,
        _CONFIG,
        _HOURS,
        *SOLVE.pick("mode", "ar", "profile", "systems", "bands", "elevation-mask", "antex"),
        _EDGE_MAX,
        Option(
            name="output",
            short="o",
            kind=FILE,
            metavar="DIR|FILE",
            group="output",
            text="folder of the results, NAME.pos each, or the file of a single rover",
        ),
        SOLVE.option("format"),
        Option(
            name="corrections",
            kind=FILE,
            metavar="FILE.npz",
            group="output",
            text="the corrections of the stations as arrays",
        ),
        SOLVE.option("summary", text="JSON of the network and the rovers"),
        *SOLVE.pick("strict", "quiet"),
    ),
)

NETWORK = Command(
    name="network",
    text="Networks of reference stations: baselines, cells, maps, virtual stations.",
    commands=(CHECK, PLAN, VRS, NETWORK_SOLVE),
)

"""`rtkpos solve` and the commands that share its options."""

from __future__ import annotations

from rtkpos.app.command_table.option import FILE, FLAG, NUMBER, TEXT, Command, Option, argument

_FILES, _SOLUTION, _BASE, _ANTENNAS = "files", "solution", "base coordinates", "antennas"
_OUTPUT = "output"

JSON = Option(name="json", field="as_json", kind=FLAG, text="JSON on stdout instead of text")
QUIET = Option(name="quiet", short="q", kind=FLAG, text="only errors on stderr")

SOLVE = Command(
    name="solve",
    text="Positions of a rover: RTK with a base, or code positions without one.",
    detail="ROVER first, then --base BASE and --nav NAV...; files are recognised by content. "
    "Without -o the result goes to stdout; the summary goes to stderr.",
    uses_kernels=True,
    arguments=(
        argument(
            name="rover",
            kind=FILE,
            is_many=True,
            text="observations of the rover (RINEX, CRINEX, packed)",
        ),
    ),
    options=(
        Option(
            name="base",
            short="b",
            kind=FILE,
            is_many=True,
            group=_FILES,
            job_key="",
            text="observations of the base; several bases are a network",
        ),
        Option(
            name="nav",
            short="n",
            kind=FILE,
            is_many=True,
            group=_FILES,
            job_key="",
            text="navigation files",
        ),
        Option(
            name="config",
            short="k",
            kind=FILE,
            metavar="FILE",
            group=_FILES,
            job_key="config_file",
            text="configuration (TOML); options override it",
        ),
        Option(
            name="stations",
            kind=FILE,
            metavar="LIST",
            group=_FILES,
            text="list of bases with their coordinates (TOML or CSV)",
        ),
        Option(
            name="mode",
            path="mode",
            group=_SOLUTION,
            job_key="",
            text="without a base single",
        ),
        Option(name="ar", path="ar", group=_SOLUTION, job_key=""),
        Option(name="profile", path="profile", group=_SOLUTION, job_key=""),
        Option(name="direction", path="direction", group=_SOLUTION, job_key=""),
        Option(
            name="static-start",
            path="static_start_s",
            metavar="SECONDS",
            group=_SOLUTION,
            job_key="",
        ),
        Option(
            name="systems",
            path="selection.systems",
            metavar="LETTERS",
            group=_SOLUTION,
            job_key="",
            text="G GPS, R GLONASS, E Galileo, C BeiDou, J QZSS, I NavIC",
        ),
        Option(
            name="bands",
            path="selection.bands",
            group=_SOLUTION,
            job_key="",
            text='like "C26,G12"',
        ),
        Option(
            name="elevation-mask",
            short="m",
            path="selection.elevation_mask_deg",
            metavar="DEGREES",
            group=_SOLUTION,
            job_key="",
        ),
        Option(
            name="base-xyz",
            short="r",
            kind=NUMBER,
            n_value=3,
            metavar="X Y Z",
            group=_BASE,
            job_key="",
            text="ECEF coordinates in metres",
        ),
        Option(
            name="base-llh",
            short="l",
            kind=NUMBER,
            n_value=3,
            metavar="LAT LON H",
            group=_BASE,
            job_key="",
            text="latitude and longitude in degrees, ellipsoidal height in metres",
        ),
        Option(
            name="base-position",
            kind=TEXT,
            choices=("header", "single"),
            group=_BASE,
            job_key="",
            text="where no coordinates are given: those of the header of the base file (default), "
            "or its average code position",
        ),
        Option(name="force", path="base.force", group=_BASE, job_key=""),
        Option(
            name="antex",
            path="antenna.antex",
            kind=FILE,
            group=_ANTENNAS,
            job_key="",
        ),
        Option(
            name="rover-antenna",
            path="antenna.rover",
            metavar='"TYPE RADOME"',
            group=_ANTENNAS,
            job_key="",
        ),
        Option(
            name="base-antenna",
            path="antenna.base",
            metavar='"TYPE RADOME"',
            group=_ANTENNAS,
            job_key="",
        ),
        Option(
            name="coordinates",
            path="antenna.coordinates",
            group=_ANTENNAS,
            job_key="",
        ),
        Option(
            name="output",
            short="o",
            kind=FILE,
            metavar="FILE",
            group=_OUTPUT,
            text="result file; without it the result goes to stdout",
        ),
        Option(
            name="format",
            kind=TEXT,
            choices=("pos", "nmea", "csv", "geojson", "kml"),
            group=_OUTPUT,
            job_key="",
            text="kind of the result; without it by the ending of the result file, else pos",
        ),
        Option(
            name="tow",
            field="week_and_tow",
            kind=FLAG,
            group=_OUTPUT,
            job_key="",
            text=".pos with GPS week and time of week instead of the date",
        ),
        Option(
            name="velocity",
            field="with_velocity",
            kind=FLAG,
            group=_OUTPUT,
            job_key="",
            text=".pos with the velocity north, east, up",
        ),
        Option(
            name="summary",
            kind=FILE,
            metavar="FILE",
            group=_OUTPUT,
            text="JSON with counts, rates, reasons and the configuration",
        ),
        Option(
            name="truth",
            kind=TEXT,
            is_point=True,
            metavar="X Y Z|FILE",
            group=_OUTPUT,
            text="compare with a point (ECEF, metres) or a track",
        ),
        Option(
            name="strict",
            kind=FLAG,
            job_key="",
            text="refuse damaged input instead of skipping the damage",
        ),
        QUIET,
    ),
)

# Options of `solve` that say what is written: `explain` refuses them with a sentence.
_WRITING = tuple(one.name for one in SOLVE.options if one.group == _OUTPUT)

EXPLAIN = Command(
    name="explain",
    text="Why epochs are not fixed: the ranked causes with their numbers, and what would help.",
    detail="Takes the files and options of solve, but writes no positions.",
    uses_kernels=True,
    arguments=SOLVE.arguments,
    options=(
        *(one._replace(is_hidden=one.name in _WRITING) for one in SOLVE.options),
        JSON,
    ),
)

CONFIG = Command(
    name="config",
    text="The configuration that a run would have, as TOML with explanations.",
    detail="Takes the options of solve that change the configuration. What it prints can be given "
    "to solve with --config.",
    options=(
        SOLVE.option("config"),
        *(one for one in SOLVE.options if one.path),
        Option(
            name="reference",
            kind=FLAG,
            text="every value with default, limits and meaning as Markdown instead",
        ),
    ),
)

"""All commands of `rtkpos`."""

from __future__ import annotations

from rtkpos.app.command_table.network_table import NETWORK
from rtkpos.app.command_table.option import (
    FILE,
    FLAG,
    FOLDER,
    INTEGER,
    TEXT,
    Command,
    Option,
    argument,
)
from rtkpos.app.command_table.solve_table import CONFIG, EXPLAIN, JSON, QUIET, SOLVE

SHELLS = ("bash", "zsh", "fish")
# Options of the program itself, which stand before or within any command.
HELP = Option(name="help", short="h", kind=FLAG, text="show this text")
VERSION = Option(name="version", kind=FLAG, text="show the version")
DEBUG = Option(name="debug", kind=FLAG, text="show the traceback of an internal error")

INFO = Command(
    name="info",
    text="What is in files, whether two of them fit together, and what would stop a fix.",
    uses_kernels=True,
    arguments=(
        argument(
            name="files",
            metavar="FILE",
            kind=FILE,
            is_many=True,
            text="observation and navigation files (RINEX, CRINEX, packed)",
        ),
    ),
    options=(JSON,),
)

BATCH = Command(
    name="batch",
    text="Many baselines in one process; run it again after whatever stopped it.",
    detail="Done jobs are skipped while their inputs and configuration stay the same. Results, "
    "manifest.json and totals.json go to DIR.",
    uses_kernels=True,
    arguments=(
        argument(name="jobs", metavar="JOBS.toml", kind=FILE, text="the baselines to solve"),
    ),
    options=(
        Option(
            name="output",
            short="o",
            field="folder",
            kind=FOLDER,
            metavar="DIR",
            is_required=True,
            text="folder of results and manifest",
        ),
        Option(
            name="threads",
            field="n_thread",
            kind=INTEGER,
            metavar="N",
            low=1,
            text="jobs at a time; without it one per processor",
        ),
        Option(name="alone", kind=TEXT, is_hidden=True, text="solve this job only, for a parent"),
        QUIET,
    ),
)

WARMUP = Command(
    name="warmup",
    text="Compile everything now, so that the first run is as fast as the next.",
    uses_kernels=True,
    options=(
        Option(
            name="into",
            kind=FOLDER,
            metavar="DIR",
            text="put the kernels there for others (RTKPOS_KERNEL_DIR)",
        ),
        Option(
            name="cpu",
            kind=TEXT,
            choices=("host", "generic"),
            default="host",
            text="processor they are for: this one, or any of the last ten years",
        ),
    ),
)

DEMO = Command(
    name="demo",
    text="Solve a car that comes with rtkpos and compare it with its truth; needs no network.",
    uses_kernels=True,
    options=(
        Option(
            name="out",
            kind=FOLDER,
            metavar="DIR",
            default="rtkpos-demo",
            text="folder for the results",
        ),
        Option(
            name="real",
            kind=FLAG,
            text="a public recording instead (downloaded once, 7 MB)",
        ),
    ),
)

SIMULATE = Command(
    name="simulate",
    text="Observations of stations and vehicles with known truth, as RINEX files.",
    uses_kernels=True,
    arguments=(
        argument(
            name="scenario",
            kind=FILE,
            text="TOML file, or a ready one: open-sky, urban-canyon, tunnel, ...",
        ),
    ),
    options=(
        Option(
            name="out",
            short="o",
            kind=FOLDER,
            metavar="DIR",
            is_required=True,
            text="folder for the files",
        ),
        Option(
            name="seed",
            kind=INTEGER,
            text="another draw of everything random; without it that of the scenario",
        ),
        QUIET,
    ),
)

DATA_LIST = Command(
    name="data list",
    text="Name, licence, size and place of every public data set.",
    options=(Option(name="json", field="as_json", kind=FLAG, text="the whole catalogue as JSON"),),
)

DATA_PATH = Command(
    name="data path",
    text="Print the folder of a data set on this machine.",
    arguments=(argument(name="name", kind=TEXT, text="name of the data set"),),
)

DATA_FETCH = Command(
    name="data fetch",
    text="Download data sets, check their SHA-256, and print their folders.",
    arguments=(
        argument(name="names", metavar="NAME", kind=TEXT, is_many=True, text="names of data sets"),
    ),
    options=(
        Option(
            name="to",
            field="folder",
            kind=FOLDER,
            metavar="DIR",
            text="folder to put them in; without it the user's cache",
        ),
    ),
)

DATA = Command(
    name="data",
    text="Public data sets: list them, find them, fetch them.",
    commands=(DATA_LIST, DATA_PATH, DATA_FETCH),
)

COMPLETION = Command(
    name="completion",
    text="Print the script that completes commands, options and files in a shell.",
    detail='bash: eval "$(rtkpos completion bash)" in ~/.bashrc; zsh: source <(rtkpos completion '
    "zsh) in ~/.zshrc; fish: rtkpos completion fish > ~/.config/fish/completions/rtkpos.fish.",
    arguments=(argument(name="shell", kind=TEXT, choices=SHELLS, text="the shell"),),
)

MAN = Command(name="man", text="Print the manual page (roff): rtkpos man | man -l -.")

ROOT = Command(
    name="",
    text="High-precision GNSS positioning: multi-GNSS RTK from RINEX files.",
    commands=(
        SOLVE,
        EXPLAIN,
        INFO,
        CONFIG,
        BATCH,
        NETWORK,
        SIMULATE,
        DATA,
        DEMO,
        WARMUP,
        COMPLETION,
        MAN,
    ),
    options=(HELP, VERSION, DEBUG),
)


def all_commands(command: Command = ROOT) -> tuple[Command, ...]:
    """Every command that does something, groups opened."""
    found: tuple[Command, ...] = ()
    for one in command.commands:
        found += all_commands(one) if one.commands else (one,)
    return found

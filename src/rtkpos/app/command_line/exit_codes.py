"""Exit codes of the program; those of errors stand with their types in `rtkpos.errors`."""

from __future__ import annotations

from rtkpos.errors import ConfigError, InputError, NoSolutionError, RtkposError

EXIT_DONE = 0
EXIT_USAGE = ConfigError.exit_code
EXIT_PARTIAL = 4
EXIT_INTERNAL = RtkposError.exit_code
EXIT_SIGINT = 130
EXIT_SIGTERM = 143

EXIT_MEANINGS = {
    EXIT_DONE: "done",
    EXIT_USAGE: "wrong usage: an option, a configuration value or a combination of them",
    InputError.exit_code: "an input is missing, unreadable or unusable",
    NoSolutionError.exit_code: "no solution at any epoch; no result is written",
    EXIT_PARTIAL: "partial: some epochs have no position, or the input was damaged",
    EXIT_INTERNAL: "internal error; --debug shows where",
    EXIT_SIGINT: "interrupted (SIGINT)",
    EXIT_SIGTERM: "terminated (SIGTERM)",
}

"""The process `rtkpos`: from the words typed to the exit code; `dispatch` finds the command."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from rtkpos import __version__
from rtkpos.app.command_line.exit_codes import (
    EXIT_DONE,
    EXIT_INTERNAL,
    EXIT_PARTIAL,
    EXIT_SIGINT,
    EXIT_SIGTERM,
)
from rtkpos.errors import FileError, RtkposError


class TerminatedError(KeyboardInterrupt):
    """SIGTERM arrived; unwinds like Ctrl-C so that temporary files are removed."""


def run(arguments: Sequence[str]) -> int:
    """Run the command with these arguments and return its exit code; nothing escapes as traceback.

    arguments : as typed, without the program's name
    """
    debug = "--debug" in arguments
    try:
        code = _run([word for word in arguments if word != "--debug"])
        sys.stdout.flush()
    except RtkposError as error:
        return _explain(error, error.exit_code, debug)
    except KeyboardInterrupt as error:
        is_term = isinstance(error, TerminatedError)
        _fail("terminated" if is_term else "interrupted; unfinished results were not written.")
        return EXIT_SIGTERM if is_term else EXIT_SIGINT
    except UnicodeEncodeError as error:
        return _explain(_unnamable(error), FileError.exit_code, debug)
    except Exception as error:
        return _explain(error, EXIT_INTERNAL, debug)
    return code


def _unnamable(error: UnicodeEncodeError) -> FileError:
    """The error of a file whose name the system cannot express; text is never encoded strictly."""
    letters = error.object[error.start : error.end]
    return FileError(
        f"a file name with {letters[:20]!r} has no form in the encoding of this system "
        f"({error.encoding}); set LC_ALL to a UTF-8 locale such as C.UTF-8."
    )


def _run(words: list[str]) -> int:
    """The exit code of the command; for the version no table of commands is loaded."""
    if words[:1] == ["--version"]:
        sys.stdout.write(f"rtkpos {__version__}\n")
        return EXIT_DONE
    from rtkpos.app.command_line.dispatch import run_command

    return run_command(words)


def _explain(error: Exception, code: int, debug: bool) -> int:
    """Say in one line what happened; the traceback only on request."""
    if debug:
        import traceback

        traceback.print_exc()
    if isinstance(error, RtkposError):
        _fail(str(error))
    elif isinstance(error, MemoryError):
        _fail("there is not enough memory for this input.")
    else:
        _fail(f"internal error: {type(error).__name__}: {error}; --debug shows where.")
    return code


def _fail(text: str) -> None:
    """The line of an error."""
    from rtkpos.app.command_line.screen import fail

    fail(text)


def _on_sigterm(_number: int, _frame: FrameType | None) -> None:
    """Unwind the stack so that nothing half-written stays."""
    raise TerminatedError


def main() -> NoReturn:
    """Entry point of the `rtkpos` command."""
    from rtkpos._numba.isolation import import_path

    sys.path[:] = import_path()  # a command imports nothing that lies beside the data
    from rtkpos.app.command_line.screen import prepare_streams

    prepare_streams()
    signal.signal(signal.SIGTERM, _on_sigterm)
    words = sys.argv[1:]
    if words != ["--version"]:
        _prepare(words)
    leave(run(words))


def _prepare(words: list[str]) -> None:
    """Warnings of libraries, and the folder of compiled kernels for commands that call them."""
    import logging
    import warnings

    from rtkpos.app.command_line.dispatch import needs_kernels

    logging.basicConfig(level=logging.WARNING, format="rtkpos: %(message)s")
    if "--debug" not in words:
        warnings.simplefilter("ignore")
    if needs_kernels([word for word in words if word != "--debug"]):
        from rtkpos._numba.cache_folder import use_project_cache

        use_project_cache()


def leave(code: int) -> NoReturn:
    """End the process at once: taking compiled code apart at exit would cost 0.1 s.

    Everything is written and closed by now; what stays is to flush the standard streams. A result
    that did not get out is an error also when the command itself went well.
    """
    from rtkpos.app.command_line.screen import stdout_failure

    if "logging" in sys.modules:
        sys.modules["logging"].shutdown()
    sys.stdout.flush()
    if stdout_failure() and code in (EXIT_DONE, EXIT_PARTIAL):
        _fail(stdout_failure())
        code = FileError.exit_code
    sys.stderr.flush()
    os._exit(code)

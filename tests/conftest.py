"""Set-up of every test run: kernel cache, reproducible properties, list of recompiled kernels."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import settings

from rtkpos._numba.cache_folder import use_project_cache

use_project_cache()

# A first example may compile a kernel, hence no deadline; the same examples every time.
settings.register_profile("rtkpos", deadline=None, derandomize=True, database=None)
settings.load_profile("rtkpos")


def specialised_twice() -> list[str]:
    """Kernels of the package that were compiled for more than one set of argument types."""
    jit = sys.modules.get("rtkpos._numba.decorator")
    kernels = jit.KERNELS if jit else {}
    found = []
    for name, compiled in sorted(kernels.items()):
        signatures = getattr(compiled, "signatures", [])
        if name.startswith("rtkpos.") and len(signatures) > 1:
            types = "; ".join(", ".join(map(str, arguments)) for arguments in signatures)
            found.append(f"{name} ({len(signatures)}): {types}")
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs compiled kernels when they are plain Python (NUMBA_DISABLE_JIT=1), or plain
    ones when they are compiled.
    """
    is_plain = os.environ.get("NUMBA_DISABLE_JIT", "0") != "0"
    marker, state = ("compiled", "plain Python") if is_plain else ("plain", "compiled")
    for item in items:
        if item.get_closest_marker(marker):
            item.add_marker(pytest.mark.skip(reason=f"kernels are {state} in this run"))


def is_whole_suite(config: pytest.Config) -> bool:
    """Whether nothing was selected: no path, no -k, no -m."""
    chosen = config.option.keyword or config.option.markexpr
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not chosen


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a whole, otherwise passing run in which a kernel was compiled for two sets of types."""
    if exitstatus == 0 and is_whole_suite(session.config) and specialised_twice():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List kernels with several specialisations: each costs a compilation at every cold start."""
    found = specialised_twice()
    whole = is_whole_suite(terminalreporter.config)
    if found and (whole or terminalreporter.verbosity > 0):
        terminalreporter.section("kernels compiled for more than one set of types")
        terminalreporter.write_line("\n".join(found))
        if whole:
            terminalreporter.write_line("FAILED: pass one set of types (float64, not int) to each.")

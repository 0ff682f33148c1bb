"""`rtkpos explain`: solve, and say why epochs are not fixed and what would help."""

from __future__ import annotations

import json
import sys

from rtkpos.app.command_line.screen import warn
from rtkpos.app.explain.text import explanation_lines
from rtkpos.app.solve.command import run_facts
from rtkpos.app.solve.request import SolveRequest
from rtkpos.errors import ConfigError


def run_explain(request: SolveRequest, *, as_json: bool) -> int:
    """Explain a run on stdout, as text or JSON; the exit code is 0 also when nothing is fixed.

    ConfigError for options that only say what `solve` writes.
    """
    written = {"--output": request.output, "--format": request.format, "--truth": request.truth}
    named = [name for name, value in {**written, "--summary": request.summary}.items() if value]
    if named:
        raise ConfigError(f"explain writes no positions: leave out {named[0]}, or use solve.")
    facts = run_facts(request)
    if not request.quiet:
        for warning in facts.warnings:
            warn(warning)
    if facts.explanation is None:
        return 0
    if as_json:
        sys.stdout.write(json.dumps(facts.explanation.to_dict(), indent=1, allow_nan=False) + "\n")
    else:
        sys.stdout.write("\n".join(explanation_lines(facts.explanation)) + "\n")
    return 0

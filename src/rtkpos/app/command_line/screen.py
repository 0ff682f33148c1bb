"""Where messages go: stderr, coloured on a terminal and plain elsewhere."""

from __future__ import annotations

import functools
import sys
from typing import Any


@functools.cache
def _console(_stream_id: int) -> Any:
    """A rich console on the present stderr (tests replace it, hence the key)."""
    from rich.console import Console

    return Console(file=sys.stderr, highlight=False, soft_wrap=True, emoji=False)


def say(text: str = "", style: str = "") -> None:
    """One line of plain text on stderr; `style` is a rich style used on a terminal."""
    if sys.stderr.isatty():
        _console(id(sys.stderr)).print(text, style=style or None, markup=False)
    else:
        sys.stderr.write(f"{text}\n")


def warn(text: str) -> None:
    """A warning on stderr."""
    say(f"warning: {text}", "yellow")


def fail(text: str) -> None:
    """The one line of an error on stderr."""
    say(f"rtkpos: {' '.join(text.split())}", "bold red")

"""A run: the epoch loop and its set-up; no formulae.

The package shares its name with the public word: `rtkpos.solve(rover, nav, base, ...)` calls
`rtkpos.solving.solve`, and `rtkpos.solve.run` is still a module.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtkpos.records.solution import Solution


class _Room(ModuleType):
    """A package that can be called like the function it is named after."""

    def __call__(self, *args: Any, **words: Any) -> Solution:
        """Positions of a rover, epoch by epoch; see `rtkpos.solving.solve`."""
        # By name: the word stands above all rooms, and this room knows none above itself.
        solution: Solution = import_module("rtkpos.solving").solve(*args, **words)
        return solution

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        """By name, so that a pool of processes can be given the word."""
        return import_module, (self.__name__,)


sys.modules[__name__].__class__ = _Room

"""Public words of a package, imported from their modules when they are first used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any


def public_words(
    package: str, places: Mapping[str, Iterable[str]], submodules: Iterable[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package whose words are imported at their first use.

    package : its `__name__`      places : words by the module, relative to the package, that
    defines them      submodules : modules below the package that are public themselves
    """
    module_of = {word: module for module, words in places.items() for word in words}
    below = tuple(submodules)

    def find(name: str) -> Any:
        """A public word or submodule; AttributeError for any other name."""
        if name in below:
            return import_module(f"{package}.{name}")
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{module_of[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def listed() -> list[str]:
        """The public words, imported or not."""
        return sorted({*vars(sys.modules[package]), *module_of, *below})

    return find, listed

"""Code of kernels on its way: parts as LLVM code, units and wholes as object files.

A part is what numba made of one kernel. A whole has all parts it calls linked in. A unit is a part
with much below it that is optimised and translated by itself, for all wholes that call it.
"""

from __future__ import annotations

import functools
from contextlib import suppress
from typing import Any

from numba.core.codegen import JITCodeLibrary

from rtkpos._numba.disk.packing import packed, unpacked
from rtkpos._numba.disk.store import Store
from rtkpos._numba.registry import KERNELS


class PartLibrary(JITCodeLibrary):  # type: ignore[misc]
    """LLVM code of one kernel and of the numba functions it uses, but not of the kernels it calls.

    origin : name in KERNELS and argument types of the kernel      symbol : of its code
    """

    origin: tuple[str, Any]
    symbol: str

    def finalize(self) -> None:
        """End the collection of code; no optimisation, no machine code."""
        self._raise_if_finalized()
        for library in dict.fromkeys(self._linking_libraries):
            if not isinstance(library, PartLibrary):
                self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalize_dynamic_globals()
        for function in self._final_module.functions:
            if not function.is_declaration:
                # numba counts the symbols of its own functions again in each process.
                is_own = function.name == self.symbol
                function.linkage = "linkonce_odr" if is_own else "internal"
        self._finalized = True

    def parts(self) -> list[PartLibrary]:
        """The kernels this one calls."""
        return [lib for lib in self._linking_libraries if isinstance(lib, PartLibrary)]

    @property
    def kernel(self) -> Any:
        """The kernel this is the code of."""
        return KERNELS[self.origin[0]]

    @functools.cache  # noqa: B019  # libraries live as long as the process
    def unit(self) -> tuple[bytes, tuple[str, ...]]:
        """Object file of a unit, and the symbols it needs; from disk where it is kept."""
        store, key = Store(self.kernel.py_func, "unit"), str(self.origin[1])
        payload = store.load(key)
        if payload is not None:
            with suppress(ValueError):
                symbols, (code,) = unpacked(payload)
                return code, tuple(symbols)
        library = UnitLibrary(self)
        library._ensure_finalized()
        store.save(key, packed(library.symbols, [library.code]))
        return library.code, library.symbols

    def _get_module_for_linking(self) -> Any:
        """The code; name and meaning are numba's."""
        self._ensure_finalized()
        return self._final_module


class WholeLibrary(JITCodeLibrary):  # type: ignore[misc]
    """A kernel with what it calls, optimised and translated; units it calls stay object files.

    entry : symbol of the entry      code : object file      symbols : what it needs
    units : units it calls
    """

    entry: str
    code: bytes
    symbols: tuple[str, ...]
    units: list[PartLibrary]

    def finalize(self) -> None:
        """Link all parts, callers before callees (LLVM leaves out what nobody asked for yet)."""
        self._linking_libraries, self.units = reached(
            self._linking_libraries  # type: ignore[has-type]
        )
        super().finalize()

    def codes(self) -> tuple[bytes, ...]:
        """Object files: this one and those of all units."""
        return (self.code, *(library.unit()[0] for library in all_units(self.units)))

    def all_symbols(self) -> tuple[str, ...]:
        """What the object files need of the process."""
        found = all_units(self.units)
        needed = set(self.symbols).union(*(library.unit()[1] for library in found))
        return tuple(sorted(needed - {library.symbol for library in found}))

    def _optimize_final_module(self) -> None:
        """As numba's; only the entry is seen from outside, so what it does not need falls away."""
        for function in self._final_module.functions:
            if not function.is_declaration and function.name != self.entry:
                function.linkage = "internal"
        super()._optimize_final_module()

    def _finalize_final_module(self) -> None:
        """Translate; numba's engine does not get the code, `calls` loads it."""
        module = self._final_module
        self.symbols = tuple(
            function.name
            for function in module.functions
            if function.is_declaration and not function.name.startswith("llvm.")
        )
        self.code = self._codegen._tm.emit_object(module)
        self._finalized = True


class UnitLibrary(WholeLibrary):
    """A part that is optimised and translated by itself."""

    def __init__(self, part: PartLibrary) -> None:
        super().__init__(part._codegen, part.name)
        self.entry = part.symbol
        self._final_module = part._final_module.clone()
        self._final_module.get_function(self.entry).linkage = "external"
        self._linking_libraries = part.parts()


def reached(first: list[Any]) -> tuple[list[Any], list[PartLibrary]]:
    """Libraries to link, callers before callees, and the units at which the search ended."""
    found: dict[Any, None] = {}
    units: dict[PartLibrary, None] = {}
    waiting = first[::-1]
    while waiting:
        library = waiting.pop()
        if isinstance(library, PartLibrary) and library.kernel.is_unit:
            units[library] = None
        elif library not in found:
            found[library] = None
            if isinstance(library, PartLibrary):
                waiting += library.parts()[::-1]
    return list(found), list(units)


def all_units(first: list[PartLibrary]) -> list[PartLibrary]:
    """These units and all that they call."""
    found: dict[PartLibrary, None] = {}
    waiting = list(first)
    while waiting:
        library = waiting.pop()
        if library not in found:
            found[library] = None
            waiting += reached(library.parts())[1]
    return list(found)

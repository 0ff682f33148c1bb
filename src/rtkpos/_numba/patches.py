"""numba made quicker while a kernel is compiled; nothing stays changed afterwards.

numba resolves each `a + b` and `math.sin(x)` anew for every kernel, asks LLVM for the size of the
same types by compiling a text, and reports each call of LLVM to listeners that nobody installed.
What each of these costs is in docs/decisions/compile-time.md.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from llvmlite import ir
from llvmlite.binding import ffi
from numba.core.compiler import Flags
from numba.core.types.functions import BaseFunction

_RARE = (100_000, 20, 20)  # thresholds of the collector
_call_types: dict[tuple[int, Any], tuple[Any, Any]] = {}
_sizes: dict[tuple[str, str], int] = {}


@contextmanager
def quick_numba() -> Iterator[None]:
    """Use it under numba's compiler lock."""
    with ExitStack() as stack:
        stack.enter_context(_rare_collections())
        stack.enter_context(_replaced(BaseFunction, "get_call_type", _remembered_call_type))
        for name in ("get_abi_size", "get_abi_alignment"):
            stack.enter_context(_replaced(ir.Type, name, _remembered_size))
        stack.enter_context(_silent_lock())
        yield


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Let Python's collector look at new objects only, and seldom.

    numba makes millions; looking through all of them and numba itself again and again took 9 % of
    a compilation. Without any collection the process grew to 690 MB; it takes 350, before 330.
    """
    was_frozen, thresholds = gc.get_freeze_count(), gc.get_threshold()
    if not was_frozen:
        gc.freeze()
    gc.set_threshold(*_RARE)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        if not was_frozen:
            gc.unfreeze()


@contextmanager
def _replaced(owner: Any, name: str, make: Callable[[Any, str], Any]) -> Iterator[None]:
    """A method of a class replaced by what `make` makes of it."""
    before = getattr(owner, name)
    setattr(owner, name, make(before, name))
    try:
        yield
    finally:
        setattr(owner, name, before)


def _remembered_call_type(resolve: Any, _name: str) -> Any:
    """`get_call_type` of functions and operators, asked once for each set of argument types."""

    def get_call_type(self: Any, context: Any, args: Any, kws: Any) -> Any:
        if kws:
            return resolve(self, context, args, kws)
        key = (id(self), tuple(args))
        if key not in _call_types:
            _call_types[key] = (self, resolve(self, context, args, kws))  # keeps the id in use
        return _call_types[key][1]

    return get_call_type


def _remembered_size(ask: Any, name: str) -> Any:
    """Size or alignment of an LLVM type, asked once."""

    def get(self: Any, target_data: Any, context: Any = None) -> Any:
        key = (name, str(self))
        if key not in _sizes:
            _sizes[key] = ask(self, target_data, context)
        return _sizes[key]

    return get


@contextmanager
def _silent_lock() -> Iterator[None]:
    """Keep llvmlite's lock, without telling numba's event system of each use."""
    listeners = ffi.lib._lock._cblist
    kept = list(listeners)
    listeners.clear()
    try:
        yield
    finally:
        listeners[:] = kept


class QuickFlags(Flags):  # type: ignore[misc]  # numba has no type hints
    """numba's flags, compared by what is set; numba lists all options, 100,000 times a run."""

    __slots__ = ()

    def __hash__(self) -> int:
        """As numba's, which hashes the names of the options."""
        return _FLAGS_HASH

    def __eq__(self, other: object) -> bool:
        """Equal by what was set, else by the values with their defaults."""
        same = isinstance(other, Flags) and self._values == other._values
        return same or bool(super().__eq__(other))


_FLAGS_HASH = hash(Flags())

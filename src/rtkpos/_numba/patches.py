"""numba made quicker while a kernel is compiled; nothing stays changed afterwards.

numba resolves each `a + b` and `math.sin(x)` again for every kernel, and asks LLVM for the size of
the same types by compiling a text. Each of these costs more than a tenth of the first run; see
docs/decisions/numba.md.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from llvmlite import ir
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

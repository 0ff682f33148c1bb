"""The `@kernel` decorator: compiled when first called, kept on disk, loaded without numba.

A kernel that Python calls is a *whole*: machine code with everything it calls. numba is imported
only to compile; what lies on disk is loaded and called by `calls`. A kernel called by a kernel
is a *part* of wholes; see `compiler`.
"""

from __future__ import annotations

import functools
import inspect
import os
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rtkpos._numba import plain
from rtkpos._numba.cache_folder import kernel_folders
from rtkpos._numba.calls import Form, MachineCode, describe, key_text, layouts_are_known
from rtkpos._numba.disk.lock import locked
from rtkpos._numba.disk.store import Store
from rtkpos._numba.registry import KERNELS

_lock = threading.RLock()  # one compilation or loading at a time
_preparations: list[Callable[[], object]] = []
_waiting: list[Callable[[], object]] = []


def before_compiling(prepare: Callable[[], object]) -> None:
    """Have `prepare` called once, before this process compiles its next kernel.

    It may say that compiling takes a while, or compile more than that kernel. A later call of this
    function takes its place.
    """
    _preparations[:] = [prepare]


def when_waiting(tell: Callable[[], object]) -> None:
    """Have `tell` called whenever this process begins to wait for another one that compiles."""
    _waiting[:] = [tell]


@contextmanager
def compiling(what: str) -> Iterator[None]:
    """Compile something while no other process compiles the same; wait for one that does."""
    with locked(kernel_folders().own, what, _tell_waiting):
        yield


def hand_over_kernels(folder: Path) -> int:
    """Write all forms of this process into a folder of ready kernels; how many there are."""
    found = [found for found in KERNELS.values() if isinstance(found, Kernel)]
    return sum(found.hand_over(folder) for found in found)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function over floats and arrays: lazily, cached, without the GIL.

    Numbers in, numbers out, NaN is "not observed", division by zero follows IEEE 754. A kernel
    neither calls itself nor allocates arrays: such code does not compile. With NUMBA_DISABLE_JIT=1
    the function stays plain Python.
    """
    return _kernel(function)


def fused_kernel(function: Callable[..., Any]) -> Any:
    """A kernel whose products and sums may be fused to multiply-adds, which round once.

    NaN, infinity and the order of operations stay. For inner loops alone: a result may differ in
    the last digit between processors.
    """
    return _kernel(function, fastmath={"contract"})


def unit_kernel(function: Callable[..., Any]) -> Any:
    """A kernel with much below it that is optimised and translated by itself.

    Wholes take its machine code as it is, so that several processes can work on one whole. A call
    is never inlined: for kernels that run once an epoch.
    """
    return _kernel(function, is_unit=True)


def _kernel(function: Callable[..., Any], *, is_unit: bool = False, **options: Any) -> Any:
    """What `kernel` says, with options of numba."""
    found: Any = function
    if os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0"):
        found = Kernel(function, options, is_unit)
    else:
        found.py_func = function  # so that the twin of a kernel has one name in all modes
    KERNELS[f"{function.__module__}.{function.__qualname__}"] = found
    return found


class Kernel:
    """A function that runs as machine code, one form for each set of argument types.

    py_func : the function as written      options : for numba      is_unit : see `unit_kernel`
    n_loaded, n_compiled : forms taken from disk, and made
    """

    def __init__(
        self, function: Callable[..., Any], options: dict[str, Any], is_unit: bool
    ) -> None:
        functools.update_wrapper(self, function)
        self.py_func = function
        self.options, self.is_unit = options, is_unit
        self.n_loaded = self.n_compiled = 0
        self._n_argument = function.__code__.co_argcount
        self._forms: dict[tuple[Any, ...], Form] = {}
        self._store = Store(function, "whole")

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """The result of the function; RuntimeError where a checked run finds a wrong index."""
        if named or len(arguments) != self._n_argument:
            arguments = _in_order(self.py_func, arguments, named)
        key: list[Any] = []
        words: list[Any] = []
        describe(arguments, key, words)
        types = tuple(key)
        form = self._forms.get(types) or self._form(types, arguments)
        if form is None:
            return plain.call(self, arguments)
        return form(words)

    def is_ready(self, *arguments: Any) -> bool:
        """Whether a call with such arguments would compile nothing."""
        types, text = _types_of(arguments)
        return types in self._forms or self._store.load(text) is not None

    def can_be_kept(self) -> bool:
        """Whether what is compiled here can be found by other processes; never of plain kernels."""
        return not plain.is_needed() and self._store.is_open()

    def prepare(self, *arguments: Any) -> None:
        """Load or compile what a call with such arguments needs, without the call."""
        if self._form(_types_of(arguments)[0], arguments) is None:
            plain.prepare(self, arguments)

    def prepare_part(self, *arguments: Any) -> None:
        """Compile and keep the part that kernels need which pass such arguments."""
        from rtkpos._numba.compiler import compile_part

        with _lock:
            compile_part(self, arguments)

    def hand_over(self, folder: Path) -> int:
        """Write the forms of this process into a folder of ready kernels; how many there are."""
        return sum(self._store.hand_over(text, folder) for text in self.signatures)

    @property
    def signatures(self) -> list[str]:
        """The sets of argument types there are forms for, as text."""
        return [key_text(types) for types in self._forms]

    @property
    def part(self) -> Any:
        """What a kernel that calls this one is compiled with: a dispatcher of numba's."""
        from rtkpos._numba.compiler import part_of

        return part_of(self)

    @property
    def _numba_type_(self) -> Any:
        """What numba takes this object for when it compiles a caller."""
        if plain.is_needed():
            return plain.plain_type(self)
        from rtkpos._numba.compiler import type_of

        return type_of(self)

    def _form(self, types: tuple[Any, ...], arguments: tuple[Any, ...]) -> Form | None:
        """The form for these types: from disk, or compiled; None where plain kernels are used."""
        if plain.is_asked_for() or not _can_call():
            return None
        with _lock:
            text = key_text(types)
            form = self._forms.get(types) or self._load(text)
            if form is None and _preparations:
                _preparations.pop()()
                form = self._forms.get(types) or self._load(text)
            if form is None and not plain.is_needed():
                with compiling(f"{self._store.name}|{text}"):
                    form = self._load(text) or self._compile(text, arguments)
            if form is not None:
                self._forms[types] = form
        return form

    def _load(self, text: str) -> Form | None:
        """The form kept on disk, None when there is no sound one."""
        payload = self._store.load(text)
        if payload is None:
            return None
        try:
            form = Form(self._store.name, MachineCode.from_bytes(payload))
        except (ValueError, TypeError, OSError, RuntimeError, struct.error) as error:
            self._store.note("not loaded", error)
            return None
        self.n_loaded += 1
        return form

    def _compile(self, text: str, arguments: tuple[Any, ...]) -> Form | None:
        """A form made by numba, and kept; None when this numba is not the one `compiler` knows."""
        try:
            from rtkpos._numba.compiler import compile_whole

            code = compile_whole(self, arguments)
        except (ImportError, AttributeError) as error:
            plain.fall_back(f"numba lacks what rtkpos uses ({error})")
            return None
        form = Form(self._store.name, code)
        self._store.save(text, code.to_bytes())
        self.n_compiled += 1
        return form


def _can_call() -> bool:
    """Whether numpy's objects lie in memory as compiled code expects."""
    if not layouts_are_known():
        plain.fall_back("numpy's memory layout is not the known one")
        return False
    return True


def _tell_waiting() -> None:
    """Another process compiles what is needed here."""
    for tell in _waiting:
        tell()


def _types_of(arguments: tuple[Any, ...]) -> tuple[tuple[Any, ...], str]:
    """What tells the types of arguments apart, and the same as text for the store."""
    key: list[Any] = []
    describe(arguments, key, [])
    return tuple(key), key_text(key)


def _in_order(
    function: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]
) -> tuple[Any, ...]:
    """Arguments in the order of the function's parameters, with its defaults."""
    bound = inspect.signature(function).bind(*arguments, **named)
    bound.apply_defaults()
    return bound.args

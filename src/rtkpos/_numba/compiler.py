"""The one place that imports numba: kernels to machine code, loaded only to compile.

numba optimises and translates every function together with all that it calls, so that code five
calls deep is translated six times. Here a kernel called by a kernel stays a *part*: LLVM code as it
came from numba. Only a kernel called by Python becomes a *whole*, with its parts linked in,
optimised and translated once; see docs/decisions/numba.md. A whole has no wrapper for
Python but an entry that takes machine words; see `calls`.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from typing import Any

import numba
from llvmlite import binding as llvm
from numba.core import types
from numba.core.compiler import Compiler, CompileResult
from numba.core.compiler_lock import global_compiler_lock
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.funcdesc import ExternalFunctionDescriptor
from numba.core.lowering import Lower
from numba.core.typed_passes import (
    AnnotateTypes,
    IRLegalization,
    NativeLowering,
    NoPythonBackend,
    NopythonTypeInference,
    PreLowerStripPhis,
)
from numba.core.typing import signature
from numba.core.untyped_passes import (
    FixupArgs,
    GenericRewrites,
    IRProcessing,
    ReconstructSSA,
    TranslateByteCode,
)

from rtkpos._numba.calls import MachineCode, describe, word_letters
from rtkpos._numba.disk.packing import packed, unpacked
from rtkpos._numba.disk.store import Store
from rtkpos._numba.entry import add_entry, result_letters
from rtkpos._numba.libraries import PartLibrary, WholeLibrary, all_units, reached
from rtkpos._numba.patches import quick_numba
from rtkpos._numba.registry import KERNELS
from rtkpos._numba.type_text import from_json, to_json

_TYPES: Any = types  # numba's type hints for them are wrong
_OF_NUMBER = {
    "?": _TYPES.boolean,
    "q": _TYPES.int64,
    "Q": _TYPES.uint64,
    "d": _TYPES.float64,
}


def compile_whole(kernel: Any, arguments: tuple[Any, ...]) -> MachineCode:
    """Machine code of a kernel for the types of these arguments, with all that it calls."""
    key: list[Any] = []
    describe(arguments, key, [])
    dispatcher = _dispatcher(kernel, _WholeCompiler, no_cfunc_wrapper=True)
    with global_compiler_lock, quick_numba():
        result = dispatcher._compiler.compile(tuple(map(_type_of_value, arguments)), None)
        library = result.library
        library._ensure_finalized()
        returned = result.signature.return_type
        return MachineCode(
            entry=library.entry,
            codes=library.codes(),
            words=word_letters(key),
            results=result_letters(returned),
            is_tuple=isinstance(returned, _TYPES.BaseTuple),
            symbols=library.all_symbols(),
        )


def compile_part(kernel: Any, arguments: tuple[Any, ...]) -> None:
    """Make, and keep, what callers of a kernel need for the types of these arguments."""
    general = general_types(arguments)
    with global_compiler_lock, quick_numba():
        kernel.part.compile(general)
        part = kernel.part.overloads[general].library
        for library in all_units([part] if kernel.is_unit else reached([part])[1]):
            library.unit()


def general_types(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """numba's types with which kernels call a kernel that they pass such arguments."""
    return tuple(_general_type(_type_of_value(value)) for value in arguments)


def _dispatcher(kernel: Any, pipeline: Any, **options: Any) -> Any:
    """numba's dispatcher of a kernel's function, with its options."""
    # Without the run-time for allocation no code counts references to arrays that callers own.
    options |= kernel.options | {"nogil": True, "_nrt": False}
    njit = numba.njit(error_model="numpy", pipeline_class=pipeline, **options)
    return njit(kernel.py_func)


def _type_of_value(value: Any) -> Any:
    """numba's type of an argument; numbers have the types that `calls.describe` gives them."""
    if isinstance(value, tuple):
        return _TYPES.BaseTuple.from_types(tuple(map(_type_of_value, value)), type(value))
    key: list[Any] = []
    describe((value,), key, [])
    return _OF_NUMBER[key[0]] if isinstance(key[0], str) else numba.typeof(value)


class _KernelCompiler(Compiler):  # type: ignore[misc]
    """numba's compiler with the passes that kernels need; the library takes the code.

    Left out are those for closures, objects, literals as arguments, and arithmetic of whole arrays.
    """

    _library: Any

    def define_pipelines(self) -> Any:
        """One pipeline."""
        self.state.flags.no_compile = True
        codegen = self.state.targetctx.codegen()
        self.state.library = self._library(codegen, self.state.func_id.func_qualname)
        passes = PassManager("rtkpos")
        for step in (
            TranslateByteCode,
            FixupArgs,
            IRProcessing,
            GenericRewrites,
            ReconstructSSA,
            NopythonTypeInference,
            PreLowerStripPhis,
            IRLegalization,
            AnnotateTypes,
            _Lowering,
            NoPythonBackend,
        ):
            passes.add_pass(step, step.__name__)
        passes.finalize()
        return [passes]


class _Lower(Lower):  # type: ignore[misc]
    """numba's lowering: a short symbol that is the same in every process, our entry for Python.

    numba's spells out all types of the arguments, with the counters of this process: 10 kB where
    records are passed, in each call.
    """

    def __init__(self, context: Any, library: Any, fndesc: Any, *arguments: Any, **named: Any):
        fndesc.mangled_name = library.symbol = _symbol(fndesc)
        fndesc.env_name = f"env.{fndesc.mangled_name}"
        super().__init__(context, library, fndesc, *arguments, **named)

    def create_cpython_wrapper(self, release_gil: bool = False) -> None:  # noqa: ARG002
        """Add the entry of a whole; name and arguments are numba's."""
        self.library.entry = add_entry(self.context, self.library, self.fndesc)


def _symbol(fndesc: Any) -> str:
    """Symbol of a kernel for the types of its arguments, by numba's description of it."""
    text = ",".join(map(str, fndesc.argtypes))
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"{fndesc.modname}.{fndesc.qualname}.{digest}"


@register_pass(mutates_CFG=True, analysis_only=False)
class _Lowering(NativeLowering):  # type: ignore[misc]
    """numba's pass that makes LLVM code."""

    _name = "rtkpos_lowering"

    @property
    def lowering_class(self) -> Any:
        """What does the work."""
        return _Lower


class _PartCompiler(_KernelCompiler):
    """Up to LLVM code."""

    _library = PartLibrary


class _WholeCompiler(_KernelCompiler):
    """Up to machine code, with our entry in place of numba's wrapper."""

    _library = WholeLibrary


@functools.cache
def part_of(kernel: Any) -> Any:
    """The dispatcher of a kernel as a part of others."""
    part = _dispatcher(kernel, _PartCompiler, no_cpython_wrapper=True, no_cfunc_wrapper=True)
    name = f"{kernel.py_func.__module__}.{kernel.py_func.__qualname__}"
    part.add_overload = functools.partial(_add_part, part, name)
    # What numba asks of a function that another one calls.
    ask = part.get_call_template
    part.get_call_template = lambda arguments, keywords: _call_template(ask, arguments, keywords)
    part._cache = _PartCache(kernel.py_func)
    return part


@functools.cache
def type_of(kernel: Any) -> Any:
    """numba's type of a kernel that another one calls."""
    return _TYPES.Dispatcher(part_of(kernel))


def _call_template(ask: Any, arguments: Any, keywords: Any) -> Any:
    """What a caller must know of a part; compiles it for the general types of the arguments."""
    general = {name: _general_type(kind) for name, kind in keywords.items()}
    return ask(tuple(map(_general_type, arguments)), general)


def _general_type(kind: Any) -> Any:
    """Type of an argument: constants count as their type, short integers as int64.

    Otherwise `f(0)`, `f(1)`, `f(n)` and `f(sat)` would be four compilations of the same kernel.
    """
    kind = _TYPES.unliteral(kind)
    is_short = isinstance(kind, _TYPES.Integer) and kind.signed and kind.bitwidth < 64
    return _TYPES.int64 if is_short else kind


def _add_part(dispatcher: Any, name: str, result: Any) -> None:
    """Make a compiled part known to callers, in place of numba's registration of machine code."""
    key = result.entry_point
    if key is None:
        key = object()
        dispatcher.targetctx.insert_user_function(key, result.fndesc, [result.library])
    arguments = tuple(result.signature.args)
    result.library._ensure_finalized()
    result.library.origin = (name, arguments)
    dispatcher.overloads[arguments] = result._replace(entry_point=key)


class _PartCache:
    """Parts on disk, as bitcode: after an edit, only what it touches is typed and lowered again.

    The interface is the one numba's dispatcher expects of a cache.
    """

    cache_path = None

    def __init__(self, function: Callable[..., Any]) -> None:
        self._store = Store(function, "part")

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Compiled form of a signature, or None when there is no sound one."""
        payload = self._store.load(str(sig))
        if payload is None:
            return None
        try:
            return self._rebuild(target_context, payload)
        except (ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
            self._store.note("not loaded", error)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled form where that is possible."""
        if data.library.has_dynamic_globals:
            return
        try:
            self._store.save(str(sig), self._reduce(data))
        except (RuntimeError, ValueError) as error:
            self._store.note("not kept", error)

    def _reduce(self, result: Any) -> bytes:
        """Bitcode, the names of the kernels it calls, and what callers must know."""
        library, returned = result.library, result.signature.return_type
        calls = [
            (name, list(map(to_json, arguments)))
            for name, arguments in (part.origin for part in library.parts())
        ]
        arguments = list(map(to_json, result.signature.args))
        facts = [library.name, library.symbol, calls, to_json(returned), arguments]
        return packed(facts, [library._final_module.as_bitcode()])

    def _rebuild(self, target_context: Any, payload: bytes) -> Any:
        """The compile result; loads or compiles the kernels it calls."""
        (name, symbol, calls, returned, arguments), (bitcode,) = unpacked(payload)
        returned, arguments = from_json(returned), tuple(map(from_json, arguments))
        library = PartLibrary(target_context.codegen(), name)
        library._final_module = llvm.parse_bitcode(bitcode)
        library.symbol = symbol
        for callee, passed in calls:
            part, types_passed = KERNELS[callee].part, tuple(map(from_json, passed))
            part.compile(types_passed)
            library.add_linking_library(part.overloads[types_passed].library)
        library._finalized = True
        known = {
            "target_context": target_context,
            "typing_context": target_context.typing_context,
            "library": library,
            "entry_point": object(),
            "fndesc": ExternalFunctionDescriptor(symbol, returned, arguments),
            "signature": signature(returned, *arguments),
            "objectmode": False,
            "lifted": (),
        }
        return CompileResult(**dict.fromkeys(CompileResult._fields) | known)

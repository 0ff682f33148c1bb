"""The one place that imports numba: the `@kernel` decorator and its cache of compiled code.

numba optimises and translates every function together with all that it calls, so that code five
calls deep is translated six times. Here a kernel called by a kernel stays a part: LLVM code as it
came from numba. Only a kernel called by Python becomes a whole, with its parts linked in,
optimised and translated once; see docs/decisions/compile-time.md.

numba's own cache raises at the first call when an entry is truncated or unreadable, hands a changed
byte in machine code to the processor, and does not see that a kernel from another file changed.
Here an entry is one file with a checksum, stamped with the hash of all sources it comes from;
whatever is wrong with it counts as a miss, and the kernel is compiled again.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import pickle
import re
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba
from llvmlite import binding as llvm
from numba.core import config, types
from numba.core.caching import CompileResultCacheImpl
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, CompileResult, Flags
from numba.core.serialize import dumps

from rtkpos._cache import ENTRY_SUFFIX, source_hash

_TYPES: Any = types  # numba's type hints for them are wrong

# Every kernel of the process, by "module.name".
KERNELS: dict[str, Any] = {}

_DIGEST_SIZE = 16
_log = logging.getLogger(__name__)


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


def _kernel(function: Callable[..., Any], **options: Any) -> Any:
    """What `kernel` says, with options of numba."""
    whole = _compiled(function, _WholeCompiler, no_cfunc_wrapper=True, **options)
    if not hasattr(whole, "py_func"):
        whole.py_func = function  # so that the twin of a kernel has one name in all modes
    else:
        options |= {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        part = _compiled(function, _PartCompiler, **options)
        part.add_overload = functools.partial(_add_part, part, _name_of(function))
        # What numba asks of a function that another one calls.
        whole.get_call_template = functools.partial(_call_template, part)
        whole.get_overload = part.get_overload
        whole.part = part
        if function.__closure__ is None:
            whole._cache, part._cache = _KernelCache(function), _PartCache(function)
    KERNELS[_name_of(function)] = whole
    return whole


def _compiled(function: Callable[..., Any], pipeline: Any, **options: Any) -> Any:
    """numba's dispatcher of a function; the function itself under NUMBA_DISABLE_JIT."""
    # Without the run-time for allocation no code counts references to arrays that callers own.
    options |= {"nogil": True, "_nrt": False}
    compiled: Any = numba.njit(error_model="numpy", pipeline_class=pipeline, **options)(function)
    if compiled is not function:
        compiled._compiler._customize_flags = _QuickFlags
    return compiled


def _name_of(function: Callable[..., Any]) -> str:
    """Key of a kernel in KERNELS."""
    return f"{function.__module__}.{function.__qualname__}"


class _QuickFlags(Flags):  # type: ignore[misc]  # numba has no type hints
    """numba's flags, compared by what is set; numba lists all options, 100,000 times a run."""

    __slots__ = ()

    def __hash__(self) -> int:
        """As numba's, which hashes the names of the options."""
        return _FLAGS_HASH

    def __eq__(self, other: object) -> bool:
        """Equal by what was set, else by the values with their defaults."""
        same = isinstance(other, Flags) and self._values == other._values
        return same or super().__eq__(other)


_FLAGS_HASH = hash(Flags())


class _PartLibrary(JITCodeLibrary):  # type: ignore[misc]
    """LLVM code of one kernel and of the numba functions it uses, but not of the kernels it calls.

    origin : name in KERNELS, argument types and symbol of the kernel; numba counts symbols anew in
        each process
    """

    origin: tuple[str, Any, str]

    def finalize(self) -> None:
        """End the collection of code; no optimisation, no machine code."""
        self._raise_if_finalized()
        for library in dict.fromkeys(self._linking_libraries):
            if not isinstance(library, _PartLibrary):
                self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalize_dynamic_globals()
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage == llvm.Linkage.external:
                function.linkage = "linkonce_odr"  # may come along with several wholes
        self._finalized = True

    def parts(self) -> list[_PartLibrary]:
        """The kernels this one calls."""
        return [lib for lib in self._linking_libraries if isinstance(lib, _PartLibrary)]

    def _get_module_for_linking(self) -> Any:
        """The code; name and meaning are numba's."""
        self._ensure_finalized()
        return self._final_module


class _WholeLibrary(JITCodeLibrary):  # type: ignore[misc]
    """A kernel with everything it calls, optimised and translated."""

    def finalize(self) -> None:
        """Link all parts, callers before callees (LLVM leaves out what nobody asked for yet)."""
        found: dict[Any, None] = {}
        waiting = list(self._linking_libraries)[::-1]  # type: ignore[has-type]
        while waiting:
            library = waiting.pop()
            if library not in found:
                found[library] = None
                if isinstance(library, _PartLibrary):
                    waiting += library.parts()[::-1]
        self._linking_libraries = list(found)
        super().finalize()


class _PartCompiler(Compiler):  # type: ignore[misc]
    """numba's compiler up to LLVM code."""

    def define_pipelines(self) -> Any:
        """numba's pipelines, with their result in a part."""
        self.state.flags.no_compile = True
        self.state.library = _PartLibrary(_codegen(self.state), self.state.func_id.func_qualname)
        return super().define_pipelines()


class _WholeCompiler(Compiler):  # type: ignore[misc]
    """numba's compiler for kernels that call parts."""

    def define_pipelines(self) -> Any:
        """numba's pipelines, with their result in a whole."""
        self.state.library = _WholeLibrary(_codegen(self.state), self.state.func_id.func_qualname)
        self.state.library.enable_object_caching()
        return super().define_pipelines()


def _codegen(state: Any) -> Any:
    """numba's code generator of a compilation."""
    return state.targetctx.codegen()


def _call_template(part: Any, arguments: Any, keywords: Any) -> Any:
    """What a caller must know of a part; compiles it for the general types of the arguments."""
    general = {name: _general_type(kind) for name, kind in keywords.items()}
    return part.get_call_template(tuple(map(_general_type, arguments)), general)


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
    result.library.origin = (name, arguments, result.fndesc.llvm_func_name)
    dispatcher.overloads[arguments] = result._replace(entry_point=key)


class _KernelCache:
    """Compiled forms of one function on disk, with the interface numba's dispatcher expects.

    The place is the one numba would choose (NUMBA_CACHE_DIR, `__pycache__`, the user's cache).
    Nothing that is wrong with a file or a folder raises: it is a miss, or the kernel is not kept.
    """

    kind = "whole"

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._source = _source_of(function)
        self._impl: Any = None
        self._enabled = bool(self._source)

    @property
    def cache_path(self) -> str | None:
        """Folder of the entries; None where there is no place for them."""
        with suppress(RuntimeError):
            return str(self._implementation().locator.get_cache_path())
        return None

    def _implementation(self) -> Any:
        """Where and how numba stores this function; found at first use to keep imports fast."""
        if self._impl is None:
            self._impl = CompileResultCacheImpl(self._function)
        return self._impl

    def enable(self) -> None:
        """Use the cache (again)."""
        self._enabled = True

    def disable(self) -> None:
        """Neither load nor save from now on."""
        self._enabled = False

    def flush(self) -> None:
        """Do nothing: an entry is valid by its content or not at all."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Compiled form of a signature, or None when there is no sound one."""
        # numba's own cache refreshes the target context here: 0.3 s of imports that only a
        # compilation needs, and a compilation does it by itself.
        if not self._enabled:
            return None
        try:
            key = _key(sig, target_context.codegen())
            payload = _read_entry(self._path(key), self._stamp(key))
            return None if payload is None else self._rebuild(target_context, payload)
        except Exception as error:  # unpickling a damaged entry may raise anything
            self._note("not loaded", error)
            return None

    def _rebuild(self, target_context: Any, payload: bytes) -> Any:
        """numba's compile result from the stored bytes."""
        return self._implementation().rebuild(target_context, pickle.loads(payload))

    def _reduce(self, result: Any) -> Any:
        """What to store of numba's compile result."""
        return self._implementation().reduce(result)

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled form; a full disk or a read-only folder leaves it uncached."""
        if not self._enabled:
            return
        try:
            if self._implementation().check_cachable(data):
                key = _key(sig, data.codegen)
                self._implementation().locator.ensure_cache_path()
                payload = dumps(self._reduce(data))
                _write_entry(self._path(key), self._stamp(key), payload)
        except (OSError, RuntimeError, pickle.PicklingError) as error:
            self._note("not kept", error)

    def _path(self, key: str) -> Path:
        """File of an entry."""
        name = _name_of(self._function)
        digest = hashlib.sha256(f"{self.kind}|{key}".encode()).hexdigest()[:12]
        folder = Path(self._implementation().locator.get_cache_path())
        return folder / f"{re.sub(r'[^.a-zA-Z0-9_]', '', name)}-{digest}{ENTRY_SUFFIX}"

    def _stamp(self, key: str) -> bytes:
        """What an entry must say of itself to be this function in this version."""
        line = self._function.__code__.co_firstlineno
        facts = (numba.__version__, self._source, self.kind, str(line), key)
        return hashlib.sha256("|".join(facts).encode()).digest()

    def _note(self, what: str, error: Exception) -> None:
        """Log why an entry is not used."""
        name = self._function.__qualname__
        _log.debug("compiled %s %s: %s: %s", name, what, type(error).__name__, error)


class _PartCache(_KernelCache):
    """Parts on disk, as bitcode: after an edit, only what it touches is typed and lowered anew."""

    kind = "part"

    def _reduce(self, result: Any) -> Any:
        """Bitcode, the names of the kernels it calls, and what callers must know."""
        result.fndesc.typemap = result.fndesc.calltypes = None
        library = result.library
        bitcode, calls = library._final_module.as_bitcode(), [lib.origin for lib in library.parts()]
        return library.name, bitcode, calls, result.fndesc, result.signature

    def _rebuild(self, target_context: Any, payload: bytes) -> Any:
        """The compile result; loads or compiles the kernels it calls.

        None when one of them has another symbol than this code calls: two processes that compile at
        the same time leave parts of either, and a call of a symbol that nobody defines would crash.
        """
        name, bitcode, calls, fndesc, signature = pickle.loads(payload)
        library = _PartLibrary(target_context.codegen(), name)
        library._final_module = llvm.parse_bitcode(bitcode)
        for callee, arguments, symbol in calls:
            part = KERNELS[callee].part
            part.compile(arguments)
            called = part.overloads[arguments].library
            if called.origin[2] != symbol:
                return None
            library.add_linking_library(called)
        library._finalized = True
        known = {
            "target_context": target_context,
            "typing_context": target_context.typing_context,
            "library": library,
            "entry_point": object(),
            "fndesc": fndesc,
            "signature": signature,
            "objectmode": False,
            "lifted": (),
        }
        return CompileResult(**dict.fromkeys(CompileResult._fields) | known)


def _source_of(function: Callable[..., Any]) -> str:
    """Hash of the sources of a function as they are now, at import; "" when there are no files."""
    try:
        return source_hash(os.path.abspath(function.__code__.co_filename))
    except OSError:
        return ""


def _key(sig: Any, codegen: Any) -> str:
    """Everything but the source that decides the compiled code, as text.

    numba's key lacks the bounds check, so that its cache hands out unchecked code.
    """
    options = (config.BOUNDSCHECK, config.OPT, config.DEBUGINFO_DEFAULT)
    return f"{sig}|{codegen.magic_tuple()}|{options}|{sys.implementation.cache_tag}"


def _read_entry(path: Path, stamp: bytes) -> bytes | None:
    """Payload of an entry; None when it is absent, damaged, or of other code."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, rest = content[:_DIGEST_SIZE], content[_DIGEST_SIZE:]
    if hashlib.blake2b(rest, digest_size=_DIGEST_SIZE).digest() != digest:
        return None
    return rest[len(stamp) :] if rest[: len(stamp)] == stamp else None


def _write_entry(path: Path, stamp: bytes, payload: bytes) -> None:
    """Write an entry under a temporary name and rename it, so that readers see it whole."""
    rest = stamp + payload
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.blake2b(rest, digest_size=_DIGEST_SIZE).digest() + rest)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise

"""Compiled kernels called without numba: arguments as machine words, object code by llvmlite.

A compiled form has one entry, `entry(words) -> status`. Its words are numbers, or the addresses of
arrays and records as Python objects, whose memory the entry finds by itself; results come back in
the first words. Importing numba and its unboxing of arguments cost more than solving six minutes
of observations; see docs/decisions/numba.md.
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import struct
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from rtkpos._numba.disk.packing import packed, unpacked
from rtkpos.errors import ConfigError

# Public layout of PyArrayObject (data, nd, dimensions, strides) and PyVoidScalarObject (ob_size,
# obval) behind the header of every object; numpy's C interface reads both through macros.
_HEADER = object.__basicsize__
ARRAY_DATA, ARRAY_SHAPE, ARRAY_STRIDES = _HEADER, _HEADER + 16, _HEADER + 24
RECORD_DATA = _HEADER + 8
WORD_SIZE = 8
CPU_VARIABLES = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")
_V3 = ("avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "popcnt", "sse4.2")
_GENERIC = {"x86_64": ("x86-64-v3", _V3), "amd64": ("x86-64-v3", _V3)}

# Flags of numpy arrays that make a type of their own: order of memory, alignment, writeable.
_C_ORDER, _FORTRAN_ORDER, _KEPT = 0x1, 0x2, 0x500
_LAYOUTS = {
    order | kept: kept | (_C_ORDER if order & _C_ORDER else order)
    for order in range(4)
    for kept in (0x000, 0x100, 0x400, 0x500)
}
_N_DIM_UNIT = 0x1000
_IS_RECORD = -1
_ALL_FLAGS = _KEPT | _C_ORDER | _FORTRAN_ORDER

_ndarray, _void = np.ndarray, np.void


class MachineCode(NamedTuple):
    """A compiled form as it is kept on disk.

    entry : symbol      codes : object files
    words : format of the arguments, letters of `struct`
    results : letters "q", "d" and "?" of what comes back      is_tuple : whether as a tuple
    symbols : what the code expects from the process
    """

    entry: str
    codes: tuple[bytes, ...]
    words: str
    results: str
    is_tuple: bool
    symbols: tuple[str, ...]

    def to_bytes(self) -> bytes:
        """For the disk; `from_bytes` reads it."""
        return packed([self.entry, *self[2:]], self.codes)

    @classmethod
    def from_bytes(cls, content: bytes) -> MachineCode:
        """What `to_bytes` wrote; ValueError or TypeError for anything else."""
        (entry, words, results, is_tuple, symbols), codes = unpacked(content)
        texts = (entry, words, results, *symbols)
        if not codes or not all(isinstance(text, str) for text in texts):
            raise ValueError("no machine code")
        return cls(entry, tuple(codes), words, results, bool(is_tuple), tuple(symbols))


def describe(values: Sequence[Any], key: list[Any], words: list[Any]) -> None:
    """Append what tells the types of arguments apart to `key`, and their machine words to `words`.

    Arrays, records (np.void), numbers, and tuples of them; TypeError for anything else. Whole
    numbers are int64, others float64, whatever their size.
    """
    for value in values:
        kind = type(value)
        if kind is _ndarray or isinstance(value, _ndarray):
            key.append(value.dtype)
            key.append(_LAYOUTS[value.flags.num & _ALL_FLAGS] + _N_DIM_UNIT * value.ndim)
            words.append(id(value))
        elif isinstance(value, tuple):
            key.append(kind)
            key.append(len(value))
            describe(value, key, words)
        elif isinstance(value, _void):
            key.append(value.dtype)
            key.append(_IS_RECORD)
            words.append(id(value))
        else:
            letter, number = _number(value)
            key.append(letter)
            words.append(number)


def _number(value: Any) -> tuple[str, Any]:
    """Letter of `struct` and the value of a number."""
    if isinstance(value, bool | np.bool_):
        return "?", bool(value)
    if isinstance(value, np.uint64):
        return "Q", int(value)
    if isinstance(value, int | np.integer):
        return "q", int(value)
    if isinstance(value, float | np.floating):
        return "d", float(value)
    raise TypeError(f"a kernel takes arrays, records and numbers; got {type(value).__name__}.")


def word_letters(key: Sequence[Any]) -> str:
    """Format of the words that belong to a key."""
    letters = []
    for item in key:
        if isinstance(item, np.dtype):
            letters.append("Q")
        elif isinstance(item, str):
            letters.append(item)
    return "".join(letters)


def key_text(key: Sequence[Any]) -> str:
    """A key as text that means the same in every process."""
    return ",".join(map(_item_text, key))


def _item_text(item: Any) -> str:
    """One part of a key as text."""
    if isinstance(item, np.dtype):
        return _dtype_text(item)
    if isinstance(item, type):
        return f"{item.__module__}.{item.__qualname__}{getattr(item, '_fields', '')}"
    return str(item)


def _dtype_text(dtype: np.dtype[Any]) -> str:
    """Everything that decides how a dtype lies in memory."""
    if dtype.subdtype is not None:
        return f"{_dtype_text(dtype.subdtype[0])}{dtype.subdtype[1]}"
    if dtype.fields is None:
        return dtype.str
    fields = ";".join(f"{k}@{v[1]}:{_dtype_text(v[0])}" for k, v in dtype.fields.items())
    return f"{{{fields}|{dtype.itemsize},{dtype.alignment},{dtype.isalignedstruct}}}"


@functools.cache
def layouts_are_known() -> bool:
    """Whether arrays and records of this numpy lie in memory as the entries expect."""
    array = np.zeros((2, 3))
    record = np.zeros(1, np.dtype([("a", np.float64)]))[0]
    shape, strides = (
        (ctypes.c_ssize_t * 2).from_address(_pointer_at(id(array) + offset))
        for offset in (ARRAY_SHAPE, ARRAY_STRIDES)
    )
    inside = np.frombuffer(record, np.uint8).ctypes.data
    return (
        _pointer_at(id(array) + ARRAY_DATA) == array.ctypes.data
        and tuple(shape) == array.shape
        and tuple(strides) == array.strides
        and _pointer_at(id(record) + RECORD_DATA) == inside
    )


def _pointer_at(address: int) -> int:
    """The pointer stored at an address."""
    return ctypes.c_void_p.from_address(address).value or 0


@functools.cache
def llvm() -> Any:
    """llvmlite's binding, ready to load code for this processor."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding


def processor() -> str:
    """The processor code is made for, as LLVM sees it: code for one may not run on another.

    That of this machine, or that of NUMBA_CPU_NAME and NUMBA_CPU_FEATURES.
    """
    named = os.environ.get(CPU_VARIABLES[0])
    if named:
        return f"{_system()}|{named}|{os.environ.get(CPU_VARIABLES[1], '')}"
    return _host()


@functools.cache
def _host() -> str:
    """The processor of this machine and all it can do."""
    binding = llvm()
    features = binding.get_host_cpu_features().flatten()
    return f"{_system()}|{binding.get_host_cpu_name()}|{features}"


@functools.cache
def _system() -> str:
    """Kind of machine and operating system."""
    return f"{platform.machine().lower()}-{sys.platform}"


def generic_cpu() -> str:
    """The processor that ready kernels are made for: one that machines of the last ten years are.

    "" when this one is older. With x86-64-v3 the fused kernels have the instruction they ask for.
    """
    needed = _GENERIC.get(platform.machine().lower())
    if needed is None:
        return "generic"
    features = llvm().get_host_cpu_features()
    return needed[0] if all(features.get(name) for name in needed[1]) else ""


def use_generic_processor() -> None:
    """Compile for the generic processor from now on; call it before anything is compiled.

    ConfigError on a machine that could not run what is compiled.
    """
    generic = generic_cpu()
    if not generic:
        raise ConfigError("this processor is older than those generic kernels are made for.")
    os.environ.update(zip(CPU_VARIABLES, (generic, ""), strict=True))


@functools.cache
def runnable_processors() -> tuple[str, ...]:
    """Processors whose code runs here, the best first."""
    generic = generic_cpu()
    return (_host(), f"{_system()}|{generic}|") if generic else (_host(),)


class Form:
    """One compiled form of a kernel, ready to be called with the words of its arguments."""

    def __init__(self, name: str, code: MachineCode) -> None:
        self._name = name
        self._engine = _loaded(code)  # owns the memory of the code
        address = self._engine.get_function_address(code.entry)
        self._entry = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)(address)
        n_word = max(len(code.words), len(code.results), 1)
        padding = WORD_SIZE * (n_word - len(code.words))
        self._pack = struct.Struct("=" + code.words.replace("?", "q") + f"{padding}x").pack
        self._block: Any = ctypes.c_int64 * n_word
        self._results = struct.Struct("=" + code.results.replace("?", "q")).unpack_from
        self._finish = _finisher(code)

    def __call__(self, words: Sequence[Any]) -> Any:
        """The result of the kernel; the lock of the interpreter is free meanwhile."""
        block = self._block.from_buffer_copy(self._pack(*words))
        status = self._entry(block)
        if status:
            raise RuntimeError(
                f"kernel {self._name} ended with status {status}: an index out of bounds, or "
                "another error of Python's that kernels must not raise."
            )
        return self._finish(self._results(block))


def _finisher(code: MachineCode) -> Callable[[tuple[Any, ...]], Any]:
    """What makes the Python value of the result words."""
    truths = [letter == "?" for letter in code.results]
    if not code.results:
        return lambda _values: None
    if not any(truths):
        return (lambda values: values) if code.is_tuple else (lambda values: values[0])
    if not code.is_tuple:
        return lambda values: bool(values[0])
    return lambda values: tuple(
        bool(value) if is_truth else value for value, is_truth in zip(values, truths, strict=True)
    )


def _loaded(code: MachineCode) -> Any:
    """An engine of its own for the object files: two kernels may bring the same unit."""
    binding = llvm()
    target = binding.Target.from_triple(binding.get_process_triple())
    engine = binding.create_mcjit_compiler(
        binding.parse_assembly(""), target.create_target_machine(jit=True, codemodel="jitdefault")
    )
    # Asked after the engine was made, which opens the symbols of the process to LLVM.
    missing = [name for name in code.symbols if not binding.address_of_symbol(name)]
    if missing:  # LLVM would end the process
        raise OSError(f"symbols {', '.join(missing)} are not in this process")
    for content in code.codes:
        engine.add_object_file(binding.ObjectFileRef.from_data(content))
    engine.finalize_object()
    return engine

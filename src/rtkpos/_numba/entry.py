"""The entry of compiled kernels: from machine words to numba's values and back, as LLVM code.

`calls` says what the words are. Arrays and records come as addresses of numpy's objects.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.np.arrayobj import make_array, populate_array

from rtkpos._numba.calls import ARRAY_DATA, ARRAY_SHAPE, ARRAY_STRIDES, RECORD_DATA

_TYPES: Any = types  # numba's type hints for them are wrong
_WORD, _STATUS = ir.IntType(64), ir.IntType(32)


def result_letters(returned: Any) -> str:
    """Letters of the results of a kernel, by numba's type of what it returns."""
    return "".join(map(_letter, _returned_types(returned)))


def _returned_types(kind: Any) -> list[Any]:
    """Types of the results: none, one, or those of a tuple."""
    if kind == _TYPES.none:
        return []
    return list(kind) if isinstance(kind, _TYPES.BaseTuple) else [kind]


def _letter(kind: Any) -> str:
    """Letter of a result; TypeError for what is no number."""
    kind = _TYPES.unliteral(kind)
    if isinstance(kind, _TYPES.Boolean):
        return "?"
    if isinstance(kind, _TYPES.Integer):
        return "q"
    if isinstance(kind, _TYPES.Float):
        return "d"
    raise TypeError(f"a kernel called by Python returns numbers or a tuple of them; got {kind}.")


def add_entry(context: Any, library: Any, fndesc: Any) -> str:
    """Write `int32 entry(int64 *words)`, which unpacks the words, calls, and stores the results.

    context, fndesc : numba's target and description of the kernel      library : takes the code
    Returns the symbol of the entry; TypeError for results that are no numbers.
    """
    result_letters(fndesc.restype)
    module = context.create_module("entry")
    function_type = context.call_conv.get_function_type(fndesc.restype, fndesc.argtypes)
    callee = ir.Function(module, function_type, fndesc.llvm_func_name)
    symbol = f"rtkpos_entry_{fndesc.llvm_func_name}"
    entry = ir.Function(module, ir.FunctionType(_STATUS, [_WORD.as_pointer()]), symbol)
    builder = ir.IRBuilder(entry.append_basic_block("entry"))
    words = _Words(context, builder, entry.args[0])
    values = [words.value_of(kind) for kind in fndesc.argtypes]
    status, result = context.call_conv.call_function(
        builder, callee, fndesc.restype, fndesc.argtypes, values
    )
    words.store(fndesc.restype, result)
    builder.ret(status.code)
    library.add_ir_module(module)
    return symbol


class _Words:
    """The words of a call while the entry is written: taken one after the other."""

    def __init__(self, context: Any, builder: Any, words: Any) -> None:
        self._context, self._builder, self._words = context, builder, words
        self._next = 0

    def value_of(self, kind: Any) -> Any:
        """LLVM value of the next argument."""
        if isinstance(kind, _TYPES.BaseTuple):
            values = [self.value_of(inner) for inner in kind]
            return self._context.make_tuple(self._builder, kind, values)
        word = self._builder.load(self._place(self._next))
        self._next += 1
        if isinstance(kind, _TYPES.Array):
            return self._array(kind, word)
        if isinstance(kind, _TYPES.Record):
            pointer = self._context.get_value_type(kind)
            return self._builder.inttoptr(self._field(word, RECORD_DATA), pointer)
        if isinstance(kind, _TYPES.Float):
            return self._builder.bitcast(word, ir.DoubleType())
        if isinstance(kind, _TYPES.Boolean):
            return self._builder.icmp_unsigned("!=", word, ir.Constant(_WORD, 0))
        return word

    def store(self, kind: Any, result: Any) -> None:
        """Write the results over the first words."""
        found = _returned_types(kind)
        if isinstance(kind, _TYPES.BaseTuple):
            values = cgutils.unpack_tuple(self._builder, result, len(found))
        else:
            values = [result][: len(found)]
        for k, (inner, value) in enumerate(zip(found, values, strict=True)):
            self._builder.store(self._as_word(inner, value), self._place(k))

    def _place(self, k: int) -> Any:
        """Pointer to word k."""
        return self._builder.gep(self._words, [ir.Constant(_WORD, k)])

    def _field(self, address: Any, offset: int) -> Any:
        """The word at an offset of an address."""
        place = self._builder.add(address, ir.Constant(_WORD, offset))
        return self._builder.load(self._builder.inttoptr(place, _WORD.as_pointer()))

    def _array(self, kind: Any, address: Any) -> Any:
        """numba's array of numpy's at an address."""
        builder, n_dim = self._builder, range(kind.ndim)
        shape, strides = (
            [self._field(self._field(address, at), 8 * k) for k in n_dim]
            for at in (ARRAY_SHAPE, ARRAY_STRIDES)
        )
        array = make_array(kind)(self._context, builder)
        data = builder.inttoptr(self._field(address, ARRAY_DATA), array.data.type)
        item_size = self._context.get_abi_sizeof(self._context.get_data_type(kind.dtype))
        populate_array(array, data, shape, strides, item_size, meminfo=None)
        return array._getvalue()

    def _as_word(self, kind: Any, value: Any) -> Any:
        """A result as a word."""
        kind = _TYPES.unliteral(kind)
        if isinstance(kind, _TYPES.Float):
            is_short = kind.bitwidth < 64
            wide = self._builder.fpext(value, ir.DoubleType()) if is_short else value
            return self._builder.bitcast(wide, _WORD)
        if value.type.width >= 64:
            return value
        is_signed = isinstance(kind, _TYPES.Integer) and kind.signed
        return (self._builder.sext if is_signed else self._builder.zext)(value, _WORD)

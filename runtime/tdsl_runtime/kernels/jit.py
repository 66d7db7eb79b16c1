"""Functions of Python -> compiled ones; LLVM's types and instructions for those that emit."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar, cast

import numpy as np

from tdsl_runtime.kernels.inlined import InlinedCompiler

# Neither llvmlite nor most of Numba has type annotations.
ir: Any = import_module("llvmlite.ir")
binding: Any = import_module("llvmlite.binding")
cgutils: Any = import_module("numba.core.cgutils")
config: Any = import_module("numba.core.config")
extending: Any = import_module("numba.extending")
types: Any = import_module("numba.core.types")
njit: Any = import_module("numba").njit
I1, I8, I16, I32, I64 = (ir.IntType(bits) for bits in (1, 8, 16, 32, 64))
V8 = ir.VectorType(I64, 8)
INT = types.int64
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
Function = TypeVar("Function", bound=Callable[..., Any])


def inner(function: Function) -> Function:
    """Compile a function that kernels alone call.

    Without wrappers, reference counts and machine code of its own that takes a third of the time,
    and views cost nothing.
    """
    jit = njit(
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        error_model="numpy",
        _nrt=False,
        pipeline_class=InlinedCompiler,
    )
    return cast("Function", jit(function))


def emitted(function: Callable[..., Any]) -> Any:
    """Let a function write the vector instructions of a call itself."""
    return extending.intrinsic(function)


def splat(b: Any, value: Any, lanes: int) -> Any:
    """One scalar in all lanes."""
    vector = ir.VectorType(value.type, lanes)
    empty = ir.Constant(vector, ir.Undefined)
    first = b.insert_element(empty, value, I32(0))
    return b.shuffle_vector(first, empty, ir.Constant(ir.VectorType(I32, lanes), [0] * lanes))


def iota(kind: Any, lanes: int) -> Any:
    """0, 1, 2, ... in the lanes."""
    return ir.Constant(ir.VectorType(kind, lanes), list(range(lanes)))


def call_intrinsic(b: Any, name: str, result: Any, *args: Any) -> Any:
    """Call an LLVM intrinsic by its mangled name."""
    kind = ir.FunctionType(result, [a.type for a in args])
    return b.call(cgutils.get_or_insert_function(b.module, kind, name), list(args))


def pointer(context: Any, b: Any, kind: Any, array: Any, index: Any, wanted: Any) -> Any:
    """Pointer to `array[index]` as a pointer to the wanted type."""
    data = context.make_array(kind)(context, b, array).data
    return b.bitcast(b.gep(data, [index]), wanted.as_pointer())

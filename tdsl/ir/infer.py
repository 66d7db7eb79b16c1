"""The operator table: an operation and the types of its operands -> the type of its result.

Every result type is exact: the narrowest integers that hold every value the operation can give
for any weights. The sentences of `OpError` are those that users read.
"""

from typing import assert_never

from tdsl.ir import infer_kernels as kernels
from tdsl.ir import infer_pointwise as pointwise
from tdsl.ir import infer_rearrangements as rearrangements
from tdsl.ir import infer_thresholds as thresholds
from tdsl.ir import infer_windows as windows
from tdsl.ir import ops
from tdsl.ir.condition import Where
from tdsl.ir.tensor_type import TensorType


def infer(op: ops.Op, inputs: tuple[TensorType, ...], where: Where = ()) -> TensorType:
    """The type of the result of `op`; `where` holds what is known of symbolic sizes.

    Raises OpError where the operands do not fit the operation.
    """
    match op:
        case ops.Input():
            raise ValueError("the type of an input is declared, not inferred")
        case ops.Concat():
            return rearrangements.concat(inputs, where)
        case ops.Mux():
            selector, a, b = inputs
            return pointwise.mux(selector, a, b, where)
        case ops.Add() | ops.Sub():
            a, b = inputs
            return pointwise.add(op, a, b, where)
        case ops.Gate():
            a, b = inputs
            return pointwise.gate(op, a, b, where)
        case ops.Kernel():
            return kernels.kernel(op, inputs, where)
        case ops.Compare():
            return pointwise.compare(op, inputs, where)
        case _:
            (x,) = inputs
            return _infer_unary(op, x, where)


Unary = (
    ops.Conv
    | ops.Linear
    | ops.Pool
    | ops.GlobalPool
    | ops.Sum
    | ops.Ternarize
    | ops.Binarize
    | ops.Step
    | ops.Quantize
    | ops.Thermometer
    | ops.Upsample
    | ops.PixelShuffle
    | ops.Slice
    | ops.ChannelShuffle
    | ops.Not
    | ops.Shift
    | ops.Clip
    | ops.Flatten
    | ops.Argmax
)


def _infer_unary(op: Unary, x: TensorType, where: Where) -> TensorType:
    match op:
        case ops.Conv():
            return windows.conv(op, x, where)
        case ops.Linear():
            return windows.linear(op, x)
        case ops.Pool():
            return windows.pool(op, x, where)
        case ops.GlobalPool():
            return windows.global_pool(op, x, where)
        case ops.Sum():
            return windows.total(x, where)
        case ops.Ternarize():
            return thresholds.ternarize(op, x)
        case ops.Binarize() | ops.Step():
            return thresholds.one_threshold(op, x)
        case ops.Quantize():
            return thresholds.quantize(op, x)
        case ops.Thermometer():
            return thresholds.thermometer(op, x)
        case ops.Upsample():
            return rearrangements.upsample(op, x, where)
        case ops.PixelShuffle():
            return rearrangements.pixel_shuffle(op, x, where)
        case ops.Slice():
            return rearrangements.channel_slice(op, x)
        case ops.ChannelShuffle():
            return rearrangements.channel_shuffle(op, x, where)
        case ops.Flatten():
            return rearrangements.flatten(x)
        case ops.Not():
            return pointwise.invert(x)
        case ops.Shift():
            return pointwise.shift(op, x)
        case ops.Clip():
            return pointwise.clip(op, x)
        case ops.Argmax():
            return pointwise.argmax(x)
        case _:
            assert_never(op)

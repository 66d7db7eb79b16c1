"""Operations of the graph on batches of PyTorch tensors: the same integers, held as floats.

Images are [N, C, H, W], vectors [N, C]. Exact wherever the floats hold the integers exactly;
gradients follow `straight_through`, and a comparison or `argmax` has none.
"""

from collections.abc import Sequence
from typing import assert_never

import torch
from torch import Tensor
from torch.nn import functional as F

from tdsl.ir import ops
from tdsl.ir.ops import CompareKind, GateKind, PoolKind
from tdsl.ir.tensor_type import U1, Element, Kind
from tdsl.train.straight_through import floor_divide

Fixed = (
    ops.Pool
    | ops.GlobalPool
    | ops.Sum
    | ops.Thermometer
    | ops.Upsample
    | ops.PixelShuffle
    | ops.Concat
    | ops.Slice
    | ops.ChannelShuffle
    | ops.Add
    | ops.Sub
    | ops.Gate
    | ops.Not
    | ops.Mux
    | ops.Shift
    | ops.Compare
    | ops.Clip
    | ops.Flatten
    | ops.Argmax
)
"""The operations without parameters."""


def apply(op: Fixed, operands: Sequence[Tensor], element: Element, dtype: torch.dtype) -> Tensor:
    """The value of `op`; `element` is the type of its first operand, `dtype` that of new planes."""
    x = operands[0]
    match op:
        case ops.Pool() | ops.GlobalPool():
            return _pool(op, x)
        case ops.Sum():
            return x.flatten(1).sum(1, keepdim=True)
        case ops.Thermometer():
            return _thermometer(op, x, element, dtype)
        case ops.Upsample():
            return F.interpolate(x, scale_factor=float(op.factor), mode="nearest")
        case ops.PixelShuffle():
            return F.pixel_shuffle(x, op.factor)
        case ops.Concat():
            return torch.cat(list(operands), 1)
        case ops.Slice():
            return x[:, op.start : op.stop]
        case ops.ChannelShuffle():
            return _channel_shuffle(x, op.groups)
        case ops.Add():
            return x + operands[1]
        case ops.Sub():
            return x - operands[1]
        case ops.Gate():
            return _gate(op.kind, element, x, operands[1])
        case ops.Not():
            return 1 - x if element == U1 else -x
        case ops.Mux():
            return _mux(x, operands[1], operands[2])
        case ops.Shift():
            return x * 2**op.amount if op.amount >= 0 else floor_divide(x, 2**-op.amount)
        case ops.Compare():
            return _compare(op, x, operands[1] if op.constant is None else op.constant)
        case ops.Clip():
            return x.clamp(op.element.low, op.element.high)
        case ops.Flatten():
            return x.flatten(1)
        case ops.Argmax():
            return x.argmax(1, keepdim=True).to(x.dtype)
        case _:
            assert_never(op)


def conv(op: ops.Conv, x: Tensor, weight: Tensor) -> Tensor:
    """Cross-correlate `x` with ternary `weight` [out, C/groups, kh, kw]."""
    top, left, bottom, right = op.padding
    even = (top, left) == (bottom, right) and (op.pad_value == 0 or top + left == 0)
    if not even:
        x = F.pad(x, (left, right, top, bottom), value=float(op.pad_value))
    padding = (top, left) if even else (0, 0)
    return F.conv2d(x, weight, None, op.stride, padding, op.dilation, op.groups)


def _pool(op: ops.Pool | ops.GlobalPool, x: Tensor) -> Tensor:
    if isinstance(op, ops.Pool):
        return _windows(op.kind, x, op.kernel, op.stride)
    image = x if x.dim() == 4 else x[:, :, None, None]
    whole = (image.shape[2], image.shape[3])
    return _windows(op.kind, image, whole, whole).flatten(1)


def _windows(kind: PoolKind, x: Tensor, kernel: tuple[int, int], stride: tuple[int, int]) -> Tensor:
    if kind is PoolKind.MAX:
        return F.max_pool2d(x, kernel, stride)
    total = F.avg_pool2d(x, kernel, stride, divisor_override=1)
    area = kernel[0] * kernel[1]
    return total if kind is PoolKind.SUM else floor_divide(total + area // 2, area)


def _thermometer(op: ops.Thermometer, x: Tensor, element: Element, dtype: torch.dtype) -> Tensor:
    """Planes last while computing, so that the result lies in memory as convolutions like it."""
    n, k = element.high + 1, op.levels
    value = x.movedim(1, -1).unsqueeze(-1)
    if op.kind is Kind.TRIT:
        hi = [-(-n * (k + 1 + j) // (2 * k + 1)) - 1 for j in range(k)]
        lo = [-(-n * (k - j) // (2 * k + 1)) for j in range(k)]
        planes = (value > x.new_tensor(hi)).to(dtype) - (value < x.new_tensor(lo)).to(dtype)
    else:
        t = [-(-n * (j + 1) // (k + 1)) - 1 for j in range(k)]
        planes = (value > x.new_tensor(t)).to(dtype) * 2 - 1
    return planes.flatten(-2).movedim(-1, 1)


def _channel_shuffle(x: Tensor, groups: int) -> Tensor:
    split = x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:])
    return split.transpose(1, 2).flatten(1, 2)


def _gate(kind: GateKind, element: Element, a: Tensor, b: Tensor) -> Tensor:
    match kind:
        case GateKind.AND:
            return torch.minimum(a, b)
        case GateKind.OR:
            return torch.maximum(a, b)
        case GateKind.XOR:
            return a + b - 2 * a * b if element == U1 else -(a * b)
        case _:
            assert_never(kind)


def _mux(selector: Tensor, a: Tensor, b: Tensor) -> Tensor:
    chosen = selector.reshape(*selector.shape, *(1,) * (a.dim() - selector.dim()))
    return b + chosen * (a - b)


def _compare(op: ops.Compare, a: Tensor, b: Tensor | int) -> Tensor:
    holds: Tensor
    match op.kind:
        case CompareKind.EQ:
            holds = torch.eq(a, b)
        case CompareKind.NE:
            holds = torch.ne(a, b)
        case CompareKind.LT:
            holds = torch.lt(a, b)
        case CompareKind.LE:
            holds = torch.le(a, b)
        case CompareKind.GT:
            holds = torch.gt(a, b)
        case CompareKind.GE:
            holds = torch.ge(a, b)
        case _:
            assert_never(op.kind)
    return holds.to(a.dtype)

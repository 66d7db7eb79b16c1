"""The meaning of operations that reduce windows: integers in, sums, maxima or averages out."""

from collections.abc import Iterator
from typing import assert_never

import numpy as np

from tdsl.ir.ops import Conv, GlobalPool, Pool, PoolKind
from tdsl.ir.parameters import Integers

# Products are formed in float64, where the matrix product is fast: every partial sum is an
# integer below this bound, so it is exact in any order of addition.
_EXACT = 1 << 53


def conv(op: Conv, x: Integers, weight: Integers) -> Integers:
    """Cross-correlate `x` [C, H, W] with `weight` [out, C/groups, kh, kw]."""
    top, left, bottom, right = op.padding
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right)), constant_values=op.pad_value)
    per_group = weight.reshape(op.groups, -1, *weight.shape[1:])
    total: Integers | None = None
    for (ky, kx), tap in taps(padded, op.kernel, op.stride, op.dilation):
        pixels = tap.reshape(op.groups, per_group.shape[2], -1)
        products = _product(per_group[:, :, :, ky, kx], pixels).reshape(-1, *tap.shape[1:])
        total = products if total is None else total + products
    assert total is not None
    return total


def linear(x: Integers, weight: Integers) -> Integers:
    """Apply `weight` [out, in] to the vector `x` [in]."""
    return _product(weight, x[:, np.newaxis])[:, 0]


def pool(op: Pool, x: Integers) -> Integers:
    """Reduce each window of each channel of `x` [C, H, W]."""
    windows = np.stack([tap for _, tap in taps(x, op.kernel, op.stride, (1, 1))])
    return _reduce(op.kind, windows)


def global_pool(op: GlobalPool, x: Integers) -> Integers:
    """Reduce each channel of `x` [C, H, W] to one value: [C]."""
    return _reduce(op.kind, x.reshape(x.shape[0], -1).T)


def taps(
    x: Integers, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
) -> Iterator[tuple[tuple[int, int], Integers]]:
    """Each kernel position (ky, kx) with the pixels it meets: [C, rows out, columns out]."""
    rows = (x.shape[1] - (kernel[0] - 1) * dilation[0] - 1) // stride[0] + 1
    columns = (x.shape[2] - (kernel[1] - 1) * dilation[1] - 1) // stride[1] + 1
    for ky in range(kernel[0]):
        for kx in range(kernel[1]):
            y, z = ky * dilation[0], kx * dilation[1]
            below, beyond = y + rows * stride[0], z + columns * stride[1]
            yield (ky, kx), x[:, y : below : stride[0], z : beyond : stride[1]]


def _reduce(kind: PoolKind, windows: Integers) -> Integers:
    """Reduce axis 0."""
    reduced: Integers
    match kind:
        case PoolKind.MAX:
            reduced = windows.max(axis=0)
        case PoolKind.SUM:
            reduced = windows.sum(axis=0)
        case PoolKind.AVG:
            area = windows.shape[0]
            reduced = (windows.sum(axis=0) + area // 2) // area
        case _:
            assert_never(kind)
    return reduced


def _product(a: Integers, b: Integers) -> Integers:
    largest = max(int(np.abs(b).max(initial=0)), 1) * a.shape[-1]
    assert largest < _EXACT, "sums too large to be exact"
    return (a.astype(np.float64) @ b.astype(np.float64)).astype(np.int64)

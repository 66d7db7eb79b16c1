"""The meaning of thresholds: integers in, a few levels out."""

from typing import assert_never

import numpy as np

from tdsl.ir.ops import Quantize, Thermometer
from tdsl.ir.parameters import Integers
from tdsl.ir.tensor_type import Element, Kind


def ternarize(x: Integers, lo: Integers, hi: Integers) -> Integers:
    """+1 if x > hi, -1 if x < lo, else 0. `lo` and `hi` are () or (C,)."""
    above = x > along_channels(hi, x.ndim)
    below = x < along_channels(lo, x.ndim)
    return above.astype(np.int64) - below.astype(np.int64)


def binarize(x: Integers, t: Integers) -> Integers:
    """+1 if x > t, else -1. `t` is () or (C,)."""
    return 2 * step(x, t) - 1


def step(x: Integers, t: Integers) -> Integers:
    """1 if x > t, else 0. `t` is () or (C,)."""
    return (x > along_channels(t, x.ndim)).astype(np.int64)


def quantize(op: Quantize, x: Integers, th: Integers) -> Integers:
    """element.low + the number of thresholds below x. `th` is (levels-1,) or (C, levels-1)."""
    passed = np.zeros_like(x)
    for level in range(th.shape[-1]):
        passed += step(x, th[..., level])
    return op.element.low + passed


def thermometer(op: Thermometer, x: Integers, element: Element) -> Integers:
    """`x` [C, H, W] of the u-type `element` as `op.levels` channels each: [C * levels, H, W]."""
    planes = [_plane(op, x, element.high + 1, level) for level in range(op.levels)]
    return np.stack(planes, axis=1).reshape(-1, *x.shape[1:])


def _plane(op: Thermometer, x: Integers, n: int, j: int) -> Integers:
    """Level `j` of every channel, for `n` input values."""
    k = op.levels
    match op.kind:
        case Kind.TRIT:
            hi = _ceil_div(n * (k + 1 + j), 2 * k + 1) - 1
            lo = _ceil_div(n * (k - j), 2 * k + 1)
            return ternarize(x, np.array(lo), np.array(hi))
        case Kind.BIN:
            return binarize(x, np.array(_ceil_div(n * (j + 1), k + 1) - 1))
        case Kind.UNSIGNED | Kind.SIGNED:
            raise AssertionError(f"a thermometer makes trit or bin planes, not {op.kind}")
        case _:
            assert_never(op.kind)


def along_channels(parameter: Integers, rank: int) -> Integers:
    """A parameter of shape () or (C,), shaped so that it meets axis 0 of a rank-`rank` tensor."""
    return parameter.reshape(-1, *(1,) * (rank - 1)) if parameter.ndim else parameter


def _ceil_div(a: int, b: int) -> int:
    return -(-a // b)

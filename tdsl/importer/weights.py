"""A constant tensor of weights -> whole numbers and one exact scale for each output channel."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from tdsl.importer.exact import common_divisor
from tdsl.importer.formulas import Integers
from tdsl.importer.refusal import Refusal
from tdsl.importer.value import Const

MOST = 255
"""The largest weight, in absolute value."""
_MOST_VALUES = 2 * MOST + 1
_UNQUANTISED = "put a `Quant` node between the weights and this node"


def whole_weights(
    weights: Const, inputs: Sequence[Fraction]
) -> tuple[Integers, tuple[Fraction, ...]]:
    """Weights `[out, in, ...]` on inputs of the scales `inputs` -> integers, scale of each output.

    Output o is scale[o] * sum of integer * input integer, exactly. Raises Refusal for weights that
    are not few-bit multiples of one number.
    """
    integers, scales = _of_grid(weights) or _of_floats(weights)
    unit = common_divisor(inputs) or Fraction(1)
    ratios = [one / unit for one in inputs]
    if any(abs(ratio) > MOST for ratio in ratios):
        raise Refusal(
            "the channels of its input have scales that are no small multiples of one number",
            "quantise the input with one scale for all channels",
        )
    factors = np.array([int(ratio) for ratio in ratios], np.int64)
    integers = integers * factors.reshape(-1, *(1,) * (integers.ndim - 2))
    shared = np.gcd.reduce(np.abs(integers).reshape(len(integers), -1), axis=1)
    divisors = np.where(shared == 0, 1, shared)
    integers = integers // divisors.reshape(-1, *(1,) * (integers.ndim - 1))
    if np.abs(integers).max(initial=0) > MOST:
        raise Refusal(
            "its weights need more than 9 bits", "quantise the weights to 8 bits or fewer"
        )
    exact = tuple(s * unit * int(d) for s, d in zip(scales, divisors, strict=True))
    return integers, exact


def _of_grid(weights: Const) -> tuple[Integers, list[Fraction]] | None:
    """The integers of a quantised constant, where each output has one scale."""
    if weights.grid is None:
        return None
    rows = weights.grid.scale.reshape(len(weights.array), -1)
    if rows.shape[1] == 0 or (rows != rows[:, :1]).any():
        return None
    return weights.grid.integers, [Fraction(float(row[0])) for row in rows]


def _of_floats(weights: Const) -> tuple[Integers, list[Fraction]]:
    """Floats that are whole multiples of one float for each output, exactly."""
    rows = weights.array.reshape(len(weights.array), -1).astype(np.float64)
    integers = np.zeros(rows.shape, np.int64)
    scales: list[Fraction] = []
    for row, out in zip(rows, integers, strict=True):
        different = np.unique(np.abs(row))
        if len(different) > _MOST_VALUES or not np.isfinite(different).all():
            raise _unquantised(len(different))
        unit = common_divisor(Fraction(float(one)) for one in different) or Fraction(1)
        if different[-1] / float(unit) > MOST:
            raise _unquantised(len(different))
        out[:] = np.round(row / float(unit)).astype(np.int64)
        scales.append(unit)
    return integers.reshape(weights.array.shape), scales


def _unquantised(count: int) -> Refusal:
    return Refusal(
        f"its weights are not quantised: one output has {count} different sizes, no few-bit "
        "multiples of one number",
        _UNQUANTISED,
    )

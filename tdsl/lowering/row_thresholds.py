"""What follows the sums of a DotStep, as row values: clamps, shifts, thresholds."""

from typing import assert_never

from tdsl.lowering.parallel import spacing
from tdsl.lowering.steps import Clamp, Count, DotStep, Raw, ShiftRight, Tern
from tdsl.rows.builder import RowBuilder
from tdsl.rows.ir import Arithmetic, Relation


def thresholded_rows(builder: RowBuilder, step: DotStep, channel: int, total: int) -> int:
    """The result of a channel from its sum; without pooling, which commutes with all of this."""
    value = total
    for op in step.ops:
        match op:
            case Clamp(low=low, high=high):
                value = _clamped(builder, value, low, high)
            case ShiftRight(amount=amount, bias=bias):
                value = builder.scale(_plus(builder, value, bias), -amount)
            case _:
                assert_never(op)
    match step.threshold:
        case Raw():
            return value
        case Tern(lo=lo, hi=hi):
            above = _above(builder, value, int(hi[channel]))
            below = _below(builder, value, int(lo[channel]))
            return builder.binary(Arithmetic.SUB, above, below)
        case Count(thresholds=thresholds, bias=bias):
            levels = [int(t) for t in thresholds[channel]]
            return _plus(builder, _counted(builder, value, levels, spacing(step)), bias)
    assert_never(step.threshold)


def _counted(builder: RowBuilder, value: int, levels: list[int], gap: int | None) -> int:
    """How many thresholds lie below the value."""
    if gap is not None:
        distance = _plus(builder, value, -levels[0] - 1 + (1 << gap))
        return _clamped(builder, builder.scale(distance, -gap), 0, len(levels))
    crossed = [_above(builder, value, level) for level in levels]
    total = crossed[0]
    for one in crossed[1:]:
        total = builder.binary(Arithmetic.ADD, total, one)
    return total


def _above(builder: RowBuilder, value: int, threshold: int) -> int:
    """1 where the value is above the threshold."""
    return builder.compare(Relation.LESS, value, builder.constant(threshold + 1), inverted=True)


def _below(builder: RowBuilder, value: int, threshold: int) -> int:
    return builder.compare(Relation.LESS, value, builder.constant(threshold))


def _plus(builder: RowBuilder, value: int, amount: int) -> int:
    if amount == 0:
        return value
    return builder.binary(Arithmetic.ADD, value, builder.constant(amount))


def _clamped(builder: RowBuilder, value: int, low: int, high: int) -> int:
    """The value cut to low..high; what its range rules out costs nothing."""
    if builder.range(value).low < low:
        value = builder.binary(Arithmetic.MAX, value, builder.constant(low))
    if builder.range(value).high > high:
        value = builder.binary(Arithmetic.MIN, value, builder.constant(high))
    return value

"""The activations that round to integers: a closed union, each with its exact level function.

A quantiser turns float32 numbers into levels; the number that a level stands for is
step * level + origin.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

import numpy as np

from tdsl.importer import formulas
from tdsl.importer.formulas import Floats, Integers, Rounding


@dataclass(frozen=True, slots=True, eq=False)
class Uniform:
    """`Quant`: levels low..high around `zero`. Constants are (C,)."""

    scale: Floats
    zero: Floats
    low: int
    high: int
    mode: Rounding


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """`QuantizeLinear` to low..high, then clipped to least..most."""

    scale: Floats
    zero: Floats
    low: int
    high: int
    least: int
    most: int


@dataclass(frozen=True, slots=True, eq=False)
class Bipolar:
    """`BipolarQuant`: -1 and +1."""

    scale: Floats


@dataclass(frozen=True, slots=True)
class Sign:
    """`Sign`: -1, 0, +1."""


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """`MultiThreshold`: thresholds (C, N), the number step * count + origin."""

    thresholds: Floats
    step: Fraction
    origin: Fraction


@dataclass(frozen=True, slots=True, eq=False)
class Truncated:
    """`Trunc`: the integer divided by `divisor`, then rounded; clamped where limits are given."""

    scale: Floats
    zero: Floats
    divisor: Floats
    mode: Rounding
    out_scale: Floats
    limits: tuple[int, int] | None


Quantiser = Uniform | Linear | Bipolar | Sign | Counted | Truncated


def levels(quantiser: Quantiser, x: Floats, channel: int) -> tuple[Integers, Integers]:
    """The levels of one channel's numbers, and 1 where a tie decided."""
    none = np.zeros(x.shape, np.int64)
    match quantiser:
        case Uniform(scale, zero, low, high, mode):
            found, ties = formulas.quant(x, scale[channel], zero[channel], low, high, mode)
            return found - int(zero[channel]), ties
        case Linear(scale, zero, low, high, least, most):
            found, ties = formulas.quantize_linear(x, scale[channel], zero[channel], low, high)
            return found.clip(least, most) - int(zero[channel]), ties
        case Bipolar():
            return formulas.bipolar(x), none
        case Sign():
            return np.sign(x).astype(np.int64), none
        case Counted(thresholds):
            return formulas.counted(x, thresholds[channel]), none
        case Truncated(scale, zero, divisor, mode, _, limits):
            y = formulas.truncated(x, scale[channel], zero[channel], divisor[channel], mode)
            if limits is not None:
                y = y.clip(np.float32(limits[0]), np.float32(limits[1]))
            return formulas.rounded(y, mode).astype(np.int64), none
        case _:
            assert_never(quantiser)


def limits(quantiser: Quantiser) -> tuple[int, int] | None:
    """The smallest and largest level; None where the input alone bounds them."""
    match quantiser:
        case Uniform(zero=zero, low=low, high=high):
            return low - int(zero.max()), high - int(zero.min())
        case Linear(zero=zero, least=least, most=most):
            return least - int(zero.max()), most - int(zero.min())
        case Bipolar() | Sign():
            return -1, 1
        case Counted(thresholds):
            return 0, thresholds.shape[1]
        case Truncated(limits=stated):
            return stated
        case _:
            assert_never(quantiser)


def meaning(quantiser: Quantiser, channels: int) -> tuple[list[Fraction], list[Fraction]]:
    """The numbers that levels stand for: step and origin of each channel."""
    zeros = [Fraction(0)] * channels
    match quantiser:
        case Uniform(scale=scale) | Linear(scale=scale) | Bipolar(scale=scale):
            return [Fraction(float(one)) for one in scale], zeros
        case Sign():
            return [Fraction(1)] * channels, zeros
        case Counted(step=step, origin=origin):
            return [step] * channels, [origin] * channels
        case Truncated(out_scale=scale):
            return [Fraction(float(one)) for one in scale], zeros
        case _:
            assert_never(quantiser)

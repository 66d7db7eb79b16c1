"""What the float executor does to a value between two roundings to integers, step by step.

Each step is a monotone function a channel, computed in float32 exactly as the executor does.
Batch normalisation is a `Multiply` and an `Add`, with the constants rounded as onnxruntime rounds
them.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from tdsl.importer.formulas import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Multiply:
    """x times `factor` (C,)."""

    factor: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Divide:
    """x divided by `divisor` (C,), none of them zero."""

    divisor: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Plus:
    """x plus `term` (C,)."""

    term: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Clamp:
    """x, not below `low`, not above `high`."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Leak:
    """x times `slope` (C,), none of them negative, where x is negative."""

    slope: Floats


Step = Multiply | Divide | Plus | Clamp | Leak


def apply(step: Step, x: Floats, channel: int) -> Floats:
    """The step on values of one channel."""
    match step:
        case Multiply(factor):
            return np.asarray(x * factor[channel])
        case Divide(divisor):
            return np.asarray(x / divisor[channel])
        case Plus(term):
            return np.asarray(x + term[channel])
        case Clamp(low, high):
            return x.clip(np.float32(low), np.float32(high))
        case Leak(slope):
            return np.where(x < 0, x * slope[channel], x)
        case _:
            assert_never(step)


def is_finite(step: Step) -> bool:
    """Whether every constant of the step is a number."""
    match step:
        case Multiply(numbers) | Divide(numbers) | Plus(numbers) | Leak(numbers):
            return bool(np.isfinite(numbers).all())
        case Clamp(low, high):
            return low <= high
        case _:
            assert_never(step)


def direction(step: Step, channels: int) -> NDArray[np.int64]:
    """+1 where the step rises with x, -1 where it falls, 0 where it is constant: (C,)."""
    match step:
        case Multiply(factor):
            return np.sign(factor).astype(np.int64)
        case Divide(divisor):
            return np.sign(divisor).astype(np.int64)
        case Plus() | Clamp() | Leak():
            return np.ones(channels, np.int64)
        case _:
            assert_never(step)


def taken(step: Step, channels: NDArray[np.int64]) -> Step:
    """The step for other channels: new channel i is the old channel `channels[i]`."""
    match step:
        case Multiply(factor):
            return Multiply(factor[channels])
        case Divide(divisor):
            return Divide(divisor[channels])
        case Plus(term):
            return Plus(term[channels])
        case Clamp():
            return step
        case Leak(slope):
            return Leak(slope[channels])
        case _:
            assert_never(step)


def batch_norm(
    scale: Floats, bias: Floats, mean: Floats, variance: Floats, epsilon: float
) -> tuple[Multiply, Plus]:
    """Batch normalisation as onnxruntime computes it: x factor + term, all in float32."""
    inverse = np.float32(1) / np.sqrt(variance + np.float32(epsilon))
    factor = (scale * inverse).astype(np.float32)
    return Multiply(factor), Plus((bias - mean * factor).astype(np.float32))


def exact(values: Floats) -> tuple[Fraction, ...]:
    """The numbers themselves, as fractions."""
    return tuple(Fraction(float(value)) for value in values)

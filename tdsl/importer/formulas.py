"""The quantisers' own formulas, in float32, as QONNX and ONNX execute them.

Each is a pure function of arrays; `x` and the constants are float32 and every operation rounds to
float32, in the order in which the executors compute. Levels come out as int64.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


class Rounding(StrEnum):
    """How a quantiser rounds. HALF_UP rounds halves away from zero, HALF_DOWN towards it."""

    ROUND = "ROUND"
    CEIL = "CEIL"
    FLOOR = "FLOOR"
    UP = "UP"
    DOWN = "DOWN"
    HALF_UP = "HALF_UP"
    HALF_DOWN = "HALF_DOWN"


def rounding_named(name: str) -> Rounding | None:
    """The mode that a file calls `name`, in any case; None for an unknown one."""
    wanted = name.upper()
    if wanted == "HALF_EVEN":
        return Rounding.ROUND
    return Rounding(wanted) if wanted in set(Rounding) else None


def rounded(x: Floats, mode: Rounding) -> Floats:
    """Whole numbers, still float32."""
    half = np.float32(0.5)
    match mode:
        case Rounding.ROUND:
            return np.round(x)
        case Rounding.CEIL:
            return np.ceil(x)
        case Rounding.FLOOR:
            return np.floor(x)
        case Rounding.UP:
            return np.sign(x) * np.ceil(np.abs(x))
        case Rounding.DOWN:
            return np.trunc(x)
        case Rounding.HALF_UP:
            return np.sign(x) * np.floor(np.abs(x) + half)
        case Rounding.HALF_DOWN:
            return np.sign(x) * np.ceil(np.abs(x) - half)
        case _:
            assert_never(mode)


def quant(
    x: Floats, scale: Floats, zero: Floats, low: int, high: int, mode: Rounding
) -> tuple[Integers, Integers]:
    """QONNX `Quant`: divide, move, clamp, round. Gives the levels and which of them were ties."""
    y = (x / scale + zero).clip(np.float32(low), np.float32(high))
    return rounded(y, mode).astype(np.int64), _ties(y, mode)


def quantize_linear(
    x: Floats, scale: Floats, zero: Floats, low: int, high: int
) -> tuple[Integers, Integers]:
    """ONNX `QuantizeLinear`: divide, round half to even, move, clamp."""
    y = x / scale
    moved = np.round(y) + zero
    return moved.clip(low, high).astype(np.int64), _ties(y, Rounding.ROUND)


def bipolar(x: Floats) -> Integers:
    """QONNX `BipolarQuant`: zero counts as positive."""
    return np.where(x >= 0, 1, -1).astype(np.int64)


def truncated(x: Floats, scale: Floats, zero: Floats, divisor: Floats, mode: Rounding) -> Floats:
    """QONNX `Trunc`, the part before clamping: the integer divided by a power of two."""
    return np.asarray(np.round(x / scale + zero) / divisor, np.float32)


def counted(x: Floats, thresholds: Floats) -> Integers:
    """QONNX `MultiThreshold`: how many thresholds `x` has reached. They may be in any order."""
    return np.searchsorted(np.sort(thresholds), x, side="right").astype(np.int64)


Levels = Callable[[Floats], tuple[Integers, Integers]]
"""One channel's values -> levels, and 1 where a tie was decided."""


def _ties(y: Floats, mode: Rounding) -> Integers:
    if mode not in (Rounding.ROUND, Rounding.HALF_UP, Rounding.HALF_DOWN):
        return np.zeros(y.shape, np.int64)
    halves: Integers = (np.abs(y - np.trunc(y)) == 0.5).astype(np.int64)
    return halves

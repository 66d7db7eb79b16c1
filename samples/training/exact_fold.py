"""Batch normalisation followed by thresholds -> integers, exactly.

In: the float parameters of one channel, y = gamma (x - mean) / sqrt(var + eps) + beta.
Out: integer thresholds that take the same decision for every integer x. No float is rounded on the
way: the parameters are read as the rationals they are, and the square root is bounded by `isqrt`.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Normalisation:
    """Batch normalisation of one channel, as exact rationals; `variance` includes epsilon."""

    gamma: Fraction
    beta: Fraction
    mean: Fraction
    variance: Fraction


@dataclass(frozen=True, slots=True)
class FoldedChannel:
    """`lo`, `hi` for the sum of this channel, taken with its weights times `weight_sign`."""

    lo: int
    hi: int
    weight_sign: int


def floor_with_root(offset: Fraction, square: Fraction, sign: int) -> int:
    """Return floor(offset + sign * sqrt(square)) without rounding error."""
    d = offset.denominator
    scaled = square * d * d
    if sign >= 0:
        root = isqrt(scaled.numerator // scaled.denominator)
    else:
        above = -(-scaled.numerator // scaled.denominator)
        root = -(isqrt(above - 1) + 1) if above > 0 else 0
    return (offset.numerator + root) // d


def largest_not_above(norm: Normalisation, level: Fraction) -> int:
    """Return the largest integer x with y(x) <= level, for gamma > 0."""
    slope = (level - norm.beta) / norm.gamma
    sign = -1 if slope < 0 else 1
    return floor_with_root(norm.mean, slope * slope * norm.variance, sign)


def smallest_not_below(norm: Normalisation, level: Fraction) -> int:
    """Return the smallest integer x with y(x) >= level, for gamma > 0."""
    mirrored = Normalisation(norm.gamma, -norm.beta, -norm.mean, norm.variance)
    return -largest_not_above(mirrored, -level)


def fold_ternary(
    norm: Normalisation, bound: int, level: Fraction = Fraction(1, 2)
) -> FoldedChannel:
    """Fold y > level -> +1, y < -level -> -1, else 0, for sums x in -bound..bound.

    A negative gamma is answered by negated weights; gamma == 0 by thresholds out of reach.
    """
    if norm.gamma < 0:
        negated = Normalisation(-norm.gamma, norm.beta, -norm.mean, norm.variance)
        folded = fold_ternary(negated, bound, level)
        return FoldedChannel(folded.lo, folded.hi, -1)
    if norm.gamma == 0:
        hi = -bound - 1 if norm.beta > level else bound
        lo = bound + 1 if norm.beta < -level else -bound
    else:
        hi = largest_not_above(norm, level)
        lo = smallest_not_below(norm, -level)
    return FoldedChannel(
        lo=min(max(lo, -bound), bound + 1), hi=min(max(hi, -bound - 1), bound), weight_sign=1
    )


def fold_layer(
    gamma: NDArray[np.float64],
    beta: NDArray[np.float64],
    mean: NDArray[np.float64],
    var: NDArray[np.float64],
    eps: float,
    bound: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int8]]:
    """Fold every channel of a layer; arrays have shape (C,). Returns lo, hi, weight signs."""
    channels = [
        fold_ternary(
            Normalisation(
                Fraction(float(g)),
                Fraction(float(b)),
                Fraction(float(m)),
                Fraction(float(v)) + Fraction(eps),
            ),
            bound,
        )
        for g, b, m, v in zip(gamma, beta, mean, var, strict=True)
    ]
    return (
        np.array([c.lo for c in channels], np.int32),
        np.array([c.hi for c in channels], np.int32),
        np.array([c.weight_sign for c in channels], np.int8),
    )

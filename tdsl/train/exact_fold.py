"""Batch normalisation followed by levels -> integer thresholds, exactly.

In: the float parameters of one channel, y = gamma (x - mean) / sqrt(variance) + beta.
Out: integer thresholds that take the same decision for every integer x. No float is rounded on the
way: the parameters are read as the rationals they are, and the square root is bounded by `isqrt`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isqrt


@dataclass(frozen=True, slots=True)
class Normalisation:
    """Batch normalisation of one channel, as exact rationals; `variance` includes epsilon."""

    gamma: Fraction
    beta: Fraction
    mean: Fraction
    variance: Fraction

    @property
    def rising(self) -> "Normalisation":
        """The same function of -x where it falls, itself where it rises or is constant."""
        if self.gamma >= 0:
            return self
        return replace(self, gamma=-self.gamma, mean=-self.mean)


@dataclass(frozen=True, slots=True)
class Range:
    """The values low..high that an integer x can take."""

    low: int
    high: int


def highest_at_most(norm: Normalisation, level: Fraction, x: Range) -> int:
    """The largest x with y(x) <= level, so that x > it exactly where y > level.

    `norm` must not fall. The answer is low - 1 where no x fulfils it, high where all do.
    """
    if norm.gamma == 0:
        return x.high if norm.beta <= level else x.low - 1
    slope = (level - norm.beta) / norm.gamma
    sign = -1 if slope < 0 else 1
    found = _floor_with_root(norm.mean, slope * slope * norm.variance, sign)
    return min(max(found, x.low - 1), x.high)


def lowest_at_least(norm: Normalisation, level: Fraction, x: Range) -> int:
    """The smallest x with y(x) >= level, so that x < it exactly where y < level; at most high + 1.

    `norm` must not fall.
    """
    mirrored = replace(norm, beta=-norm.beta, mean=-norm.mean)
    return -highest_at_most(mirrored, -level, Range(-x.high, -x.low))


def fold_levels(norm: Normalisation, levels: Sequence[Fraction], x: Range) -> list[int]:
    """One threshold a level: as many are below x as there are levels below y. `norm` rises."""
    return [highest_at_most(norm, level, x) for level in levels]


def _floor_with_root(offset: Fraction, square: Fraction, sign: int) -> int:
    """Return floor(offset + sign * sqrt(square)) without rounding error."""
    d = offset.denominator
    scaled = square * d * d
    if sign >= 0:
        root = isqrt(scaled.numerator // scaled.denominator)
    else:
        above = -(-scaled.numerator // scaled.denominator)
        root = -(isqrt(above - 1) + 1) if above > 0 else 0
    return (offset.numerator + root) // d

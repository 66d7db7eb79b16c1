"""Batch norm folds to integers that take the very same decisions, in exact arithmetic."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
from tdsl.train.exact_fold import (
    Normalisation,
    Range,
    fold_levels,
    lowest_at_least,
)

HALF = Fraction(1, 2)

rationals = st.fractions(min_value=-8, max_value=8, max_denominator=64)


def above(norm: Normalisation, x: int, level: Fraction) -> bool:
    """Decide gamma (x - mean) / sqrt(variance) + beta > level by comparing squares."""
    left, right = norm.gamma * (x - norm.mean), level - norm.beta
    if (left > 0) != (right > 0):
        return left > right
    larger = left * left > right * right * norm.variance
    smaller = left * left < right * right * norm.variance
    return larger if left > 0 else smaller


def decision(norm: Normalisation, x: int) -> int:
    """Return the ternary value of the normalised sum, in exact arithmetic."""
    mirrored = Normalisation(-norm.gamma, -norm.beta, norm.mean, norm.variance)
    return int(above(norm, x, HALF)) - int(above(mirrored, x, HALF))


def folded(norm: Normalisation, bound: int) -> tuple[int, int]:
    """Return lo and hi of a ternary activation of the rising form of `norm`."""
    x = Range(-bound, bound)
    (hi,) = fold_levels(norm.rising, [HALF], x)
    return lowest_at_least(norm.rising, -HALF, x), hi


def folded_decisions(norm: Normalisation, bound: int) -> list[int]:
    lo, hi = folded(norm, bound)
    assert hi >= lo - 1
    sign = -1 if norm.gamma < 0 else 1
    signed = (sign * x for x in range(-bound, bound + 1))
    return [int(s > hi) - int(s < lo) for s in signed]


def assert_exact(norm: Normalisation, bound: int) -> None:
    expected = [decision(norm, x) for x in range(-bound, bound + 1)]
    assert folded_decisions(norm, bound) == expected


@settings(deadline=None)
@given(
    gamma=rationals,
    beta=rationals,
    mean=st.fractions(min_value=-40, max_value=40, max_denominator=64),
    variance=st.fractions(min_value=Fraction(1, 64), max_value=400, max_denominator=64),
)
def test_fold_takes_every_decision_of_the_normalisation(
    gamma: Fraction, beta: Fraction, mean: Fraction, variance: Fraction
) -> None:
    assert_exact(Normalisation(gamma, beta, mean, variance), bound=40)


@pytest.mark.parametrize("gamma", [Fraction(1, 8), Fraction(-1, 8), Fraction(1), Fraction(-3)])
@pytest.mark.parametrize("beta", [Fraction(0), HALF, -HALF, Fraction(1)])
@pytest.mark.parametrize("root", [1, 2, 3])
def test_fold_is_exact_at_integer_ties(gamma: Fraction, beta: Fraction, root: int) -> None:
    assert_exact(Normalisation(gamma, beta, Fraction(-5), Fraction(root * root)), bound=64)


@pytest.mark.parametrize("beta", [Fraction(-1), -HALF, Fraction(0), HALF, Fraction(1)])
def test_zero_scale_is_a_constant_channel(beta: Fraction) -> None:
    norm = Normalisation(Fraction(0), beta, Fraction(3), Fraction(2))
    assert_exact(norm, bound=9)
    assert len(set(folded_decisions(norm, bound=9))) == 1


def test_tie_belongs_to_the_dead_zone() -> None:
    assert folded(Normalisation(HALF, Fraction(0), Fraction(0), Fraction(1)), bound=9) == (-1, 1)


@settings(deadline=None)
@given(
    gamma=st.fractions(min_value=0, max_value=8, max_denominator=64),
    beta=rationals,
    mean=st.fractions(min_value=-40, max_value=40, max_denominator=64),
    variance=st.fractions(min_value=Fraction(1, 64), max_value=400, max_denominator=64),
)
def test_as_many_thresholds_are_below_x_as_levels_below_y(
    gamma: Fraction, beta: Fraction, mean: Fraction, variance: Fraction
) -> None:
    norm = Normalisation(gamma, beta, mean, variance)
    levels = [k + HALF for k in range(-4, 3)]
    thresholds = fold_levels(norm, levels, Range(-20, 30))
    assert thresholds == sorted(thresholds)
    for x in range(-20, 31):
        expected = sum(above(norm, x, level) for level in levels)
        assert sum(x > t for t in thresholds) == expected

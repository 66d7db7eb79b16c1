"""Exact arithmetic on scales: common divisors of fractions, and what float32 holds exactly."""

from collections.abc import Iterable
from fractions import Fraction
from math import gcd

HALF_ULP = 2.0**-24
"""The largest relative error of one rounding to float32."""
_MANTISSA = 24


def common_divisor(numbers: Iterable[Fraction]) -> Fraction:
    """The largest fraction of which all are whole multiples; 0 if all are 0."""
    above, below = 0, 1
    for number in numbers:
        above = gcd(above * number.denominator, number.numerator * below)
        below *= number.denominator
        shared = gcd(above, below)
        above, below = above // shared, below // shared
    return Fraction(above, below)


def multiples_are_floats(unit: Fraction, largest: int) -> bool:
    """Whether float32 holds every whole multiple of `unit` up to `largest` exactly."""
    if unit == 0 or largest == 0:
        return True
    if unit.denominator & (unit.denominator - 1):
        return False
    odd = abs(unit.numerator)
    odd >>= (odd & -odd).bit_length() - 1
    return (odd * largest).bit_length() <= _MANTISSA


def is_power_of_two(number: Fraction) -> bool:
    """Whether multiplying by the number moves the exponent alone."""
    above, below = abs(number.numerator), number.denominator
    return above != 0 and not (above & (above - 1)) and not (below & (below - 1))

"""Symbolic sizes: what the extent of a tensor may be, in one normal form.

A size is an integer or an `Affine`: symbols with integer coefficients, a constant, and terms
`floor(affine / k)`. Python's operators `+ - * // %` work on integers and affine sizes alike and
always return the normal form, so two sizes are equal for all values whenever they are `==`
(the converse holds without floor terms; see `tdsl.ir.condition` for equality under conditions).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import gcd


class ProductOfSymbols(ValueError):
    """Two sizes that both contain symbols were multiplied, or one was divided by a symbol."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A declared size, such as `H`."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Floor:
    """floor(numerator / divisor), divisor >= 2, the numerator's coefficients in 0..divisor-1."""

    numerator: Affine
    divisor: int

    def __str__(self) -> str:
        simple = len(self.numerator.terms) == 1 and self.numerator.constant == 0
        above = str(self.numerator) if simple else f"({self.numerator})"
        return f"floor({above} / {self.divisor})"


Atom = Symbol | Floor


@dataclass(frozen=True, slots=True)
class Affine:
    """constant + sum of coefficient * atom: at least one term, sorted, no zero coefficient."""

    terms: tuple[tuple[Atom, int], ...]
    constant: int = 0

    def __add__(self, other: Size) -> Size:
        if isinstance(other, int):
            return Affine(self.terms, self.constant + other)
        return _collect((*self.terms, *other.terms), self.constant + other.constant)

    def __radd__(self, other: int) -> Size:
        return self + other

    def __neg__(self) -> Affine:
        return Affine(tuple((atom, -factor) for atom, factor in self.terms), -self.constant)

    def __sub__(self, other: Size) -> Size:
        return self + (-other)

    def __rsub__(self, other: int) -> Size:
        return -self + other

    def __mul__(self, other: Size) -> Size:
        if not isinstance(other, int):
            raise ProductOfSymbols(f"{self} times {other}")
        return _collect(((a, f * other) for a, f in self.terms), self.constant * other)

    def __rmul__(self, other: int) -> Size:
        return self * other

    def __floordiv__(self, other: Size) -> Size:
        if not isinstance(other, int):
            raise ProductOfSymbols(f"{self} divided by {other}")
        return floor_divide(self, other)

    def __rfloordiv__(self, other: int) -> Size:
        raise ProductOfSymbols(f"{other} divided by {self}")

    def __mod__(self, other: Size) -> Size:
        return self - (self // other) * other

    def __rmod__(self, other: int) -> Size:
        raise ProductOfSymbols(f"{other} modulo {self}")

    def __str__(self) -> str:
        parts = [(factor, str(atom)) for atom, factor in self.terms]
        if self.constant:
            parts.append((self.constant, ""))
        parts.sort(key=lambda part: part[0] < 0)
        text = "".join(_signed(factor, atom) for factor, atom in parts)
        return text[3:] if text.startswith(" + ") else f"-{text[3:]}"


Size = int | Affine


def symbol(name: str) -> Affine:
    """The size that is the symbol `name`."""
    return Affine(((Symbol(name), 1),))


def floor_divide(size: Size, divisor: int) -> Size:
    """floor(size / divisor) in normal form. Raises ZeroDivisionError, as integers do."""
    if isinstance(size, int):
        return size // divisor
    if divisor < 0:
        return floor_divide(-size, -divisor)
    whole = _collect(((a, f // divisor) for a, f in size.terms), size.constant // divisor)
    rest = _collect(((a, f % divisor) for a, f in size.terms), size.constant % divisor)
    return whole + _floor(rest, divisor)


def ceil_divide(size: Size, divisor: int) -> Size:
    """ceil(size / divisor) in normal form."""
    return floor_divide(size + (divisor - 1), divisor)


def evaluate(size: Size, values: Mapping[str, int]) -> int:
    """The integer that `size` is. Raises KeyError where a symbol has no value."""
    if isinstance(size, int):
        return size
    return size.constant + sum(f * _evaluate_atom(a, values) for a, f in size.terms)


def substitute(size: Size, values: Mapping[str, Size]) -> Size:
    """`size` with some of its symbols replaced, in normal form."""
    if isinstance(size, int):
        return size
    total: Size = size.constant
    for atom, factor in size.terms:
        match atom:
            case Symbol(name):
                total = total + values.get(name, symbol(name)) * factor
            case Floor(numerator, divisor):
                total = total + floor_divide(substitute(numerator, values), divisor) * factor
    return total


def symbols_of(size: Size) -> frozenset[str]:
    """The names of the symbols in `size`."""
    if isinstance(size, int):
        return frozenset()
    return frozenset[str]().union(
        *(
            frozenset((atom.name,)) if isinstance(atom, Symbol) else symbols_of(atom.numerator)
            for atom, _ in size.terms
        )
    )


def product(sizes: Iterable[Size]) -> Size:
    """The product of all sizes. Raises ProductOfSymbols where two of them contain symbols."""
    total: Size = 1
    for size in sizes:
        total = total * size
    return total


def _collect(terms: Iterable[tuple[Atom, int]], constant: int) -> Size:
    factors: dict[Atom, int] = {}
    for atom, factor in terms:
        factors[atom] = factors.get(atom, 0) + factor
    kept = sorted(((a, f) for a, f in factors.items() if f), key=lambda term: str(term[0]))
    return Affine(tuple(kept), constant) if kept else constant


def _floor(rest: Size, divisor: int) -> Size:
    """floor(rest / divisor) where every coefficient of `rest` already lies in 0..divisor-1."""
    if isinstance(rest, int):
        return rest // divisor
    common = gcd(divisor, *(factor for _, factor in rest.terms))
    if common > 1:
        terms = ((atom, factor // common) for atom, factor in rest.terms)
        return floor_divide(_collect(terms, rest.constant // common), divisor // common)
    match rest.terms:
        case ((Floor(numerator, inner), 1),):
            return floor_divide(numerator + rest.constant * inner, inner * divisor)
        case _:
            return rest if divisor == 1 else Affine(((Floor(rest, divisor), 1),))


def _evaluate_atom(atom: Atom, values: Mapping[str, int]) -> int:
    match atom:
        case Symbol(name):
            return values[name]
        case Floor(numerator, divisor):
            return evaluate(numerator, values) // divisor


def _signed(factor: int, atom: str) -> str:
    sign = " - " if factor < 0 else " + "
    if not atom:
        return f"{sign}{abs(factor)}"
    return f"{sign}{atom}" if abs(factor) == 1 else f"{sign}{abs(factor)} * {atom}"

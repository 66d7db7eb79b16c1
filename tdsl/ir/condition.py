"""Conditions on sizes (`H % 4 == 0`, `W >= 16`) -> what follows from them.

Every symbol is a size, so it is at least 1. `H % 4 == 0` arrives as the normal form of
`H - 4 * floor(H / 4) == 0`. Conditions that bind one symbol (a remainder, a bound, a value) are
used for proofs; all conditions are used when examples are looked for and when sizes are fixed.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import islice, product
from math import gcd

from tdsl.ir.size import (
    Affine,
    Floor,
    Size,
    Symbol,
    evaluate,
    floor_divide,
    substitute,
    symbol,
    symbols_of,
)

Condition = tuple[Size, str, Size]
Where = tuple[Condition, ...]

COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MOST_SAMPLES = 4096
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


class Truth(Enum):
    """For which sizes a condition holds."""

    ALWAYS = "always"
    SOMETIMES = "sometimes"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of one symbol: low <= s (<= high), and s = residue (mod modulus)."""

    low: int = 1
    high: int | None = None
    modulus: int = 1
    residue: int = 0

    def holds(self, value: int) -> bool:
        """Whether `value` agrees with the fact."""
        inside = self.low <= value and (self.high is None or value <= self.high)
        return inside and value % self.modulus == self.residue


def condition_text(condition: Condition) -> str:
    """The condition as it is written in a header: `H % 4 == 0`."""
    found = _remainder(condition)
    if found is not None:
        name, modulus, residue = found
        return f"{name} % {modulus} {condition[1]} {residue}"
    left, sign, right = condition
    return f"{left} {sign} {right}"


def holds(condition: Condition, values: Mapping[str, int]) -> bool:
    """Whether `condition` is true for these values of its symbols."""
    left, sign, right = condition
    return COMPARISONS[sign](evaluate(left, values), evaluate(right, values))


def simplify(size: Size, where: Where) -> Size:
    """`size` as `where` lets it be written shorter: `2 * floor(H / 2)` is `H` for even H."""
    facts = {name: fact for name, fact in _facts(where).items() if fact.modulus > 1}
    inner = {n: symbol(_inner(n)) * f.modulus + f.residue for n, f in facts.items()}
    restored = {_inner(n): floor_divide(symbol(n) - f.residue, f.modulus) for n, f in facts.items()}
    known: dict[str, Size] = {n: v for n, v in _values(where).items()}
    size = substitute(size, known)
    shorter = _restore(substitute(size, inner), facts, restored)
    return min(size, shorter, key=lambda form: len(str(form)))


def bounds(size: Size, where: Where) -> tuple[int | None, int | None]:
    """Safe lower and upper bounds of `size`; None where there is none."""
    if isinstance(size, int):
        return size, size
    low: int | None = size.constant
    high: int | None = size.constant
    for atom, factor in size.terms:
        least, most = _atom_bounds(atom, where)
        if factor < 0:
            least, most = most, least
        low = None if low is None or least is None else low + factor * least
        high = None if high is None or most is None else high + factor * most
    return low, high


def decide(condition: Condition, where: Where = ()) -> Truth:
    """Whether `condition` holds for every size that `where` allows, proved or by example.

    ALWAYS is proved. NEVER is proved or, for lack of any example, believed of small sizes.
    """
    proved = prove(condition, where)
    if proved is not None:
        return Truth.ALWAYS if proved else Truth.NEVER
    return Truth.NEVER if find(condition, where) is None else Truth.SOMETIMES


def prove(condition: Condition, where: Where) -> bool | None:
    """True or false where that is proved for every size that `where` allows, else None."""
    left, sign, right = condition
    low, high = bounds(simplify(left - right, where), where)
    return _proof(sign, low, high)


def find(condition: Condition, where: Where = (), positive: bool = False) -> dict[str, int] | None:
    """Small sizes allowed by `where` for which `condition` is true, if there are any.

    With `positive` both sides must be at least 1 as well, as a tensor's sizes are.
    """
    left, _, right = condition
    for values in samples(symbols_of(left) | symbols_of(right), where):
        if holds(condition, values) and not (
            positive and min(evaluate(left, values), evaluate(right, values)) < 1
        ):
            return values
    return None


def contradictory(where: Where) -> bool:
    """Whether the bounds on some symbol leave it no value, or its remainders exclude each other."""
    facts = _facts(where)
    empty = any(next(_allowed(fact), None) is None for fact in facts.values())
    return empty or any(prove(condition, where) is False for condition in where)


def samples(names: frozenset[str], where: Where) -> Iterator[dict[str, int]]:
    """Small assignments of `names` (and of the symbols of `where`) that `where` allows."""
    wanted = sorted(names.union(*(symbols_of(side) for c in where for side in (c[0], c[2]))))
    facts = _facts(where)
    each = {1: 2048, 2: 48, 3: 14}.get(len(wanted), 5)
    axes = [islice(_allowed(facts.get(name, Fact())), each) for name in wanted]
    for point in islice(product(*axes), MOST_SAMPLES):
        values = dict(zip(wanted, point, strict=True))
        if all(holds(condition, values) for condition in where):
            yield values


def suggest(conditions: Where, where: Where) -> Where | None:
    """The weakest conditions found on single symbols under which all `conditions` hold."""
    added: Where = ()
    for condition in conditions:
        if decide(condition, where + added) is not Truth.ALWAYS:
            step = next(_repairs(condition, where + added), None)
            if step is None:
                return None
            added += step
    return added


def _repairs(condition: Condition, where: Where) -> Iterator[Where]:
    names = sorted(symbols_of(simplify(condition[0] - condition[2], where)))
    for number in range(2, 65):
        for kind in (_divisible, _at_least):
            extra = tuple(kind(name, number) for name in names)
            if prove(condition, where + extra) and not contradictory(where + extra):
                yield extra


def _divisible(name: str, number: int) -> Condition:
    return symbol(name) % number, "==", 0


def _at_least(name: str, number: int) -> Condition:
    return symbol(name), ">=", number


def _proof(sign: str, low: int | None, high: int | None) -> bool | None:
    """What bounds of left - right prove of `left sign right`."""
    if sign in (">", ">="):
        low, high = (None if high is None else -high), (None if low is None else -low)
    strict = sign in ("<", ">")
    above = low is not None and (low > 0 or (strict and low == 0))
    below = high is not None and (high < 0 or (not strict and high == 0))
    if sign in ("==", "!="):
        apart = (low is not None and low > 0) or (high is not None and high < 0)
        same = low == 0 and high == 0
        if not (apart or same):
            return None
        return same == (sign == "==")
    return True if below else False if above else None


def _atom_bounds(atom: Symbol | Floor, where: Where) -> tuple[int | None, int | None]:
    match atom:
        case Symbol(name):
            fact = _facts(where).get(name, Fact())
            return fact.low, fact.high
        case Floor(numerator, divisor):
            low, high = bounds(numerator, where)
            return (
                None if low is None else low // divisor,
                None if high is None else high // divisor,
            )


def _allowed(fact: Fact) -> Iterator[int]:
    value = fact.low + (fact.residue - fact.low) % fact.modulus
    while fact.high is None or value <= fact.high:
        yield value
        value += fact.modulus


@lru_cache(maxsize=256)
def _facts(where: Where) -> dict[str, Fact]:
    facts: dict[str, Fact] = {}
    for condition in where:
        remainder = _remainder(condition)
        bound = _bound(condition)
        if remainder is not None and condition[1] == "==":
            name, modulus, residue = remainder
            facts[name] = _narrowed(facts.get(name, Fact()), modulus, residue)
        elif bound is not None:
            name, sign, value = bound
            facts[name] = _bounded(facts.get(name, Fact()), sign, value)
    return facts


@lru_cache(maxsize=256)
def _values(where: Where) -> dict[str, int]:
    return {n: f.low for n, f in _facts(where).items() if f.low == f.high}


def _remainder(condition: Condition) -> tuple[str, int, int] | None:
    """(s, m, r) where the condition says s = r (mod m): a s - a m floor((s + k) / m) + c == 0."""
    difference = condition[0] - condition[2]
    if condition[1] not in ("==", "!=") or isinstance(difference, int):
        return None
    match sorted(difference.terms, key=lambda term: isinstance(term[0], Floor)):
        case [
            (Symbol(name), factor),
            (Floor(Affine(((Symbol(inside), 1),), shift), modulus), under),
        ] if name == inside and under == -factor * modulus and difference.constant % factor == 0:
            rest = shift - difference.constant // factor
            return (name, modulus, (rest - shift) % modulus) if 0 <= rest < modulus else None
        case _:
            return None


def _bound(condition: Condition) -> tuple[str, str, int] | None:
    """(s, sign, value) where the condition bounds one symbol by an integer."""
    left, sign, right = condition
    difference = left - right
    if isinstance(difference, int):
        return None
    match difference.terms:
        case ((Symbol(name), factor),):
            if factor < 0:
                sign, factor, rest = _MIRRORED[sign], -factor, difference.constant
            else:
                rest = -difference.constant
            if sign in ("==", "!=") and rest % factor:
                return None
            round_up = sign in (">=", "<")
            return name, sign, -(-rest // factor) if round_up else rest // factor
        case _:
            return None


def _narrowed(fact: Fact, modulus: int, residue: int) -> Fact:
    """Both remainders at once (Chinese remainders); contradictory ones leave the first."""
    common = gcd(fact.modulus, modulus)
    steps, rest = divmod(residue - fact.residue, common)
    if rest:
        return fact
    steps = steps * pow(fact.modulus // common, -1, modulus // common) % (modulus // common)
    both = fact.modulus * modulus // common
    return Fact(fact.low, fact.high, both, fact.residue + steps * fact.modulus)


def _bounded(fact: Fact, sign: str, value: int) -> Fact:
    low, high = fact.low, fact.high
    if sign in (">", ">=", "=="):
        low = max(low, value + (sign == ">"))
    if sign in ("<", "<=", "=="):
        top = value - (sign == "<")
        high = top if high is None else min(high, top)
    return Fact(low, high, fact.modulus, fact.residue)


def _inner(name: str) -> str:
    return f"{name}/"


def _restore(size: Size, facts: Mapping[str, Fact], restored: Mapping[str, Size]) -> Size:
    """Write multiples of the quotient of a symbol by its modulus in the symbol itself again."""
    if isinstance(size, int):
        return size
    total: Size = size.constant
    for atom, factor in size.terms:
        match atom:
            case Symbol(name) if name in restored:
                outer = name.removesuffix("/")
                fact = facts[outer]
                total = total + floor_divide((symbol(outer) - fact.residue) * factor, fact.modulus)
            case Symbol():
                total = total + Affine(((atom, factor),))
            case Floor(numerator, divisor):
                inside = _restore(numerator, facts, restored)
                total = total + floor_divide(inside, divisor) * factor
    return total

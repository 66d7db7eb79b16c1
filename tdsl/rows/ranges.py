"""The exact range of a value from the ranges of its operands.

`max(a, b) - min(a, b)` is |a - b| and `a * a` a square: the two shapes in which operands depend on
each other that users write by hand; every other range is that of independent operands.
"""

from collections.abc import Sequence
from typing import assert_never

from tdsl.rows.ir import (
    Arithmetic,
    Binary,
    Border,
    Compare,
    Constant,
    Range,
    Read,
    Relation,
    RowInput,
    RowOp,
    RowValue,
    Scale,
    Select,
    Shift,
    Sole,
    Unary,
    UserOp,
)

BIT = Range(0, 1)


def range_of(op: RowOp, values: Sequence[RowValue], inputs: Sequence[RowInput]) -> Range:
    """The range of the value that `op` makes of earlier values."""
    match op:
        case Read(input=number):
            given = inputs[number]
            if given.border is Border.EDGE:
                return given.range
            return Range(min(given.range.low, given.pad), max(given.range.high, given.pad))
        case Constant(value=value):
            return Range(value, value)
        case Shift(a=a):
            return values[a].range
        case Binary():
            return _binary(op, values)
        case Unary(op=sole, a=a):
            return _unary(sole, values[a].range)
        case Scale(a=a, amount=amount):
            return _scale(values[a].range, amount)
        case Compare():
            return _compare(op, values[op.a].range, values[op.b].range)
        case Select(condition=condition, a=a, b=b):
            return _select(values[condition].range, values[a].range, values[b].range)
        case UserOp(body=body):
            return values[body].range
    assert_never(op)


def _binary(op: Binary, values: Sequence[RowValue]) -> Range:
    a, b = values[op.a].range, values[op.b].range
    match op.op:
        case Arithmetic.ADD:
            return Range(a.low + b.low, a.high + b.high)
        case Arithmetic.SUB:
            difference = Range(a.low - b.high, a.high - b.low)
            if _is_spread(values[op.a].op, values[op.b].op):
                return _spread(values[op.a].op, values)
            return Range(0, 0) if op.a == op.b else difference
        case Arithmetic.MUL:
            if op.a == op.b:
                size = _magnitude(a)
                return Range(size.low**2, size.high**2)
            corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
            return Range(min(corners), max(corners))
        case Arithmetic.MIN:
            return Range(min(a.low, b.low), min(a.high, b.high))
        case Arithmetic.MAX:
            return Range(max(a.low, b.low), max(a.high, b.high))
        case Arithmetic.AND | Arithmetic.OR | Arithmetic.XOR:
            return _bitwise(op.op, a, b)
    assert_never(op.op)


def _is_spread(a: RowOp, b: RowOp) -> bool:
    """Whether the two are the maximum and the minimum of the same operands."""
    match a, b:
        case (
            Binary(op=Arithmetic.MAX, a=p, b=q),
            Binary(op=Arithmetic.MIN, a=r, b=s),
        ):
            return {p, q} == {r, s}
        case _:
            return False


def _spread(larger: RowOp, values: Sequence[RowValue]) -> Range:
    """|a - b| of the operands of `larger`."""
    assert isinstance(larger, Binary)
    a, b = values[larger.a].range, values[larger.b].range
    return (
        Range(0, 0) if larger.a == larger.b else _magnitude(Range(a.low - b.high, a.high - b.low))
    )


def _magnitude(a: Range) -> Range:
    """|a|."""
    low = 0 if a.low <= 0 <= a.high else min(abs(a.low), abs(a.high))
    return Range(low, max(abs(a.low), abs(a.high)))


def _bitwise(op: Arithmetic, a: Range, b: Range) -> Range:
    """Two's complement of the wider operand; what is not negative stays so."""
    if a.low == a.high and b.low == b.high:
        exact = {"&": a.low & b.low, "|": a.low | b.low, "^": a.low ^ b.low}[op.value]
        return Range(exact, exact)
    if op is Arithmetic.AND and not (a.signed and b.signed):
        tops = [r.high for r in (a, b) if not r.signed]
        return Range(0, min(tops))
    bits = max(a.bits - a.signed, b.bits - b.signed)
    if a.signed or b.signed:
        return Range(-(1 << bits), (1 << bits) - 1)
    return Range(max(a.low, b.low) if op is Arithmetic.OR else 0, (1 << bits) - 1)


def _unary(op: Sole, a: Range) -> Range:
    match op:
        case Sole.NEG:
            return Range(-a.high, -a.low)
        case Sole.ABS:
            return _magnitude(a)
        case Sole.NOT:
            return Range(1 - a.high, 1 - a.low) if BIT.holds(a) else Range(-1 - a.high, -1 - a.low)
        case Sole.POPCOUNT:
            return _ones(a)
    assert_never(op)


def _ones(a: Range) -> Range:
    """Fewer ones than bits, unless the highest value is all ones."""
    if a.low == a.high:
        return Range(a.low.bit_count(), a.low.bit_count())
    full = (a.high + 1).bit_count() == 1
    return Range(int(a.low > 0), a.bits if full else a.bits - 1)


def _scale(a: Range, amount: int) -> Range:
    if amount >= 0:
        return Range(a.low << amount, a.high << amount)
    return Range(a.low >> -amount, a.high >> -amount)


def _compare(op: Compare, a: Range, b: Range) -> Range:
    """0 or 1 where the ranges decide, else both."""
    always, never = False, False
    match op.relation:
        case Relation.LESS:
            always, never = a.high < b.low, op.a == op.b or a.low >= b.high
        case Relation.EQUAL:
            always = op.a == op.b or a.low == a.high == b.low == b.high
            never = a.high < b.low or b.high < a.low
    if not always and not never:
        return BIT
    value = int(always != op.inverted)
    return Range(value, value)


def _select(condition: Range, a: Range, b: Range) -> Range:
    if condition.low == 1:
        return a
    if condition.high == 0:
        return b
    return Range(min(a.low, b.low), max(a.high, b.high))

"""Row programs built value by value: ranges are worked out, equal values are made once, constants
are folded.

The builder is the only maker of `RowValue`s: what it does not fold or refuse is exact.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tdsl.rows.ir import (
    Arithmetic,
    Binary,
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
from tdsl.rows.ranges import range_of
from tdsl.source import NOWHERE, Span


@dataclass
class RowBuilder:
    """Collects the values of one program; every method returns the position of a value."""

    inputs: list[RowInput] = field(default_factory=list[RowInput])
    values: list[RowValue] = field(default_factory=list[RowValue])
    span: Span = NOWHERE
    _known: dict[RowOp, int] = field(default_factory=dict[RowOp, int])

    def range(self, value: int) -> Range:
        """The range of a value."""
        return self.values[value].range

    def constant(self, value: int) -> int:
        """The same integer everywhere."""
        return self._add(Constant(value))

    def read(self, name: int, channel: int = 0) -> int:
        """A channel of an input."""
        return self._add(Read(name, channel))

    def shift(self, a: int, dy: int, dx: int) -> int:
        """The value of a neighbour; shifts of shifts become one."""
        match self.values[a].op:
            case Shift(a=inner, dy=more_y, dx=more_x):
                return self.shift(inner, dy + more_y, dx + more_x)
            case Constant():
                return a
            case _:
                return a if dy == 0 and dx == 0 else self._add(Shift(a, dy, dx))

    def binary(self, op: Arithmetic, a: int, b: int) -> int:
        """`a` with `b`."""
        free = self._without_work(op, a, b)
        return self._add(Binary(op, a, b)) if free is None else free

    def unary(self, op: Sole, a: int) -> int:
        """A function of one value."""
        return self._add(Unary(op, a))

    def scale(self, a: int, amount: int) -> int:
        """`a * 2^amount`, rounded down where the amount is negative."""
        return a if amount == 0 else self._add(Scale(a, amount))

    def compare(self, relation: Relation, a: int, b: int, inverted: bool = False) -> int:
        """1 where the relation holds (where `inverted`: does not hold)."""
        return self._add(Compare(relation, a, b, inverted))

    def select(self, condition: int, a: int, b: int) -> int:
        """`a` where the condition is 1, else `b`."""
        return a if a == b else self._add(Select(condition, a, b))

    def user_op(self, op: UserOp) -> int:
        """The result of a user-defined micro-op; never shared, since it is work by itself."""
        self.values.append(RowValue(op, self.range(op.body), self.span))
        return len(self.values) - 1

    def forget(self) -> None:
        """Make from now on anew what was worked out before: what is shared long takes rows long."""
        for op in [op for op in self._known if not isinstance(op, Read | Constant)]:
            del self._known[op]

    @contextmanager
    def enclosed(self) -> Generator[list[int]]:
        """Let values made in the block share nothing with others; then the list holds them."""
        outside, self._known = self._known, {}
        first = len(self.values)
        inside: list[int] = []
        try:
            yield inside
        finally:
            inside += range(first, len(self.values))
            self._known = outside

    def _without_work(self, op: Arithmetic, a: int, b: int) -> int | None:
        """The result where one operand alone gives it, renamed or negated; else None."""
        x, y = self.range(a), self.range(b)
        zero = Range(0, 0)
        match op:
            case Arithmetic.ADD | Arithmetic.OR | Arithmetic.XOR if zero in (x, y):
                return b if x == zero else a
            case Arithmetic.SUB if zero in (x, y):
                return a if y == zero else self.unary(Sole.NEG, b)
            case Arithmetic.MUL if x.low == x.high or y.low == y.high:
                return self._times(b, x.low) if x.low == x.high else self._times(a, y.low)
            case Arithmetic.MIN if a == b or x.high <= y.low or y.high <= x.low:
                return a if x.high <= y.low else b
            case Arithmetic.MAX if a == b or x.high <= y.low or y.high <= x.low:
                return b if x.high <= y.low else a
            case Arithmetic.AND | Arithmetic.OR if a == b:
                return a
            case _:
                return None

    def _times(self, a: int, factor: int) -> int | None:
        """`a` times plus or minus a power of two; None for other factors."""
        size = abs(factor)
        if size.bit_count() != 1:
            return None
        scaled = self.scale(a, size.bit_length() - 1)
        return scaled if factor > 0 else self.unary(Sole.NEG, scaled)

    def _add(self, op: RowOp) -> int:
        if op in self._known:
            return self._known[op]
        found = range_of(op, self.values, self.inputs)
        if found.low == found.high and not isinstance(op, Constant | Read):
            return self.constant(found.low)
        self.values.append(RowValue(op, found, self.span))
        self._known[op] = len(self.values) - 1
        return len(self.values) - 1

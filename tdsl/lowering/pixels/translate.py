"""A row program -> the same program with values that differ only by where they are worked out
made once.

Every value is taken apart into a value whose first operand is not shifted, and a shift: `a[0, 1] +
a[0, 2]` is `a + a[0, 1]`, one pixel further. What is equal then, is one value: the sums of a
separable filter over one column serve the columns beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from tdsl.lowering.pixels.code import HERE, Offset
from tdsl.lowering.pixels.order import as_written, outer_operands
from tdsl.rows.builder import RowBuilder
from tdsl.rows.ir import (
    Arithmetic,
    Binary,
    Compare,
    Constant,
    Read,
    Relation,
    RowOp,
    RowProgram,
    Scale,
    Select,
    Shift,
    Sole,
    Unary,
    UserOp,
)

_ORDERED = Arithmetic.SUB
"""The one function of two values whose operands cannot change places."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A value of the new program, read at a distance."""

    value: int
    at: Offset = HERE


def translate(program: RowProgram) -> RowProgram:
    """The program with equal values at equal distances made once."""
    work = _Translation(program, RowBuilder(list(program.inputs)))
    for position in as_written(program):
        work.builder.span = program.values[position].span
        work.placed[position] = work.rebuilt(position)
    outputs = tuple(
        replace(output, values=tuple(work.here(v) for v in output.values))
        for output in program.outputs
    )
    totals = tuple(
        replace(total, values=tuple(work.here(v) for v in total.values)) for total in program.totals
    )
    return replace(program, values=tuple(work.builder.values), outputs=outputs, totals=totals)


@dataclass(slots=True)
class _Translation:
    """The new program so far, and where it has the values of the old one."""

    program: RowProgram
    builder: RowBuilder
    placed: dict[int, Placed] = field(default_factory=dict[int, Placed])

    def here(self, position: int) -> int:
        """The value without a distance."""
        found = self.placed[position]
        return self.builder.shift(found.value, found.at.dy, found.at.dx)

    def rebuilt(self, position: int) -> Placed:
        """A value in the new program."""
        op = self.program.values[position].op
        match op:
            case Constant(value=value):
                return Placed(self.builder.constant(value))
            case Read(input=number, channel=channel):
                return Placed(self.builder.read(number, channel))
            case Shift(a=a, dy=dy, dx=dx):
                found = self.placed[a]
                if isinstance(self.builder.values[found.value].op, Constant):
                    return found
                return Placed(found.value, found.at + Offset(dy, dx))
            case UserOp():
                return Placed(self._declared(op))
            case _:
                return self._moved(op)

    def _moved(self, op: Binary | Unary | Scale | Compare | Select) -> Placed:
        """An operation worked out where its first operand stands."""
        found = [self.placed[a] for a in outer_operands(op, self.program)]
        if _symmetric(op):
            found.sort(key=lambda one: (one.value, one.at.dy, one.at.dx))
        places = [one.at for one in found if not self._constant(one)]
        at = places[0] if places else HERE
        values = [
            self.builder.shift(one.value, one.at.dy - at.dy, one.at.dx - at.dx) for one in found
        ]
        return Placed(self._made(op, values), at)

    def _constant(self, one: Placed) -> bool:
        return isinstance(self.builder.values[one.value].op, Constant)

    def _made(self, op: Binary | Unary | Scale | Compare | Select, values: Sequence[int]) -> int:
        builder = self.builder
        match op:
            case Binary(op=Arithmetic.SUB):
                return self._difference(values[0], values[1])
            case Binary(op=arithmetic):
                return builder.binary(arithmetic, values[0], values[1])
            case Unary(op=sole):
                return builder.unary(sole, values[0])
            case Scale(amount=amount):
                return builder.scale(values[0], amount)
            case Compare(relation=relation, inverted=inverted):
                return builder.compare(relation, values[0], values[1], inverted)
            case Select():
                return builder.select(values[0], values[1], values[2])
        assert_never(op)

    def _difference(self, a: int, b: int) -> int:
        """`a - b`; where they are the maximum and the minimum of two values, |one - other|."""
        pair = self._spread(a, b)
        if pair is None:
            return self.builder.binary(Arithmetic.SUB, a, b)
        return self.builder.unary(Sole.ABS, self.builder.binary(Arithmetic.SUB, pair[0], pair[1]))

    def _spread(self, larger: int, smaller: int) -> tuple[int, int] | None:
        """The two values whose maximum and minimum are given: their distance is |a - b|."""
        match self.builder.values[larger].op, self.builder.values[smaller].op:
            case (
                Binary(op=Arithmetic.MAX, a=a, b=b),
                Binary(op=Arithmetic.MIN, a=c, b=d),
            ) if {a, b} == {c, d}:
                return a, b
            case _:
                return None

    def _declared(self, op: UserOp) -> int:
        """A user's micro-op, with its own values; what it reads is brought to it before."""
        for position in outer_operands(op, self.program):
            self.placed[position] = Placed(self.here(position))
        with self.builder.enclosed() as inside:
            for position in op.inside:
                self.placed[position] = Placed(self._copied(position))
        return self.builder.user_op(
            replace(op, body=self.placed[op.body].value, inside=tuple(inside))
        )

    def _copied(self, position: int) -> int:
        """A value inside a micro-op, as it is written."""
        op: RowOp = self.program.values[position].op
        values = [self.placed[a].value for a in outer_operands(op, self.program)]
        match op:
            case Constant(value=value):
                return self.builder.constant(value)
            case Read(input=number, channel=channel):
                return self.builder.read(number, channel)
            case Shift(dy=dy, dx=dx):
                return self.builder.shift(values[0], dy, dx)
            case UserOp():
                raise AssertionError("micro-ops hold no others")
            case _:
                return self._made(op, values)


def _symmetric(op: RowOp) -> bool:
    match op:
        case Binary(op=arithmetic):
            return arithmetic is not _ORDERED
        case Compare(relation=relation):
            return relation is Relation.EQUAL
        case _:
            return False
